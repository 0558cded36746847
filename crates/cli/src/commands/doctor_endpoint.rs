//! The webhook endpoint at Stripe: is it there, does it deliver what we act on, in our version?

use std::sync::Arc;

use farthing_engine::clock::RandomIds;
use farthing_engine::{Clock, Ids};
use farthing_providers::CallError;
use farthing_providers::stripe::{API_VERSION, WebhookEndpoint};

use super::doctor::Doctor;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::exit::Failure;
use crate::target;

/// Where Stripe's webhooks come in, below the address that the world reaches this server under.
const PATH: &str = "/webhooks/stripe";
const CHECK: &str = "endpoint";

/// What was found about the endpoint: nothing, or what is wrong and what to do.
type Judged = Result<String, (String, String)>;

/// Looks at the endpoint; with `fix` makes it, or makes it deliver what is missing.
pub fn look(doctor: &mut Doctor<'_>, config: &Config, fix: bool) {
    let Some(public) = &config.public_url else {
        return doctor.skip(
            CHECK,
            "FARTHING_PUBLIC_URL is not set, so it is not known where Stripe reaches this server",
        );
    };
    let url = format!("{}{PATH}", public.trim_end_matches('/'));
    let judged = target::connect(config.stripe.clone(), Arc::new(SystemClock)).map(|stripe| {
        if fix {
            let now = SystemClock.now().micros();
            let chance = RandomIds.secret()[0];
            let key = format!("farthing:doctor:endpoint:{now}:{chance}");
            return stripe.ensure_webhook_endpoint(&url, &key).map(|made| mended(&made));
        }
        stripe.list_webhook_endpoints().map(|all| judge(&all, &url))
    });
    match judged {
        Ok(Ok(Ok(fine))) => doctor.ok(CHECK, fine),
        Ok(Ok(Err((message, fix)))) => doctor.find(CHECK, message, fix),
        Ok(Err(error)) => doctor.fail(CHECK, refused(&error)),
        Err(failure) => doctor.fail(CHECK, failure),
    }
}

fn refused(error: &CallError) -> Failure {
    let message = format!("the webhook endpoints cannot be read or made: {error}");
    Failure::new(message).fix("a restricted key needs to read and write webhook endpoints")
}

/// A new one comes with its secret, which Stripe tells once.
fn mended(endpoint: &WebhookEndpoint) -> Judged {
    match &endpoint.secret {
        Some(secret) => Err((
            format!("{} was made at {}", endpoint.id, endpoint.url),
            format!("keep its secret, it is not told again: STRIPE_WEBHOOK_SECRETS={secret}"),
        )),
        None => Ok(format!("{} delivers everything to {}", endpoint.id, endpoint.url)),
    }
}

fn judge(all: &[WebhookEndpoint], url: &str) -> Judged {
    let run = "run `farthing doctor --fix`";
    let ours: Vec<&WebhookEndpoint> = all.iter().filter(|it| it.url == url).collect();
    let version = |it: &&&WebhookEndpoint| it.api_version.as_deref() == Some(API_VERSION);
    let Some(endpoint) = ours.iter().find(version) else {
        return Err(match ours.first() {
            Some(other) => {
                let version = other.api_version.as_deref().unwrap_or("the account's own");
                let message =
                    format!("{} delivers in version {version}, not in {API_VERSION}", other.id);
                (message, format!("delete it at Stripe, then {run} to make another one"))
            }
            None => {
                let elsewhere = all.iter().find(|it| it.url.ends_with(PATH));
                let hint = elsewhere.map(|it| format!("; {} goes to {}", it.id, it.url));
                let message = format!("no endpoint delivers to {url}{}", hint.unwrap_or_default());
                (message, format!("{run} to make it, or set FARTHING_PUBLIC_URL right"))
            }
        });
    };
    let lacks = endpoint.lacks();
    if !endpoint.enabled {
        let message = format!("{} is disabled: nothing arrives", endpoint.id);
        return Err((message, format!("find out why it failed, then {run} to enable it")));
    }
    if !lacks.is_empty() {
        let message = format!("{} does not deliver {}", endpoint.id, lacks.join(", "));
        return Err((message, run.to_owned()));
    }
    Ok(format!("{} delivers everything to {url}", endpoint.id))
}

#[cfg(test)]
mod tests {
    use farthing_providers::stripe::EVENTS;

    use super::*;

    const URL: &str = "https://pay.example.com/webhooks/stripe";

    fn endpoint() -> WebhookEndpoint {
        WebhookEndpoint {
            id: "we_1".to_owned(),
            secret: None,
            url: URL.to_owned(),
            api_version: Some(API_VERSION.to_owned()),
            events: EVENTS.iter().map(|event| (*event).to_owned()).collect(),
            enabled: true,
        }
    }

    fn said(endpoint: WebhookEndpoint) -> String {
        match judge(&[endpoint], URL) {
            Ok(fine) => fine,
            Err((message, fix)) => format!("{message} | {fix}"),
        }
    }

    #[test]
    fn every_way_in_which_nothing_arrives_is_told_with_what_to_do() {
        assert_eq!(said(endpoint()), format!("we_1 delivers everything to {URL}"));
        assert!(said(WebhookEndpoint { enabled: false, ..endpoint() }).contains("disabled"));
        let mut lacking = endpoint();
        lacking.events.retain(|event| event != "invoice.paid");
        assert!(said(lacking).starts_with("we_1 does not deliver invoice.paid | run"));
        let all = vec!["*".to_owned()];
        assert!(said(WebhookEndpoint { events: all, ..endpoint() }).contains("everything"));
        let old = Some("2024-06-20".to_owned());
        let old = said(WebhookEndpoint { api_version: old, ..endpoint() });
        assert!(old.contains("in version 2024-06-20") && old.contains("delete it"), "{old}");
        let url = "https://old.example.com/webhooks/stripe".to_owned();
        let moved = said(WebhookEndpoint { url, ..endpoint() });
        assert!(moved.contains("we_1 goes to https://old.example.com"), "{moved}");
    }

    #[test]
    fn a_new_secret_is_told_once_as_the_line_to_set() {
        let made = WebhookEndpoint { secret: Some("whsec_abc".to_owned()), ..endpoint() };
        let (_, fix) = mended(&made).unwrap_err();
        assert!(fix.ends_with("STRIPE_WEBHOOK_SECRETS=whsec_abc"), "{fix}");
        assert!(mended(&endpoint()).is_ok());
    }
}
