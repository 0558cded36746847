//! Who is looking, and what a form brings: a handler that takes one of these is not reached
//! without a session, and not by a form of somebody else's.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use farthing_core::ids::CustomerId;
use farthing_engine::Call;
use farthing_engine::billing_sessions::BillingSession;
use maud::{Markup, html};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::problem::Problem;
use super::site::Pages;
use crate::RequestId;

/// The longest form, in bytes.
const FORM_BYTES_MAX: usize = 16 << 10;
/// The name of the field with the token.
const TOKEN: &str = "form_token";
/// What every secret of a session begins with; cookies go without.
const PREFIX: &str = "cst_";
/// Under this name those are counted who have no session.
pub(super) const STRANGERS: &str = "strangers";

/// Somebody with a session.
#[derive(Clone, Debug)]
pub(super) struct Visitor {
    pub(super) session: BillingSession,
    /// Known to the browser and to nobody else.
    secret: String,
    request_id: String,
}

impl Visitor {
    /// Whose page it is.
    pub(super) fn customer(&self) -> CustomerId {
        self.session.customer.clone()
    }

    /// What the session is ended with.
    pub(super) fn secret(&self) -> String {
        self.secret.clone()
    }

    /// How a change is written down.
    pub(super) fn call(&self) -> Call {
        Call::new(format!("customer:{}", self.session.customer), self.request_id.clone())
    }

    /// The hidden field that every form carries.
    pub(super) fn field(&self) -> Markup {
        html! { input type="hidden" name=(TOKEN) value=(token(&self.secret)); }
    }
}

impl FromRequestParts<Pages> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Problem> {
        let secret = cookie(&parts.headers, pages.base.is_secure());
        let Some(secret) = secret else {
            return pages.count(STRANGERS).and(Err(Problem::SignedOut));
        };
        let (asked, now) = (secret.clone(), pages.wall());
        let found = pages.ask(move |engine| engine.billing_session(&asked, now)).await?;
        let Some(session) = found else {
            return pages.count(STRANGERS).and(Err(Problem::SignedOut));
        };
        pages.count(&token(&secret))?;
        let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
        Ok(Self { session, secret, request_id: id.unwrap_or_default() })
    }
}

/// A form of ours, by somebody who may change something.
pub(super) struct Posted {
    pub(super) visitor: Visitor,
    fields: Vec<(String, String)>,
}

impl Posted {
    /// A field without spaces around it; `""` when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        field(&self.fields, name)
    }
}

impl FromRequest<Pages> for Posted {
    type Rejection = Problem;

    async fn from_request(request: Request, pages: &Pages) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, pages).await?;
        if !pages.base.is_own(&parts.headers) {
            return Err(Problem::ForeignForm);
        }
        let fields = read(body).await?;
        let brought = field(&fields, TOKEN).as_bytes().ct_eq(token(&visitor.secret).as_bytes());
        if !bool::from(brought) {
            return Err(Problem::ForeignForm);
        }
        if visitor.session.read_only {
            return Err(Problem::ReadOnly);
        }
        Ok(Self { visitor, fields })
    }
}

/// The parameters of an address.
pub(super) struct Params(Vec<(String, String)>);

impl Params {
    /// These, and no others.
    pub(super) fn of(pairs: &[(&str, &str)]) -> Self {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(pair).collect())
    }

    /// A parameter; `""` when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        field(&self.0, name)
    }
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect()))
    }
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
}

async fn read(body: Body) -> Result<Vec<(String, String)>, Problem> {
    let bytes = axum::body::to_bytes(body, FORM_BYTES_MAX).await;
    let bytes = bytes.map_err(|_| Problem::TooLong)?;
    Ok(form_urlencoded::parse(&bytes).into_owned().collect())
}

/// What the forms of a session carry.
fn token(secret: &str) -> String {
    hex::encode(Sha256::digest(format!("farthing billing form {secret}").as_bytes()))
}

/// Over TLS the name itself keeps other hosts from setting the cookie.
fn cookie_name(secure: bool) -> &'static str {
    if secure { "__Host-farthing-billing" } else { "farthing-billing" }
}

/// The session's secret in a request's cookies; `None` too when there are two of that name.
pub(super) fn cookie(headers: &HeaderMap, secure: bool) -> Option<String> {
    let name = cookie_name(secure);
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut found = pairs.filter(|(key, _)| *key == name).map(|(_, value)| value);
    let (value, None) = (found.next()?, found.next()) else { return None };
    let fine = value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit());
    fine.then(|| format!("{PREFIX}{value}"))
}

/// The header that keeps a session in the browser until it is closed; `""` ends it.
pub(super) fn set_cookie(secret: &str, secure: bool) -> HeaderValue {
    let value = secret.strip_prefix(PREFIX).unwrap_or(secret);
    let mut text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax", cookie_name(secure));
    if secure {
        text += "; Secure";
    }
    if value.is_empty() {
        text += "; Max-Age=0";
    }
    HeaderValue::from_str(&text).expect("a secret is letters and digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_out_of_reach_for_scripts_and_other_sites() {
        let cookie = set_cookie("cst_ab", true);
        assert_eq!(cookie, "__Host-farthing-billing=ab; Path=/; HttpOnly; SameSite=Lax; Secure");
        assert!(set_cookie("", true).to_str().unwrap().ends_with("Max-Age=0"));
    }

    #[test]
    fn a_cookie_that_comes_twice_is_nobodys() {
        let mut headers = HeaderMap::new();
        let pair = format!("farthing-billing={}", "a".repeat(64));
        headers.insert(header::COOKIE, HeaderValue::from_str(&format!("x=1; {pair}")).unwrap());
        assert_eq!(cookie(&headers, false), Some(format!("cst_{}", "a".repeat(64))));
        assert_eq!(cookie(&headers, true), None);
        headers.append(header::COOKIE, HeaderValue::from_str(&pair).unwrap());
        assert_eq!(cookie(&headers, false), None);
    }
}
