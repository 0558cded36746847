//! Coming in: links, passwords, codes, sessions, and what slows guessing down.

use farthing_engine::Clock;
use farthing_engine::operators::Role;
use farthing_engine::operators::totp::code_at;

use crate::harness::{PASSWORD, Page, Panel, off};

#[tokio::test]
async fn a_one_time_link_lets_one_person_in_once() {
    let panel = Panel::new();
    let link = panel.first_link();
    let mut first = panel.browser();
    let looked = first.get(&format!("/admin/link/{link}")).await;
    assert_eq!(looked.status, 200, "a mail scanner that looks at it");
    first.accept(&link).await;
    let mut second = panel.browser();
    let page = second.get(&format!("/admin/link/{link}")).await;
    assert_eq!(page.status, 410);
    let fields = [("name", "Eve"), ("email", "eve@example.com"), ("password", PASSWORD)];
    let page = second.post(&format!("/admin/link/{link}"), &fields).await;
    assert_eq!(page.status, 410);
    assert_eq!(off(|| panel.world.engine.team().unwrap()).len(), 1);
}

#[tokio::test]
async fn a_link_ends_after_half_an_hour_and_when_a_newer_one_is_made() {
    let panel = Panel::new();
    let old = panel.first_link();
    let new = panel.first_link();
    let mut browser = panel.browser();
    assert_eq!(browser.get(&format!("/admin/link/{old}")).await.status, 410);
    assert_eq!(browser.get(&format!("/admin/link/{new}")).await.status, 200);
    panel.wait(30 * 60);
    assert_eq!(browser.get(&format!("/admin/link/{new}")).await.status, 410);
}

#[tokio::test]
async fn a_short_password_is_told_and_does_not_use_the_link_up() {
    let panel = Panel::new();
    let link = format!("/admin/link/{}", panel.first_link());
    let mut browser = panel.browser();
    let fields = [("name", "Ana"), ("email", "ana@example.com"), ("password", "short")];
    let page = browser.post(&link, &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.has("12 to 200 characters") && page.has("value=\"ana@example.com\""));
    assert_eq!(browser.get(&link).await.status, 200);
}

/// Somebody with a second factor, signed in; and the secret of their app.
async fn enrolled(panel: &Panel) -> (crate::harness::Browser<'_>, Vec<u8>, Page) {
    let mut browser = panel.browser();
    browser.accept(&panel.first_link()).await;
    assert_eq!(browser.get("/admin").await.status, 303, "half-way is not in");
    let (secret, page) = browser.enroll().await;
    assert_eq!(browser.get("/admin").await.status, 200);
    (browser, secret, page)
}

#[tokio::test]
async fn a_code_counts_once() {
    let panel = Panel::new();
    let (_, secret, _) = enrolled(&panel).await;
    panel.wait(60);
    let code = code_at(&secret, panel.wall.now());
    let mut one = panel.browser();
    let mut two = panel.browser();
    for browser in [&mut one, &mut two] {
        let page = browser.sign_in("ana@example.com", PASSWORD).await;
        assert_eq!(page.status, 303);
        assert_eq!(browser.get("/admin").await.status, 303, "the password alone is not enough");
    }
    let page = one.post("/admin/second-factor", &[("code", &code)]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert_eq!(one.get("/admin").await.status, 200);
    let page = two.post("/admin/second-factor", &[("code", &code)]).await;
    assert_eq!(page.status, 422, "the code was read over a shoulder, and taken again");
    panel.wait(-30);
    let older = code_at(&secret, panel.wall.now());
    let page = two.post("/admin/second-factor", &[("code", &older)]).await;
    assert_eq!(page.status, 422, "an older code is taken after a newer one");
}

#[tokio::test]
async fn a_recovery_code_counts_once() {
    let panel = Panel::new();
    let (_, _, page) = enrolled(&panel).await;
    let code = page.after("<ul class=\"codes\"><li>");
    for expected in [303, 422] {
        let mut browser = panel.browser();
        browser.sign_in("ana@example.com", PASSWORD).await;
        let page = browser.post("/admin/second-factor", &[("code", &code.to_uppercase())]).await;
        assert_eq!(page.status, expected, "{}", page.body);
    }
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_have_one_answer() {
    let panel = Panel::new();
    enrolled(&panel).await;
    let mut answers = Vec::new();
    for (email, password) in
        [("ana@example.com", "wrong wrong wrong"), ("eve@example.com", PASSWORD)]
    {
        let mut browser = panel.browser();
        browser.get("/admin/sign-in").await;
        let page = browser.sign_in(email, password).await;
        assert_eq!(page.status, 422);
        let token = page.after("name=\"form_token\" value=\"");
        answers.push(page.body.replace(email, "").replace(&token, ""));
        assert!(browser.session().is_none());
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_session_ends_when_it_rests_and_when_it_is_old() {
    let panel = Panel::new();
    let (mut browser, ..) = enrolled(&panel).await;
    panel.wait(29 * 60);
    assert_eq!(browser.get("/admin").await.status, 200);
    panel.wait(29 * 60);
    assert_eq!(browser.get("/admin").await.status, 200, "it was used in between");
    panel.wait(30 * 60);
    assert_eq!(browser.get("/admin").await.status, 303, "it rested for half an hour");

    let mut browser = panel.signed_in(Role::Viewer).await;
    for _ in 0..35 {
        panel.wait(20 * 60);
        assert_eq!(browser.get("/admin").await.status, 200);
    }
    panel.wait(20 * 60);
    assert_eq!(browser.get("/admin").await.status, 303, "it is twelve hours old");
}

#[tokio::test]
async fn moving_the_sandboxs_clock_signs_nobody_out() {
    let mut panel = Panel::new();
    off(|| panel.world.advance_days(400));
    let mut browser = panel.signed_in(Role::Owner).await;
    panel.world.clock.set(panel.world.now().plus_seconds(40 * 86_400));
    assert_eq!(browser.get("/admin").await.status, 200);
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_is_over() {
    let panel = Panel::new();
    let (mut here, ..) = enrolled(&panel).await;
    let mut there = here.clone();
    let page = here.get("/admin/you").await;
    let id = page.after("/admin/you/sessions/").replace("/end", "");
    let page = here.post(&format!("/admin/you/sessions/{id}/end"), &[]).await;
    assert_eq!(page.status, 303);
    assert_eq!(there.get("/admin").await.status, 303);

    let mut here = panel.signed_in(Role::Viewer).await;
    let mut copied = here.clone();
    here.post("/admin/sign-out", &[]).await;
    assert_eq!(copied.get("/admin").await.status, 303, "signing out ended only the cookie");
}

/// Otherwise who plants a cookie before sign-in has the session after it.
#[tokio::test]
async fn the_cookie_changes_with_each_step_of_signing_in() {
    let panel = Panel::new();
    let (_, secret, _) = enrolled(&panel).await;
    panel.wait(60);
    let mut browser = panel.browser();
    browser.cookies.insert("__Host-farthing".to_owned(), "a".repeat(48));
    browser.sign_in("ana@example.com", PASSWORD).await;
    let half_way = browser.session().unwrap().clone();
    assert_ne!(half_way, "a".repeat(48));
    let code = code_at(&secret, panel.wall.now());
    browser.post("/admin/second-factor", &[("code", &code)]).await;
    assert_ne!(*browser.session().unwrap(), half_way);
    let mut old = panel.browser();
    old.cookies.insert("__Host-farthing".to_owned(), half_way);
    assert_eq!(old.get("/admin").await.status, 303);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_of_the_address_is_not_locked_out() {
    let panel = Panel::new();
    let (mut own, secret, _) = enrolled(&panel).await;
    own.post("/admin/sign-out", &[]).await;
    let mut stranger = panel.browser();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses
            .push(stranger.sign_in("ana@example.com", "wrong wrong wrong").await.status.as_u16());
    }
    assert_eq!(statuses, [422, 422, 422, 422, 429, 429]);
    let page = own.sign_in("ana@example.com", PASSWORD).await;
    assert_eq!(page.status, 303, "a browser that signed in before waits for nobody");
    panel.wait(31);
    let mut elsewhere = panel.browser();
    assert_eq!(elsewhere.sign_in("ana@example.com", PASSWORD).await.status, 303);
    for _ in 0..4 {
        let page = own.post("/admin/second-factor", &[("code", "000000")]).await;
        assert_eq!(page.status, 422);
    }
    let code = code_at(&secret, panel.wall.now());
    let page = own.post("/admin/second-factor", &[("code", &code)]).await;
    assert_eq!(page.status, 429, "codes can be guessed as fast as one likes");
    assert_eq!(page.header("retry-after"), "1");
}

#[tokio::test]
async fn a_key_is_made_only_by_whoever_showed_who_they_are_just_now() {
    let panel = Panel::new();
    let (mut browser, secret, _) = enrolled(&panel).await;
    panel.wait(5 * 60);
    let fields = [("name", "app"), ("scope", "full")];
    let page = browser.post("/admin/keys", &fields).await;
    assert_eq!(page.status, 303);
    assert!(page.header("location").starts_with("/admin/confirm"), "{page:?}");
    assert_eq!(off(|| panel.world.engine.keys().unwrap()).len(), 0);
    let page =
        browser.post("/admin/confirm", &[("proof", "nonsense"), ("next", "/admin/keys")]).await;
    assert_eq!(page.status, 422);
    let code = code_at(&secret, panel.wall.now());
    let page =
        browser.post("/admin/confirm", &[("proof", &code), ("next", "//evil.example")]).await;
    assert_eq!((page.status.as_u16(), page.header("location")), (303, "/admin"));
    let page = browser.post("/admin/keys", &fields).await;
    assert_eq!(page.status, 200);
    assert!(page.has("sk_test_"));
    assert!(!browser.get("/admin/keys").await.has("sk_test_"), "it is shown again");
}

#[tokio::test]
async fn a_reset_takes_the_second_factor_and_every_session() {
    let panel = Panel::new();
    let (mut ana, ..) = enrolled(&panel).await;
    let mut owner = panel.signed_in(Role::Owner).await;
    let id = off(|| panel.world.engine.team().unwrap())[0].id.clone();
    let page = owner.post(&format!("/admin/team/{id}/reset"), &[]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(ana.get("/admin").await.status, 303);
    let link = page.after("https://billing.example/admin/link/");
    let mut back = panel.browser();
    let page =
        back.post(&format!("/admin/link/{link}"), &[("password", "another sentence here")]).await;
    assert_eq!(page.status, 303, "{}", page.body);
    assert!(back.get("/admin/second-factor").await.has("Set up the second factor"));
    assert_eq!(panel.browser().sign_in("ana@example.com", PASSWORD).await.status, 422);
}

#[tokio::test]
async fn what_people_do_at_the_door_is_in_the_audit_log() {
    let panel = Panel::new();
    let (mut browser, ..) = enrolled(&panel).await;
    browser.post("/admin/sign-out", &[]).await;
    let log = off(|| panel.world.engine.audit_log(None, None, 50).unwrap());
    let actions: Vec<&str> = log.iter().rev().map(|(entry, _)| entry.action.as_str()).collect();
    let expected = [
        "operator.link.first",
        "operator.joined",
        "operator.second_factor_set",
        "operator.signed_in",
        "operator.signed_out",
    ];
    assert_eq!(actions[actions.len() - 5..], expected);
    off(|| panel.world.check());
}
