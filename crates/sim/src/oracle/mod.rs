//! The oracle: what must be, predicted from what the provider has and what the app was promised.
//!
//! It shares no code with the engine: its own calendar, its own reading of the catalog, its own
//! account of windows and credits. Farthing says *when* it learned of something (the events that
//! it has for the app); *what* that is, the oracle reads at the provider. Then both are compared,
//! customer by customer, after every step, and with everything the provider has at the end.

mod account;
pub mod calendar;
mod judge;
pub mod terms;

use std::collections::{BTreeMap, BTreeSet};

use farthing_engine::state::State;
use serde_json::Value;

use crate::truth::Truth;
use account::{Account, Paid};
use terms::{Kind, Terms};

/// One event that Farthing has for the app.
#[derive(Clone, Debug)]
pub struct Told {
    /// Whose.
    pub customer: String,
    /// Such as `subscription.renewed`.
    pub kind: String,
    /// What it says.
    pub data: Value,
    /// When, on Farthing's clock, in microseconds.
    pub at: i64,
}

/// What must be.
pub struct Oracle {
    terms: Terms,
    accounts: BTreeMap<String, Account>,
    /// Invoices that had their effect, and the packs' checkouts.
    counted: BTreeSet<String>,
}

impl Oracle {
    /// An oracle for a valid catalog. Errors: it cannot be read.
    pub fn new(catalog: &str) -> Result<Self, String> {
        let terms = Terms::read(catalog)?;
        Ok(Self { terms, accounts: BTreeMap::new(), counted: BTreeSet::new() })
    }

    /// Who is known.
    pub fn customers(&self) -> impl Iterator<Item = &String> {
        self.accounts.keys()
    }

    /// Hears of an event; what is wrong with it, if anything is.
    pub fn hear(&mut self, told: &Told, truth: &mut Truth) -> Result<(), String> {
        if told.kind == "customer.created" {
            let account = Account::new(&self.terms, told.at);
            let before = self.accounts.insert(told.customer.clone(), account);
            return before.map_or(Ok(()), |_| Err("was created twice".to_owned()));
        }
        let Some(mut account) = self.accounts.remove(&told.customer) else { return Ok(()) };
        account.pass(&self.terms, told.at);
        let heard = self.change(&mut account, told, truth);
        self.accounts.insert(told.customer.clone(), account);
        heard
    }

    fn change(
        &mut self,
        account: &mut Account,
        told: &Told,
        truth: &mut Truth,
    ) -> Result<(), String> {
        let sub = told.data["subscription"].as_str().unwrap_or_default().to_owned();
        let other = account.running.as_ref().is_some_and(|running| running.id != sub);
        let (terms, at) = (&self.terms, told.at);
        match told.kind.as_str() {
            "trial.started" => {
                let trial = trial_of(truth, &told.customer)?;
                account.trial(terms, &sub, &trial, at);
            }
            "subscription.activated" | "trial.converted" | "subscription.changed" => {
                let paid = self.paid(told, truth)?;
                account.paid(&self.terms, &sub, &paid, (true, at));
            }
            "subscription.renewed" => {
                let paid = self.paid(told, truth)?;
                account.paid(&self.terms, &sub, &paid, (false, at));
            }
            "subscription.paid_late" => {
                let paid = self.paid(told, truth)?;
                if !other {
                    account.paid_late(&self.terms, &sub, &paid);
                }
            }
            "credits.granted" => self.pack(account, told, truth)?,
            "trial.ended" if !other => account.ended(terms, true, at),
            "subscription.ended" if !other => account.ended(terms, false, at),
            "dunning.exhausted" if !other => self.give_up(account, at)?,
            "subscription.paused" if !other => account.paused(terms, true, at),
            "subscription.resumed" if !other => account.paused(terms, false, at),
            "subscription.past_due" if !other => {
                (account.standing, account.overdue_since) = ("past_due", at);
            }
            "dunning.access_limited" if !other => {
                let days = (at - account.overdue_since) / 86_400_000_000;
                account.standing = "read_only";
                if days < self.terms.dunning_days.0 {
                    return Err(format!("access was limited after {days} days"));
                }
            }
            "subscription.recovered" if !other => account.standing = "good",
            _ => {}
        }
        Ok(())
    }

    fn give_up(&self, account: &mut Account, at: i64) -> Result<(), String> {
        let days = (at - account.overdue_since) / 86_400_000_000;
        account.given_up(&self.terms, at);
        match days < self.terms.dunning_days.1 {
            true => Err(format!("was given up after {days} days")),
            false => Ok(()),
        }
    }

    /// What an event says was paid, as the provider has it. Errors: it was not, or not that.
    fn paid(&mut self, told: &Told, truth: &mut Truth) -> Result<Paid, String> {
        let id = told.data["invoice"].as_str().ok_or("names no invoice")?.to_owned();
        let paid = paid_of(truth, &truth.get(&format!("/v1/invoices/{id}")))
            .ok_or_else(|| format!("was given something for {id}, which is not paid"))?;
        if !self.counted.insert(id.clone()) {
            return Err(format!("was given something twice for {id}"));
        }
        Ok(paid)
    }

    fn pack(
        &mut self,
        account: &mut Account,
        told: &Told,
        truth: &mut Truth,
    ) -> Result<(), String> {
        let (Some(pack), Some(checkout)) =
            (told.data["pack"].as_str(), told.data["checkout"].as_str())
        else {
            return Ok(());
        };
        if !self.counted.insert(checkout.to_owned()) {
            return Err(format!("was given a pack twice for {checkout}"));
        }
        let paid = truth.sessions(&told.customer).iter().any(|session| {
            session["metadata"]["farthing_checkout"] == checkout
                && session["payment_status"] == "paid"
        });
        if !paid {
            return Err(format!("was given a pack for {checkout}, which is not paid"));
        }
        account.pack(&self.terms, pack, told.at);
        Ok(())
    }

    /// Whether somebody may take that now; it is taken.
    pub fn take(&mut self, customer: &str, feature: &str, amount: i64, now: i64) -> bool {
        let Some(account) = self.accounts.get_mut(customer) else { return false };
        account.pass(&self.terms, now);
        account.take(&self.terms, feature, amount, now)
    }

    /// Somebody gives something back.
    pub fn give_back(&mut self, customer: &str, feature: &str, amount: i64) {
        if let Some(account) = self.accounts.get_mut(customer) {
            account.give_back(feature, amount);
        }
    }

    /// How Farthing's state of a customer differs from what must be.
    pub fn compare(&mut self, customer: &str, state: &State, now: i64) -> Vec<String> {
        let Some(account) = self.accounts.get_mut(customer) else {
            return vec!["is known to nobody".to_owned()];
        };
        account.pass(&self.terms, now);
        let mut found = Vec::new();
        let mut differs = |what: String, ours: String, must: String| {
            if ours != must {
                found.push(format!("{what} is {ours} and must be {must}"));
            }
        };
        differs("plan".to_owned(), state.plan.clone(), account.plan.clone());
        differs("standing".to_owned(), state.standing.to_owned(), account.standing.to_owned());
        for (feature, kind) in &self.terms.features {
            if let Kind::Credits(..) = kind {
                let balance = account.balance(feature, now).to_string();
                let held = state.credits.get(feature).map_or(0, |held| held.balance);
                differs(format!("balance of {feature}"), held.to_string(), balance);
                continue;
            }
            let must = account.use_of(&self.terms, feature, now);
            let Some(held) = state.features.get(feature) else { continue };
            differs(
                format!("{feature} included"),
                held.included.to_string(),
                must.is_some().to_string(),
            );
            let Some((limit, used)) = must else { continue };
            let limited = held.grace_until.is_none() && (self.terms.strict || *kind != Kind::Count);
            if limited {
                differs(
                    format!("limit of {feature}"),
                    format!("{:?}", held.limit),
                    format!("{limit:?}"),
                );
            }
            if matches!(kind, Kind::Count | Kind::Monthly | Kind::Daily(true)) {
                let until = held.resets_at.map(|at| format!(" until {at}")).unwrap_or_default();
                differs(
                    format!("use{until} of {feature}"),
                    held.used.to_string(),
                    used.to_string(),
                );
            }
        }
        found
    }
}

/// The trial that a customer is on, as the provider has it.
fn trial_of(truth: &mut Truth, customer: &str) -> Result<Paid, String> {
    let subs = truth.subscriptions(customer);
    let trial = subs.iter().find(|sub| sub["status"] == "trialing");
    let trial = trial.ok_or("was given a trial that the provider does not have")?;
    let price = trial["items"]["data"][0]["price"]["id"].as_str().unwrap_or_default();
    let price = truth.price(price).ok_or("has a price that nobody knows")?;
    let second = |key: &str| trial[key].as_i64().unwrap_or_default() * 1_000_000;
    Ok(Paid {
        invoice: String::new(),
        plan: price.item,
        yearly: price.yearly,
        period: (second("trial_start"), second("trial_end")),
        prorated: false,
        anchor: second("billing_cycle_anchor"),
    })
}

/// What a paid invoice of a subscription is for; `None`: it is not paid, or for nothing.
fn paid_of(truth: &mut Truth, invoice: &Value) -> Option<Paid> {
    if invoice["status"] != "paid" {
        return None;
    }
    let lines = invoice["lines"]["data"].as_array()?;
    let prorated = |line: &Value| {
        line["parent"]["subscription_item_details"]["proration"] == Value::Bool(true)
    };
    let amount = |line: &Value| line["amount"].as_i64().unwrap_or_default();
    let whole = lines.iter().filter(|line| !prorated(line) && 0 < amount(line));
    let whole = whole.max_by_key(|line| amount(line));
    let part = lines.iter().filter(|line| prorated(line) && 0 < amount(line));
    let line = whole.or_else(|| part.max_by_key(|line| amount(line)))?;
    let price = truth.price(line["pricing"]["price_details"]["price"].as_str()?)?;
    let sub = invoice["parent"]["subscription_details"]["subscription"].as_str()?;
    let sub = truth.get(&format!("/v1/subscriptions/{sub}"));
    let second = |value: &Value| value.as_i64().unwrap_or_default() * 1_000_000;
    Some(Paid {
        invoice: invoice["id"].as_str()?.to_owned(),
        plan: price.item,
        yearly: price.yearly,
        period: (second(&line["period"]["start"]), second(&line["period"]["end"])),
        prorated: prorated(line),
        anchor: second(&sub["billing_cycle_anchor"]),
    })
}
