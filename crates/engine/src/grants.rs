//! Credits: what is granted for what, once, and what ends with it.

use farthing_core::catalog::{
    Catalog, Feature, GrantSource, OnCancel, OnRenewal, Plan, PlanCredits,
};
use farthing_core::credits as rules;
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::time::{Interval, Timestamp, period_at};
use farthing_store::credits::{Account, Because, NewGrant};
use farthing_store::customers::Customer;
use farthing_store::subscriptions::Stored;
use farthing_store::{StoreError, Tx, credits};

use crate::jobs::Job;
use crate::{Call, Engine, EngineError};

/// A plan that was sold, with its key.
pub(crate) type Sold<'a> = (&'a str, &'a Plan);

/// Credits to be granted once for their business key.
pub(crate) struct NewCredits<'a> {
    pub credit: &'a str,
    pub business_key: String,
    pub source: GrantSource,
    pub amount: i64,
    pub expires_at: Option<Timestamp>,
    /// The provider's id of the invoice, or our id of the checkout, that was paid for it.
    pub paid_by: Option<String>,
}

/// The window that a plan's credits are for.
pub(crate) struct Window<'a> {
    /// Its start; with [`PaidBy::AsBefore`] any instant of it.
    pub start: Timestamp,
    /// What is left of another plan's credits ends, whatever the new plan says about renewals.
    pub replaces: bool,
    /// What was paid for it.
    pub paid: PaidBy<'a>,
}

/// What was paid for credits.
#[derive(Clone, Copy)]
pub(crate) enum PaidBy<'a> {
    /// This invoice, by the provider's id.
    Invoice(&'a str),
    /// What the window before was paid by: one payment for several windows.
    AsBefore,
    /// Nothing: a trial.
    Nothing,
}

/// What came after a period that was paid late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// Nothing: it is the newest.
    Nothing,
    /// The next period of the same plan.
    Renewal,
    /// Another plan, for the rest of it or after it.
    AnotherPlan,
}

impl Followed {
    /// By what is known of it.
    pub(crate) fn by(another_plan: bool, a_renewal: bool) -> Self {
        match (another_plan, a_renewal) {
            (true, _) => Self::AnotherPlan,
            (false, true) => Self::Renewal,
            (false, false) => Self::Nothing,
        }
    }
}

impl Engine {
    /// Grants what a plan gives for a credit window.
    pub(crate) fn grant_plan_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (plan, stored): (Sold<'_>, &Stored),
        window: Window<'_>,
    ) -> Result<(), EngineError> {
        for (credit, granted) in &plan.1.credits {
            let rule = if window.replaces { OnRenewal::Reset } else { granted.on_renewal };
            let (start, paid_by) = match window.paid {
                PaidBy::Invoice(invoice) => (window.start, Some(invoice.to_owned())),
                PaidBy::Nothing => (window.start, None),
                PaidBy::AsBefore => {
                    let own = own_window(stored, granted, window.start);
                    let of = (stored.id.as_str(), plan.0);
                    match credits::newest_window(tx, &stored.customer, credit, of)? {
                        // Granted already, or a part of it after a change: not once more.
                        Some(newest) if own <= newest.start => (newest.start, newest.paid_by),
                        newest => (own, newest.and_then(|newest| newest.paid_by)),
                    }
                }
            };
            let period = period_credits(credit, granted, (plan.0, stored), start);
            let gift = NewCredits { paid_by, ..period };
            let left = self.live_grants(tx, &stored.customer, credit)?;
            if self.grant(tx, call, &stored.customer, &gift, self.now())?.is_some() {
                let ends = rules::end_plan_grants(&left, rule, self.now());
                self.post(tx, call, (&stored.customer, credit), ends)?;
                self.watch_grants(tx, call, (&stored.subscription, &stored.customer), credit)?;
            }
            self.enqueue_next_grant(tx, stored, granted, start)?;
        }
        Ok(())
    }

    /// Grants the credits of a period that was paid late. They end at once if what `followed`
    /// would have ended them.
    pub(crate) fn grant_late_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (plan, stored): (Sold<'_>, &Stored),
        (start, paid_by, followed): (Timestamp, Option<&str>, Followed),
    ) -> Result<(), EngineError> {
        for (credit, granted) in &plan.1.credits {
            let period = period_credits(credit, granted, (plan.0, stored), start);
            let gift = NewCredits { paid_by: paid_by.map(str::to_owned), ..period };
            let made = self.grant(tx, call, &stored.customer, &gift, self.now())?;
            let rule = match followed {
                Followed::Nothing => OnRenewal::Stack,
                Followed::Renewal => granted.on_renewal,
                Followed::AnotherPlan => OnRenewal::Reset,
            };
            let grants = self.live_grants(tx, &stored.customer, credit)?;
            let late: Vec<rules::Grant> =
                grants.into_iter().filter(|grant| Some(&grant.id) == made.as_ref()).collect();
            let ends = rules::end_plan_grants(&late, rule, self.now());
            self.post(tx, call, (&stored.customer, credit), ends)?;
        }
        Ok(())
    }

    /// Grants the credits of the window that it is now, unless they were: after a pause.
    pub(crate) fn grant_this_window(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (catalog, stored): (&Catalog, &Stored),
    ) -> Result<(), EngineError> {
        let sub = &stored.subscription;
        let Some(plan) = catalog.plans.get(&sub.plan) else {
            return Ok(());
        };
        let window = Window { start: self.now(), replaces: false, paid: PaidBy::AsBefore };
        self.grant_plan_credits(tx, call, ((&sub.plan, plan), stored), window)
    }

    /// On yearly plans with monthly credits the next grant is a job of ours: nobody pays then.
    fn enqueue_next_grant(
        &self,
        tx: &mut Tx<'_>,
        stored: &Stored,
        granted: &PlanCredits,
        start: Timestamp,
    ) -> Result<(), EngineError> {
        let sub = &stored.subscription;
        let next = period_at(sub.anchor, granted.every, start).end;
        let inside = granted.every == Interval::Month && next < sub.period.end;
        if !inside || sub.interval == Interval::Month {
            return Ok(());
        }
        let job = Job::GrantCredits { subscription: stored.id.clone(), window_start: next };
        self.enqueue(tx, &job, next)
    }

    /// Grants credits; the grant's id, or `None` when that business key had its grant before.
    pub(crate) fn grant(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &CustomerId,
        gift: &NewCredits<'_>,
        now: Timestamp,
    ) -> Result<Option<String>, EngineError> {
        self.account(tx, customer, gift.credit)?;
        let grant = NewGrant {
            id: self.new_id(IdKind::Grant),
            credit: gift.credit.to_owned(),
            business_key: gift.business_key.clone(),
            source: gift.source,
            amount: gift.amount,
            expires_at: gift.expires_at,
            paid_by: gift.paid_by.clone(),
        };
        if !credits::insert_grant(tx, customer, &grant, now)? {
            return Ok(None);
        }
        let posting = Some(rules::grant(gift.amount));
        self.post(tx, call, (customer, gift.credit), posting)?;
        let owed = self.account(tx, customer, gift.credit)?.debt;
        let pays = rules::repay(&grant.id, gift.amount, owed);
        if pays.is_some() {
            self.post(tx, call, (customer, gift.credit), pays)?;
            self.watch_debt(tx, customer, gift.credit)?;
        }
        if let Some(purchase) = &grant.paid_by {
            self.settle_later_grant(tx, call, customer, purchase)?;
        }
        if let Some(end) = grant.expires_at {
            let (customer, credit, grant) =
                (customer.clone(), grant.credit.clone(), grant.id.clone());
            self.enqueue(tx, &Job::ExpireCredits { customer, credit, grant }, end)?;
        }
        Ok(Some(grant.id))
    }

    /// Ends plan credits when a subscription ends: always after an unpaid trial (`None`), else
    /// where the catalog says so.
    pub(crate) fn end_plan_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &Customer,
        catalog: Option<&Catalog>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        for account in credits::of_customer(tx, &customer.id)? {
            let kept = catalog.is_some_and(|catalog| match catalog.features.get(&account.credit) {
                Some(Feature::Credits(credit)) => credit.on_cancel == OnCancel::Keep,
                _ => true,
            });
            if !kept {
                let grants = credits::grants(tx, &customer.id, &account.credit)?;
                let ends = rules::end_plan_grants(&grants, OnRenewal::Reset, now);
                self.post(tx, call, (&customer.id, &account.credit), ends)?;
            }
        }
        Ok(())
    }

    /// Ends everything that a customer could spend: the customer is erased.
    pub(crate) fn end_all_credits(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        customer: &CustomerId,
    ) -> Result<(), EngineError> {
        for account in credits::of_customer(tx, customer)? {
            let grants = credits::grants(tx, customer, &account.credit)?;
            self.post(tx, call, (customer, &account.credit), rules::end_all(&grants))?;
        }
        Ok(())
    }

    /// What can be spent, after what has expired is posted as such.
    pub(crate) fn live_grants(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        credit: &str,
    ) -> Result<Vec<rules::Grant>, EngineError> {
        let mut account = self.account(tx, customer, credit)?;
        self.expire_credits(tx, customer, &mut account, self.now())?;
        Ok(credits::grants(tx, customer, credit)?)
    }

    /// An account, locked; opened when there is none yet.
    pub(crate) fn account(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        credit: &str,
    ) -> Result<Account, EngineError> {
        if let Some(account) = credits::lock(tx, customer, credit)? {
            return Ok(account);
        }
        credits::open(tx, customer, credit, 1)?;
        let missing = || StoreError::Stale { table: "credit_accounts", id: credit.to_owned() };
        Ok(credits::lock(tx, customer, credit)?.ok_or_else(missing)?)
    }

    /// Posts to an account, if there is anything to post.
    pub(crate) fn post(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, credit): (&CustomerId, &str),
        posting: Option<rules::Posting>,
    ) -> Result<(), EngineError> {
        let Some(posting) = posting else {
            return Ok(());
        };
        let mut account = self.account(tx, customer, credit)?;
        let id = self.new_id(IdKind::Ledger);
        let because = Because { id: &id, cause: &call.cause, now: self.now() };
        Ok(credits::post(tx, customer, &mut account, &posting, because)?)
    }
}

/// The start of the window of a plan's credits that `at` lies in: what is granted each month on a
/// yearly plan has its own, everything else has the period's.
fn own_window(stored: &Stored, granted: &PlanCredits, at: Timestamp) -> Timestamp {
    let sub = &stored.subscription;
    let own = granted.every == Interval::Month && sub.interval == Interval::Year;
    let month = || period_at(sub.anchor, Interval::Month, at).start.max(sub.period.start);
    if own { month() } else { sub.period.start }
}

/// What a plan gives for the window that starts at `start`; its key makes a second one impossible.
fn period_credits<'a>(
    credit: &'a str,
    granted: &PlanCredits,
    (plan, stored): (&str, &Stored),
    start: Timestamp,
) -> NewCredits<'a> {
    NewCredits {
        credit,
        business_key: period_key(&stored.id, start, plan),
        source: GrantSource::Plan,
        amount: granted.amount,
        expires_at: None,
        paid_by: None,
    }
}

/// What the credits of a plan are granted for: once for each window of a subscription.
pub(crate) fn period_key(subscription: &str, start: Timestamp, plan: &str) -> String {
    format!("period:{subscription}:{}:{plan}", start.micros())
}
