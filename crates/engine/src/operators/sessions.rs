//! Who is signed in where: a cookie that nobody can guess, its hash in the database, and two ends.

use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_store::Tx;
use farthing_store::operator_sessions::{self as stored, Session};
use farthing_store::operators;
use sha2::{Digest, Sha256};

use super::Person;
use crate::{Call, Engine, EngineError};

pub use farthing_store::operator_sessions::Stage;

/// A session ends when nothing was asked for with it for so long, in seconds: half an hour.
pub const IDLE: i64 = 30 * 60;
/// A session ends after so long whatever is done with it, in seconds: twelve hours.
pub const ABSOLUTE: i64 = 12 * 3_600;
/// Signing in, from the password to the end, takes no longer, in seconds: ten minutes.
const SIGNING_IN: i64 = 10 * 60;
/// For how long showing who one is counts, in seconds: five minutes.
pub const CONFIRMED: i64 = 5 * 60;
/// How often it is written that a session is used, in seconds.
const NOTED: i64 = 60;
/// How much of a browser's name is kept, in characters.
const AGENT: usize = 200;

/// A session that was just begun. The token is shown once: it is the cookie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The cookie.
    pub token: String,
    /// What is left to do before anything can be seen.
    pub stage: Stage,
}

/// Somebody with a session that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub person: Person,
    /// The session's public name.
    pub session: String,
    /// What is left to do before anything can be seen.
    pub stage: Stage,
    /// What the browser calls itself.
    pub agent: String,
    /// When they last showed who they are.
    pub confirmed_at: Timestamp,
}

impl Signed {
    /// Whether they showed within the last five minutes who they are. Who has nothing to show, on
    /// a development server, has shown it.
    pub fn is_confirmed(&self, at: Timestamp) -> bool {
        let nothing_to_show = !self.person.has_password && !self.person.has_totp;
        nothing_to_show || at < self.confirmed_at.plus_seconds(CONFIRMED)
    }

    /// Who asks, for the audit log.
    pub fn call(&self, cause: &str) -> Call {
        Call::new(self.person.actor(), cause)
    }
}

impl Engine {
    /// Whose cookie this is, at the machine's instant `at`; `None`: nobody's that may come in.
    pub fn session(&self, token: &str, at: Timestamp) -> Result<Option<Signed>, EngineError> {
        let hash = hash(token);
        let found = self.read(|_, tx| running(tx, &hash, at))?;
        if let Some((session, _)) = &found
            && session.seen_at.plus_seconds(NOTED) <= at
        {
            let id = session.id.clone();
            self.write(move |_, tx| Ok(stored::seen(tx, &id, at)?))?;
        }
        Ok(found.map(|(session, person)| Signed {
            person,
            session: session.id,
            stage: session.stage,
            agent: session.agent,
            confirmed_at: session.confirmed_at,
        }))
    }

    /// Where an operator is signed in, the newest first.
    pub fn sessions(&self, operator: &str, at: Timestamp) -> Result<Vec<Session>, EngineError> {
        let found = self.read(|_, tx| Ok(stored::of_operator(tx, operator)?))?;
        Ok(found.into_iter().filter(|session| runs(session, at)).collect())
    }

    /// Ends one session of an operator. Ending what has ended changes nothing.
    pub fn end_session(
        &self,
        call: &Call,
        operator: &str,
        session: &str,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let (call, operator, session) = (call.clone(), operator.to_owned(), session.to_owned());
        self.write(move |engine, tx| {
            if stored::end(tx, &operator, &session, at)? {
                engine.note(tx, &call, "operator.signed_out", &operator)?;
            }
            Ok(())
        })
    }

    /// Begins a session and answers its cookie.
    pub(super) fn begin_session(
        &self,
        tx: &mut Tx<'_>,
        (operator, stage): (&str, Stage),
        agent: &str,
        at: Timestamp,
    ) -> Result<NewSession, EngineError> {
        let token = hex::encode(self.inner.ids.secret());
        let session = Session {
            id: self.new_id(IdKind::Session),
            operator: operator.to_owned(),
            stage,
            agent: agent.chars().filter(|c| !c.is_control()).take(AGENT).collect(),
            created_at: at,
            seen_at: at,
            confirmed_at: at,
            ended_at: None,
        };
        stored::insert(tx, &session, &hash(&token))?;
        Ok(NewSession { token, stage })
    }
}

/// The session of a cookie that runs, and whose it is.
fn running(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    at: Timestamp,
) -> Result<Option<(Session, Person)>, EngineError> {
    let Some(session) = stored::find(tx, hash)?.filter(|session| runs(session, at)) else {
        return Ok(None);
    };
    let operator = operators::find(tx, &session.operator)?;
    let operator = operator.filter(|operator| operator.removed_at.is_none());
    Ok(operator.map(|operator| (session, Person::from(operator))))
}

fn runs(session: &Session, at: Timestamp) -> bool {
    let whole = if session.stage == Stage::Full { ABSOLUTE } else { SIGNING_IN };
    session.ended_at.is_none()
        && at < session.created_at.plus_seconds(whole)
        && at < session.seen_at.plus_seconds(IDLE)
}

/// What is stored of a cookie, a link or a recovery code.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}
