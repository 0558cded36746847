//! Scenarios by name, from Rust ([`World::scenario`]) and over HTTP (`POST /_scenario/{name}`).
//!
//! [`SCENARIOS`] is the one list of them. Parameters are texts, as a form has them.

use serde_json::{Value, json};

use super::World;
use super::faults::{CallFault, WebhookFault};
use super::table::Row;
use crate::error::ApiError;
use crate::request::{Request, Response};

/// Every scenario: its name, its parameters (`?` may be left out), and what it does.
pub const SCENARIOS: &[(&str, &str, &str)] = &[
    ("webhook_lost", "type? times?", "the next events of a type are never delivered"),
    ("webhook_late", "type? times? seconds", "they are delivered so many seconds later"),
    ("webhook_twice", "type? times?", "they are delivered two times"),
    ("webhook_other_id", "type? times?", "and the same facts again under other event ids"),
    ("webhooks_reversed", "on?", "what is due together is delivered newest first"),
    ("lost_after", "call? times?", "calls act, and their answers never arrive"),
    ("lost_before", "call? times?", "calls never arrive"),
    ("fails_after", "call? times?", "calls act and answer 500, kept for their idempotency keys"),
    ("fails_before", "call? times?", "calls answer 500, kept likewise, without acting"),
    ("rate_limited", "call? times? seconds?", "calls answer 429 with Retry-After"),
    ("stale_lists", "seconds", "lists leave out what is younger; 0 ends it"),
    ("card_fails", "payment_method decline_code?", "a saved card declines from now on"),
    ("card_heals", "payment_method", "and pays again"),
    ("dispute", "charge", "the bank takes a charge back now"),
    ("dispute_won", "dispute", "the bank decides a dispute for us, and the money comes back"),
    ("dispute_lost", "dispute", "the bank decides a dispute against us"),
    ("refund_fails", "refund", "a refund that had succeeded fails now"),
    ("portal_cancel", "subscription", "the customer asks for the end in the portal"),
    ("portal_resume", "subscription", "and takes it back there"),
    ("portal_switch", "subscription price when?", "and switches there: when=now or period_end"),
    ("calm", "", "no fault is left; broken cards stay broken"),
];

/// `times=all`.
const ALWAYS: u64 = u64::MAX;

impl World {
    /// Sets the scenario `name` up; `params` are names and values as in [`SCENARIOS`].
    ///
    /// Errors: an unknown name, a parameter that is missing or not of its kind, or an object that
    /// does not exist, in words. Nothing was changed then.
    pub fn scenario(&mut self, name: &str, params: &[(&str, &str)]) -> Result<(), String> {
        let Some((_, takes, _)) = SCENARIOS.iter().find(|(known, _, _)| *known == name) else {
            let names: Vec<&str> = SCENARIOS.iter().map(|(name, _, _)| *name).collect();
            return Err(format!("There is no scenario {name:?}. There are: {}.", names.join(", ")));
        };
        let given = Given::read(name, takes, params)?;
        let call = given.text("call");
        let kind = given.text("type");
        let times = given.times()?;
        let faults = &mut self.meta.faults;
        match name {
            "webhook_lost" => faults.plan_webhook(WebhookFault::Lost, kind, times),
            "webhook_late" => {
                faults.plan_webhook(WebhookFault::Late(given.seconds(60)?), kind, times);
            }
            "webhook_twice" => faults.plan_webhook(WebhookFault::Twice, kind, times),
            "webhook_other_id" => faults.plan_webhook(WebhookFault::OtherId, kind, times),
            "webhooks_reversed" => faults.reverse_webhooks(given.text("on") != "false"),
            "lost_after" => faults.plan_call(CallFault::LostAfter, call, times),
            "lost_before" => faults.plan_call(CallFault::LostBefore, call, times),
            "fails_after" => faults.plan_call(CallFault::Fails { acted: true }, call, times),
            "fails_before" => faults.plan_call(CallFault::Fails { acted: false }, call, times),
            "rate_limited" => {
                let retry_after = given.seconds(1)?;
                faults.plan_call(CallFault::RateLimited { retry_after }, call, times);
            }
            "stale_lists" => faults.lag_lists(given.seconds(0)?),
            "calm" => faults.clear(),
            _ => return self.happen(name, &given),
        }
        Ok(())
    }

    /// Scenarios that do something to an object.
    fn happen(&mut self, name: &str, given: &Given) -> Result<(), String> {
        let method = given.text("payment_method");
        let subscription = given.text("subscription");
        let (charge, refund) = (given.text("charge"), given.text("refund"));
        let words = |error: ApiError| error.message().to_owned();
        match name {
            "card_fails" => {
                self.retrieve_payment_method(method).map_err(words)?;
                let word = Some(given.text("decline_code")).filter(|word| !word.is_empty());
                let word = word.unwrap_or("generic_decline");
                if super::cards::decline_named(word).is_none() {
                    return Err(format!("The sandbox does not know the decline code {word:?}."));
                }
                self.break_card(method, word);
            }
            "card_heals" => {
                self.retrieve_payment_method(method).map_err(words)?;
                self.break_card(method, "");
            }
            "dispute" => {
                self.retrieve_charge(charge).map_err(words)?;
                self.open_dispute(charge, "fraudulent");
            }
            "dispute_won" | "dispute_lost" => {
                let dispute = given.text("dispute");
                self.decide_dispute(dispute, name == "dispute_won").map_err(words)?;
            }
            "portal_cancel" => self.portal_cancel(subscription).map_err(words)?,
            "portal_resume" => self.portal_resume(subscription).map_err(words)?,
            "portal_switch" => {
                let later = given.text("when") == "period_end";
                self.portal_switch(subscription, given.text("price"), later).map_err(words)?;
            }
            _ => {
                self.retrieve_refund(refund).map_err(words)?;
                self.fail_refund(refund);
            }
        }
        Ok(())
    }

    /// The newest object of the parameter's `kind` (`charge`, `refund`, `dispute`, `subscription` or
    /// `payment_method`) that belongs to a customer; `None`: there is none.
    pub fn newest(&self, kind: &str, customer: &str) -> Option<String> {
        let of_charge = |charge: &Value| {
            let charge = self.charges.get(charge.as_str().unwrap_or_default());
            charge.is_some_and(|charge| charge.customer.as_deref() == Some(customer))
        };
        match kind {
            "charge" => {
                let mut all = self.charges.newest_first();
                all.find(|it| {
                    let shown = self.retrieve_charge(it.id()).unwrap_or_default();
                    it.customer.as_deref() == Some(customer) && shown["paid"] == true
                })
                .map(|it| it.id().to_owned())
            }
            "refund" => {
                let mut all = self.refunds.newest_first();
                all.find(|it| {
                    of_charge(&self.retrieve_refund(it.id()).unwrap_or_default()["charge"])
                })
                .map(|it| it.id().to_owned())
            }
            "dispute" => {
                let mut all = self.disputes.newest_first();
                all.find(|it| {
                    of_charge(&self.retrieve_dispute(it.id()).unwrap_or_default()["charge"])
                })
                .map(|it| it.id().to_owned())
            }
            "subscription" => {
                let mut all = self.subscriptions.newest_first();
                all.find(|it| it.customer == customer).map(|it| it.id().to_owned())
            }
            _ => {
                let mut all = self.payment_methods.newest_first();
                all.find(|it| it.customer.as_deref() == Some(customer)).map(|it| it.id().to_owned())
            }
        }
    }

    /// `GET /_scenario` lists the scenarios; `POST /_scenario/{name}` sets one up.
    pub(super) fn scenario_call(&mut self, name: &str, request: &Request) -> Response {
        let answer = |status, body: Value| Response {
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_string().into_bytes(),
        };
        if request.method != "POST" {
            let list = SCENARIOS.iter().map(
                |(name, takes, does)| json!({"name": name, "parameters": takes, "does": does}),
            );
            return answer(200, json!({"scenarios": list.collect::<Vec<_>>()}));
        }
        let pairs = match request.pairs() {
            Ok(pairs) => pairs,
            Err(error) => return answer(400, error.body()),
        };
        let params: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        match self.scenario(name, &params) {
            Ok(()) => answer(200, json!({"scenario": name})),
            Err(message) => answer(400, json!({"error": {"message": message}})),
        }
    }
}

/// The parameters of a scenario.
struct Given<'a>(&'a [(&'a str, &'a str)]);

impl<'a> Given<'a> {
    fn read(
        name: &str,
        takes: &str,
        params: &'a [(&'a str, &'a str)],
    ) -> Result<Given<'a>, String> {
        let known =
            |param: &str| takes.split(' ').any(|known| known.trim_end_matches('?') == param);
        if let Some((unknown, _)) = params.iter().find(|(param, _)| !known(param)) {
            return Err(format!("{name} has no parameter {unknown:?}. It takes: {takes}."));
        }
        let given = Given(params);
        let needed = takes.split(' ').filter(|known| !known.is_empty() && !known.ends_with('?'));
        for param in needed {
            if given.text(param).is_empty() {
                return Err(format!("{name} needs {param:?}. It takes: {takes}."));
            }
        }
        Ok(given)
    }

    fn text(&self, name: &str) -> &'a str {
        self.0.iter().find(|(param, _)| *param == name).map_or("", |(_, value)| value)
    }

    fn times(&self) -> Result<u64, String> {
        match self.text("times") {
            "" => Ok(1),
            "all" => Ok(ALWAYS),
            number => number.parse().map_err(|_| format!("times={number}: a number, or all.")),
        }
    }

    fn seconds(&self, otherwise: u32) -> Result<u32, String> {
        match self.text("seconds") {
            "" => Ok(otherwise),
            number => number.parse().map_err(|_| format!("seconds={number}: a whole number.")),
        }
    }
}
