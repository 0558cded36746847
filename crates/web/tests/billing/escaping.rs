//! Names that would like to be more than names.

use farthing_core::catalog::SAMPLE;
use farthing_engine::customers::Profile;
use farthing_web::billing::Theme;

use crate::browser::{Browser, off};
use crate::guarding::PAGES;
use crate::world::caller;

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;";

#[tokio::test]
async fn hostile_names_are_text_on_every_page() {
    let catalog = SAMPLE
        .replace("name = \"Growth\"", &format!("name = '''{}'''", &HOSTILE[..40]))
        .replace("name = \"500 AI credits\"", &format!("name = '''{}'''", &HOSTILE[..40]));
    let mut theme = Theme::default();
    theme.name = HOSTILE.to_owned();
    let mut browser = Browser::with(theme);
    off(|| {
        browser.world.apply(&catalog);
        let profile = Profile {
            email: "ana@example.com".to_owned(),
            name: Some(HOSTILE.to_owned()),
            ..Profile::default()
        };
        browser.world.engine.upsert_customer(&caller(), &"ana".parse().unwrap(), &profile).unwrap();
        browser.world.buy("ana", "growth");
    });
    browser.enter("ana").await;
    let hostile = [
        "?done=%3Cscript%3E",
        "?interval=%3Cscript%3E&currency=%22%3E%3Cscript%3E",
        "?before=%3Cscript%3E",
        "?setup=%3Cscript%3E",
        "?checkout=%3Cscript%3E&proof=%22%3E&look=%3Cscript%3E",
    ];
    for path in PAGES.into_iter().chain(["/b/success", "/b/plans/%3Cscript%3E", "/b/%3Cscript%3E"])
    {
        for query in ["?"].into_iter().chain(hostile) {
            let page = browser.get(&format!("{path}{query}")).await;
            page.says_not("<script");
            page.says_not("<img src=x");
        }
    }
    browser.get("/b").await.says("&lt;script&gt;alert(1)&lt;/script&gt;");
    browser.get("/b/plans").await.says("&lt;script&gt;");
    browser.get("/b/packs").await.says("&lt;script&gt;");
}
