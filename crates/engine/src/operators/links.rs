//! One-time links: how the first operator comes in, and everybody who is invited.

use farthing_core::ids::IdKind;
use farthing_core::time::Timestamp;
use farthing_store::operator_links::{self as stored, Link};
use farthing_store::operator_sessions::{self, Stage};
use farthing_store::operators::{self, Operator, Role};
use farthing_store::{Tx, counters};

use super::sessions::{NewSession, hash};
use super::{Person, password};
use crate::{Call, Engine, EngineError, Mode};

pub use farthing_store::operator_links::LinkKind;

/// How long the first link works, in seconds: half an hour.
const FIRST: i64 = 30 * 60;
/// How long an invitation works, in seconds: three days.
const INVITE: i64 = 3 * 86_400;
/// Who comes in through the development server's link.
const SANDBOX_EMAIL: &str = "owner@localhost.test";

/// What a link that works is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkView {
    /// What it is for.
    pub kind: LinkKind,
    /// For whom, where that is known.
    pub email: Option<String>,
    /// As what they come in.
    pub role: Role,
    /// The first instant at which it no longer works.
    pub expires_at: Timestamp,
}

/// What somebody typed who follows a link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// What others call them.
    pub name: String,
    /// What they sign in with; an invitation has it already.
    pub email: String,
    /// What they chose.
    pub password: String,
    /// What the browser calls itself.
    pub agent: String,
}

impl Engine {
    /// A link for the first operator, who becomes an owner; the links made before end. `None` when
    /// there is somebody who can sign in already.
    pub fn first_link(&self, call: &Call, at: Timestamp) -> Result<Option<String>, EngineError> {
        let call = call.clone();
        self.write(move |engine, tx| {
            if operators::list(tx)?.iter().any(can_sign_in) {
                return Ok(None);
            }
            let link = new(LinkKind::First, at, FIRST);
            engine.put_link(tx, &call, &link).map(Some)
        })
    }

    /// A link that lets whoever started a development server in, with one click.
    ///
    /// Errors: the database is not a sandbox's.
    pub fn sandbox_link(&self, call: &Call, at: Timestamp) -> Result<String, EngineError> {
        self.only_in_sandbox()?;
        let call = call.clone();
        self.write(move |engine, tx| {
            let link = new(LinkKind::Sandbox, at, FIRST);
            engine.put_link(tx, &call, &link)
        })
    }

    /// A link for somebody who is to come in. A second one for the same address ends the first.
    ///
    /// Errors: the address is none, or is an operator's already.
    pub fn invite(
        &self,
        call: &Call,
        email: &str,
        role: Role,
        at: Timestamp,
    ) -> Result<String, EngineError> {
        let (call, email) = (call.clone(), address(email)?);
        self.write(move |engine, tx| {
            if operators::find_by_email(tx, &email)?.is_some() {
                return Err(EngineError::invalid(
                    "/email",
                    "invalid_value",
                    "somebody with this address is in the team already",
                    "change their role instead",
                ));
            }
            let link = Link {
                email: Some(email.clone()),
                role: Some(role),
                ..new(LinkKind::Invite, at, INVITE)
            };
            engine.put_link(tx, &call, &link)
        })
    }

    /// Takes an operator's second factor and sessions away at once, and answers a link for a new
    /// password. Errors: there is no such operator.
    pub fn reset_operator(
        &self,
        call: &Call,
        id: &str,
        at: Timestamp,
    ) -> Result<String, EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            let operator = super::team::standing(tx, &id)?;
            operators::put_recovery(tx, &id, &[])?;
            operators::save(tx, &Operator { totp_secret: None, ..operator })?;
            operator_sessions::end_all(tx, &id, "", at)?;
            let link = Link { operator: Some(id.clone()), ..new(LinkKind::Reset, at, INVITE) };
            engine.put_link(tx, &call, &link)
        })
    }

    /// What a link is for; `None`: it was used, is over, or never was.
    pub fn link(&self, token: &str, at: Timestamp) -> Result<Option<LinkView>, EngineError> {
        let hash = hash(token);
        self.read(|_, tx| {
            let Some(link) = stored::find(tx, &hash)?.filter(|link| works(link, at)) else {
                return Ok(None);
            };
            let operator = match &link.operator {
                Some(id) => operators::find(tx, id)?,
                None => None,
            };
            let email = link.email.or(operator.as_ref().map(|operator| operator.email.clone()));
            let role = link.role.or(operator.map(|operator| operator.role));
            let (kind, expires_at) = (link.kind, link.expires_at);
            Ok(Some(LinkView { kind, email, role: role.unwrap_or(Role::Owner), expires_at }))
        })
    }

    /// Uses a link up: the operator is made, or gets the new password, and is signed in as far as
    /// the second factor. `None`: the link does not work.
    ///
    /// Errors: no name, no address, a password that is too short. Then the link works on.
    pub fn accept_link(
        &self,
        token: &str,
        typed: &Acceptance,
        at: Timestamp,
    ) -> Result<Option<NewSession>, EngineError> {
        let Some(view) = self.link(token, at)? else { return Ok(None) };
        let email = address(view.email.as_deref().unwrap_or(&typed.email))?;
        let name = name(&typed.name, &email)?;
        let password = password::hash(&typed.password, &self.inner.ids.secret())?;
        let (hash, agent) = (hash(token), typed.agent.clone());
        self.write(move |engine, tx| {
            let Some(link) = stored::find(tx, &hash)? else { return Ok(None) };
            if !stored::use_up(tx, &hash, at)? {
                return Ok(None);
            }
            let fresh = (email.clone(), name.clone(), password.clone());
            let id = match (&link.operator, link.kind) {
                (Some(id), _) => engine.new_password(tx, id, &password)?,
                (None, LinkKind::First) if operators::list(tx)?.iter().any(can_sign_in) => {
                    return Ok(None);
                }
                (None, _) => engine.come_in(tx, fresh, link.role.unwrap_or(Role::Owner), at)?,
            };
            operator_sessions::end_all(tx, &id, "", at)?;
            engine.begin_session(tx, (&id, Stage::Enrolling), &agent, at).map(Some)
        })
    }

    /// Uses a development server's link up: its owner is signed in, without a password. `None`:
    /// the link does not work. Errors: the database is not a sandbox's.
    pub fn enter_sandbox(
        &self,
        token: &str,
        agent: &str,
        at: Timestamp,
    ) -> Result<Option<NewSession>, EngineError> {
        self.only_in_sandbox()?;
        let (hash, agent) = (hash(token), agent.to_owned());
        self.write(move |engine, tx| {
            let link = stored::find(tx, &hash)?;
            let ours = link.is_some_and(|link| link.kind == LinkKind::Sandbox);
            if !ours || !stored::use_up(tx, &hash, at)? {
                return Ok(None);
            }
            let id = match operators::find_by_email(tx, SANDBOX_EMAIL)? {
                Some(known) => known.id,
                None => engine.sandbox_owner(tx, at)?,
            };
            let call = Call::new(format!("operator:{id}"), "farthing dev");
            engine.note(tx, &call, "operator.signed_in", &id)?;
            engine.begin_session(tx, (&id, Stage::Full), &agent, at).map(Some)
        })
    }

    fn sandbox_owner(&self, tx: &mut Tx<'_>, at: Timestamp) -> Result<String, EngineError> {
        let operator = Operator {
            id: self.new_id(IdKind::Operator),
            email: SANDBOX_EMAIL.to_owned(),
            name: "You, on this machine".to_owned(),
            role: Role::Owner,
            password: None,
            totp_secret: None,
            totp_step: 0,
            created_at: at,
            removed_at: None,
        };
        operators::insert(tx, &operator)?;
        Ok(operator.id)
    }

    fn come_in(
        &self,
        tx: &mut Tx<'_>,
        (email, name, password): (String, String, String),
        role: Role,
        at: Timestamp,
    ) -> Result<String, EngineError> {
        let operator = Operator {
            id: self.new_id(IdKind::Operator),
            email,
            name,
            role,
            password: Some(password),
            totp_secret: None,
            totp_step: 0,
            created_at: at,
            removed_at: None,
        };
        if !operators::insert(tx, &operator)? {
            return Err(EngineError::refused(
                "address_taken",
                "somebody with this address came in at the same moment; sign in instead",
            ));
        }
        let call = Call::new(Person::from(operator.clone()).actor(), "link");
        self.note(tx, &call, "operator.joined", &operator.id)?;
        Ok(operator.id)
    }

    fn new_password(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
        password: &str,
    ) -> Result<String, EngineError> {
        let operator = super::team::standing(tx, id)?;
        let call = Call::new(format!("operator:{id}"), "link");
        operators::save(tx, &Operator { password: Some(password.to_owned()), ..operator })?;
        self.note(tx, &call, "operator.password_set", id)?;
        Ok(id.to_owned())
    }

    /// Stores a link, ends those before it that are for the same, and answers its secret part.
    fn put_link(&self, tx: &mut Tx<'_>, call: &Call, link: &Link) -> Result<String, EngineError> {
        counters::next(tx, super::team::LOCK)?;
        stored::end_open(tx, link, link.created_at)?;
        let token = hex::encode(self.inner.ids.secret());
        stored::insert(tx, link, &hash(&token))?;
        let whose = link.operator.as_deref().unwrap_or(link.kind.as_str());
        self.note(tx, call, &format!("operator.link.{}", link.kind.as_str()), whose)?;
        Ok(token)
    }

    pub(super) fn only_in_sandbox(&self) -> Result<(), EngineError> {
        match self.mode() {
            Mode::Sandbox => Ok(()),
            Mode::Test | Mode::Live => Err(EngineError::refused(
                "not_a_sandbox",
                "this is possible on a development server only; nothing was changed",
            )),
        }
    }
}

fn new(kind: LinkKind, at: Timestamp, seconds: i64) -> Link {
    let expires_at = at.plus_seconds(seconds);
    let (operator, email, role) = (None, None, None);
    Link { kind, operator, email, role, created_at: at, expires_at, used_at: None }
}

fn works(link: &Link, at: Timestamp) -> bool {
    link.used_at.is_none() && at < link.expires_at
}

fn can_sign_in(operator: &Operator) -> bool {
    operator.removed_at.is_none() && operator.password.is_some()
}

/// An address as it is stored.
fn address(typed: &str) -> Result<String, EngineError> {
    let email = typed.trim().to_lowercase();
    match crate::email::canonical(&email) {
        Some(_) => Ok(email),
        None => Err(EngineError::invalid(
            "/email",
            "invalid_email",
            "this is not an e-mail address",
            "write it as name@example.com",
        )),
    }
}

fn name(typed: &str, email: &str) -> Result<String, EngineError> {
    let name: String = typed.trim().chars().filter(|c| !c.is_control()).collect();
    let name = if name.is_empty() { email.to_owned() } else { name };
    match name.chars().count() {
        0..=100 => Ok(name),
        _ => Err(EngineError::invalid(
            "/name",
            "invalid_name",
            "a name has at most 100 characters",
            "write a shorter one",
        )),
    }
}
