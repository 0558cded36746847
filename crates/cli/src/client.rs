//! Talks to a running server over its HTTP API.

use std::time::Duration;

use reqwest::blocking::{Client as Http, RequestBuilder};
use reqwest::{StatusCode, Url};
use serde_json::Value;

use crate::exit::Failure;
use crate::output::plain;

/// A server and the key that opens it.
pub struct Client {
    http: Http,
    api: Url,
    key: String,
}

/// Moving the clock by a year takes a while; everything else answers at once.
const TIMEOUT: Duration = Duration::from_secs(300);

impl Client {
    /// To the server at `api`. Errors: that is no address.
    pub fn new(api: &str, key: &str) -> Result<Self, Failure> {
        let url = Url::parse(api).ok().filter(|url| url.host_str().is_some());
        let api = url.ok_or_else(|| {
            Failure::usage(format!("{api:?} is not the address of a server"))
                .fix("write it like http://127.0.0.1:8787")
        })?;
        Ok(Self { http: http(&api, TIMEOUT)?, api, key: key.to_owned() })
    }

    /// Reads what is below the path `segments`.
    pub fn get(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Value, Failure> {
        let mut url = self.url(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        self.send(self.http.get(url))
    }

    /// Sends `body` to the path `segments`.
    pub fn post(&self, segments: &[&str], body: &Value) -> Result<Value, Failure> {
        self.send(self.http.post(self.url(segments)).json(body))
    }

    fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.api.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }

    fn send(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = request.bearer_auth(&self.key).send().map_err(|error| {
            let what = if error.is_timeout() {
                "did not answer in time; what was asked may have happened"
            } else if error.is_connect() {
                "cannot be reached; nothing was changed"
            } else {
                "broke off; what was asked may have happened"
            };
            Failure::new(format!("{} {what}", self.api.as_str().trim_end_matches('/')))
                .fix("is it running? `farthing dev` starts one on this machine")
        })?;
        let status = response.status();
        let body = response.bytes().unwrap_or_default();
        let value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() { Ok(value) } else { Err(refused(status, &value)) }
    }
}

/// A client for `api`: past any proxy and without certificates when that is on this machine.
fn http(api: &Url, timeout: Duration) -> Result<Http, Failure> {
    // An error says that the process has chosen its provider already.
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let mut builder = Http::builder()
        .timeout(timeout)
        .connect_timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("farthing-cli/", env!("CARGO_PKG_VERSION")));
    if api.scheme() == "http" {
        builder = builder.no_proxy().tls_certs_only([]);
    }
    builder.build().map_err(|error| {
        Failure::new(format!("cannot set up TLS: {error}")).fix("install ca-certificates")
    })
}

/// Whether a server of ours answers at `api` right now.
pub fn answers(api: &str) -> bool {
    let Ok(url) = Url::parse(api) else { return false };
    let Ok(health) = url.join("/healthz") else { return false };
    let Ok(http) = http(&url, Duration::from_secs(2)) else { return false };
    let answer = http.get(health).send();
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// What `/readyz` says; `None` if the server is not ready or not there.
pub fn readiness(api: &str) -> Option<String> {
    let url = Url::parse(api).ok()?;
    let http = http(&url, Duration::from_secs(2)).ok()?;
    let answer = http.get(url.join("/readyz").ok()?).send().ok()?;
    answer.error_for_status().ok()?.text().ok()
}

/// What a problem document says, for people.
fn refused(status: StatusCode, problem: &Value) -> Failure {
    let text = |value: &Value| value.as_str().map(plain);
    let detail = text(&problem["detail"]).or_else(|| text(&problem["title"]));
    let detail = detail.unwrap_or_else(|| format!("the server answered {status}"));
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let messages: Vec<String> = errors.iter().filter_map(|e| text(&e["message"])).collect();
    let fixes: Vec<String> = errors.iter().filter_map(|e| text(&e["fix"])).collect();
    let message = match messages.as_slice() {
        [] => detail,
        [only] if detail.contains(only) => detail,
        many => format!("{detail}: {}", many.join("; ")),
    };
    let failure = Failure::new(message);
    match (fixes.is_empty(), status) {
        (false, _) => failure.fix(fixes.join("; ")),
        (true, StatusCode::UNAUTHORIZED) => {
            failure.fix("pass --key, or set FARTHING_KEY, to a key of this server")
        }
        (true, _) => failure,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_with_slashes_stay_one_segment() {
        let client = Client::new("http://127.0.0.1:1/base/", "k").unwrap();
        let url = client.url(&["v1", "customers", "a/b ?c"]);
        assert_eq!(url.as_str(), "http://127.0.0.1:1/base/v1/customers/a%2Fb%20%3Fc");
    }

    #[test]
    fn a_problem_is_told_with_its_fix() {
        let problem = json!({ "detail": "2 things are wrong", "errors": [
            { "message": "no plan", "fix": "write starter" }, { "message": "no money", "fix": "pay" },
        ]});
        let failure = refused(StatusCode::UNPROCESSABLE_ENTITY, &problem);
        assert_eq!(failure.message, "2 things are wrong: no plan; no money");
        assert_eq!(failure.fix.unwrap(), "write starter; pay");
    }
}
