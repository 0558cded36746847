//! Nobody sees or changes what is another's.

use axum::http::Request;

use farthing_engine::Clock;

use crate::browser::{Browser, off};

/// Every page that shows something, and every form that changes something.
pub const PAGES: [&str; 9] = [
    "/b",
    "/b/plans",
    "/b/plans/growth",
    "/b/packs",
    "/b/payment-methods",
    "/b/invoices",
    "/b/trial",
    "/b/cancel",
    "/b/payment-methods/saved",
];
pub const FORMS: [&str; 8] = [
    "/b/change",
    "/b/buy",
    "/b/cancel",
    "/b/resume",
    "/b/payment-methods/add",
    "/b/payment-methods/default",
    "/b/payment-methods/remove",
    "/b/leave",
];

#[tokio::test]
async fn a_link_opens_once_and_only_for_a_browser_that_goes_there() {
    let mut browser = Browser::new();
    off(|| browser.world.customer("ana"));
    let link = browser.link("ana", false);
    let scanner = browser.get(&link).await;
    assert_eq!((scanner.status, scanner.header("set-cookie")), (200, ""));
    scanner.says("Open my billing page");
    let ahead = Request::get(&link).header("sec-fetch-mode", "navigate");
    let ahead = browser.send(ahead.header("sec-purpose", "prefetch"), "").await;
    assert_eq!((ahead.status, ahead.header("set-cookie")), (200, ""));
    browser.follow(&link).await;
    assert_eq!(browser.get("/b").await.status, 200);
    let again = Request::get(&link).header("sec-fetch-mode", "navigate");
    let again = browser.send(again, "").await;
    assert_eq!(again.status, 401);
    again.says("This link no longer works");
    assert_eq!(browser.raw_post(&link, "").await.status, 401);
}

#[tokio::test]
async fn the_button_of_a_link_opens_it_too() {
    let browser = Browser::new();
    off(|| browser.world.customer("ana"));
    let opened = browser.raw_post(&browser.link("ana", false), "").await;
    assert_eq!(opened.to(), "/b");
    let cookie = opened.header("set-cookie");
    assert!(cookie.starts_with("__Host-farthing-billing="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
}

#[tokio::test]
async fn without_a_session_there_is_nothing() {
    let mut browser = Browser::of("ana").await;
    let old = browser.cookie.clone();
    for cookie in ["", "__Host-farthing-billing=abc", &format!("{old}; {old}")] {
        browser.cookie = cookie.to_owned();
        for path in PAGES {
            let page = browser.get(path).await;
            assert_eq!(page.status, 401, "{path}");
            page.says("You are signed out");
        }
        for path in FORMS {
            assert_eq!(browser.raw_post(path, "").await.status, 401, "{path}");
        }
    }
    browser.cookie = old;
    assert_eq!(browser.post("/b/leave", &[]).await.status, 200);
    assert_eq!(browser.get("/b").await.status, 401, "the session is over");
    browser.enter("ana").await;
    browser.wall.set(browser.wall.now().plus_seconds(3_599));
    assert_eq!(browser.get("/b").await.status, 200);
    browser.wall.set(browser.wall.now().plus_seconds(1));
    assert_eq!(browser.get("/b").await.status, 401, "an hour is over");
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing() {
    let mut browser = Browser::of("ana").await;
    off(|| browser.world.buy("ana", "growth"));
    let token = browser.get("/b/payment-methods").await.token();
    let body = format!("form_token={token}");
    for path in FORMS {
        assert_eq!(browser.raw_post(path, "").await.status, 403, "{path} without a token");
        let foreign = format!("form_token={}", "0".repeat(64));
        assert_eq!(browser.raw_post(path, &foreign).await.status, 403, "{path}");
        for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")]
        {
            let request = Request::post(path).header(name, value);
            assert_eq!(browser.send(request, &body).await.status, 403, "{path} {value}");
        }
        let silent = browser.send(Request::post(path), &body).await;
        assert_eq!(silent.status, 403, "{path} from nowhere");
    }
    assert!(off(|| browser.world.state("ana")).subscription.unwrap().cancel_at.is_none());
    let own = browser.cookie.clone();
    off(|| browser.world.customer("bob"));
    browser.enter("bob").await;
    let token_of_another = browser.get("/b/payment-methods").await.token();
    browser.cookie = own;
    let body = format!("form_token={token_of_another}");
    assert_eq!(browser.raw_post("/b/cancel", &body).await.status, 403);
}

#[tokio::test]
async fn whoever_looks_for_another_may_only_look() {
    let mut browser = Browser::of("ana").await;
    off(|| browser.world.buy("ana", "growth"));
    let link = browser.link("ana", true);
    browser.follow(&link).await;
    browser.get("/b").await.says("nothing can be changed here");
    for path in FORMS {
        assert_eq!(browser.post(path, &[]).await.status, 403, "{path}");
    }
    assert_eq!(browser.get("/b/payment-methods/saved?setup=cs_1").await.status, 403);
}

#[tokio::test]
async fn one_customers_session_reaches_nothing_of_another() {
    let mut browser = Browser::of("ana").await;
    off(|| {
        browser.world.customer("bob");
        browser.world.buy("bob", "growth");
        browser.world.buy("ana", "growth");
    });
    let bob = "bob".parse().unwrap();
    let card = off(|| browser.world.engine.payment_methods(&bob).unwrap())[0].id.clone();
    for path in ["/b/payment-methods/default", "/b/payment-methods/remove"] {
        assert_eq!(browser.post(path, &[("method", &card)]).await.status, 404, "{path}");
    }
    let invoice = off(|| browser.world.engine.invoices(Some(&bob), "", 1).unwrap()).remove(0);
    browser.get("/b/invoices").await.says_not(&invoice.number.unwrap());
    let checkout = off(|| browser.world.checkout(&browser.world.pack("bob", "ai_500")).unwrap());
    let result = browser.get(&format!("/b/success?checkout={}", checkout.id)).await;
    assert_eq!(result.status, 404, "another's purchase");
    let forged = format!("/b/success?checkout={}&proof={}", checkout.id, "0".repeat(32));
    assert_eq!(browser.get(&forged).await.status, 404);
}

#[tokio::test]
async fn every_page_says_what_it_may_load() {
    let browser = Browser::of("ana").await;
    for path in PAGES.into_iter().chain(["/b/nothing", "/b/assets/style.css", "/b/success"]) {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        page.says_not("<script");
        page.says_not(" style=");
    }
    assert_eq!(browser.get("/b/nothing").await.status, 404);
    assert_eq!(browser.get("/b").await.header("cache-control"), "no-store");
}

#[tokio::test]
async fn a_form_that_is_too_long_is_not_read() {
    let browser = Browser::of("ana").await;
    let body = format!("comment={}", "x".repeat(20_000));
    assert_eq!(browser.raw_post("/b/cancel", &body).await.status, 413);
}

#[tokio::test]
async fn whoever_asks_too_often_waits() {
    let browser = Browser::of("ana").await;
    let mut statuses = Vec::new();
    for _ in 0..130 {
        statuses.push(browser.get("/b/trial").await.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 10, "{statuses:?}");
}
