//! Signing in: password, then second factor, and showing again who one is before money moves.

use farthing_core::time::Timestamp;
use farthing_store::operator_sessions::{self, Stage};
use farthing_store::operators::{self, Operator};
use farthing_store::{StoreError, Tx};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::sessions::{NewSession, Signed, hash};
use super::totp::Offer;
use super::{password, team, totp};
use crate::{Call, Engine, EngineError, Mode};

/// How many recovery codes somebody gets.
const RECOVERY_CODES: usize = 8;

/// A second factor was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// The cookie that takes the place of the one before.
    pub session: NewSession,
    /// Codes for when the second factor is lost; shown once.
    pub recovery: Vec<String>,
}

impl Engine {
    /// Begins to sign in. `None`: address and password are not somebody's; which of them is wrong
    /// is not told, and takes no longer or shorter.
    pub fn sign_in(
        &self,
        (email, typed): (&str, &str),
        agent: &str,
        at: Timestamp,
    ) -> Result<Option<NewSession>, EngineError> {
        let email = email.trim().to_lowercase();
        let found = match email.contains('\0') {
            true => None,
            false => self.read(|_, tx| Ok(operators::find_by_email(tx, &email)?))?,
        };
        let stored = found.as_ref().and_then(|operator| operator.password.as_deref());
        if !password::is_right(typed, stored) {
            tracing::warn!("somebody could not sign in");
            return Ok(None);
        }
        let Some(operator) = found else { return Ok(None) };
        let agent = agent.to_owned();
        let stage = match operator.totp_secret {
            Some(_) => Stage::Password,
            None => Stage::Enrolling,
        };
        self.write(move |engine, tx| {
            engine.begin_session(tx, (&operator.id, stage), &agent, at).map(Some)
        })
    }

    /// Ends signing in with a code of the authenticator app, or a recovery code. `None`: it is
    /// none, or was used before. The cookie changes.
    pub fn second_factor(
        &self,
        signed: &Signed,
        typed: &str,
        at: Timestamp,
    ) -> Result<Option<NewSession>, EngineError> {
        if signed.stage != Stage::Password {
            return Ok(None);
        }
        let (signed, typed) = (signed.clone(), typed.to_owned());
        self.write(move |engine, tx| {
            let operator = team::standing(tx, &signed.person.id)?;
            if !use_code(tx, &operator, &typed, at)? {
                return Ok(None);
            }
            engine.come_through(tx, &signed, at)
        })
    }

    /// What an authenticator app has to be told. It is the same until the session ends.
    pub fn totp_offer(&self, signed: &Signed) -> Result<Offer, EngineError> {
        let session = signed.session.clone();
        let secret = self.write(move |engine, tx| engine.offered_secret(tx, &session))?;
        Ok(totp::offer(&secret, &signed.person.email))
    }

    /// Takes the second factor that was offered, once the app shows the right code, and answers
    /// recovery codes. `None`: the code is wrong. The cookie changes; other sessions end.
    pub fn enroll_totp(
        &self,
        signed: &Signed,
        typed: &str,
        at: Timestamp,
    ) -> Result<Option<Enrolled>, EngineError> {
        let (signed, typed) = (signed.clone(), typed.to_owned());
        self.write(move |engine, tx| {
            let operator = team::standing(tx, &signed.person.id)?;
            let secret = engine.offered_secret(tx, &signed.session)?;
            let step = totp::step_of(&secret, &typed, at);
            let Some(step) = step.filter(|_| operator.totp_secret.is_none()) else {
                return Ok(None);
            };
            operators::save(tx, &Operator { totp_secret: Some(secret), ..operator.clone() })?;
            if !operators::use_step(tx, &operator.id, step)? {
                return Err(StoreError::Stale { table: "operators", id: operator.id }.into());
            }
            let recovery: Vec<String> = (0..RECOVERY_CODES).map(|_| engine.recovery()).collect();
            let hashes: Vec<[u8; 32]> = recovery.iter().map(|code| hash(&plain(code))).collect();
            operators::put_recovery(tx, &operator.id, &hashes)?;
            operator_sessions::end_all(tx, &operator.id, &signed.session, at)?;
            engine.note(
                tx,
                &signed.call("second factor"),
                "operator.second_factor_set",
                &operator.id,
            )?;
            let session = engine.come_through(tx, &signed, at)?;
            Ok(session.map(|session| Enrolled { session, recovery }))
        })
    }

    /// Goes on without a second factor. Errors: the database is not a sandbox's.
    pub fn skip_second_factor(
        &self,
        signed: &Signed,
        at: Timestamp,
    ) -> Result<Option<NewSession>, EngineError> {
        self.only_in_sandbox()?;
        if signed.stage != Stage::Enrolling {
            return Ok(None);
        }
        let signed = signed.clone();
        self.write(move |engine, tx| engine.come_through(tx, &signed, at))
    }

    /// Whether somebody may go on without a second factor: in a sandbox.
    pub fn second_factor_is_optional(&self) -> bool {
        self.mode() == Mode::Sandbox
    }

    /// Shows again who one is, with the password, a code or a recovery code. False: it is none.
    pub fn confirm_operator(
        &self,
        signed: &Signed,
        typed: &str,
        at: Timestamp,
    ) -> Result<bool, EngineError> {
        let stored = self.read(|_, tx| Ok(operators::find(tx, &signed.person.id)?))?;
        let stored = stored.and_then(|operator| operator.password);
        let by_password = password::is_right(typed, stored.as_deref());
        let (signed, typed) = (signed.clone(), typed.to_owned());
        self.write(move |engine, tx| {
            let operator = team::standing(tx, &signed.person.id)?;
            if !by_password && !use_code(tx, &operator, &typed, at)? {
                return Ok(false);
            }
            operator_sessions::confirmed(tx, &signed.session, at)?;
            engine.note(tx, &signed.call("confirm"), "operator.confirmed", &operator.id)?;
            Ok(true)
        })
    }

    /// Whether a cookie is, or once was, of a session of whoever has this address: a browser that
    /// they used before.
    pub fn is_known_browser(&self, token: &str, email: &str) -> Result<bool, EngineError> {
        let (hash, email) = (hash(token), email.trim().to_lowercase());
        self.read(|_, tx| {
            let Some(whose) = operator_sessions::whose(tx, &hash)? else { return Ok(false) };
            Ok(operators::find(tx, &whose)?.is_some_and(|operator| operator.email == email))
        })
    }

    /// Ends the half-way session and begins a whole one.
    fn come_through(
        &self,
        tx: &mut Tx<'_>,
        signed: &Signed,
        at: Timestamp,
    ) -> Result<Option<NewSession>, EngineError> {
        let id = &signed.person.id;
        if !operator_sessions::end(tx, id, &signed.session, at)? {
            return Ok(None);
        }
        self.note(tx, &Call::new(signed.person.actor(), "sign-in"), "operator.signed_in", id)?;
        self.begin_session(tx, (id, Stage::Full), &signed.agent, at).map(Some)
    }

    /// The secret that is offered to a session: made from it, so that nothing is stored before the
    /// app shows the right code.
    fn offered_secret(&self, tx: &mut Tx<'_>, session: &str) -> Result<Vec<u8>, EngineError> {
        let pepper = self.pepper(tx)?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&pepper).expect("a key of any length is taken");
        mac.update(b"farthing totp ");
        mac.update(session.as_bytes());
        Ok(mac.finalize().into_bytes()[..totp::SECRET].to_vec())
    }

    /// Eighty bits, in groups that can be copied by hand.
    fn recovery(&self) -> String {
        let secret = hex::encode(self.inner.ids.secret());
        [0, 5, 10, 15].map(|at| &secret[at..at + 5]).join("-")
    }
}

/// A recovery code however it was typed.
fn plain(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Uses up a code of the app, or a recovery code. False: it is none, or was used before.
fn use_code(
    tx: &mut Tx<'_>,
    operator: &Operator,
    typed: &str,
    at: Timestamp,
) -> Result<bool, EngineError> {
    let Some(secret) = &operator.totp_secret else { return Ok(false) };
    if let Some(step) = totp::step_of(secret, typed, at) {
        return Ok(operators::use_step(tx, &operator.id, step)?);
    }
    Ok(operators::use_recovery(tx, &operator.id, &hash(&plain(typed)), at)?)
}
