//! Forms of others, and what a browser is told about every page.

use axum::http::Method;
use farthing_engine::operators::Role;
use farthing_web::admin::screens;

use crate::harness::{ORIGIN, Panel, form, off};

#[tokio::test]
async fn a_form_without_our_token_or_from_elsewhere_changes_nothing() {
    let panel = Panel::new();
    off(|| panel.world.customer("u_1"));
    let mut browser = panel.signed_in(Role::Owner).await;
    let token = browser.token().await;
    let good = form(&[("form_token", &token), ("text", "a note")]);
    let (path, own) = ("/admin/customers/u_1/notes", ("origin", ORIGIN));
    let without = form(&[("text", "a note")]);
    let wrong = form(&[("form_token", &"0".repeat(64)), ("text", "a note")]);
    let evil = ("origin", "https://evil.example");
    let cross = ("sec-fetch-site", "cross-site");
    for (headers, body) in [
        (&[own][..], &without),
        (&[own], &wrong),
        (&[evil], &good),
        (&[("origin", "null")], &good),
        (&[], &good),
        (&[own, cross], &good),
    ] {
        let page = browser.send(Method::POST, path, headers, body.clone()).await;
        assert_eq!(page.status, 403, "{headers:?} {body}");
        assert!(page.has("Nothing was changed"));
    }
    let id = "u_1".parse().unwrap();
    assert!(off(|| panel.world.engine.notes(&id).unwrap()).is_empty());
    let page = browser.send(Method::POST, path, &[own], good).await;
    assert_eq!(page.status, 303);
    assert_eq!(off(|| panel.world.engine.notes(&id).unwrap()).len(), 1);
}

/// Signing somebody in as somebody else is an attack, too.
#[tokio::test]
async fn signing_in_needs_our_token_as_well() {
    let panel = Panel::new();
    let mut browser = panel.browser();
    let body = form(&[("email", "ana@example.com"), ("password", "x")]);
    for path in ["/admin/sign-in", "/admin/second-factor", "/admin/link/x", "/admin/link/x/enter"] {
        let page = browser.send(Method::POST, path, &[("origin", ORIGIN)], body.clone()).await;
        assert_eq!(page.status, 403, "{path}");
    }
}

#[tokio::test]
async fn the_token_of_one_person_is_nothing_in_the_hands_of_another() {
    let panel = Panel::new();
    off(|| panel.world.customer("u_1"));
    let token = panel.signed_in(Role::Owner).await.token().await;
    let mut other = panel.signed_in(Role::Support).await;
    let body = form(&[("form_token", &token), ("text", "x")]);
    let path = "/admin/customers/u_1/notes";
    assert_eq!(other.send(Method::POST, path, &[("origin", ORIGIN)], body).await.status, 403);
}

#[tokio::test]
async fn every_page_says_what_it_may_load_and_that_nobody_may_frame_it() {
    let panel = Panel::new();
    off(|| panel.world.customer("u_1"));
    let mut browser = panel.signed_in(Role::Owner).await;
    let mut paths: Vec<String> = screens()
        .iter()
        .filter(|screen| screen.method == Method::GET)
        .map(|screen| screen.path.replace("{id}", "u_1").replace("{version}", "1"))
        .collect();
    for more in ["/admin/sign-in", "/admin/link/x", "/admin/second-factor", "/admin/nothing"] {
        paths.push(more.to_owned());
    }
    for path in paths {
        let page = browser.get(&path).await;
        let policy = page.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("strict-transport-security"), "max-age=31536000", "{path}");
        for inline in ["<style", " style=", " onclick", "javascript:", "<script>"] {
            assert!(!page.has(inline), "{path} has {inline}");
        }
    }
}

#[tokio::test]
async fn the_session_is_out_of_reach_for_scripts_and_other_sites() {
    let panel = Panel::new();
    let link = panel.first_link();
    let page = panel.browser().accept(&link).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-farthing="), "{cookie}");
    for part in ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let secret = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    let stored = off(|| {
        panel.world.by_hand(|tx| {
            let rows = tx.query("SELECT id, hash FROM operator_sessions", &[])?;
            rows.iter().map(|row| row.bytes(1)).collect::<Result<Vec<_>, _>>()
        })
    });
    assert!(stored.iter().all(|hash| hash != secret.as_bytes()), "the cookie itself is stored");
}

#[tokio::test]
async fn a_form_that_is_too_long_is_refused() {
    let panel = Panel::new();
    let mut browser = panel.signed_in(Role::Owner).await;
    let page = browser.post("/admin/catalog/plan", &[("source", &"x".repeat(300 << 10))]).await;
    assert_eq!(page.status, 413);
}
