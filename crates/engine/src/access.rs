//! The hot path: may this customer do that, and take it. One row, one decision, one transaction.

use farthing_core::access::{Answer, Code};
use farthing_core::catalog::{Catalog, CreditFeature, Feature};
use farthing_core::credits::{self, Grant};
use farthing_core::entitlement::{AMOUNT_MAX, Access, Decision, Entitlement, Kind};
use farthing_core::ids::{CustomerId, IdKind};
use farthing_core::time::Timestamp;
use farthing_store::credits::{Account, Because};
use farthing_store::entitlements::{self, Stored, UsageKind};
use farthing_store::{Tx, credits as credit_rows, customers};

use crate::customers::{materialize, rights};
use crate::{Call, Engine, EngineError};

/// What a customer wants of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Who.
    pub customer: CustomerId,
    /// The feature's key.
    pub feature: String,
    /// How much, 1 to [`AMOUNT_MAX`]; of a named operation, how many.
    pub amount: i64,
    /// For credits: the named operation whose cost is spent.
    pub operation: Option<String>,
}

/// What is known of a feature for one customer.
enum Known {
    Entitlement(Stored),
    Credits(Account, CreditFeature),
    Unknown,
}

/// One event that the app reports afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The app's own id of it.
    pub id: String,
    /// Who.
    pub customer: CustomerId,
    /// The feature's key; it must be of type usage.
    pub feature: String,
    /// How much, 1 to [`AMOUNT_MAX`].
    pub amount: i64,
    /// When it happened; at most 35 days ago and not in the future.
    pub at: Timestamp,
}

/// What became of a reported event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It counts.
    Accepted,
    /// It counted before.
    Duplicate,
    /// It does not count, for this reason.
    Rejected(&'static str),
}

/// How long after the fact use can be reported, in seconds: 35 days.
const REPORT_WITHIN: i64 = 35 * 86_400;

impl Engine {
    /// May it? Writes nothing. Errors: no such customer, an amount out of range.
    pub fn check(&self, want: &Want) -> Result<Answer, EngineError> {
        check_amount(want.amount)?;
        self.read(|engine, tx| {
            let now = engine.now();
            let (_, catalog) = engine.catalog(tx)?;
            match engine.peek(tx, want, (&catalog, now))? {
                Known::Entitlement(stored) => {
                    let Decision { code, next } = stored.entitlement.take(want.amount, now);
                    let shown = if code.allowed() { stored.entitlement.at(now) } else { next };
                    Ok(answer(&catalog, want, code, &shown, (stored.revision, plan(tx, want)?)))
                }
                Known::Credits(account, feature) => {
                    let grants = credit_rows::grants(tx, &want.customer, &want.feature)?;
                    let cost = cost(want, &feature)?;
                    let code = may_spend(&account, &grants, cost, now);
                    let plan = plan(tx, want)?;
                    Ok(credits_answer(&catalog, want, code, (&account, &grants, now), &plan))
                }
                Known::Unknown => Ok(unknown(want)),
            }
        })
    }

    /// Checks and takes in one step. What was answered with `allowed` is durable.
    ///
    /// Errors: no such customer, an amount out of range, an operation without a cost.
    pub fn consume(&self, call: &Call, want: &Want) -> Result<Answer, EngineError> {
        check_amount(want.amount)?;
        let (call, want) = (call.clone(), want.clone());
        self.write(move |engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let on = (catalog.as_ref(), engine.now());
            let answer = match engine.find(tx, &want, on)? {
                Known::Entitlement(stored) => engine.take(tx, &want, stored, on)?,
                Known::Credits(account, feature) => {
                    engine.spend(tx, &call, &want, (account, &feature), on)?
                }
                Known::Unknown => unknown(&want),
            };
            engine.keep(tx, &call, &answer)?;
            Ok(answer)
        })
    }

    /// Gives held units back, never below zero.
    ///
    /// Errors: no such customer, an amount out of range, a feature that is not held.
    pub fn release(&self, call: &Call, want: &Want) -> Result<Answer, EngineError> {
        check_amount(want.amount)?;
        let (call, want) = (call.clone(), want.clone());
        self.write(move |engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let on = (catalog.as_ref(), engine.now());
            let stored = engine.held(tx, &want, on)?;
            let next = stored.entitlement.give_back(want.amount);
            let answer = engine.set_use(tx, &want, (stored, next), UsageKind::Release, on)?;
            engine.keep(tx, &call, &answer)?;
            Ok(answer)
        })
    }

    /// Sets what is held to what the app really has; the difference is written down.
    ///
    /// `want.amount` is the whole, 0 to [`AMOUNT_MAX`]. Errors as for [`Engine::release`].
    pub fn sync(&self, call: &Call, want: &Want) -> Result<Answer, EngineError> {
        if !(0..=AMOUNT_MAX).contains(&want.amount) {
            return Err(amount_error("/used", "0"));
        }
        let (call, want) = (call.clone(), want.clone());
        self.write(move |engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let on = (catalog.as_ref(), engine.now());
            let stored = engine.held(tx, &want, on)?;
            let next = stored.entitlement.set_held(want.amount);
            let answer = engine.set_use(tx, &want, (stored, next), UsageKind::Sync, on)?;
            engine.keep(tx, &call, &answer)?;
            Ok(answer)
        })
    }

    /// Counts events that happened already, each once; answers in the order of the events.
    ///
    /// An event that happened before the present window does not count in it and is accepted all
    /// the same. What was used is used: an event may lead above the limit.
    pub fn report(&self, reports: Vec<Report>) -> Result<Vec<Reported>, EngineError> {
        self.write(move |engine, tx| {
            let (_, catalog) = engine.catalog(tx)?;
            let on = (catalog.as_ref(), engine.now());
            // Rows are locked in one order by everybody; the answers come in the order of the events.
            let mut order: Vec<usize> = (0..reports.len()).collect();
            order.sort_by_key(|n| (&reports[*n].customer, &reports[*n].feature));
            let mut answers = vec![Reported::Duplicate; reports.len()];
            for n in order {
                answers[n] = engine.report_one(tx, &reports[n], on)?;
            }
            Ok(answers)
        })
    }

    fn report_one(
        &self,
        tx: &mut Tx<'_>,
        report: &Report,
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<Reported, EngineError> {
        if !(1..=AMOUNT_MAX).contains(&report.amount) {
            return Ok(Reported::Rejected("invalid_amount"));
        }
        if now < report.at {
            return Ok(Reported::Rejected("in_the_future"));
        }
        if report.at < now.plus_seconds(-REPORT_WITHIN) {
            return Ok(Reported::Rejected("too_old"));
        }
        if customers::find(tx, &report.customer)?.is_none() {
            return Ok(Reported::Rejected("unknown_customer"));
        }
        match catalog.features.get(&report.feature) {
            None | Some(Feature::Credits(_)) => return Ok(Reported::Rejected("unknown_feature")),
            Some(Feature::Usage { .. }) => {}
            Some(_) => return Ok(Reported::Rejected("not_usage")),
        }
        let of = (&report.customer, report.feature.as_str());
        let Some(stored) = self.lock_or_give(tx, of, (catalog, now))? else {
            return Ok(Reported::Rejected("unknown_feature"));
        };
        let current = stored.entitlement.at(now);
        let Some(used) = current.used.checked_add(report.amount).filter(|n| *n <= AMOUNT_MAX)
        else {
            return Ok(Reported::Rejected("invalid_amount"));
        };
        if !entitlements::insert_report(tx, &report.customer, &report.id, now)? {
            return Ok(Reported::Duplicate);
        }
        if current.window.is_some_and(|window| window.contains(report.at)) {
            let next = Entitlement { used, floor_used: used + current.reserved, ..current };
            let next = Stored { entitlement: next, version: stored.version + 1, ..stored };
            entitlements::save_use(tx, &report.customer, &next)?;
            let delta = (UsageKind::Report, report.amount);
            entitlements::record_use(tx, &report.customer, &next, delta, now)?;
        }
        Ok(Reported::Accepted)
    }

    fn take(
        &self,
        tx: &mut Tx<'_>,
        want: &Want,
        stored: Stored,
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<Answer, EngineError> {
        let Decision { code, next } = stored.entitlement.take(want.amount, now);
        let revision = stored.revision;
        if next != stored.entitlement {
            let next = Stored { entitlement: next.clone(), version: stored.version + 1, ..stored };
            entitlements::save_use(tx, &want.customer, &next)?;
            if code.allowed() {
                let delta = (UsageKind::Consume, want.amount);
                entitlements::record_use(tx, &want.customer, &next, delta, now)?;
            }
        }
        let plan = if code.allowed() { String::new() } else { plan(tx, want)? };
        Ok(answer(catalog, want, code, &next, (revision, plan)))
    }

    fn spend(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        want: &Want,
        (mut account, feature): (Account, &CreditFeature),
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<Answer, EngineError> {
        let cost = cost(want, feature)?;
        self.expire_credits(tx, &want.customer, &mut account, now)?;
        let grants = credit_rows::grants(tx, &want.customer, &want.feature)?;
        let mut code = may_spend(&account, &grants, cost, now);
        if code.allowed() {
            match credits::spend(&grants, &feature.spend, cost, now) {
                Err(_) => code = Code::CreditsEmpty,
                Ok(posting) => {
                    let id = self.new_id(IdKind::Ledger);
                    let because = Because { id: &id, cause: &call.cause, now };
                    credit_rows::post(tx, &want.customer, &mut account, &posting, because)?;
                }
            }
        }
        let grants = credit_rows::grants(tx, &want.customer, &want.feature)?;
        let plan = plan(tx, want)?;
        Ok(credits_answer(catalog, want, code, (&account, &grants, now), &plan))
    }

    /// Posts what has expired, so that it is never spent.
    pub(crate) fn expire_credits(
        &self,
        tx: &mut Tx<'_>,
        customer: &CustomerId,
        account: &mut Account,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let grants = credit_rows::grants(tx, customer, &account.credit)?;
        if let Some(posting) = credits::expire(&grants, now) {
            let id = self.new_id(IdKind::Ledger);
            let because = Because { id: &id, cause: "expiry", now };
            credit_rows::post(tx, customer, account, &posting, because)?;
        }
        Ok(())
    }

    fn set_use(
        &self,
        tx: &mut Tx<'_>,
        want: &Want,
        (stored, next): (Stored, Entitlement),
        kind: UsageKind,
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<Answer, EngineError> {
        let delta = next.used - stored.entitlement.used;
        let revision = stored.revision;
        if next != stored.entitlement {
            let next = Stored { entitlement: next.clone(), version: stored.version + 1, ..stored };
            entitlements::save_use(tx, &want.customer, &next)?;
            if delta != 0 {
                entitlements::record_use(tx, &want.customer, &next, (kind, delta), now)?;
            }
        }
        Ok(answer(catalog, want, Code::Ok, &next, (revision, String::new())))
    }

    /// The locked entitlement to something that is held.
    fn held(
        &self,
        tx: &mut Tx<'_>,
        want: &Want,
        on: (&Catalog, Timestamp),
    ) -> Result<Stored, EngineError> {
        match self.find(tx, want, on)? {
            Known::Entitlement(stored) if stored.entitlement.kind == Kind::Count => Ok(stored),
            Known::Entitlement(_) | Known::Credits(..) => Err(EngineError::invalid(
                "/feature",
                "not_a_count",
                format!("{} is not held, so nothing can be given back or set", want.feature),
                "name a feature of type \"count\"",
            )),
            Known::Unknown => Err(EngineError::invalid(
                "/feature",
                "unknown_feature",
                format!("the catalog has no feature {:?}", want.feature),
                "name a feature of the catalog; GET /v1/catalog lists them",
            )),
        }
    }

    /// What is known of the feature, locked. A feature that a newer catalog brought is given to
    /// the customer here, when the job that does so for everybody has not come by yet; one that
    /// the catalog no longer has is unknown, whatever is stored of it.
    fn find(
        &self,
        tx: &mut Tx<'_>,
        want: &Want,
        on: (&Catalog, Timestamp),
    ) -> Result<Known, EngineError> {
        let of = (&want.customer, want.feature.as_str());
        match on.0.features.get(&want.feature) {
            None => self.unknown_feature(tx, want),
            Some(Feature::Credits(feature)) => {
                let mut account = credit_rows::lock(tx, of.0, of.1)?;
                if account.is_none() {
                    self.give_new_features(tx, of.0, on)?;
                    account = credit_rows::lock(tx, of.0, of.1)?;
                }
                Ok(account.map_or(Known::Unknown, |it| Known::Credits(it, feature.clone())))
            }
            Some(_) => {
                let stored = self.lock_or_give(tx, of, on)?;
                Ok(stored.map_or(Known::Unknown, Known::Entitlement))
            }
        }
    }

    fn lock_or_give(
        &self,
        tx: &mut Tx<'_>,
        (customer, feature): (&CustomerId, &str),
        on: (&Catalog, Timestamp),
    ) -> Result<Option<Stored>, EngineError> {
        if let Some(stored) = entitlements::lock(tx, customer, feature)? {
            return Ok(Some(stored));
        }
        self.give_new_features(tx, customer, on)?;
        Ok(entitlements::lock(tx, customer, feature)?)
    }

    fn give_new_features(
        &self,
        tx: &mut Tx<'_>,
        id: &CustomerId,
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<(), EngineError> {
        let missing = || EngineError::no_customer(id);
        let customer = customers::lock(tx, id)?.ok_or_else(missing)?;
        materialize(tx, catalog, &customer, false, now)
    }

    /// The same without locks and without writing.
    fn peek(
        &self,
        tx: &mut Tx<'_>,
        want: &Want,
        (catalog, now): (&Catalog, Timestamp),
    ) -> Result<Known, EngineError> {
        match catalog.features.get(&want.feature) {
            None => self.unknown_feature(tx, want),
            Some(Feature::Credits(feature)) => {
                let accounts = credit_rows::of_customer(tx, &want.customer)?;
                let account = accounts.into_iter().find(|account| account.credit == want.feature);
                let account = account.unwrap_or_else(|| Account::fresh(&want.feature));
                Ok(Known::Credits(account, feature.clone()))
            }
            Some(_) => {
                let rows = entitlements::of_customer(tx, &want.customer)?;
                if let Some(stored) = rows.into_iter().find(|row| row.feature == want.feature) {
                    return Ok(Known::Entitlement(stored));
                }
                let missing = || EngineError::no_customer(&want.customer);
                let customer = customers::find(tx, &want.customer)?.ok_or_else(missing)?;
                let revision = customer.revision;
                let right = rights(tx, catalog, &customer, now)?.remove(&want.feature);
                Ok(right.map_or(Known::Unknown, |entitlement| {
                    let feature = want.feature.clone();
                    Known::Entitlement(Stored { feature, entitlement, revision, version: 0 })
                }))
            }
        }
    }

    fn unknown_feature(&self, tx: &mut Tx<'_>, want: &Want) -> Result<Known, EngineError> {
        let customer = customers::find(tx, &want.customer)?;
        customer.map(|_| Known::Unknown).ok_or_else(|| EngineError::no_customer(&want.customer))
    }
}

fn check_amount(amount: i64) -> Result<(), EngineError> {
    if (1..=AMOUNT_MAX).contains(&amount) { Ok(()) } else { Err(amount_error("/amount", "1")) }
}

fn amount_error(pointer: &str, least: &str) -> EngineError {
    EngineError::invalid(
        pointer,
        "invalid_amount",
        format!("the amount is not between {least} and {AMOUNT_MAX}"),
        format!("send a whole number from {least} to {AMOUNT_MAX}"),
    )
}

/// The plan in force, for naming the next better one. Errors: the customer is gone.
fn plan(tx: &mut Tx<'_>, want: &Want) -> Result<String, EngineError> {
    let customer = customers::find(tx, &want.customer)?;
    customer.map(|it| it.plan).ok_or_else(|| EngineError::no_customer(&want.customer))
}

fn cost(want: &Want, feature: &CreditFeature) -> Result<i64, EngineError> {
    let Some(operation) = &want.operation else {
        return Ok(want.amount);
    };
    let each = feature.cost.get(operation).ok_or_else(|| {
        let known: Vec<&str> = feature.cost.keys().map(String::as_str).collect();
        EngineError::invalid(
            "/operation",
            "unknown_operation",
            format!("{} has no operation {operation:?}", want.feature),
            format!("use one of: {}", known.join(", ")),
        )
    })?;
    let cost = each.checked_mul(want.amount).filter(|cost| *cost <= AMOUNT_MAX);
    cost.ok_or_else(|| amount_error("/amount", "1"))
}

fn may_spend(account: &Account, grants: &[Grant], cost: i64, now: Timestamp) -> Code {
    if account.access == Access::ReadOnly {
        Code::ReadOnly
    } else if account.paused || 0 < account.debt {
        Code::SpendingPaused
    } else if credits::spendable(grants, now) < cost {
        Code::CreditsEmpty
    } else {
        Code::Ok
    }
}

fn unknown(want: &Want) -> Answer {
    Answer {
        allowed: false,
        code: Code::UnknownFeature,
        feature: want.feature.clone(),
        limit: Some(0),
        used: 0,
        remaining: Some(0),
        resets_at: None,
        upgrade_to: None,
        message: format!(
            "The catalog has no feature {:?}: check its name, or add it and apply the catalog.",
            want.feature
        ),
        revision: 0,
    }
}

fn answer(
    catalog: &Catalog,
    want: &Want,
    code: Code,
    entitlement: &Entitlement,
    (revision, plan): (i64, String),
) -> Answer {
    let needed = if entitlement.is_counted() {
        entitlement.used.saturating_add(want.amount)
    } else {
        want.amount
    };
    let upgrade_to = upgrade(catalog, want, code, (needed, &plan));
    let message = crate::state::sentence(code, want, entitlement, upgrade_to.as_deref(), catalog);
    Answer {
        allowed: code.allowed(),
        code,
        feature: want.feature.clone(),
        limit: entitlement.limit,
        used: entitlement.used,
        remaining: entitlement.remaining(),
        resets_at: entitlement.window.map(|window| window.end),
        upgrade_to,
        message,
        revision,
    }
}

fn upgrade(
    catalog: &Catalog,
    want: &Want,
    code: Code,
    (needed, plan): (i64, &str),
) -> Option<String> {
    let helps = matches!(
        code,
        Code::LimitReached | Code::NotInPlan | Code::CreditsEmpty | Code::OverageCap
    );
    let found = helps.then(|| catalog.upgrade_for(&want.feature, needed, plan)).flatten();
    found.map(str::to_owned)
}

fn credits_answer(
    catalog: &Catalog,
    want: &Want,
    code: Code,
    (account, grants, now): (&Account, &[Grant], Timestamp),
    plan: &str,
) -> Answer {
    let balance = credits::spendable(grants, now);
    let upgrade_to = upgrade(catalog, want, code, (want.amount, plan));
    let message =
        crate::state::credits_sentence(code, want, balance, upgrade_to.as_deref(), catalog);
    Answer {
        allowed: code.allowed(),
        code,
        feature: want.feature.clone(),
        limit: None,
        used: 0,
        remaining: Some(balance),
        resets_at: None,
        upgrade_to,
        message,
        revision: account.revision,
    }
}
