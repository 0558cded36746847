//! The sandbox's webhook endpoint: made once, pointed at wherever this server listens today.
//!
//! The requests are the production adapter's; they reach the sandbox without a socket, because
//! nobody listens yet when the secret is needed.

use std::sync::Arc;

use farthing_core::time::Timestamp;
use farthing_providers::stripe::WebhookConfig;
use farthing_providers::stripe::webhook_endpoints::{
    WebhookEndpoint, decode_webhook_endpoints, encode_list_webhook_endpoints,
};
use farthing_providers::{
    CallError, HttpRequest, HttpResponse, Livemode, Stripe, Transport, TransportError,
};
use farthing_sandbox::{Request, Sandbox};

use super::SANDBOX_KEY;
use super::dir::Dir;
use crate::exit::Failure;

/// Calls the sandbox in this process.
struct InProcess(Sandbox);

impl Transport for InProcess {
    fn send(&self, request: &HttpRequest) -> Result<HttpResponse, TransportError> {
        let mut form = reqwest::Url::parse("http://sandbox/").expect("it is an address");
        form.query_pairs_mut().extend_pairs(&request.form);
        let body = form.query().unwrap_or_default().as_bytes().to_vec();
        let mut headers = vec![("authorization".to_owned(), format!("Bearer {SANDBOX_KEY}"))];
        if let Some(key) = &request.idempotency_key {
            headers.push(("idempotency-key".to_owned(), key.clone()));
        }
        let (method, path) = (request.method.to_owned(), request.path.clone());
        let request = Request { method, path, headers, body };
        let response = self.0.with(|world| world.handle(&request));
        if response.is_lost() {
            return Err(TransportError::Unknown("the answer was lost on purpose".to_owned()));
        }
        Ok(HttpResponse { status: response.status, headers: response.headers, body: response.body })
    }
}

/// The secret of the endpoint at `url`. An endpoint that pointed elsewhere is pointed there, so
/// that what it has not delivered yet still arrives.
pub fn secret(sandbox: &Sandbox, dir: &Dir, url: &str, now: Timestamp) -> Result<String, Failure> {
    let transport = Arc::new(InProcess(sandbox.clone()));
    let known = dir.read_secret(&dir.webhook_secret())?;
    for endpoint in endpoints(&transport)? {
        if known.is_none() {
            // Its secret is lost, and the sandbox does not tell it twice.
            let path = format!("/v1/webhook_endpoints/{}", endpoint.id);
            call(&transport, &HttpRequest::delete(path))?;
        } else if endpoint.url != url {
            let path = format!("/v1/webhook_endpoints/{}", endpoint.id);
            let key = format!("farthing:dev:{}:{}", endpoint.id, now.micros());
            let form = vec![("url".to_owned(), url.to_owned())];
            call(&transport, &HttpRequest::post(path, &key, form))?;
        }
    }
    let stripe = Stripe::new(transport, Livemode::Test, WebhookConfig::absent());
    let key = format!("farthing:dev:endpoint:{}", now.micros());
    let endpoint = stripe.ensure_webhook_endpoint(url, &key).map_err(failure)?;
    match (endpoint.secret, known) {
        (Some(fresh), _) => {
            dir.write_secret(&dir.webhook_secret(), &fresh)?;
            Ok(fresh)
        }
        (None, Some(known)) => Ok(known),
        (None, None) => Err(Failure::new("the sandbox has an endpoint whose secret is lost")),
    }
}

/// Ours is the only one that this server makes; others are the developer's own and stay.
fn endpoints(transport: &InProcess) -> Result<Vec<WebhookEndpoint>, Failure> {
    let response = call(transport, &encode_list_webhook_endpoints(None))?;
    let page = decode_webhook_endpoints(response.status, &response.body).map_err(failure)?;
    Ok(page.items.into_iter().filter(|endpoint| is_ours(&endpoint.url)).collect())
}

fn is_ours(url: &str) -> bool {
    url.starts_with("http://127.0.0.1:") && url.ends_with(super::WEBHOOK_PATH)
}

fn call(transport: &InProcess, request: &HttpRequest) -> Result<HttpResponse, Failure> {
    match transport.send(request) {
        Ok(response) if response.status < 300 => Ok(response),
        Ok(response) => Err(Failure::new(format!(
            "the sandbox refused {} {} with {}",
            request.method, request.path, response.status
        ))),
        Err(error) => Err(Failure::new(format!("the sandbox did not answer: {error}"))),
    }
}

fn failure(error: CallError) -> Failure {
    Failure::new(format!("the sandbox's webhook endpoint could not be made: {error:?}"))
}
