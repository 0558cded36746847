//! Idempotency keys: the same key with the same parameters gets the first answer again.
//!
//! An answer is kept once the request began to have effects, so also for declines and server
//! errors; not for refused parameters. Source: <https://docs.stripe.com/api/idempotent_requests>

use serde::{Deserialize, Serialize};

use super::World;
use super::table::Row;
use crate::calendar::HOUR;
use crate::error::ApiError;
use crate::request::Response;
use crate::signature;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    key: String,
    /// What was asked: a digest of method, path and parameters.
    asked: String,
    created: i64,
    status: u16,
    body: String,
    request: String,
}

impl Row for Kept {
    const KIND: &'static str = "idempotency_key";
    fn id(&self) -> &str {
        &self.key
    }
}

const KEPT_FOR: i64 = 24 * HOUR;
const KEY_MAX: usize = 255;

/// A digest of what is asked; the order of parameters does not matter.
pub(crate) fn digest(path: &str, pairs: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = pairs.iter().collect();
    sorted.sort();
    let text = serde_json::to_string(&(path, sorted)).expect("texts are valid JSON");
    hex::encode(signature::mac(b"idempotency", &[text.as_bytes()]))
}

impl World {
    /// The answer that `key` already has; an error if it was given for something else.
    pub(super) fn replay(&self, key: &str, asked: &str) -> Result<Option<Response>, ApiError> {
        if key.is_empty() || KEY_MAX < key.chars().count() {
            return Err(ApiError::idempotency(format!(
                "Idempotency keys have 1 to {KEY_MAX} characters. Nothing was changed."
            )));
        }
        let horizon = self.now() - KEPT_FOR;
        let Some(kept) = self.idempotency.get(key).filter(|kept| horizon < kept.created) else {
            return Ok(None);
        };
        if kept.asked != asked {
            return Err(ApiError::idempotency(format!(
                "Keys for idempotent requests can only be used with the same parameters they were \
                 first used with. Try using a key other than '{key}' if you meant to execute a \
                 different request."
            )));
        }
        let headers = vec![
            ("idempotent-replayed".to_owned(), "true".to_owned()),
            ("original-request".to_owned(), kept.request.clone()),
        ];
        let body = kept.body.clone().into_bytes();
        Ok(Some(Response { status: kept.status, headers, body }))
    }

    /// Keeps the answer for `key` if the request had or may have had effects.
    pub(super) fn keep(&mut self, key: &str, asked: String, response: &Response, request: &str) {
        let began = matches!(response.status, 200..300 | 402 | 500..600);
        if began {
            self.idempotency.remove(key);
            self.idempotency.put(Kept {
                key: key.to_owned(),
                asked,
                created: self.now(),
                status: response.status,
                body: String::from_utf8_lossy(&response.body).into_owned(),
                request: request.to_owned(),
            });
        }
    }

    pub(super) fn forget_idempotency_keys(&mut self) {
        let horizon = self.now() - KEPT_FOR;
        let old: Vec<String> = self
            .idempotency
            .oldest_first()
            .take_while(|kept| kept.created <= horizon)
            .map(|kept| kept.key.clone())
            .collect();
        for key in old {
            self.idempotency.remove(&key);
        }
    }
}
