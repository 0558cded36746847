//! Forms: what was typed, and the token that shows that one of our pages asked for it.

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use maud::{Markup, html};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::refusal::Refusal;

/// The longest form, in bytes: a catalog fits.
const BYTES_MAX: usize = 256 << 10;
/// The name of the field with the token.
pub(crate) const TOKEN: &str = "form_token";

/// What was typed into a form of ours. A handler that takes one is reached only by forms that carry
/// their token.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// The first value of a field, without spaces around it; `""` when it is not there.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// The same as it was typed.
    pub(crate) fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// What a form of a visitor has to carry: known to our pages and to nobody else.
pub(crate) fn token(secret: &str) -> String {
    hex::encode(Sha256::digest(format!("farthing form {secret}").as_bytes()))
}

/// The token as a hidden field.
pub(crate) fn field(token: &str) -> Markup {
    html! { input type="hidden" name=(TOKEN) value=(token); }
}

/// Reads a form. Errors: it is too long, is none, or does not carry `expected`.
pub(crate) async fn read(body: Body, expected: &str) -> Result<Form, Refusal> {
    let bytes = axum::body::to_bytes(body, BYTES_MAX).await.map_err(|_| Refusal::TooLong)?;
    let form = Form(form_urlencoded::parse(&bytes).into_owned().collect());
    let right = form.raw(TOKEN).as_bytes().ct_eq(expected.as_bytes());
    if bool::from(right) { Ok(form) } else { Err(Refusal::ForeignForm) }
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::ForeignForm)
    }
}
