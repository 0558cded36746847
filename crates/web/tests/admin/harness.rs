//! A panel in memory, and browsers that keep their cookies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use farthing_core::time::Timestamp;
use farthing_engine::Clock;
use farthing_engine::clock::ManualClock;
use farthing_engine::operators::Role;
use farthing_engine::operators::totp::code_at;
use farthing_store::testing::Backend;
use farthing_web::{Base, BoxFuture, Lab, RequestId, Site};
use tower::ServiceExt;

#[path = "../../../engine/tests/world/mod.rs"]
pub mod world;

pub use world::World;

pub const ORIGIN: &str = "https://billing.example";
pub const PASSWORD: &str = "correct horse battery staple";

/// A panel with its world.
pub struct Panel {
    pub world: World,
    /// The machine's clock.
    pub wall: Arc<ManualClock>,
    /// For how many seconds the process has been running.
    pub uptime: Arc<AtomicU64>,
    router: Router,
}

/// The world's clock as a lab; moving it does nothing more.
struct StillLab(Arc<ManualClock>);

impl Lab for StillLab {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn advance(&self, to: Timestamp) -> BoxFuture<'_, Result<u64, String>> {
        self.0.set(to);
        Box::pin(async { Ok(3) })
    }
}

/// Runs `work` on a thread of its own: the engine blocks, and a thread of the runtime must not.
pub fn off<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

impl Panel {
    pub fn new() -> Self {
        let world = off(|| World::new(Backend::Memory));
        let wall = Arc::new(ManualClock::at(world.now()));
        let uptime = Arc::new(AtomicU64::new(0));
        let seconds = Arc::clone(&uptime);
        let mut site = Site::new(
            world.engine.clone(),
            Base::parse(ORIGIN).unwrap(),
            wall.clone(),
            Arc::new(move || Duration::from_secs(seconds.load(Ordering::SeqCst))),
        );
        site.lab = Some(Arc::new(StillLab(Arc::clone(&world.clock))));
        let router = farthing_web::routes(site);
        Self { world, wall, uptime, router }
    }

    /// Moves the machine's clock, and with it the process's age.
    pub fn wait(&self, seconds: i64) {
        self.wall.set(self.wall.now().plus_seconds(seconds));
        self.uptime.fetch_add(seconds.unsigned_abs(), Ordering::SeqCst);
    }

    /// A customer who has paid for a plan.
    pub fn bought(&mut self, id: &str, plan: &str) {
        self.world.customer(id);
        self.world.buy(id, plan);
        self.world.settle();
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { panel: self, cookies: BTreeMap::new() }
    }

    /// A link for the first owner.
    pub fn first_link(&self) -> String {
        let at = self.wall.now();
        off(|| self.world.engine.first_link(&world::caller(), at).unwrap().unwrap())
    }

    /// Somebody of this role who is signed in, without a second factor as sandboxes allow.
    pub async fn signed_in(&self, role: Role) -> Browser<'_> {
        let at = self.wall.now();
        let email = format!("{}@example.com", role.as_str());
        let token = off(|| self.world.engine.invite(&world::caller(), &email, role, at).unwrap());
        let mut browser = self.browser();
        browser.accept(&token).await;
        let page = browser.post("/admin/second-factor/skip", &[]).await;
        assert_eq!(page.status, 303, "{}", page.body);
        browser
    }
}

/// What was answered.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Page {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// What stands in the page after `before`, up to the next quote or tag.
    pub fn after(&self, before: &str) -> String {
        let (_, rest) =
            self.body.split_once(before).unwrap_or_else(|| panic!("{before}: {self:?}"));
        rest.split(['"', '<']).next().unwrap().to_owned()
    }

    pub fn has(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

/// Somebody's browser.
#[derive(Clone)]
pub struct Browser<'a> {
    pub panel: &'a Panel,
    pub cookies: BTreeMap<String, String>,
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Method::GET, path, &[], String::new()).await
    }

    /// Sends a form as one of our pages would: with its token, from our address.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let token = self.token().await;
        let mut all = vec![("form_token", token.as_str())];
        all.extend_from_slice(fields);
        self.send(Method::POST, path, &[("origin", ORIGIN)], form(&all)).await
    }

    /// The token of a form on a page that this browser can see.
    pub async fn token(&mut self) -> String {
        let page = self.get("/admin/you").await;
        let page = match page.status.as_u16() {
            200 => page,
            _ => self.get("/admin/sign-in").await,
        };
        if page.has("form_token") {
            return page.after("name=\"form_token\" value=\"");
        }
        self.get("/admin/second-factor").await.after("name=\"form_token\" value=\"")
    }

    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("cookie", cookies.join("; "))
            .header("user-agent", "<script>alert(1)</script>")
            .header("content-type", "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(RequestId("req_test".to_owned()));
        let response = self.panel.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            match value {
                "" => self.cookies.remove(name),
                value => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Page { status: parts.status, headers: parts.headers, body }
    }

    /// Follows a link and chooses a password.
    pub async fn accept(&mut self, token: &str) -> Page {
        let path = format!("/admin/link/{token}");
        let fields = [("name", "Ana"), ("email", "ana@example.com"), ("password", PASSWORD)];
        let page = self.post(&path, &fields).await;
        assert_eq!(page.status, 303, "{}", page.body);
        page
    }

    /// Sets up an authenticator app; answers its secret and the page with recovery codes.
    pub async fn enroll(&mut self) -> (Vec<u8>, Page) {
        let page = self.get("/admin/second-factor").await;
        let text = page.after("<code id=\"secret\">").replace(' ', "");
        let secret = base32(&text);
        let code = code_at(&secret, self.panel.wall.now());
        let page = self.post("/admin/second-factor/set-up", &[("code", &code)]).await;
        assert_eq!(page.status, 200, "{}", page.body);
        (secret, page)
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        self.post("/admin/sign-in", &[("email", email), ("password", password)]).await
    }

    pub fn session(&self) -> Option<&String> {
        self.cookies.get("__Host-farthing")
    }
}

pub fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn base32(text: &str) -> Vec<u8> {
    let value = |c: u8| if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
    let mut bits = 0_u32;
    let mut held = 0_u64;
    let mut bytes = Vec::new();
    for c in text.bytes() {
        held = (held << 5) | u64::from(value(c));
        bits += 5;
        if 8 <= bits {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap());
        }
    }
    bytes
}
