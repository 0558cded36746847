//! The team: who is in it, as what, and who leaves.

use farthing_core::time::Timestamp;
use farthing_store::operators::{self, Operator, Role};
use farthing_store::{Tx, counters, operator_sessions};

use super::Person;
use crate::{Call, Engine, EngineError};

/// Changes of the team queue here: two owners cannot remove each other at the same moment.
pub(super) const LOCK: &str = "team";

impl Engine {
    /// Everybody, the first first, also those who were removed.
    pub fn team(&self) -> Result<Vec<Person>, EngineError> {
        self.read(|_, tx| Ok(operators::list(tx)?.into_iter().map(Person::from).collect()))
    }

    /// Gives an operator another role. It counts from their next click.
    ///
    /// Errors: there is no such operator; nobody would be left who is an owner.
    pub fn change_role(
        &self,
        call: &Call,
        id: &str,
        role: Role,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            counters::next(tx, LOCK)?;
            let operator = standing(tx, &id)?;
            if operator.role == role {
                return Ok(());
            }
            if role != Role::Owner {
                keep_an_owner(tx, &operator)?;
            }
            operators::save(tx, &Operator { role, ..operator })?;
            // What was opened as something else is not to be gone on with.
            operator_sessions::end_all(tx, &id, "", at)?;
            engine.note(tx, &call, &format!("operator.role.{}", role.as_str()), &id)
        })
    }

    /// Removes an operator: every session ends. Removing twice is once.
    ///
    /// Errors: there is no such operator; nobody would be left who is an owner.
    pub fn remove_operator(&self, call: &Call, id: &str, at: Timestamp) -> Result<(), EngineError> {
        let (call, id) = (call.clone(), id.to_owned());
        self.write(move |engine, tx| {
            counters::next(tx, LOCK)?;
            let missing = || EngineError::NotFound { what: "operator", id: id.clone() };
            let operator = operators::lock(tx, &id)?.ok_or_else(missing)?;
            if operator.removed_at.is_some() {
                return Ok(());
            }
            keep_an_owner(tx, &operator)?;
            operators::save(tx, &Operator { removed_at: Some(at), ..operator })?;
            operator_sessions::end_all(tx, &id, "", at)?;
            engine.note(tx, &call, "operator.removed", &id)
        })
    }
}

/// The operator, locked, unless removed.
pub(super) fn standing(tx: &mut Tx<'_>, id: &str) -> Result<Operator, EngineError> {
    let found = operators::lock(tx, id)?.filter(|operator| operator.removed_at.is_none());
    found.ok_or_else(|| EngineError::NotFound { what: "operator", id: id.to_owned() })
}

/// Errors: the operator is the only owner.
fn keep_an_owner(tx: &mut Tx<'_>, operator: &Operator) -> Result<(), EngineError> {
    let others = operators::list(tx)?.into_iter().any(|other| {
        other.id != operator.id && other.role == Role::Owner && other.removed_at.is_none()
    });
    if operator.role != Role::Owner || others {
        return Ok(());
    }
    Err(EngineError::refused(
        "last_owner",
        "this is the only owner, and somebody has to be one; nothing was changed: make somebody \
         else an owner first",
    ))
}
