//! What a change would cost and do, and holding a change to what was shown.

use farthing_core::change::{self, Command, Goal, Rejection};
use farthing_core::ids::IdKind;
use farthing_core::money::Money;
use farthing_core::time::{Interval, Timestamp};
use farthing_store::previews::{self, Preview};
use farthing_store::subscriptions::Stored;

use super::decide::refusal;
use super::{ChangePreview, NextCharge, PreviewLine};
use crate::{Engine, EngineError};

/// How long a preview counts, in seconds.
pub(crate) const PREVIEW_FOR: i64 = 15 * 60;

impl Engine {
    /// What a change would cost and do. Nothing is changed, and nothing is promised beyond 15
    /// minutes.
    pub fn preview_change(
        &self,
        id: &str,
        command: &Command,
    ) -> Result<ChangePreview, EngineError> {
        let (stored, decided) = self.read(|engine, tx| engine.decided(tx, id, command))?;
        let sub = &stored.subscription;
        let zero = Money::new(0, sub.currency);
        let goal = match decided {
            Ok(goal) => goal,
            Err(Rejection::OverLimit(over)) => {
                return Ok(ChangePreview {
                    due_now: zero,
                    lines: Vec::new(),
                    effective_at: sub.period.end,
                    next_charge: None,
                    blocked_by: over.into_iter().map(|found| found.message).collect(),
                    preview_token: None,
                });
            }
            Err(rejection) => return Err(refusal(&rejection, &stored)),
        };
        let now = self.now();
        let effective_at = goal.as_ref().map_or(now, |goal| change::effective_at(sub, goal, now));
        let (due_now, lines, next_charge) = match &goal {
            Some(Goal::Now { plan, interval }) => {
                self.price_now(&stored, (plan, *interval), now)?
            }
            Some(Goal::EndNow | Goal::EndLater) => (zero, Vec::new(), None),
            Some(Goal::Later { plan, interval }) => {
                let amount = self.plan_price(&stored, plan, *interval)?;
                let next = amount.map(|amount| NextCharge { at: sub.period.end, amount });
                (zero, Vec::new(), next)
            }
            Some(Goal::Stay | Goal::TrialUntil { .. }) | None => {
                let amount = self.plan_price(&stored, &sub.plan, sub.interval)?;
                let next = amount.map(|amount| NextCharge { at: sub.period.end, amount });
                (zero, Vec::new(), next)
            }
        };
        let token = self.remember(&stored, goal.as_ref(), due_now, now)?;
        let preview_token = Some(token);
        let blocked_by = Vec::new();
        Ok(ChangePreview { due_now, lines, effective_at, next_charge, blocked_by, preview_token })
    }

    /// The instant that a preview counted from, if it still holds.
    pub(super) fn confirm(
        &self,
        id: &str,
        command: &Command,
        token: &str,
    ) -> Result<Timestamp, EngineError> {
        let (stored, decided, preview) = self.read(|engine, tx| {
            let (stored, decided) = engine.decided(tx, id, command)?;
            let preview = previews::find(tx, &stored.customer, token)?;
            Ok((stored, decided, preview))
        })?;
        let goal = decided.map_err(|rejection| refusal(&rejection, &stored))?;
        let preview = preview.ok_or_else(preview_changed)?;
        let same = preview.subscription == id && preview.goal == goal_text(goal.as_ref());
        if !same || preview.expires_at <= self.now() {
            return Err(preview_changed());
        }
        if let Some(Goal::Now { plan, interval }) = &goal {
            let (due, _, _) = self.price_now(&stored, (plan, *interval), preview.proration_at)?;
            if due != preview.due_now {
                return Err(preview_changed());
            }
        }
        Ok(preview.proration_at)
    }

    fn remember(
        &self,
        stored: &Stored,
        goal: Option<&Goal>,
        due_now: Money,
        now: Timestamp,
    ) -> Result<String, EngineError> {
        let preview = Preview {
            customer: stored.customer.clone(),
            id: self.new_id(IdKind::Preview),
            subscription: stored.id.clone(),
            goal: goal_text(goal),
            due_now,
            proration_at: now,
            expires_at: now.plus_seconds(PREVIEW_FOR),
        };
        self.write(move |_, tx| {
            previews::insert(tx, &preview)?;
            Ok(preview.id.clone())
        })
    }

    fn price_now(
        &self,
        stored: &Stored,
        (plan, interval): (&str, Interval),
        at: Timestamp,
    ) -> Result<(Money, Vec<PreviewLine>, Option<NextCharge>), EngineError> {
        let stripe = self.stripe()?;
        let currency = stored.subscription.currency;
        let price = self.read(|engine, tx| engine.known_price(tx, (plan, interval), currency))?;
        let seen = stripe.fetch_subscription(&stored.provider_id)?;
        let shown = stripe.preview_change(&seen.id, &seen.item, &price, at)?;
        let lines = shown
            .lines
            .into_iter()
            .map(|line| PreviewLine { description: line.description, amount: line.amount });
        let next = shown.next_charge.map(|(at, amount)| NextCharge { at, amount });
        Ok((shown.due_now, lines.collect(), next))
    }

    fn plan_price(
        &self,
        stored: &Stored,
        plan: &str,
        interval: Interval,
    ) -> Result<Option<Money>, EngineError> {
        let currency = stored.subscription.currency;
        self.read(|engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            Ok(catalog.plans.get(plan).and_then(|plan| plan.price(interval, currency)))
        })
    }
}

/// The refusal of what was confirmed, because it is not what was shown.
pub(crate) fn preview_changed() -> EngineError {
    EngineError::refused(
        "preview_changed",
        "what was shown no longer holds; nothing was charged: ask for a new preview",
    )
}

fn goal_text(goal: Option<&Goal>) -> String {
    serde_json::to_string(&goal).expect("a goal is plain data")
}
