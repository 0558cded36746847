//! Refunds for the app and for people: who may have money back, what would follow, how it stands.
//!
//! Deciding about them is in `refund_desk`, the calls to the provider are in `refund_calls`, and
//! what follows once the provider has one is in `absorb_back` and `clawback`.

use std::collections::BTreeMap;

use farthing_core::catalog::{Catalog, Feature};
use farthing_core::clawback;
use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::refund::{self, Agreement, Check, Obstacle, Paid, Verdict};
use farthing_core::time::Timestamp;
use farthing_store::customers::Customer;
use farthing_store::payments::{self, Payment, Returned};
use farthing_store::purchases;
use farthing_store::refunds::{self as rows, By};
use farthing_store::{Tx, credits, customers, disputes, usage};
use serde::Serialize;
use serde_json::Value;

use crate::clawback::{paid_by_invoice, reversal};
use crate::{Engine, EngineError, STRIPE};

pub use farthing_store::refunds::{Filter as RefundFilter, State as RefundState};

/// What somebody wants back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundAsk {
    /// Who.
    pub customer: CustomerId,
    /// Our id of the payment; the newest of which something is left when left out.
    pub payment: Option<String>,
    /// How much, in minor units of the payment's currency; all that is left when left out.
    pub amount: Option<i64>,
    /// Why, at least 10 characters.
    pub reason: String,
}

/// Whether money may go back, rule by rule, and what would follow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Eligibility {
    /// Who asks.
    pub customer: CustomerId,
    /// Whether it may go back.
    pub eligible: bool,
    /// Our id of the payment.
    pub payment: String,
    /// When it was paid.
    pub paid_at: Timestamp,
    /// The plan before; `null` for a pack.
    pub from: Option<String>,
    /// The plan that was bought; `null` for a pack.
    pub to: Option<String>,
    /// What was paid.
    pub captured: Money,
    /// The most that could go back.
    pub refundable: Money,
    /// What would go back.
    pub amount: Money,
    /// The first instant at which the window is over.
    pub closes_at: Option<Timestamp>,
    /// The rule that decided about use.
    pub rule: Option<String>,
    /// Its comparisons, with numbers.
    pub checks: Vec<Check>,
    /// What is in the way.
    pub problems: Vec<Problem>,
    /// Who has to agree: `nobody`, `one_person` or `two_people`.
    pub approval: Agreement,
    /// What would follow.
    pub then: Then,
}

/// One thing that is in the way of a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Stable.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// What follows a refund.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Then {
    /// The plan that the customer would get; `null`: the plan stays.
    pub move_to: Option<String>,
    /// `now` or `period_end`.
    pub at: &'static str,
    /// Credit feature key to what would be taken.
    pub credits: BTreeMap<String, TakenCredits>,
}

/// What a refund takes of one kind of credits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TakenCredits {
    /// Of what can be spent now.
    pub taken: i64,
    /// What was spent and would be owed.
    pub owed: i64,
}

/// A refund for the app and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RefundView {
    /// Ours.
    pub id: String,
    /// Whose money it is.
    pub customer: CustomerId,
    /// Our id of the payment.
    pub payment: String,
    /// How much.
    pub amount: Money,
    /// `needs_review`, `sent`, `waiting`, `succeeded`, `rejected` or `failed`.
    pub state: &'static str,
    /// `request`, or `provider` when it was made in the provider's dashboard.
    pub origin: &'static str,
    /// Why it was asked for.
    pub reason: Option<String>,
    /// What the policy said then: transition, rule, numbers.
    pub judged: Option<Value>,
    /// How many people still have to agree.
    pub approvals_missing: u8,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_at: Timestamp,
    /// Who agreed.
    pub approved_by: Option<String>,
    /// Who agreed besides.
    pub second_approved_by: Option<String>,
    /// Who said no.
    pub rejected_by: Option<String>,
    /// Why not.
    pub reject_reason: Option<String>,
    /// Why it failed, as a code.
    pub failure: Option<String>,
    /// When its state last changed.
    pub updated_at: Timestamp,
}

/// A dispute for the app and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DisputeView {
    /// Ours.
    pub id: String,
    /// Whose payment it is about.
    pub customer: CustomerId,
    /// Our id of the payment.
    pub payment: String,
    /// How much is contested.
    pub amount: Money,
    /// For example `needs_response`, `won` or `lost`.
    pub status: String,
    /// The bank's word for why.
    pub reason: String,
    /// Until when it can be answered.
    pub due_by: Option<Timestamp>,
    /// Whether the bank has the money now.
    pub funds_withdrawn: bool,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When we learned that it is over.
    pub closed_at: Option<Timestamp>,
}

/// A payment with what went back of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaymentDetail {
    /// Ours.
    pub id: String,
    /// Whose it is.
    pub customer: CustomerId,
    /// Our id of the invoice that it paid.
    pub invoice: Option<String>,
    /// Our id of the checkout that it paid, for a one-off purchase.
    pub checkout: Option<String>,
    /// `succeeded`, `processing`, `requires_action`, `failed`, `canceled` or `unknown`.
    pub status: String,
    /// The amount.
    pub amount: Money,
    /// What went back, or is on its way.
    pub refunded: Money,
    /// What the customer's bank has.
    pub disputed: Money,
    /// The provider's code for why it failed.
    pub failure_code: Option<String>,
    /// When we first saw it.
    pub created_at: Timestamp,
}

/// A payment that somebody wants back, judged.
pub(crate) struct Judged {
    pub payment: Payment,
    pub verdict: Verdict,
    pub from: Option<String>,
    pub to: Option<String>,
    pub then: Then,
}

/// How many of a customer's newest payments are looked through for one that can go back.
const LOOK_AT: i64 = 50;

impl Engine {
    /// Whether a customer may have money back: `payment` by our id, else the newest of which
    /// something is left. Errors: no such customer or payment, nothing was ever paid.
    pub fn refund_eligibility(
        &self,
        customer: &CustomerId,
        payment: Option<&str>,
    ) -> Result<Eligibility, EngineError> {
        self.read(|engine, tx| {
            let found = customers::find(tx, customer)?;
            let found = found.ok_or_else(|| EngineError::no_customer(customer))?;
            let judged = engine.judge_refund(tx, &found, payment, None)?;
            Ok(eligibility(customer, judged))
        })
    }

    /// Refunds, the newest first, older than our id `before` (`""`: from the newest).
    pub fn refunds(
        &self,
        filter: &RefundFilter,
        before: &str,
        limit: i64,
    ) -> Result<Vec<RefundView>, EngineError> {
        self.read(|_, tx| {
            Ok(rows::list(tx, filter, before, limit)?.into_iter().map(refund_view).collect())
        })
    }

    /// One refund by our id. Errors: there is none.
    pub fn refund(&self, id: &str) -> Result<RefundView, EngineError> {
        self.read(|_, tx| Ok(refund_view(find_refund(tx, id)?)))
    }

    /// Disputes, the newest first, older than our id `before` (`""`: from the newest); of one
    /// customer or all; with `open`, those that are not over.
    pub fn disputes(
        &self,
        (customer, open): (Option<&CustomerId>, bool),
        before: &str,
        limit: i64,
    ) -> Result<Vec<DisputeView>, EngineError> {
        self.read(|_, tx| {
            let found = disputes::list(tx, (customer, open), before, limit)?;
            Ok(found.into_iter().map(dispute_view).collect())
        })
    }

    /// Payments, the newest first, older than our id `before` (`""`: from the newest); of one
    /// customer or all.
    pub fn payments(
        &self,
        customer: Option<&CustomerId>,
        before: &str,
        limit: i64,
    ) -> Result<Vec<PaymentDetail>, EngineError> {
        self.read(|_, tx| {
            let mut views = Vec::new();
            for payment in payments::list(tx, customer, before, limit)? {
                let back = payments::returned(tx, &payment.customer, &payment.id)?;
                views.push(payment_view(payment, back));
            }
            Ok(views)
        })
    }

    /// Judges a refund of a payment as the catalog, real use and earlier refunds have it now.
    pub(crate) fn judge_refund(
        &self,
        tx: &mut Tx<'_>,
        customer: &Customer,
        payment: Option<&str>,
        wanted: Option<i64>,
    ) -> Result<Judged, EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let payment = wanted_payment(tx, customer, payment)?;
        let back = payments::returned(tx, &customer.id, &payment.id)?;
        let bought = match &payment.provider_invoice {
            Some(invoice) => {
                purchases::of_invoice(tx, &customer.id, STRIPE, invoice)?.into_iter().next()
            }
            None => None,
        };
        let use_since = used(tx, &catalog, &customer.id, payment.created_at)?;
        let (from, to) = bought.map(|it| (it.from, it.to)).unzip();
        let paid = Paid {
            to: to.as_deref(),
            from: from.as_deref(),
            at: payment.created_at,
            captured: payment.amount,
            refunded: back.asked + back.sent + back.refunded,
            disputed: back.disputed,
            usage: &use_since,
        };
        let wanted = wanted.map(|minor| Money::new(minor, payment.amount.currency));
        let verdict = refund::judge(catalog.refunds.as_ref(), &paid, wanted, self.now());
        let then = self.would_follow(tx, (customer, &payment), &catalog, verdict.amount.minor)?;
        Ok(Judged { payment, verdict, from, to, then })
    }

    /// What a refund of `amount` more would lead to.
    fn would_follow(
        &self,
        tx: &mut Tx<'_>,
        (customer, payment): (&Customer, &Payment),
        catalog: &Catalog,
        amount: i64,
    ) -> Result<Then, EngineError> {
        let policy = catalog.refunds.as_ref().map(|policy| &policy.then);
        let at = if policy.is_none_or(|then| then.at_once) { "now" } else { "period_end" };
        let mut then = Then { move_to: None, at, credits: BTreeMap::new() };
        let Some(purchase) = payment.purchase() else {
            return Ok(then);
        };
        let money = reversal(tx, &customer.id, purchase)?;
        if policy.is_none_or(|then| then.claw_back) {
            for (credit, granted) in
                credits::granted_for(tx, &customer.id, purchase, customer.created_at)?
            {
                let back = money.clawing.saturating_add(amount);
                let goal = clawback::target(granted.amount, back, money.captured);
                if let Some(settled) = clawback::settle(&granted, goal, 0) {
                    let taken = then.credits.entry(credit).or_default();
                    taken.taken += settled.clawed.taken - granted.clawed.taken;
                    taken.owed += settled.clawed.owed - granted.clawed.owed;
                }
            }
        }
        let all = money.captured <= money.settled.saturating_add(amount);
        if let (Some(invoice), true) = (&payment.provider_invoice, all)
            && paid_by_invoice(tx, &customer.id, invoice, self.now())?.is_some()
        {
            let move_to = policy.map_or(&catalog.fallback, |then| &then.move_to);
            then.move_to = Some(move_to.clone());
        }
        Ok(then)
    }
}

/// A refund by our id. Errors: there is none.
pub(crate) fn find_refund(tx: &mut Tx<'_>, id: &str) -> Result<rows::Refund, EngineError> {
    let missing = || EngineError::NotFound { what: "refund", id: id.to_owned() };
    rows::find(tx, id)?.ok_or_else(missing)
}

/// The payment that is meant. Errors: there is none, or it is not this customer's, or never arrived.
fn wanted_payment(
    tx: &mut Tx<'_>,
    customer: &Customer,
    id: Option<&str>,
) -> Result<Payment, EngineError> {
    let theirs = |payment: &Payment| {
        payment.customer == customer.id
            && payment.succeeded()
            && 0 < payment.amount.minor
            && customer.created_at <= payment.created_at
    };
    if let Some(id) = id {
        let missing = || EngineError::NotFound { what: "payment", id: id.to_owned() };
        return payments::find(tx, id)?.filter(theirs).ok_or_else(missing);
    }
    let mut newest = None;
    for payment in payments::list(tx, Some(&customer.id), "", LOOK_AT)?.into_iter().filter(theirs) {
        let back = payments::returned(tx, &customer.id, &payment.id)?;
        if back.asked + back.sent + back.refunded + back.disputed < payment.amount.minor {
            return Ok(payment);
        }
        newest = newest.or(Some(payment));
    }
    newest.ok_or_else(|| {
        EngineError::refused(
            "nothing_to_refund",
            "this customer has paid nothing, so nothing can go back; nothing was changed",
        )
    })
}

/// What was really used since a payment, of everything that a rule asks about.
fn used(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    customer: &CustomerId,
    since: Timestamp,
) -> Result<BTreeMap<String, i64>, EngineError> {
    let mut use_since = BTreeMap::new();
    let rules = catalog.refunds.iter().flat_map(|policy| &policy.rules);
    for feature in rules.flat_map(|rule| rule.refuse_above.keys()) {
        let n = match catalog.features.get(feature) {
            Some(Feature::Count { .. }) => usage::peak_since(tx, customer, feature, since)?,
            Some(Feature::Usage { .. }) => usage::used_since(tx, customer, feature, since)?,
            Some(Feature::Credits(_)) => usage::spent_since(tx, customer, feature, since)?,
            Some(Feature::Boolean | Feature::Value) | None => 0,
        };
        use_since.insert(feature.clone(), n);
    }
    Ok(use_since)
}

pub(crate) fn eligibility(customer: &CustomerId, judged: Judged) -> Eligibility {
    let problems = problems(&judged);
    let Judged { payment, verdict, from, to, then } = judged;
    Eligibility {
        customer: customer.clone(),
        eligible: verdict.obstacles.is_empty(),
        payment: payment.id,
        paid_at: payment.created_at,
        from,
        to,
        captured: payment.amount,
        refundable: verdict.refundable,
        amount: verdict.amount,
        closes_at: verdict.closes_at,
        rule: verdict.rule,
        checks: verdict.checks,
        problems,
        approval: verdict.agreement,
        then,
    }
}

/// What is in the way, in words.
pub(crate) fn problems(judged: &Judged) -> Vec<Problem> {
    let verdict = &judged.verdict;
    let say = |obstacle: &Obstacle| {
        let message = match obstacle {
            Obstacle::NoPolicy => {
                "the catalog has no [refunds]: make the refund at the provider, or add the section"
                    .to_owned()
            }
            Obstacle::Disputed => {
                "the customer's bank contests this payment and has the money: the dispute decides"
                    .to_owned()
            }
            Obstacle::NothingLeft => {
                "all of this payment went back, or is on its way or waits for a person".to_owned()
            }
            Obstacle::TooMuch { left } => format!("at most {left} of this payment is left"),
            Obstacle::TooLate { closed_at } => {
                format!("refunds of this payment could be asked for before {closed_at}")
            }
            Obstacle::UsedTooMuch => {
                let over = verdict.checks.iter().filter(|check| !check.ok);
                let over: Vec<String> = over
                    .map(|check| format!("{} {} > {}", check.feature, check.used, check.limit))
                    .collect();
                format!("rule {:?}: {}", verdict.rule.as_deref().unwrap_or(""), over.join(", "))
            }
        };
        Problem { code: obstacle.code(), message }
    };
    verdict.obstacles.iter().map(say).collect()
}

pub(crate) fn refund_view(refund: rows::Refund) -> RefundView {
    let actor = |by: Option<By>| by.map(|by| by.actor);
    let wanted = if refund.two_people { 2 } else { 1 };
    let given = u8::from(refund.approved.is_some()) + u8::from(refund.second_approved.is_some());
    let open = refund.state == RefundState::NeedsReview;
    RefundView {
        approvals_missing: if open { wanted - given.min(wanted) } else { 0 },
        id: refund.id,
        customer: refund.customer,
        payment: refund.payment,
        amount: refund.amount,
        state: refund.state.as_str(),
        origin: refund.origin.as_str(),
        reason: refund.reason,
        judged: refund.judged.and_then(|text| serde_json::from_str(&text).ok()),
        requested_by: refund.requested.actor,
        requested_at: refund.requested.at,
        approved_by: actor(refund.approved),
        second_approved_by: actor(refund.second_approved),
        rejected_by: actor(refund.rejected),
        reject_reason: refund.reject_reason,
        failure: refund.failure,
        updated_at: refund.updated_at,
    }
}

fn dispute_view(dispute: disputes::Dispute) -> DisputeView {
    DisputeView {
        id: dispute.id,
        customer: dispute.customer,
        payment: dispute.payment,
        amount: dispute.amount,
        status: dispute.status,
        reason: dispute.reason,
        due_by: dispute.due_by,
        funds_withdrawn: dispute.withdrawn && !dispute.reinstated,
        opened_at: dispute.opened_at,
        closed_at: dispute.closed_at,
    }
}

fn payment_view(payment: Payment, back: Returned) -> PaymentDetail {
    let money = |minor| Money::new(minor, payment.amount.currency);
    PaymentDetail {
        refunded: money(back.sent + back.refunded),
        disputed: money(back.disputed),
        id: payment.id,
        customer: payment.customer,
        invoice: payment.invoice,
        checkout: payment.checkout,
        status: payment.status,
        amount: payment.amount,
        failure_code: payment.failure_code,
        created_at: payment.created_at,
    }
}
