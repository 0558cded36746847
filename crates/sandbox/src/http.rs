//! A world behind HTTP: shared, saved, and delivering its webhooks.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::IntoResponse;

use crate::error::ApiError;
use crate::persist::{File, OpenError};
use crate::request::{Request, Response};
use crate::world::World;

/// Gives the time in unix microseconds.
type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How long an endpoint may take to answer a webhook.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is held whose answer is to be lost: longer than callers wait.
const HOLD: Duration = Duration::from_secs(120);

/// One shared world, with its clock and its file. Clones share it.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<Shared>,
    clock: Clock,
    client: reqwest::Client,
}

struct Shared {
    world: World,
    file: Option<File>,
}

impl Sandbox {
    /// Opens the world in `file`, or an empty one made from `seed` if there is none; in memory
    /// only without a file. `clock` gives unix microseconds. Hosted pages live below `base_url`,
    /// where the caller nests [`Sandbox::router`].
    pub fn open(
        file: Option<&Path>,
        seed: u64,
        clock: Arc<dyn Fn() -> i64 + Send + Sync>,
        base_url: &str,
    ) -> Result<Sandbox, OpenError> {
        let fresh = World::new(seed, clock().div_euclid(1_000_000), base_url);
        let (file, world) = match file {
            Some(path) => {
                let (file, world) = File::open(path, fresh)?;
                (Some(file), world)
            }
            None => (None, fresh),
        };
        // An error says that the process has chosen its provider already; that one will do.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(DELIVERY_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .expect("a client without special settings can be built");
        let state = Mutex::new(Shared { world, file });
        Ok(Sandbox { inner: Arc::new(Inner { state, clock, client }) })
    }

    /// The API below `/v1`, the hosted pages, and the scenarios below `/_scenario`.
    pub fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    /// Calls `f` with the world, brought to the clock's time first and saved afterwards. If saving
    /// fails, that is logged and tried again with the next change.
    pub fn with<T>(&self, f: impl FnOnce(&mut World) -> T) -> T {
        let (answer, saved) = self.with_saved(f);
        if let Err(error) = saved {
            tracing::error!(%error, "the sandbox could not save its world");
        }
        answer
    }

    fn with_saved<T>(&self, f: impl FnOnce(&mut World) -> T) -> (T, rusqlite::Result<()>) {
        let now = (self.inner.clock)().div_euclid(1_000_000);
        let mut shared = self.lock();
        let Shared { world, file } = &mut *shared;
        world.advance_to(now);
        let answer = f(world);
        let saved = file.as_mut().map_or(Ok(()), |file| file.save(world));
        (answer, saved)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, request: &Request) -> Response {
        match self.with_saved(|world| world.handle(request)) {
            (response, Ok(())) => response,
            (_, Err(error)) => {
                tracing::error!(%error, "the sandbox could not save its world");
                let error = ApiError::internal(
                    "The sandbox could not save its file. The request may have taken effect.",
                );
                let headers = vec![("content-type".into(), "application/json".into())];
                let body = error.body().to_string().into_bytes();
                Response { status: error.status(), headers, body }
            }
        }
    }

    /// POSTs every webhook that is due, one after the other, and records the answers; how many
    /// were sent.
    pub async fn deliver_due(&self) -> usize {
        let due = self.with(World::deliveries_due);
        let sent = due.len();
        for delivery in due {
            let mut request = self.inner.client.post(&delivery.url).body(delivery.body);
            for (name, value) in &delivery.headers {
                request = request.header(name, value);
            }
            let status = match request.send().await {
                Ok(response) => Some(response.status().as_u16()),
                Err(error) => {
                    tracing::debug!(%error, "a webhook endpoint did not answer");
                    None
                }
            };
            self.with(|world| world.delivered(delivery.id, status));
        }
        sent
    }

    /// Keeps time and delivers webhooks for ever, looking `every` so often.
    pub async fn run(self, every: Duration) {
        loop {
            self.deliver_due().await;
            tokio::time::sleep(every).await;
        }
    }
}

async fn answer(
    State(sandbox): State<Sandbox>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> impl IntoResponse {
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let headers = headers.iter().map(|(name, value)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    let request = Request {
        method: method.as_str().to_owned(),
        path,
        headers: headers.collect(),
        body: body.to_vec(),
    };
    let response = sandbox.handle(&request);
    if response.is_lost() {
        tokio::time::sleep(HOLD).await;
        return (StatusCode::GATEWAY_TIMEOUT, HeaderMap::new(), Vec::new());
    }
    let status = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = HeaderMap::new();
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) =
            (HeaderName::try_from(name.as_str()), HeaderValue::from_bytes(value.as_bytes()))
        {
            headers.append(name, value);
        }
    }
    (status, headers, response.body)
}
