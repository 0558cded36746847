//! A scheduled move down is looked at once more before it happens.
//!
//! Between the request and the end of the period the customer may have taken more than the lower
//! plan allows. Where the catalog says `block` the move is then given up an hour before, and looked
//! at once more a minute before: the schedule is taken off at the provider, the plan stays, and a
//! row in the timeline says why. What is taken in the last minute stays, and is frozen.

use farthing_core::catalog::{OverLimit, OverLimitFinding};
use farthing_core::change::Goal;
use farthing_core::subscription::Pending;
use farthing_core::time::Timestamp;
use farthing_store::intents::Intent;
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, customers};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::decide::Decided;
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::room::over_limits;
use crate::{Call, Engine, EngineError};

/// How long before the boundary a move down is looked at, in seconds.
const LOOKS_BEFORE: [i64; 2] = [3_600, 60];

/// Why a scheduled move is given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Blocked {
    /// Where it would have gone.
    to_plan: String,
    /// When it would have happened.
    effective_at: Timestamp,
    /// Everything that the lower plan has no room for.
    over: Vec<OverLimitFinding>,
}

impl Engine {
    /// Leaves the looks at a scheduled move.
    pub(crate) fn watch_boundary(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        pending: &Pending,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let down = pending.plan != stored.subscription.plan;
        if !down || pending.at <= now {
            return Ok(());
        }
        let job = Job::CheckRoom { subscription: stored.id.clone(), change_at: pending.at };
        for before in LOOKS_BEFORE {
            self.enqueue(tx, &job, pending.at.plus_seconds(-before).max(now))?;
        }
        Ok(())
    }

    /// Gives up the move that is scheduled for `at` if the plan has no room for what is held.
    pub(crate) fn check_room_before(
        &self,
        call: &Call,
        id: &str,
        at: Timestamp,
    ) -> Result<(), EngineError> {
        let (call2, id) = (call.clone(), id.to_owned());
        let intent = self.write(move |engine, tx| engine.block(tx, &call2, &id, at))?;
        intent.map_or(Ok(()), |intent| self.get_there(call, &intent))
    }

    /// Decides, and takes the lock; `None` when the move may happen, or is none any more.
    fn block(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        id: &str,
        at: Timestamp,
    ) -> Result<Option<Intent>, EngineError> {
        let Some(owner) = subscriptions::find(tx, id)?.map(|stored| stored.customer) else {
            return Ok(None);
        };
        let (Some(customer), Some(stored)) =
            (customers::lock(tx, &owner)?, subscriptions::find(tx, id)?)
        else {
            return Ok(None);
        };
        let (_, catalog) = self.catalog(tx)?;
        let due = |pending: &&Pending| pending.at == at && self.now() < at;
        let Some(pending) = stored.subscription.pending.as_ref().filter(due).cloned() else {
            return Ok(None);
        };
        let over = over_limits(tx, &catalog, &owner, (&pending.plan, at))?;
        if catalog.changes.over_limit != OverLimit::Block || over.is_empty() {
            return Ok(None);
        }
        let blocked = Some(Blocked { to_plan: pending.plan, effective_at: at, over });
        let decided = Decided { stored, goal: Goal::Stay, blocked };
        self.begin(tx, call, &customer, (&decided, self.now())).map(Some)
    }

    /// Says that a move was given up, once the provider has given it up; not when it had happened
    /// there in the meantime.
    pub(super) fn tell_blocked(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (id, blocked): (&str, &Blocked),
    ) -> Result<(), EngineError> {
        let Some(stored) = subscriptions::find(tx, id)? else {
            return Ok(());
        };
        let sub = &stored.subscription;
        let happened = sub.pending.is_some() || sub.plan == blocked.to_plan;
        let Some(customer) = customers::lock(tx, &stored.customer)?.filter(|_| !happened) else {
            return Ok(());
        };
        let to = Some(json!({
            "subscription": stored.id,
            "plan": sub.plan,
            "to_plan": blocked.to_plan,
            "effective_at": blocked.effective_at,
            "blocked_by": blocked.over,
        }));
        let action = "subscription.change_blocked";
        let change = Change { action, from: None, to, effective_at: self.now() };
        self.record(tx, call, &customer, &change)
    }
}
