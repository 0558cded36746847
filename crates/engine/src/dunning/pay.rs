//! One try to be paid: an intent before it, its outcome after it.
//!
//! The intent's key is made of the invoice and the number of the try, and the intent is the
//! customer's lock: two tries cannot run at once, nor a try and a change of plan. When the answer is
//! lost the invoice is looked at, and if it is still unpaid the same call is sent under the same key,
//! which the provider answers as it did the first time.

use farthing_core::ids::IdKind;
use farthing_core::snapshot::{InvoiceStatus, Snapshot};
use farthing_core::subscription::Status;
use farthing_core::time::Timestamp;
use farthing_providers::CallError;
use farthing_providers::stripe::Subject;
use farthing_store::customers::{self, Customer};
use farthing_store::dunning::{self, Case};
use farthing_store::intents::{self, Inserted, Intent, NewIntent};
use farthing_store::subscriptions::{self, Stored};
use farthing_store::{Tx, invoices};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::absorb::Sighting;
use crate::changes::in_progress;
use crate::follow_up::Change;
use crate::jobs::Job;
use crate::{Call, Engine, EngineError};

/// The kind of an intent to be paid.
pub(crate) const PAY: &str = "invoice.pay";
/// For how long the provider keeps its answer under a key, less an hour, in seconds.
const KEY_LASTS: i64 = 23 * 3_600;
/// How long after a lost answer the provider is asked, in seconds.
const RESOLVE_AFTER: i64 = 20;

/// What makes us try.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum By {
    /// The catalog's schedule.
    Retry,
    /// A new card.
    NewCard,
    /// Somebody.
    Asked,
}

/// What is stored with an intent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pay {
    /// Our id of the subscription.
    pub(super) subscription: String,
    /// The provider's id of the invoice.
    pub(super) invoice: String,
    case: Option<String>,
    by: By,
}

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It is paid.
    Paid,
    /// The bank said no, for this reason in the provider's words.
    Refused { code: String, decline_code: Option<String> },
}

impl Engine {
    /// Makes the try that is due, if it still is.
    pub(crate) fn dunning_retry(
        &self,
        call: &Call,
        id: &str,
        due: Timestamp,
    ) -> Result<(), EngineError> {
        let (call2, id) = (call.clone(), id.to_owned());
        let intent = self.write(move |engine, tx| {
            let Some((customer, stored)) = engine.owner_of(tx, &id)? else {
                return Ok(None);
            };
            let case = dunning::open_of(tx, &stored.customer, &id)?;
            let Some(case) = case.filter(|case| case.next_retry_at == Some(due)) else {
                return Ok(None);
            };
            let owed = invoices::newest_owed(tx, &stored.customer, &id)?;
            let (Some(owed), Status::Active) = (owed, stored.subscription.status) else {
                return Ok(None);
            };
            engine.reachable()?;
            let by = match is_planned(engine, tx, &case, due)? {
                true => By::Retry,
                false => By::NewCard,
            };
            let whose = (&customer, &stored, Some(case));
            engine.begin_pay(tx, &call2, whose, (&owed.provider_id, by)).map(Some)
        })?;
        match intent {
            Some(intent) => self.get_paid(call, &intent).map(drop),
            None => Ok(()),
        }
    }

    /// A subscription with its customer, who is locked.
    pub(super) fn owner_of(
        &self,
        tx: &mut Tx<'_>,
        id: &str,
    ) -> Result<Option<(Customer, Stored)>, EngineError> {
        let Some(owner) = subscriptions::find(tx, id)?.map(|stored| stored.customer) else {
            return Ok(None);
        };
        let customer = customers::lock(tx, &owner)?;
        Ok(customer.zip(subscriptions::find(tx, id)?))
    }

    /// Stores the intent to be paid. Errors: the customer's lock is taken.
    pub(super) fn begin_pay(
        &self,
        tx: &mut Tx<'_>,
        call: &Call,
        (customer, stored, case): (&Customer, &Stored, Option<Case>),
        (invoice, by): (&str, By),
    ) -> Result<Intent, EngineError> {
        if let Some(open) = intents::open_change(tx, &customer.id)? {
            return Err(in_progress(&open));
        }
        let now = self.now();
        let intent_id = self.new_id(IdKind::Intent);
        let attempt = case.as_ref().map(|case| case.attempts + 1);
        let key = match attempt {
            Some(attempt) => format!("farthing:pay:{invoice}:{attempt}"),
            None => format!("farthing:pay:{invoice}:{intent_id}"),
        };
        let (subscription, case_id) = (stored.id.clone(), case.as_ref().map(|it| it.id.clone()));
        let pay = Pay { subscription, invoice: invoice.to_owned(), case: case_id, by };
        let new = NewIntent {
            id: intent_id.clone(),
            customer: Some(customer.id.clone()),
            kind: PAY.to_owned(),
            is_change: true,
            idempotency_key: key,
            request: serde_json::to_string(&pay).expect("a payment to make is plain data"),
            created_at: now,
        };
        match intents::insert(tx, &new)? {
            Inserted::Inserted => {}
            Inserted::Same(open) | Inserted::ChangeInProgress(open) => {
                return Err(in_progress(&open));
            }
        }
        if let Some(case) = case {
            let next_retry_at = case.next_retry_at.filter(|due| now < *due);
            let attempts = case.attempts + 1;
            let tried_at = Some(now);
            dunning::save(tx, &Case { attempts, next_retry_at, tried_at, ..case })?;
        }
        let job = Job::ResolveIntent { intent: intent_id.clone() };
        self.enqueue(tx, &job, now.plus_seconds(RESOLVE_AFTER))?;
        let to = json!({ "subscription": stored.id, "attempt": attempt, "by": by });
        let action = "payment.retried";
        let change = Change { action, from: None, to: Some(to), effective_at: now };
        self.record(tx, call, customer, &change)?;
        let missing = || EngineError::NotFound { what: "intent", id: intent_id.clone() };
        intents::get(tx, &intent_id)?.ok_or_else(missing)
    }

    /// Looks whether it is paid, tries once if it is not, and absorbs what is there afterwards.
    pub(crate) fn get_paid(&self, call: &Call, intent: &Intent) -> Result<Tried, EngineError> {
        let pay = parse(intent)?;
        let tried = match self.try_once(intent, &pay) {
            Ok(tried) => tried,
            Err(error) => return Err(self.answer_lost(intent, &error)?),
        };
        let fetch = self.next_fetch()?;
        let snapshots = match self.stripe()?.fetch(&Subject::Invoice(pay.invoice.clone())) {
            Ok(snapshots) => snapshots,
            Err(error) => return Err(self.answer_lost(intent, &error)?),
        };
        let paid = is_paid(&snapshots);
        let tried = if paid { Tried::Paid } else { tried };
        let (call, intent, pay, told) = (call.clone(), intent.clone(), pay, tried.clone());
        self.write(move |engine, tx| {
            let sighting = Sighting { snapshots: snapshots.clone(), fetch };
            engine.note_refusal(tx, &intent, (&pay, &told))?;
            engine.absorb(tx, &call, &sighting)?;
            let response = match &told {
                Tried::Paid => "{}".to_owned(),
                Tried::Refused { code, decline_code } => {
                    json!({ "code": code, "decline_code": decline_code }).to_string()
                }
            };
            let refused = told != Tried::Paid;
            let closed = intents::close(tx, &intent.new.id, refused, &response, engine.now())?;
            if let (true, false, Some(case), Some(customer)) =
                (closed, refused, &pay.case, &intent.new.customer)
            {
                let by = match pay.by {
                    By::Retry => "retry",
                    By::NewCard => "new_card",
                    By::Asked => "asked",
                };
                dunning::recovered_by(tx, customer, case, by)?;
            }
            if closed && refused && matches!(pay.by, By::Retry | By::NewCard) {
                engine.mail_own_retry(tx, &pay.subscription, &intent.new.id)?;
            }
            Ok(())
        })?;
        Ok(tried)
    }

    fn try_once(&self, intent: &Intent, pay: &Pay) -> Result<Tried, CallError> {
        let Some(stripe) = &self.inner.stripe else {
            return Err(CallError::Unavailable("no provider is configured".to_owned()));
        };
        let refused = |code: &str| Tried::Refused { code: code.to_owned(), decline_code: None };
        match stripe.fetch_invoice(&pay.invoice)?.status {
            InvoiceStatus::Open | InvoiceStatus::Uncollectible => {}
            InvoiceStatus::Paid => return Ok(Tried::Paid),
            InvoiceStatus::Draft | InvoiceStatus::Void | InvoiceStatus::Other(_) => {
                return Ok(refused("not_open"));
            }
        }
        // The key is forgotten by now: sending it again could be a second try.
        if intent.new.created_at.plus_seconds(KEY_LASTS) <= self.now() {
            return Ok(refused("outcome_unknown"));
        }
        match stripe.pay_invoice(&pay.invoice, &intent.new.idempotency_key) {
            Ok(_) => Ok(Tried::Paid),
            Err(CallError::Refused { code, decline_code, .. }) => {
                Ok(Tried::Refused { code, decline_code })
            }
            Err(error) => Err(error),
        }
    }

    /// Keeps why a try was refused, for what the invoice itself does not say.
    fn note_refusal(
        &self,
        tx: &mut Tx<'_>,
        intent: &Intent,
        (pay, tried): (&Pay, &Tried),
    ) -> Result<(), EngineError> {
        let (Tried::Refused { code, decline_code }, Some(customer)) = (tried, &intent.new.customer)
        else {
            return Ok(());
        };
        customers::lock(tx, customer)?;
        let Some(case) = dunning::open_of(tx, customer, &pay.subscription)? else {
            return Ok(());
        };
        let said = decline_code.clone().unwrap_or_else(|| match code.as_str() {
            "resource_missing" | "parameter_invalid_empty" | "invalid_request_error" => {
                "no_payment_method".to_owned()
            }
            other => other.to_owned(),
        });
        Ok(dunning::save(tx, &Case { decline_code: Some(said), ..case })?)
    }

    /// The answer was lost, or the provider is away: the lock stays until it has been asked.
    fn answer_lost(&self, intent: &Intent, error: &CallError) -> Result<EngineError, EngineError> {
        let id = intent.new.id.clone();
        self.write(move |engine, tx| {
            intents::mark_unknown(tx, &id, engine.now())?;
            Ok(())
        })?;
        Ok(error.clone().into())
    }
}

/// Whether `due` is an instant of the catalog's schedule, or a card's.
fn is_planned(
    engine: &Engine,
    tx: &mut Tx<'_>,
    case: &Case,
    due: Timestamp,
) -> Result<bool, EngineError> {
    let (_, catalog) = engine.catalog(tx)?;
    let before = due.plus_seconds(-1);
    let planned = farthing_core::decline::next_retry(&catalog.dunning, case.started_at, before);
    Ok(planned == Some(due))
}

fn is_paid(snapshots: &[Snapshot]) -> bool {
    snapshots.iter().any(|snapshot| match snapshot {
        Snapshot::Invoice(invoice) => invoice.status == InvoiceStatus::Paid,
        _ => false,
    })
}

fn parse(intent: &Intent) -> Result<Pay, EngineError> {
    serde_json::from_str(&intent.new.request).map_err(|_| {
        EngineError::refused("unknown_intent", "this version does not know this intent; upgrade")
    })
}
