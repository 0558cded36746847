//! A browser: it keeps a cookie, sends forms as browsers do, and follows nothing by itself.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request};
use farthing_engine::Clock;
use farthing_engine::billing_sessions::NewLink;
use farthing_engine::clock::ManualClock;
use farthing_store::testing::Backend;
use farthing_web::Base;
use farthing_web::billing::{Pages, Theme, routes};
use tower::ServiceExt;

use crate::world::{World, caller};

/// Where the pages are.
pub const ORIGIN: &str = "https://billing.example";

/// The system, and one person's browser.
pub struct Browser {
    pub world: World,
    pub router: Router,
    /// The machine's clock.
    pub wall: Arc<ManualClock>,
    pub cookie: String,
}

/// What was answered.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub html: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where the browser is sent.
    pub fn to(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.html);
        self.header("location")
    }

    #[track_caller]
    pub fn says(&self, text: &str) {
        assert!(self.html.contains(text), "{text:?} is not in {}", self.html);
    }

    #[track_caller]
    pub fn says_not(&self, text: &str) {
        assert!(!self.html.contains(text), "{text:?} is in {}", self.html);
    }

    /// The value of the first hidden field of this name after `after`.
    pub fn field_after(&self, after: &str, name: &str) -> String {
        let from = self.html.find(after).unwrap_or_else(|| panic!("no {after} in {}", self.html));
        let mark = format!("name=\"{name}\" value=\"");
        let rest = &self.html[from..];
        let at = rest.find(&mark).unwrap_or_else(|| panic!("no {name} after {after}"));
        rest[at + mark.len()..].split('"').next().unwrap().to_owned()
    }

    pub fn token(&self) -> String {
        self.field_after("<form", "form_token")
    }
}

/// Runs `work` on a thread of its own: the engine blocks, and a thread of the runtime must not.
pub fn off<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

impl Browser {
    pub fn new() -> Self {
        Self::with(Theme::default())
    }

    pub fn with(theme: Theme) -> Self {
        let world = off(|| World::new(Backend::Sqlite));
        let base = Base::parse(ORIGIN).unwrap();
        let clocks = (Arc::new(ManualClock::at(world.now())), Arc::new(|| Duration::from_secs(1)));
        let (wall, uptime) = (Arc::clone(&clocks.0), clocks.1);
        let router = routes(Pages::new(world.engine.clone(), base, theme, (wall, uptime)));
        let wall = clocks.0;
        Self { world, router, wall, cookie: String::new() }
    }

    /// A customer with a session here.
    pub async fn of(id: &str) -> Self {
        let mut browser = Self::new();
        off(|| browser.world.customer(id));
        browser.enter(id).await;
        browser
    }

    pub fn link(&self, id: &str, read_only: bool) -> String {
        let new = NewLink { return_path: None, read_only };
        let made = off(|| {
            let id = id.parse().unwrap();
            self.world.engine.make_billing_link(&caller(), &id, (&new, self.wall.now())).unwrap()
        });
        made.url.strip_prefix(ORIGIN).unwrap().to_owned()
    }

    /// Follows a fresh link and keeps the cookie.
    pub async fn enter(&mut self, id: &str) {
        let link = self.link(id, false);
        self.follow(&link).await;
    }

    pub async fn follow(&mut self, link: &str) {
        let page = self.send(Request::get(link).header("sec-fetch-mode", "navigate"), "").await;
        assert_eq!(page.to(), "/b");
        self.cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    }

    pub async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path), "").await
    }

    /// Sends a form of our own page.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let mut token = vec![("form_token", String::new())];
        if !self.cookie.is_empty() {
            token[0].1 = self.get("/b/payment-methods").await.token();
        }
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(token).extend_pairs(fields);
        self.raw_post(path, &form.finish()).await
    }

    pub async fn raw_post(&self, path: &str, body: &str) -> Page {
        let request = Request::post(path).header("origin", ORIGIN);
        self.send(request.header("sec-fetch-site", "same-origin"), body).await
    }

    pub async fn send(&self, request: axum::http::request::Builder, body: &str) -> Page {
        let request = request
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 8 << 20).await.unwrap();
        let html = String::from_utf8(bytes.to_vec()).unwrap();
        Page { status: parts.status.as_u16(), headers: parts.headers, html }
    }
}
