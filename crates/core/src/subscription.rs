//! The subscription: what a customer agreed to, and what the provider's facts change about it.
//!
//! Status, standing and cancellation are independent: a failed payment must not lose a scheduled
//! cancellation, and neither ends a paid period.

use crate::money::{Currency, Money};
use crate::snapshot::SubscriptionStatus;
use crate::time::{Interval, Period, Timestamp};

/// One customer's subscription, as we stand by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// The key of the plan in force: the last one that was paid for, or is on trial.
    pub plan: String,
    /// How often it is paid.
    pub interval: Interval,
    /// The provider's id of the price in force.
    pub price: String,
    /// What it is paid in.
    pub currency: Currency,
    /// Whether it runs.
    pub status: Status,
    /// Whether its payments are in order.
    pub standing: Standing,
    /// `[start, end)` of what was last paid for, or of the trial. Meaningless while incomplete.
    pub period: Period,
    /// What periods and windows are counted from.
    pub anchor: Timestamp,
    /// When it will end, if that is scheduled.
    pub cancel_at: Option<Timestamp>,
    /// When the trial ends or ended.
    pub trial_ends_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it will change to.
    pub pending: Option<Pending>,
}

/// A change that is scheduled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The plan's key.
    pub plan: String,
    /// How often it will be paid.
    pub interval: Interval,
    /// When it takes effect.
    pub at: Timestamp,
}

/// Whether a subscription runs. Ending later is `Active` with a `cancel_at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Nothing was paid yet, or what was on trial was not paid for.
    Incomplete,
    /// In its trial.
    Trialing,
    /// Paid for.
    Active,
    /// Halted at the provider; what was bought is not given.
    Paused,
    /// Ended; final.
    Canceled,
}

impl Status {
    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Incomplete => "incomplete",
            Self::Trialing => "trialing",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Canceled => "canceled",
        }
    }

    /// Every status.
    pub const ALL: [Self; 5] =
        [Self::Incomplete, Self::Trialing, Self::Active, Self::Paused, Self::Canceled];

    /// Whether the customer has the plan now.
    pub fn is_entitled(self) -> bool {
        matches!(self, Self::Trialing | Self::Active)
    }
}

/// Whether payments are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They are.
    Good,
    /// One failed, at this time; everything still works.
    PastDue {
        /// When we learned of the first failure.
        since: Timestamp,
    },
    /// One failed long ago; only reading still works.
    ReadOnly {
        /// When we learned of the first failure.
        since: Timestamp,
    },
}

impl Standing {
    /// The word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::PastDue { .. } => "past_due",
            Self::ReadOnly { .. } => "read_only",
        }
    }

    /// When payments stopped being in order.
    pub fn since(self) -> Option<Timestamp> {
        match self {
            Self::Good => None,
            Self::PastDue { since } | Self::ReadOnly { since } => Some(since),
        }
    }
}

/// A provider's status that we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProviderStatus {
    /// The first payment has not succeeded.
    Incomplete,
    /// The first payment never succeeded, or it ended.
    Ended,
    /// In its trial.
    Trialing,
    /// Running, payments in order or being tried.
    Running,
    /// Halted, or no longer tried.
    Halted,
}

impl TryFrom<&SubscriptionStatus> for ProviderStatus {
    type Error = String;

    /// Errors: the provider's word, when we do not know it.
    fn try_from(status: &SubscriptionStatus) -> Result<Self, String> {
        Ok(match status {
            SubscriptionStatus::Incomplete => Self::Incomplete,
            SubscriptionStatus::IncompleteExpired | SubscriptionStatus::Canceled => Self::Ended,
            SubscriptionStatus::Trialing => Self::Trialing,
            SubscriptionStatus::Active | SubscriptionStatus::PastDue => Self::Running,
            SubscriptionStatus::Unpaid | SubscriptionStatus::Paused => Self::Halted,
            SubscriptionStatus::Other(word) => return Err(word.clone()),
        })
    }
}

/// How the newest invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    /// Nothing is owed.
    NoneDue,
    /// It has not been tried.
    Waiting,
    /// It was tried and failed.
    Failed,
}

/// A period that was paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidPeriod {
    /// The provider's id of the invoice.
    pub invoice: String,
    /// The plan that was bought.
    pub plan: String,
    /// How often it is paid.
    pub interval: Interval,
    /// The provider's id of the price.
    pub price: String,
    /// The price, for a whole interval.
    pub amount: Money,
    /// `[start, end)` of what was bought; for a prorated change, from the change on.
    pub period: Period,
    /// Whether it is a share for the rest of a period that had been paid for otherwise.
    pub prorated: bool,
}

/// What the provider says of a subscription now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands.
    pub status: ProviderStatus,
    /// The plan of its price. Not a sign that it was paid for.
    pub plan: String,
    /// How often it is paid.
    pub interval: Interval,
    /// The provider's id of its price.
    pub price: String,
    /// What it is paid in.
    pub currency: Currency,
    /// What its periods are counted from.
    pub anchor: Timestamp,
    /// When it will end.
    pub cancel_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// `[start, end)` of the trial, also when it is over.
    pub trial: Option<Period>,
    /// What is scheduled to follow.
    pub pending: Option<Pending>,
    /// How its newest invoice stands.
    pub payment: Payment,
    /// What was paid for and has not had its effect yet, the earliest first.
    pub paid: Vec<PaidPeriod>,
}

/// What became of a subscription. Each asks the question "what does this cause?".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The trial began.
    TrialStarted,
    /// The first payment after a trial.
    TrialConverted(PaidPeriod),
    /// The trial ended without a payment.
    TrialEnded,
    /// The first payment, or the first after it had lapsed.
    Activated(PaidPeriod),
    /// The next period of the same plan was paid.
    Renewed(PaidPeriod),
    /// Another plan, or another interval, was paid for.
    PlanChanged {
        /// The plan before.
        from: String,
        /// What was paid for.
        paid: PaidPeriod,
    },
    /// A period was paid for after a later one, or after the end.
    PaidLate(PaidPeriod),
    /// A payment failed.
    WentPastDue,
    /// What was owed was paid.
    Recovered,
    /// It has been overdue for so long that only reading still works.
    AccessLimited,
    /// It has been overdue for so long that it is given up.
    DunningExhausted,
    /// It will end.
    CancelScheduled(Timestamp),
    /// It will not end.
    CancelUndone,
    /// It will change to something else.
    ChangeScheduled(Pending),
    /// It will not change.
    ChangeUnscheduled,
    /// It was halted.
    Paused,
    /// It runs again.
    Resumed,
    /// It ended.
    Ended,
}

impl Event {
    /// The event's name in the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::TrialStarted => "trial.started",
            Self::TrialConverted(_) => "trial.converted",
            Self::TrialEnded => "trial.ended",
            Self::Activated(_) => "subscription.activated",
            Self::Renewed(_) => "subscription.renewed",
            Self::PlanChanged { .. } => "subscription.changed",
            Self::PaidLate(_) => "subscription.paid_late",
            Self::WentPastDue => "subscription.past_due",
            Self::Recovered => "subscription.recovered",
            Self::AccessLimited => "dunning.access_limited",
            Self::DunningExhausted => "dunning.exhausted",
            Self::CancelScheduled(_) => "subscription.cancel_scheduled",
            Self::CancelUndone => "subscription.cancel_undone",
            Self::ChangeScheduled(_) => "subscription.change_scheduled",
            Self::ChangeUnscheduled => "subscription.change_unscheduled",
            Self::Paused => "subscription.paused",
            Self::Resumed => "subscription.resumed",
            Self::Ended => "subscription.ended",
        }
    }
}

/// What absorbing a sighting leads to. No events: nothing changed that matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absorbed {
    /// The subscription afterwards.
    pub next: Subscription,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// What the provider's sighting of a subscription changes. Infallible: late and repeated sightings
/// are normal. The caller has checked that the sighting is not older than the last one.
pub fn absorb(current: Option<&Subscription>, seen: &Seen, now: Timestamp) -> Absorbed {
    let before = current.cloned().unwrap_or_else(|| Subscription::unpaid(seen, now));
    let mut next = before.clone();
    let mut events = Vec::new();
    if before.status == Status::Canceled {
        catch_up(&mut next, &mut events, (&seen.paid, &seen.price));
        return Absorbed { next, events };
    }
    next.anchor = seen.anchor;
    match seen.status {
        ProviderStatus::Ended => {
            catch_up(&mut next, &mut events, (&seen.paid, &seen.price));
            end(&mut next, &mut events, seen.ended_at.unwrap_or(now));
        }
        ProviderStatus::Halted => {
            catch_up(&mut next, &mut events, (&seen.paid, &seen.price));
            pause(&mut next, &mut events);
        }
        ProviderStatus::Incomplete => {}
        ProviderStatus::Trialing => start_trial(&mut next, &mut events, seen),
        ProviderStatus::Running => run(&mut next, &mut events, seen, now),
    }
    if next.status != Status::Canceled && next.cancel_at != seen.cancel_at {
        next.cancel_at = seen.cancel_at;
        events.push(seen.cancel_at.map_or(Event::CancelUndone, Event::CancelScheduled));
    }
    schedule(&mut next, &mut events, seen);
    Absorbed { next, events }
}

/// What is left to learn from a sighting that is older than the last one: payments. They are not
/// taken back, and the newer sighting may not have shown them.
pub fn absorb_payments(current: &Subscription, paid: &[PaidPeriod]) -> Absorbed {
    let (mut next, mut events) = (current.clone(), Vec::new());
    catch_up(&mut next, &mut events, (paid, &current.price));
    Absorbed { next, events }
}

impl Subscription {
    fn unpaid(seen: &Seen, now: Timestamp) -> Self {
        Self {
            plan: seen.plan.clone(),
            interval: seen.interval,
            price: seen.price.clone(),
            currency: seen.currency,
            status: Status::Incomplete,
            standing: Standing::Good,
            period: Period { start: seen.anchor, end: now.max(seen.anchor).plus_seconds(1) },
            anchor: seen.anchor,
            cancel_at: None,
            trial_ends_at: None,
            ended_at: None,
            pending: None,
        }
    }

    /// Ends it: final.
    pub fn end(&mut self, at: Timestamp) {
        self.status = Status::Canceled;
        self.standing = Standing::Good;
        self.ended_at = Some(at);
        self.cancel_at = None;
        self.pending = None;
    }

    fn bought(&mut self, paid: &PaidPeriod) {
        // A share of a period whose own payment is not known yet covers no more than it says.
        let known = paid.prorated && self.period.end == paid.period.end;
        let start = if known { self.period.start } else { paid.period.start };
        self.period = Period { start, end: paid.period.end };
        self.plan.clone_from(&paid.plan);
        self.price.clone_from(&paid.price);
        self.interval = paid.interval;
        self.currency = paid.amount.currency;
    }

    /// A payment for something that was followed by something else, or is over.
    fn bought_late(&mut self, paid: &PaidPeriod) {
        if self.period.end == paid.period.end {
            self.period.start = self.period.start.min(paid.period.start);
        } else if self.period.end < paid.period.end {
            self.bought(paid);
        }
    }
}

/// Takes over what is scheduled. A price that the new period has already but that is not paid yet
/// is still to come; one that took effect is no longer news.
fn schedule(next: &mut Subscription, events: &mut Vec<Event>, seen: &Seen) {
    if next.status == Status::Canceled {
        return;
    }
    let other = (&seen.plan, seen.interval) != (&next.plan, next.interval);
    let unpaid = next.status == Status::Active && seen.payment != Payment::NoneDue;
    let pending = if other && unpaid {
        let (plan, interval) = (seen.plan.clone(), seen.interval);
        Some(Pending { plan, interval, at: next.period.end })
    } else {
        seen.pending.clone()
    };
    if next.pending == pending {
        return;
    }
    let took_effect = events.iter().any(|event| matches!(event, Event::PlanChanged { .. }));
    match &pending {
        Some(pending) => events.push(Event::ChangeScheduled(pending.clone())),
        None if took_effect => {}
        None => events.push(Event::ChangeUnscheduled),
    }
    next.pending = pending;
}

fn end(next: &mut Subscription, events: &mut Vec<Event>, at: Timestamp) {
    next.end(at);
    events.push(Event::Ended);
}

fn pause(next: &mut Subscription, events: &mut Vec<Event>) {
    if next.status != Status::Paused {
        next.status = Status::Paused;
        events.push(Event::Paused);
    }
}

fn start_trial(next: &mut Subscription, events: &mut Vec<Event>, seen: &Seen) {
    let Some(trial) = seen.trial else {
        return;
    };
    next.trial_ends_at = Some(trial.end);
    if next.status == Status::Incomplete {
        next.status = Status::Trialing;
        next.period = trial;
        events.push(Event::TrialStarted);
    } else if next.status == Status::Trialing {
        next.period = trial;
    }
}

fn run(next: &mut Subscription, events: &mut Vec<Event>, seen: &Seen, now: Timestamp) {
    catch_up(next, events, (&seen.paid, &seen.price));
    if next.status == Status::Paused && now < next.period.end {
        next.status = Status::Active;
        events.push(Event::Resumed);
    }
    match (seen.payment, next.standing) {
        (Payment::Failed, Standing::Good) => fail(next, events, now),
        (Payment::NoneDue, Standing::PastDue { .. } | Standing::ReadOnly { .. }) => {
            next.standing = Standing::Good;
            events.push(Event::Recovered);
        }
        (Payment::Failed | Payment::Waiting | Payment::NoneDue, _) => {}
    }
}

/// What was paid for and not yet known is bought first, also when it is over by now: whatever the
/// order in which the news arrives, the same things have happened at the end. `price` is the one
/// that the provider has now.
fn catch_up(
    next: &mut Subscription,
    events: &mut Vec<Event>,
    (paid, price): (&[PaidPeriod], &str),
) {
    for paid in paid {
        match news(next, paid, price) {
            News::Known => {}
            News::Late => {
                next.bought_late(paid);
                events.push(Event::PaidLate(paid.clone()));
            }
            News::Bought => buy(next, events, paid),
        }
    }
}

/// What a payment is for a subscription.
enum News {
    /// It has what was paid for.
    Known,
    /// What was paid for has been followed by something later, or it is over.
    Late,
    /// It has it from now on.
    Bought,
}

fn news(sub: &Subscription, paid: &PaidPeriod, price: &str) -> News {
    let ends = sub.period.end == paid.period.end;
    let restarts = sub.interval != paid.interval && sub.period.start < paid.period.start;
    // Both end together, and the provider is on what we have: this one came before it.
    let followed = ends && sub.price == price && paid.price != price;
    match sub.status {
        Status::Incomplete | Status::Trialing => News::Bought,
        _ if ends && sub.price == paid.price => News::Known,
        Status::Active | Status::Paused if followed => News::Late,
        Status::Active | Status::Paused if ends || restarts => News::Bought,
        Status::Active | Status::Paused if sub.period.end < paid.period.end => News::Bought,
        Status::Active | Status::Paused | Status::Canceled => News::Late,
    }
}

fn buy(next: &mut Subscription, events: &mut Vec<Event>, paid: &PaidPeriod) {
    let (status, from) = (next.status, next.plan.clone());
    let same = from == paid.plan && next.interval == paid.interval;
    next.bought(paid);
    next.status = Status::Active;
    events.push(match status {
        Status::Trialing => Event::TrialConverted(paid.clone()),
        Status::Active if same => Event::Renewed(paid.clone()),
        Status::Active => Event::PlanChanged { from, paid: paid.clone() },
        Status::Incomplete | Status::Paused | Status::Canceled => Event::Activated(paid.clone()),
    });
}

/// A failed payment: what was paid for before goes on; a trial that was not paid for is over.
fn fail(next: &mut Subscription, events: &mut Vec<Event>, now: Timestamp) {
    match next.status {
        Status::Trialing => {
            next.status = Status::Incomplete;
            events.push(Event::TrialEnded);
        }
        Status::Active => {
            next.standing = Standing::PastDue { since: now };
            events.push(Event::WentPastDue);
        }
        Status::Incomplete | Status::Paused | Status::Canceled => {}
    }
}

/// A trial whose end has passed without a word from the provider is over.
pub fn expire_trial(sub: &Subscription, now: Timestamp) -> Option<Absorbed> {
    let over = sub.status == Status::Trialing && sub.trial_ends_at.is_some_and(|end| end <= now);
    over.then(|| Absorbed {
        next: Subscription { status: Status::Incomplete, ..sub.clone() },
        events: vec![Event::TrialEnded],
    })
}

#[cfg(test)]
#[path = "subscription_tests.rs"]
mod tests;
