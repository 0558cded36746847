//! Events in: verified on the raw body and stored before the answer. Nothing else happens here.

use axum::Json as Answered;
use axum::extract::{Request, State};
use axum::http::HeaderName;
use farthing_engine::ingest::ReceiveError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::body;
use crate::codes::Code;
use crate::error::ApiError;
use crate::state::App;

const STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");

/// An event was received.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"received": "evt_1", "duplicate": false}))]
pub struct ReceivedAnswer {
    /// The provider's id of the event.
    received: String,
    /// Whether it had been stored before, and so does nothing now.
    duplicate: bool,
}

/// Takes an event from Stripe.
///
/// The signature is checked over the raw body; the event is stored before the answer and handled
/// after it. An event that is sent again is answered again and does nothing. Without a configured
/// webhook secret there is no such route: 404.
#[utoipa::path(
    post, path = "/webhooks/stripe", operation_id = "receiveStripeEvent", tag = "provider",
    params(("Stripe-Signature" = String, Header, description = "Made by Stripe")),
    request_body(content_type = "application/json", content = Object, description = "A Stripe event"),
    responses((status = 200, description = "Stored", body = ReceivedAnswer))
)]
pub async fn receive_stripe(
    State(app): State<App>,
    request: Request,
) -> Result<Answered<ReceivedAnswer>, ApiError> {
    if !app.engine.takes_events() {
        return Err(crate::request::unknown_route().await);
    }
    let mut signatures = request.headers().get_all(STRIPE_SIGNATURE).iter();
    let signature = match (signatures.next(), signatures.next()) {
        (Some(signature), None) => signature.to_str().unwrap_or_default().to_owned(),
        _ => String::new(),
    };
    let body = body::read(request).await?;
    let received = app.run(move |engine| engine.receive_stripe(&signature, &body)).await?;
    match received {
        Ok(received) => {
            Ok(Answered(ReceivedAnswer { received: received.event, duplicate: received.duplicate }))
        }
        Err(ReceiveError::Engine(error)) => Err(error.into()),
        Err(ReceiveError::Webhook(error)) => {
            app.admit_stranger("/webhooks/stripe")?;
            tracing::warn!(%error, "an event was refused");
            Err(ApiError::new(Code::InvalidSignature, format!("{error}; nothing was stored")))
        }
    }
}
