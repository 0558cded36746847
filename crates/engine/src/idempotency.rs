//! Requests that carry an idempotency key: run once, answered the same afterwards.

use farthing_core::time::Timestamp;
use farthing_store::Tx;
use farthing_store::idempotency::{self, KeyedRequest};
use serde::Serialize;

use crate::{Call, Engine, EngineError};

pub use farthing_store::idempotency::Begun;

/// A request with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// The id of the API key that sent it: keys of two senders never meet.
    pub scope: String,
    /// What the sender chose.
    pub key: String,
    /// A hash over method, path and body.
    pub request_hash: [u8; 32],
    /// The request's own id.
    pub request_id: String,
    /// The time by the machine's clock: the sandbox's jumps by months, and answers are kept for days.
    pub now: Timestamp,
}

/// How long an answer is kept, in seconds: 30 days.
const KEPT_FOR: i64 = 30 * 86_400;
/// How long a request may run before another one with its key takes over, in seconds.
const LEASE: i64 = 120;
/// How many forgotten keys one purge removes.
const PURGE: u32 = 1_000;

impl Engine {
    /// Takes the key, or says what became of it before.
    pub fn idempotency_begin(&self, keyed: &Keyed) -> Result<Begun, EngineError> {
        let keyed = keyed.clone();
        self.write(move |_, tx| Ok(idempotency::begin(tx, &Self::keyed(&keyed))?))
    }

    /// Keeps the answer.
    pub fn idempotency_finish(
        &self,
        keyed: &Keyed,
        status: u16,
        body: &[u8],
    ) -> Result<(), EngineError> {
        let (keyed, body) = (keyed.clone(), body.to_vec());
        self.write(move |_, tx| Ok(idempotency::finish(tx, &Self::keyed(&keyed), status, &body)?))
    }

    /// Frees the key: the request had no effect.
    pub fn idempotency_forget(&self, keyed: &Keyed) -> Result<(), EngineError> {
        let keyed = keyed.clone();
        self.write(move |_, tx| Ok(idempotency::forget(tx, &Self::keyed(&keyed))?))
    }

    /// Removes answers that were kept long enough at `now`, which is by the same clock as
    /// [`Keyed::now`]; answers how many.
    pub fn idempotency_purge(&self, now: Timestamp) -> Result<u64, EngineError> {
        self.write(move |_, tx| Ok(idempotency::purge_expired(tx, now, PURGE)?))
    }

    /// Keeps the answer to a keyed request in the transaction that has its effect: both are there
    /// afterwards, or neither. When another request took over the key, nothing happens at all.
    pub(crate) fn keep<T: Serialize>(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        answer: &T,
    ) -> Result<(), EngineError> {
        let Some(keyed) = &call.keyed else {
            return Ok(());
        };
        let body = serde_json::to_vec(answer).expect("an answer is plain data");
        Ok(idempotency::finish(tx, &Self::keyed(keyed), 200, &body)?)
    }

    fn keyed<'a>(keyed: &'a Keyed) -> KeyedRequest<'a> {
        let now = keyed.now;
        KeyedRequest {
            scope: &keyed.scope,
            key: &keyed.key,
            request_hash: &keyed.request_hash,
            request_id: &keyed.request_id,
            now,
            lease_until: now.plus_seconds(LEASE),
            expires_at: now.plus_seconds(KEPT_FOR),
        }
    }
}
