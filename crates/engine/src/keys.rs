//! API keys: shown once, kept as a hash, refused in another mode.

use farthing_core::ids::IdKind;
use farthing_store::api_keys;
use farthing_store::meta::Mode;
use sha2::{Digest, Sha256};

use crate::{Call, Engine, EngineError};

pub use farthing_store::api_keys::{ApiKey, Scope};

/// A key that was just made. It is not shown again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// What is stored of it.
    pub stored: ApiKey,
    /// The secret itself.
    pub key: String,
}

/// What a secret turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Authenticated {
    /// A key of ours that may be used.
    Key(ApiKey),
    /// Well formed, but for another mode than this database's.
    WrongMode,
    /// Not a key, not ours, or revoked.
    Unknown,
}

impl Engine {
    /// Whose secret this is. A typing mistake is seen without asking the database.
    pub fn authenticate(&self, key: &str) -> Result<Authenticated, EngineError> {
        let prefix = prefix(self.mode());
        let Some(rest) = key.strip_prefix(prefix) else {
            let other = ["sk_live_", "sk_test_"].iter().any(|other| key.starts_with(other));
            return Ok(if other { Authenticated::WrongMode } else { Authenticated::Unknown });
        };
        let Some((secret, sum)) = rest.split_at_checked(rest.len().saturating_sub(CHECKSUM)) else {
            return Ok(Authenticated::Unknown);
        };
        if checksum(prefix, secret) != sum {
            return Ok(Authenticated::Unknown);
        }
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let found = self.read(|_, tx| Ok(api_keys::find_by_hash(tx, &hash)?))?;
        let usable = found.filter(|key| key.revoked_at.is_none());
        Ok(usable.map_or(Authenticated::Unknown, Authenticated::Key))
    }

    /// Makes a key. Errors: a name that is empty or longer than 100 characters.
    pub fn create_key(&self, call: &Call, name: &str, scope: Scope) -> Result<NewKey, EngineError> {
        if name.trim().is_empty() || 100 < name.chars().count() {
            return Err(EngineError::invalid(
                "/name",
                "invalid_name",
                "a key's name is empty or longer than 100 characters",
                "name what uses the key, such as \"web app\"",
            ));
        }
        let prefix = prefix(self.mode());
        let secret = hex::encode(self.inner.ids.secret());
        let key = format!("{prefix}{secret}{}", checksum(prefix, &secret));
        let hash: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let stored = ApiKey {
            id: self.new_id(IdKind::ApiKey),
            name: name.to_owned(),
            scope,
            hint: key[key.len() - 4..].to_owned(),
            created_at: self.now(),
            revoked_at: None,
        };
        let (row, call) = (stored.clone(), call.clone());
        self.write(move |engine, tx| {
            api_keys::insert(tx, &row, &hash)?;
            engine.note(tx, &call, "key.created", &row.id)
        })?;
        Ok(NewKey { stored, key })
    }

    /// All keys, also revoked ones.
    pub fn keys(&self) -> Result<Vec<ApiKey>, EngineError> {
        self.read(|_, tx| Ok(api_keys::list(tx)?))
    }

    /// Ends a key at once. Revoking twice is once. Errors: there is no such key.
    pub fn revoke_key(&self, call: &Call, id: &str) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            if api_keys::revoke(tx, &id, engine.now())? {
                return engine.note(tx, &call, "key.revoked", &id);
            }
            let known = api_keys::list(tx)?.into_iter().any(|key| key.id == id);
            let missing = || EngineError::NotFound { what: "key", id: id.clone() };
            known.then_some(()).ok_or_else(missing)
        })
    }
}

/// Hexadecimal digits of the checksum at a key's end.
const CHECKSUM: usize = 6;

fn prefix(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "sk_live_",
        Mode::Sandbox | Mode::Test => "sk_test_",
    }
}

fn checksum(prefix: &str, secret: &str) -> String {
    let sum = Sha256::digest(format!("farthing key {prefix}{secret}").as_bytes());
    hex::encode(sum)[..CHECKSUM].to_owned()
}
