//! Who sees and does what: the one list of screens, walked by everybody.

use axum::http::Method;
use farthing_engine::operators::roles::ROLES;
use farthing_engine::operators::{Role, may};
use farthing_web::admin::{Screen, screens};

use crate::harness::{Panel, off, world};

/// An address of a screen, with names of things that are there where it has to be looked at.
fn address(panel: &Panel, screen: &Screen) -> String {
    let (event, key, operator) = off(|| {
        let engine = &panel.world.engine;
        let event = engine.events(None, "", 1).unwrap()[0].id.clone();
        let key = engine.keys().unwrap()[0].id.clone();
        (event, key, engine.team().unwrap()[0].id.clone())
    });
    let id = match screen.path.split('/').nth(2) {
        Some("customers") => "u_1",
        Some("events") => &event,
        Some("keys") => &key,
        Some("team") => &operator,
        _ => "none",
    };
    let path = screen.path.replace("{id}", id).replace("{version}", "1");
    let query =
        if path.ends_with("/change") && screen.method == Method::GET { "?what=cancel" } else { "" };
    let path = path.replace("/refunds/none", &format!("/refunds/{}", refund(panel)));
    format!("{}{query}", path.replace("{feature}", "chatbots"))
}

/// The one refund that was asked for.
fn refund(panel: &Panel) -> String {
    let filter = farthing_engine::refunds::RefundFilter::default();
    off(|| panel.world.engine.refunds(&filter, "", 1).unwrap())[0].id.clone()
}

fn filled() -> Panel {
    let mut panel = Panel::new();
    off(|| {
        panel.bought("u_1", "growth");
        let ask = farthing_engine::refunds::RefundAsk {
            customer: "u_1".parse().unwrap(),
            payment: None,
            amount: None,
            reason: "it does not do what I need".to_owned(),
        };
        panel.world.engine.request_refund(&world::caller(), &ask, None).unwrap();
        panel.world.engine.create_key(&world::caller(), "app", farthing_engine::keys::Scope::Full)
    })
    .unwrap();
    panel
}

#[tokio::test]
async fn every_page_is_shown_to_whom_the_table_says_and_to_nobody_else() {
    let panel = filled();
    for role in ROLES {
        let mut browser = panel.signed_in(role).await;
        for screen in screens().iter().filter(|screen| screen.method == Method::GET) {
            let path = address(&panel, screen);
            let page = browser.get(&path).await;
            let expected = if may(role, screen.action) { 200 } else { 403 };
            assert_eq!(page.status, expected, "{role:?} {path}: {}", page.body);
            if expected == 403 {
                assert!(
                    page.has("Not for your role") && page.has("Owner"),
                    "{path}: {}",
                    page.body
                );
            }
        }
    }
}

#[tokio::test]
async fn nothing_is_done_for_whoever_may_not_do_it() {
    let panel = filled();
    for role in ROLES {
        let mut browser = panel.signed_in(role).await;
        let before = off(|| panel.world.engine.audit_log(None, None, 500).unwrap().len());
        let refused: Vec<Screen> = screens()
            .into_iter()
            .filter(|screen| screen.method == Method::POST && !may(role, screen.action))
            .collect();
        for screen in &refused {
            let path = address(&panel, screen);
            let fields = [("name", "x"), ("scope", "full"), ("role", "owner"), ("text", "x")];
            let page = browser.post(&path, &fields).await;
            assert_eq!(page.status, 403, "{role:?} {path}: {}", page.body);
        }
        assert_eq!(refused.is_empty(), role == Role::Owner);
        let after = off(|| panel.world.engine.audit_log(None, None, 500).unwrap().len());
        assert_eq!(after, before, "{role:?} changed something");
    }
}

#[tokio::test]
async fn a_stranger_sees_no_page_and_does_nothing() {
    let panel = filled();
    panel.signed_in(Role::Owner).await;
    let mut browser = panel.browser();
    for screen in screens() {
        let path = address(&panel, &screen);
        let page = match screen.method {
            Method::GET => browser.get(&path).await,
            _ => browser.post(&path, &[]).await,
        };
        assert_eq!(page.status, 303, "{path}");
        assert!(page.header("location").starts_with("/admin/sign-in?next=%2Fadmin"), "{path}");
        assert!(!page.has("u_1@example.com"));
    }
}

#[tokio::test]
async fn a_role_that_was_changed_ends_what_was_opened_with_the_old_one() {
    let panel = filled();
    let mut owner = panel.signed_in(Role::Owner).await;
    let mut finance = panel.signed_in(Role::Finance).await;
    let team = off(|| panel.world.engine.team().unwrap());
    let id = &team.iter().find(|person| person.role == Role::Finance).unwrap().id;
    let page = owner.post(&format!("/admin/team/{id}/role"), &[("role", "viewer")]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_eq!(finance.get("/admin").await.status, 303, "the old session still works");
}

#[tokio::test]
async fn the_last_owner_stays() {
    let panel = filled();
    let mut owner = panel.signed_in(Role::Owner).await;
    let id = off(|| panel.world.engine.team().unwrap())[0].id.clone();
    let page = owner.post(&format!("/admin/team/{id}/remove"), &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.has("only owner"), "{}", page.body);
    let page = owner.post(&format!("/admin/team/{id}/role"), &[("role", "viewer")]).await;
    assert_eq!(page.status, 409);
    assert_eq!(owner.get("/admin/team").await.status, 200);
}
