//! How a customer gets to the billing page: the app asks for a link, the link opens a session.
//!
//! A link is a secret that counts once and for 15 minutes; a session is another one, in a cookie,
//! for an hour. Of both only a hash is stored. Both live by the machine's clock, which the caller
//! gives and which the sandbox does not move. Everything that the page shows is shown for the
//! session's customer and for nobody else.

use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;
use farthing_store::billing_sessions::{self, Visit};
use farthing_store::{customers, meta};
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::follow_up::Change;
use crate::sold::check_return_path;
use crate::{Call, Engine, EngineError};

/// What a link is to lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLink {
    /// Where on the app's site the page leads back to, such as `/account`; `/` when left out.
    pub return_path: Option<String>,
    /// Whether the page only shows: for somebody of the team who looks as the customer.
    pub read_only: bool,
}

/// A link to a billing page. It is not shown again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BillingLink {
    /// Send the customer there.
    pub url: String,
    /// The first instant at which it no longer opens anything.
    pub expires_at: Timestamp,
}

/// Somebody who looks at a billing page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BillingSession {
    /// Whose page it is.
    pub customer: CustomerId,
    /// Where the page leads back to: an address of the app.
    pub return_url: String,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// The first instant at which it is over.
    pub expires_at: Timestamp,
}

/// How long a link counts, in seconds.
const LINK_FOR: i64 = 15 * 60;
/// How long a session lasts, in seconds.
const SESSION_FOR: i64 = 3_600;
/// The beginning of every secret.
const PREFIX: &str = "cst_";
/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Under this name the secret is kept that the addresses of results are signed with.
const RESULT_SECRET: &str = "result_secret";

impl Engine {
    /// Makes a link to the customer's billing page: it opens once, within 15 minutes.
    ///
    /// Errors: no such customer, a return path that is none, or no address is configured at which
    /// the page could be reached.
    pub fn make_billing_link(
        &self,
        call: &Call,
        customer: &CustomerId,
        (new, now): (&NewLink, Timestamp),
    ) -> Result<BillingLink, EngineError> {
        check_return_path(new.return_path.as_deref())?;
        let base = self.pages_url()?.to_owned();
        let (secret, hash) = self.new_secret();
        let link = Visit {
            customer: customer.clone(),
            return_path: new.return_path.clone(),
            read_only: new.read_only,
            created_at: now,
            expires_at: now.plus_seconds(LINK_FOR),
        };
        let expires_at = link.expires_at;
        let call = call.clone();
        self.write(move |engine, tx| {
            let found = customers::lock(tx, &link.customer)?;
            let customer = found.ok_or_else(|| EngineError::no_customer(&link.customer))?;
            billing_sessions::purge(tx, now)?;
            billing_sessions::insert_link(tx, &link, &hash)?;
            let to = Some(json!({ "expires_at": link.expires_at, "read_only": link.read_only }));
            let action = "billing_page.link_made";
            engine.record(
                tx,
                &call,
                &customer,
                &Change { action, from: None, to, effective_at: engine.now() },
            )
        })?;
        Ok(BillingLink { url: format!("{base}/b/enter/{secret}"), expires_at })
    }

    /// Opens a session with a link's secret; answers the session's own secret. `None` when the
    /// link is unknown, was used or is too old; which of them is not told.
    pub fn open_billing_session(
        &self,
        link: &str,
        now: Timestamp,
    ) -> Result<Option<(String, BillingSession)>, EngineError> {
        let Some(used) = hash_of(link) else {
            return Ok(None);
        };
        let (secret, hash) = self.new_secret();
        let opened = self.write(move |engine, tx| {
            let Some(link) = billing_sessions::use_link(tx, &used, now)? else {
                return Ok(None);
            };
            let Some(customer) = customers::lock(tx, &link.customer)? else {
                return Ok(None);
            };
            let expires_at = now.plus_seconds(SESSION_FOR);
            let session = Visit { created_at: now, expires_at, ..link };
            billing_sessions::insert(tx, &session, &hash)?;
            let to = Some(json!({ "expires_at": expires_at, "read_only": session.read_only }));
            let action = "billing_page.opened";
            let call = Call::new("billing_page", "link");
            let change = Change { action, from: None, to, effective_at: engine.now() };
            engine.record(tx, &call, &customer, &change)?;
            Ok(Some(session))
        })?;
        Ok(opened.map(|visit| (secret, self.session_of(visit))))
    }

    /// Whose session this secret is; `None` when it is nobody's or over.
    pub fn billing_session(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Option<BillingSession>, EngineError> {
        let Some(hash) = hash_of(secret) else {
            return Ok(None);
        };
        let found = self.read(|_, tx| Ok(billing_sessions::find(tx, &hash, now)?))?;
        Ok(found.map(|visit| self.session_of(visit)))
    }

    /// Ends a session. Ending it twice is once.
    pub fn end_billing_session(&self, secret: &str) -> Result<(), EngineError> {
        let Some(hash) = hash_of(secret) else {
            return Ok(());
        };
        self.write(move |_, tx| Ok(billing_sessions::end(tx, &hash)?))
    }

    /// The app's own address, without a path.
    pub fn app_url(&self) -> &str {
        &self.inner.config.return_base
    }

    /// Where people reach the pages of this server. Errors: it was not configured.
    pub(crate) fn pages_url(&self) -> Result<&str, EngineError> {
        self.inner.config.public_url.as_deref().ok_or_else(|| {
            EngineError::refused(
                "no_billing_page",
                "it is not configured where customers reach this server, so there is no billing \
                 page; nothing was changed: set FARTHING_PUBLIC_URL",
            )
        })
    }

    /// Where a customer lands after a checkout that names no path of the app: on our own page
    /// about it, if it can be reached. The address holds a proof that it came from here.
    pub(crate) fn result_url(&self, checkout: &str) -> Result<Option<String>, EngineError> {
        let Some(base) = self.inner.config.public_url.as_deref() else {
            return Ok(None);
        };
        let proof = self.result_proof(checkout)?;
        Ok(Some(format!("{base}/b/success?proof={proof}")))
    }

    /// Whether an address about a checkout came from here.
    pub fn is_result_proof(&self, checkout: &str, proof: &str) -> Result<bool, EngineError> {
        let right = self.result_proof(checkout)?;
        Ok(bool::from(subtle::ConstantTimeEq::ct_eq(right.as_bytes(), proof.as_bytes())))
    }

    fn result_proof(&self, checkout: &str) -> Result<String, EngineError> {
        let known = self.read(|_, tx| Ok(meta::kept(tx, RESULT_SECRET)?))?;
        let key = match known {
            Some(key) => key,
            None => {
                let fresh = self.new_secret().0;
                self.write(move |_, tx| Ok(meta::keep(tx, RESULT_SECRET, &fresh)?))?
            }
        };
        let mut proof =
            Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length will do");
        proof.update(checkout.as_bytes());
        Ok(hex::encode(&proof.finalize().into_bytes()[..16]))
    }

    fn session_of(&self, visit: Visit) -> BillingSession {
        let base = &self.inner.config.return_base;
        let path = visit.return_path.as_deref().unwrap_or("/");
        BillingSession {
            return_url: format!("{base}{path}"),
            customer: visit.customer,
            read_only: visit.read_only,
            expires_at: visit.expires_at,
        }
    }

    /// A secret and what is stored of it.
    fn new_secret(&self) -> (String, [u8; 32]) {
        let ids = &self.inner.ids;
        let mut bytes = ids.secret().to_vec();
        bytes.extend(ids.secret());
        let secret = format!("{PREFIX}{}", hex::encode(&bytes[..SECRET_BYTES]));
        let hash = Sha256::digest(secret.as_bytes()).into();
        (secret, hash)
    }
}

/// What is stored of a secret; `None` for what cannot be one.
fn hash_of(secret: &str) -> Option<[u8; 32]> {
    let digits = secret.strip_prefix(PREFIX)?;
    let possible =
        digits.len() == 2 * SECRET_BYTES && digits.bytes().all(|b| b.is_ascii_hexdigit());
    possible.then(|| Sha256::digest(secret.as_bytes()).into())
}
