//! What the screens do: the same as the API, and nothing of their own.

use farthing_engine::operators::Role;

use crate::harness::{Panel, off};

#[tokio::test]
async fn a_customer_is_found_by_name_and_by_what_they_have() {
    let mut panel = Panel::new();
    off(|| {
        panel.world.customer("u_1");
        panel.bought("u_2", "growth");
    });
    let mut browser = panel.signed_in(Role::Viewer).await;
    let all = browser.get("/admin/customers").await;
    assert!(all.has("u_1@example.com") && all.has("u_2@example.com"));
    let found = browser.get("/admin/customers?q=U_2&plan=growth&standing=good").await;
    assert!(!found.has("u_1@example.com") && found.has("u_2@example.com"));
    assert!(browser.get("/admin/customers?q=nobody").await.has("Nobody fits"));
    assert!(browser.get("/admin/customers?trial=yes").await.has("Nobody fits"));
}

#[tokio::test]
async fn a_change_costs_what_the_page_showed() {
    let mut panel = Panel::new();
    off(|| panel.bought("u_1", "starter"));
    let mut browser = panel.signed_in(Role::Support).await;
    let page =
        browser.get("/admin/customers/u_1/change?what=change&plan=growth&interval=month").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let token = page.after("name=\"preview_token\" value=\"");
    let shown = page.after("Charge ");
    assert!(
        shown.starts_with('$') && shown.ends_with("to u_1@example.com and change the plan"),
        "{shown}"
    );
    let fields = [
        ("what", "change"),
        ("plan", "growth"),
        ("interval", "month"),
        ("preview_token", token.as_str()),
    ];
    let page = browser.post("/admin/customers/u_1/change", &fields).await;
    assert_eq!(
        (page.status.as_u16(), page.header("location")),
        (303, "/admin/customers/u_1?said=done")
    );
    let state = off(|| panel.world.state("u_1"));
    assert_eq!(state.plan, "growth");
    let page = browser.get("/admin/customers/u_1").await;
    assert!(page.has("Plan changed") && page.has("Ana"), "who did it is told");
    off(|| panel.world.check());
}

#[tokio::test]
async fn a_subscription_is_ended_and_kept_again() {
    let mut panel = Panel::new();
    off(|| panel.bought("u_1", "growth"));
    let mut browser = panel.signed_in(Role::Owner).await;
    browser.post("/admin/customers/u_1/change", &[("what", "cancel")]).await;
    assert!(off(|| panel.world.state("u_1")).subscription.unwrap().cancel_at.is_some());
    browser.post("/admin/customers/u_1/change", &[("what", "resume")]).await;
    assert!(off(|| panel.world.state("u_1")).subscription.unwrap().cancel_at.is_none());
}

#[tokio::test]
async fn an_exception_counts_and_ends() {
    let panel = Panel::new();
    off(|| panel.world.customer("u_1"));
    let mut browser = panel.signed_in(Role::Support).await;
    let path = "/admin/customers/u_1/overrides";
    let bad =
        browser.post(path, &[("feature", "chatbots"), ("limit", "many"), ("reason", "x")]).await;
    assert_eq!(bad.status, 422);
    let fields =
        [("feature", "chatbots"), ("limit", "9"), ("reason", "a favour"), ("until", "2028-01-01")];
    assert_eq!(browser.post(path, &fields).await.status, 303);
    assert_eq!(off(|| panel.world.state("u_1")).features["chatbots"].limit, Some(9));
    assert!(browser.get("/admin/customers/u_1").await.has("a favour"));
    browser.post(&format!("{path}/chatbots/end"), &[]).await;
    assert_ne!(off(|| panel.world.state("u_1")).features["chatbots"].limit, Some(9));
}

#[tokio::test]
async fn a_dead_letter_is_looked_at_and_handled_again() {
    let mut panel = Panel::new();
    let event = off(|| {
        panel.bought("u_1", "growth");
        let event = panel.world.engine.events(None, "", 1).unwrap().remove(0);
        let id = event.id.clone();
        panel.world.by_hand(move |tx| {
            let set =
                "UPDATE provider_events SET state = 'dead', last_error = 'gave up' WHERE id = $1";
            tx.execute(set, &farthing_store::params![&id])
        });
        event
    });
    let mut browser = panel.signed_in(Role::Developer).await;
    let home = browser.get("/admin").await;
    assert!(home.has("events gave up"), "{}", home.body);
    let list = browser.get("/admin/events?state=dead").await;
    assert!(list.has(&event.id) && list.has("gave up"));
    let preview = browser.get(&format!("/admin/events/{}/replay", event.id)).await;
    assert_eq!(preview.status, 200);
    assert!(preview.has("nothing would change"), "{}", preview.body);
    browser.post(&format!("/admin/events/{}/replay", event.id), &[]).await;
    off(|| panel.world.drain());
    assert!(!browser.get("/admin").await.has("events gave up"));
    assert!(browser.get("/admin/audit").await.status == 200);
}

#[tokio::test]
async fn a_catalog_is_compared_before_it_is_applied() {
    let panel = Panel::new();
    let mut browser = panel.signed_in(Role::Developer).await;
    let source = off(|| panel.world.engine.current_catalog().unwrap().source);
    let same =
        browser.post("/admin/catalog/plan", &[("source", &source.replace('\n', "\r\n"))]).await;
    assert!(same.has("Nothing would change"), "{}", same.body);
    let broken = browser.post("/admin/catalog/plan", &[("source", "tiers = 7")]).await;
    assert_eq!(broken.status, 422);
    assert!(broken.has("nothing was changed"));
    let renamed = source.replacen("name = \"", "name = \"New ", 1);
    let plan = browser.post("/admin/catalog/plan", &[("source", &renamed)]).await;
    assert!(plan.has("Apply this change"), "{}", plan.body);
    assert_eq!(browser.post("/admin/catalog/apply", &[("source", &renamed)]).await.status, 303);
    assert_eq!(off(|| panel.world.engine.current_catalog().unwrap().version), 2);
}

#[tokio::test]
async fn the_clock_is_moved_from_the_lab() {
    let panel = Panel::new();
    let mut browser = panel.signed_in(Role::Owner).await;
    let page = browser.get("/admin/lab").await;
    let to = page.after("name=\"to\" value=\"");
    let page = browser.post("/admin/lab/advance", &[("to", &to)]).await;
    assert_eq!(page.status, 303);
    assert_eq!(panel.world.now().to_string(), to);
    assert!(browser.get(page.header("location")).await.has("3 events on the way"));
}

#[tokio::test]
async fn a_theme_is_chosen_and_kept() {
    let panel = Panel::new();
    let mut browser = panel.signed_in(Role::Viewer).await;
    browser.post("/admin/you/theme", &[("theme", "dark")]).await;
    assert!(browser.get("/admin").await.has("data-theme=\"dark\""));
    browser.post("/admin/you/theme", &[("theme", "system")]).await;
    assert!(!browser.get("/admin").await.has("data-theme"));
}
