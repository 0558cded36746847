//! Texts of others stay texts, on every page.

use axum::http::Method;
use farthing_core::catalog::SAMPLE;
use farthing_engine::customers::Profile;
use farthing_engine::keys::Scope;
use farthing_engine::notes::Note;
use farthing_engine::operators::Role;
use farthing_engine::overrides::NewOverride;
use farthing_web::admin::screens;

use crate::harness::{Panel, off, world};

const EVIL: [&str; 5] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
];

/// What must never be in a page: each is the start of something that runs.
const RAW: [&str; 5] =
    ["<script>alert", "<img src=x", "<svg/onload", "</textarea><script", "</title><script"];

fn fill(panel: &mut Panel) -> (String, Note) {
    let engine = panel.world.engine.clone();
    for (n, evil) in EVIL.iter().enumerate() {
        let id = format!("u_{n}").parse().unwrap();
        let profile = Profile {
            email: "o'neil&co@example.com".to_owned(),
            name: Some((*evil).to_owned()),
            ..Profile::default()
        };
        engine.upsert_customer(&world::caller(), &id, &profile).unwrap();
        engine.add_note(&world::caller(), &id, evil).unwrap();
        engine.create_key(&world::caller(), evil, Scope::Read).unwrap();
        let limit = farthing_core::catalog::Limit::Amount(7);
        let new = NewOverride { limit, reason: (*evil).to_owned(), expires_at: None };
        engine.put_override(&world::caller(), &id, "chatbots", &new).unwrap();
    }
    let id = "u_0".parse().unwrap();
    let note = engine.notes(&id).unwrap().remove(0);
    panel.world.buy_plan_for("u_0");
    let event = engine.events(None, "", 1).unwrap().remove(0);
    (event.id, note)
}

impl world::World {
    fn buy_plan_for(&mut self, id: &str) {
        let purchase = self.plan(id, "growth");
        self.buy_with(&purchase, world::GOOD_CARD);
    }
}

#[tokio::test]
async fn nothing_that_somebody_wrote_runs_on_any_page() {
    let mut panel = Panel::new();
    let (event, _) = off(|| fill(&mut panel));
    let evil_catalog = SAMPLE.replacen("name = \"", "name = \"<script>alert(1)</script> ", 1);
    let mut browser = panel.signed_in(Role::Owner).await;
    let page = browser.post("/admin/catalog/plan", &[("source", &evil_catalog)]).await;
    clean(&page.body, "the difference of catalogs");
    off(|| panel.world.apply(&evil_catalog));

    let mut seen = 0;
    for screen in screens().iter().filter(|screen| screen.method == Method::GET) {
        for n in 0..EVIL.len() {
            let id = match screen.path.split('/').nth(2) {
                Some("events") => event.clone(),
                _ => format!("u_{n}"),
            };
            let path = screen.path.replace("{id}", &id).replace("{version}", "2");
            let page = browser.get(&format!("{path}?what=cancel")).await;
            clean(&page.body, &path);
            seen += usize::from(page.has("&lt;script&gt;alert(1)"));
        }
    }
    assert!(20 < seen, "the texts are on {seen} pages only: the walk proves nothing");
    off(|| panel.world.check());
}

#[tokio::test]
async fn what_is_in_the_address_or_typed_wrongly_does_not_run_either() {
    let panel = Panel::new();
    let mut browser = panel.signed_in(Role::Owner).await;
    let mut stranger = panel.browser();
    for evil in EVIL {
        let coded: String = form_urlencoded::byte_serialize(evil.as_bytes()).collect();
        for path in [
            format!("/admin/customers?q={coded}&plan={coded}&standing={coded}&after={coded}"),
            format!("/admin/customers/{coded}"),
            format!("/admin/events?state={coded}&before={coded}&said={coded}"),
            format!("/admin/audit?customer={coded}"),
            format!("/admin/lab?from={coded}"),
            format!("/admin/drift?state={coded}"),
            format!("/admin/confirm?next={coded}"),
            format!("/admin/{coded}"),
        ] {
            clean(&browser.get(&path).await.body, &path);
        }
        clean(&stranger.get(&format!("/admin/sign-in?next={coded}")).await.body, "sign-in");
        let page = stranger.sign_in(evil, evil).await;
        clean(&page.body, "a wrong address");
        let fields = [("name", evil), ("email", evil), ("password", "short")];
        let link = {
            let at = farthing_engine::Clock::now(&*panel.wall);
            off(|| panel.world.engine.sandbox_link(&world::caller(), at).unwrap())
        };
        clean(&stranger.post(&format!("/admin/link/{link}"), &fields).await.body, "a link");
    }
}

fn clean(body: &str, place: &str) {
    for raw in RAW {
        assert!(!body.contains(raw), "{place} has {raw}");
    }
}
