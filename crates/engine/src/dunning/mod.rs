//! Payments that failed: what is known of each, what is tried, and what people are told.
//!
//! A case opens when a subscription becomes overdue and closes when it is paid, given up or ended.
//! The steps of the access (full, only reading, the end) are the core's and go by the clock; here is
//! what happens to the money meanwhile. `case` keeps a case up to date with the invoice, `pay` tries
//! the payment once per step, `asked` is the try that somebody asks for.
//!
//! Whoever tries, an invoice can be paid once at the provider. So that the customer's bank is not
//! asked twice as often as the catalog says, the provider's own tries are switched off for the
//! invoice when the tries are ours.

mod asked;
mod case;
mod pay;

use farthing_core::catalog::{Catalog, Retries};
use farthing_core::decline::{self, Path};
use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::subscription::Standing;
use farthing_core::time::Timestamp;
use farthing_store::dunning::{self, Case};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, invoices};
use serde::Serialize;

pub use self::asked::{Retried, RetryOutcome};
pub(crate) use self::pay::PAY;

use crate::{Engine, EngineError};

/// How many open cases one answer has at most.
const CASES_MAX: i64 = 1_000;

/// A failed payment and what is done about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DunningCase {
    /// Ours.
    pub id: String,
    /// Whose.
    pub customer: CustomerId,
    /// The subscription that is overdue.
    pub subscription: String,
    /// The plan that it is for.
    pub plan: String,
    /// `full_access` or `read_only`.
    pub stage: &'static str,
    /// When we learned of the failure.
    pub since: Timestamp,
    /// The unpaid invoice, by our id.
    pub invoice: Option<String>,
    /// What is owed.
    pub amount: Option<Money>,
    /// Why the last try failed, in the provider's word.
    pub decline_code: Option<String>,
    /// The same in a sentence for the customer.
    pub reason: &'static str,
    /// The way out: `retry` (it is tried again), `new_card` (this card will not pay any more) or
    /// `confirm` (the bank wants to hear from the customer).
    pub path: &'static str,
    /// How many tries were ours.
    pub attempts: i64,
    /// When it is tried next; `null`: not by itself.
    pub next_retry_at: Option<Timestamp>,
    /// When only reading still works.
    pub read_only_from: Timestamp,
    /// When it is given up.
    pub ends_at: Timestamp,
    /// Until when the app should keep what the plan after that does not hold.
    pub data_kept_until: Option<Timestamp>,
    /// A page on which the customer can pay and confirm.
    pub payment_url: Option<String>,
}

impl Engine {
    /// Every payment that is overdue, the longest first; at most 1,000.
    pub fn dunning_cases(&self) -> Result<Vec<DunningCase>, EngineError> {
        self.read(|engine, tx| engine.cases_in(tx, None))
    }

    /// The overdue payment of a customer, if there is one.
    pub fn dunning_case(&self, customer: &CustomerId) -> Result<Option<DunningCase>, EngineError> {
        self.read(|engine, tx| engine.case_in(tx, customer))
    }

    /// The same inside a transaction.
    pub(crate) fn case_in(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
    ) -> Result<Option<DunningCase>, EngineError> {
        Ok(self.cases_in(tx, Some(customer))?.into_iter().next())
    }

    fn cases_in(
        &self,
        tx: &mut Tx<'_>,
        customer: Option<&CustomerId>,
    ) -> Result<Vec<DunningCase>, EngineError> {
        let (_, catalog) = self.catalog(tx)?;
        let mut views = Vec::new();
        for case in dunning::list_open(tx, customer, CASES_MAX)? {
            if let Some(stored) = subscriptions::find(tx, &case.subscription)? {
                views.push(view(tx, &catalog, (&case, &stored))?);
            }
        }
        Ok(views)
    }
}

/// What is known of a case.
fn view(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    (case, stored): (&Case, &Stored),
) -> Result<DunningCase, EngineError> {
    let policy = &catalog.dunning;
    let since = stored.subscription.standing.since().unwrap_or(case.started_at);
    let owed = invoices::newest_owed(tx, &case.customer, &case.subscription)?;
    let ends_at = policy.read_only_until.after(since);
    Ok(DunningCase {
        id: case.id.clone(),
        customer: case.customer.clone(),
        subscription: case.subscription.clone(),
        plan: stored.subscription.plan.clone(),
        stage: match stored.subscription.standing {
            Standing::Good | Standing::PastDue { .. } => "full_access",
            Standing::ReadOnly { .. } => "read_only",
        },
        since,
        invoice: owed.as_ref().map(|invoice| invoice.id.clone()),
        amount: owed.as_ref().map(amount_of),
        decline_code: case.decline_code.clone(),
        reason: decline::reason(case.decline_code.as_deref()),
        path: case.path.as_str(),
        attempts: case.attempts,
        next_retry_at: case.next_retry_at,
        read_only_from: policy.full_access.after(since),
        ends_at,
        data_kept_until: policy.keep_data.map(|span| span.after(ends_at)),
        payment_url: owed.and_then(|invoice| invoice.hosted_url),
    })
}

fn amount_of(invoice: &invoices::Invoice) -> Money {
    Money::new(invoice.total.minor - invoice.paid.minor, invoice.total.currency)
}

/// Whether the tries are ours; else they are the provider's.
fn is_ours(catalog: &Catalog) -> bool {
    match catalog.dunning.retries {
        Retries::After(_) => true,
        Retries::Provider => false,
    }
}

/// Whether trying again may help without the customer.
fn may_retry(path: Path) -> bool {
    match path {
        Path::Retry => true,
        Path::NewCard | Path::Confirm => false,
    }
}
