//! Buying: nothing is celebrated before the money is there.

use farthing_web::billing::Theme;

use crate::browser::{Browser, Page, off};
use crate::world::GOOD_CARD;

/// Chooses a plan; the address on our side to which the provider sends the customer back.
async fn choose(browser: &Browser, fields: &[(&str, &str)]) -> (String, String) {
    let sent = browser.post("/b/buy", fields).await;
    // The sandbox of these tests is at an address that forms may not lead to.
    let page = match sent.status {
        303 => sent.to().to_owned(),
        _ => {
            sent.says("You pay on the page of our payment provider");
            sent.html.clone()
        }
    };
    let sessions = off(|| browser.world.at_provider("GET", "/v1/checkout/sessions", &[]));
    let back = sessions["data"][0]["success_url"].as_str().unwrap();
    (page, back.strip_prefix("https://billing.example").unwrap().to_owned())
}

fn pay(browser: &Browser, back: &str, card: &str) -> u16 {
    let id = back.split("checkout=").nth(1).unwrap().split('&').next().unwrap();
    let checkout = browser.world.engine.checkout(id).unwrap();
    browser.world.pay(&checkout, card)
}

fn celebrates(page: &Page) -> bool {
    page.html.contains("class=\"confetti\"")
}

#[tokio::test]
async fn a_plan_is_bought_and_celebrated_once_the_money_is_there() {
    let browser = Browser::of("ana").await;
    let plans = browser.get("/b/plans").await;
    plans.says("$69.00");
    let confirm = browser.get("/b/plans/growth?interval=month").await;
    confirm.says("<strong class=\"big\" id=\"due\">$69.00</strong>");
    let (_, back) = choose(&browser, &[("plan", "growth"), ("interval", "month")]).await;
    let early = browser.get(&back).await;
    assert!(!celebrates(&early), "nothing was paid");
    early.says("Waiting for your payment");
    assert!(early.header("refresh").starts_with("3; url=/b/success?proof="), "{:?}", early.headers);
    assert_eq!(off(|| pay(&browser, &back, GOOD_CARD)), 303);
    let paid = browser.get(&back).await;
    assert!(celebrates(&paid), "{}", paid.html);
    paid.says("You are on Growth");
    paid.says("Chatbots: 10");
    paid.says("Storage: 100 GB");
    assert_eq!(paid.header("refresh"), "");
}

#[tokio::test]
async fn a_settlement_that_cannot_be_seen_is_not_celebrated() {
    let browser = Browser::of("ana").await;
    let (_, back) = choose(&browser, &[("plan", "growth"), ("interval", "month")]).await;
    assert_eq!(off(|| pay(&browser, &back, GOOD_CARD)), 303);
    let fault = [("call", "GET /v1/checkout/sessions"), ("times", "1")];
    off(|| browser.world.provider().scenario("rate_limited", &fault).unwrap());
    let held = browser.get(&back).await;
    assert!(!celebrates(&held));
    held.says("Your bank has not said yes yet");
    let late = browser.get(&format!("{back}&look=20")).await;
    assert!(celebrates(&late), "it is settled by now");
}

#[tokio::test]
async fn a_slow_bank_is_waited_for_by_mail() {
    let browser = Browser::of("ana").await;
    let (_, back) = choose(&browser, &[("plan", "growth"), ("interval", "month")]).await;
    let slow = browser.get(&format!("{back}&look=20")).await;
    slow.says("We&#39;ll e-mail you".replace("&#39;", "'").as_str());
    assert_eq!(slow.header("refresh"), "", "it stops looking by itself");
    let back = back.replace("outcome=success", "outcome=cancel");
    browser.get(&back).await.says("Nothing was charged");
}

#[tokio::test]
async fn what_was_bought_long_ago_is_not_celebrated_again() {
    let mut browser = Browser::of("ana").await;
    let (_, back) = choose(&browser, &[("plan", "growth"), ("interval", "month")]).await;
    off(|| pay(&browser, &back, GOOD_CARD));
    assert!(celebrates(&browser.get(&back).await));
    off(|| browser.world.advance_days(1));
    let page = browser.get(&back).await;
    assert!(!celebrates(&page));
    page.says("You are on Growth");
}

#[tokio::test]
async fn the_result_needs_no_session_and_tells_nothing_else() {
    let mut browser = Browser::of("ana").await;
    let (_, back) = choose(&browser, &[("plan", "growth"), ("interval", "month")]).await;
    off(|| pay(&browser, &back, GOOD_CARD));
    browser.cookie.clear();
    let page = browser.get(&back).await;
    assert!(celebrates(&page));
    page.says_not("ana@example.com");
    page.says("https://app.example");
}

#[tokio::test]
async fn a_pack_is_bought_and_its_credits_are_listed_by_expiry() {
    let mut browser = Browser::of("ana").await;
    browser.get("/b/packs").await.says("500 AI credits is sold to customers on starter");
    off(|| browser.world.buy("ana", "growth"));
    let packs = browser.get("/b/packs").await;
    packs.says("500 AI credits");
    packs.says("$9.00");
    packs.says("Spent in this order: your plan, then bought, then welcome gift");
    let (_, back) = choose(&browser, &[("pack", "ai_500")]).await;
    off(|| pay(&browser, &back, GOOD_CARD));
    browser.get(&back).await.says("Your credits are there");
    let after = browser.get("/b").await;
    after.says("11,000");
    after.says("Bought");
    after.says("Welcome gift");
}

#[tokio::test]
async fn a_trial_shows_its_end_its_charge_and_the_way_out() {
    let browser = Browser::of("ana").await;
    browser.get("/b/plans/starter?interval=month").await.says("7 days free");
    let (_, back) = choose(&browser, &[("plan", "starter"), ("interval", "month")]).await;
    off(|| pay(&browser, &back, GOOD_CARD));
    let begun = browser.get(&back).await;
    begun.says("Your trial of Starter has begun");
    begun.says("$19.00");
    let trial = browser.get("/b/trial").await;
    trial.says("7 Feb 2027");
    trial.says("$19.00");
    trial.says("We'll remind you by e-mail 3 days before");
    assert_eq!(browser.post("/b/cancel", &[]).await.to(), "/b?done=canceled");
    browser.get("/b/trial").await.says("It was canceled: nothing will be charged");
    browser.get("/b").await.says_not("Next charge");
}

#[tokio::test]
async fn the_page_looks_like_its_owner_wants() {
    let theme = Theme::parse("name = \"Acme & Sons\"\naccent = \"#102030\"").unwrap();
    let browser = Browser::with(theme);
    browser.get("/b").await.says("Acme &amp; Sons");
    let style = browser.get("/b/assets/style.css").await;
    style.says("--accent: light-dark(#102030, #102030)");
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(browser.get("/b/assets/logo").await.status, 404);
}
