//! What customers do, and what goes wrong, when its time comes.

use farthing_core::catalog::Feature;
use farthing_core::change::Command;
use farthing_core::ids::CustomerId;
use farthing_core::time::Interval;
use farthing_engine::Call;
use farthing_engine::access::Want;
use farthing_engine::checkouts::{Buy, CheckoutView, Purchase};
use farthing_engine::customers::Profile;
use farthing_engine::state::State;
use farthing_sandbox::{Request, WebhookFault};

use crate::line::{form, lock};
use crate::script::{Act, Amount, CardKind, Fault, What};
use crate::world::{Failure, No, PAGES, World};

/// Cards that pay; a trial is given once for each.
const CARDS: [&str; 6] = [
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "378282246310005",
    "3056930009020004",
    "3566002020360505",
];
const DECLINED: &str = "4000000000000002";
const FAILS_LATER: &str = "4000000000000341";
/// How often somebody tries again when the provider does not answer.
const TRIES: usize = 3;

fn caller() -> Call {
    Call::new("app", "simulation")
}

pub(crate) fn customer_id(customer: u32) -> String {
    format!("c{customer}")
}

fn id(customer: u32) -> CustomerId {
    customer_id(customer).parse().expect("a short word is an id")
}

impl World {
    /// Does what the script says now.
    pub(crate) fn perform(&mut self, what: What) -> Result<(), Failure> {
        match what {
            What::Fault(fault) => {
                self.go_wrong(fault);
                Ok(())
            }
            What::Act(customer, act) => {
                let known = self.oracle.customers().any(|it| *it == customer_id(customer));
                if act == Act::SignUp || known {
                    self.touched.insert(customer_id(customer));
                    self.act(customer, act)?;
                }
                Ok(())
            }
        }
    }

    fn go_wrong(&mut self, fault: Fault) {
        self.note(&format!("{fault:?}"));
        let mut provider = lock(&self.provider);
        let faults = provider.faults_mut();
        let mut events = |fault, times: u32| faults.plan_webhook(fault, "", u64::from(times));
        match fault {
            Fault::Calls { fate, changes, times } => self.line.plan(fate, changes, times),
            Fault::EventsLost { times } => events(WebhookFault::Lost, times),
            Fault::EventsLate { seconds, times } => events(WebhookFault::Late(seconds), times),
            Fault::EventsTwice { times } => events(WebhookFault::Twice, times),
            Fault::EventsRenamed { times } => events(WebhookFault::OtherId, times),
            Fault::Reversed { on } => faults.reverse_webhooks(on),
            Fault::Crash(point) => self.given.arm(Some(point)),
            Fault::Skew { seconds } => self.skew = seconds * 1_000_000,
            Fault::Rotate => {}
        }
        drop(provider);
        if fault == Fault::Rotate {
            self.rotate();
        }
        self.given.set(self.node_now());
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&mut self) {
        self.line.heal();
        lock(&self.provider).faults_mut().clear();
        self.given.arm(None);
        self.skew = 0;
        self.given.set(self.now);
    }

    fn act(&mut self, customer: u32, act: Act) -> Result<(), Failure> {
        let said = match act {
            Act::SignUp => self.sign_up(customer)?,
            Act::Buy { pick, year, trial, card, comes_back } => {
                let Some((plan, interval)) = self.pick_plan(pick, year) else { return Ok(()) };
                let buy = Buy::Plan { plan, interval, trial: trial.then_some(true) };
                self.buy(customer, buy, card, comes_back)?
            }
            Act::BuyPack { pick } => {
                let packs: Vec<String> = self.catalog.packs.keys().cloned().collect();
                let Some(pack) = choose(&packs, pick) else { return Ok(()) };
                self.buy(customer, Buy::Pack { pack: pack.clone() }, CardKind::Good, true)?
            }
            Act::Change { pick, year, shown } => {
                let plan = choose(&self.catalog.tiers, pick).cloned().unwrap_or_default();
                let year = year.map(|year| if year { Interval::Year } else { Interval::Month });
                self.change(customer, &Command::Change { plan, interval: year }, shown)?
            }
            Act::Cancel { at_once } => {
                self.change(customer, &Command::Cancel { at_once }, false)?
            }
            Act::Resume => self.change(customer, &Command::Resume, false)?,
            Act::Use { pick, amount } => self.take(customer, pick, amount)?,
            Act::GiveBack { pick, amount } => self.give_back(customer, pick, amount)?,
            Act::CardBreaks => self.card(customer, "card_fails"),
            Act::CardHeals => self.card(customer, "card_heals"),
            Act::PortalCancel => self.portal(customer, "portal_cancel", &[]),
            Act::PortalResume => self.portal(customer, "portal_resume", &[]),
            Act::PortalSwitch { pick, later } => self.portal_switch(customer, pick, later),
        };
        self.note(&format!("{} {act:?}: {said}", customer_id(customer)));
        Ok(())
    }

    fn sign_up(&mut self, customer: u32) -> Result<String, Failure> {
        // Every seventh is somebody else's second account.
        let person = if customer % 7 == 6 { customer - 1 } else { customer };
        let tag = if customer % 7 == 6 { "+again" } else { "" };
        let email = format!("person{person}{tag}@example.com");
        let currency = choose(&self.catalog.currencies, customer).copied();
        let profile = Profile { email, currency, ..Profile::default() };
        for _ in 0..TRIES {
            let profile = profile.clone();
            let made =
                self.ask(|engine| engine.upsert_customer(&caller(), &id(customer), &profile))?;
            if !matches!(made, Err(No::Stopped)) {
                return Ok(said(made));
            }
        }
        Ok("given up".to_owned())
    }

    fn pick_plan(&self, pick: u32, year: bool) -> Option<(String, Interval)> {
        let paid = |key: &&String| !self.catalog.plans[*key].is_free();
        let plans: Vec<&String> = self.catalog.tiers.iter().filter(paid).collect();
        let plan = *choose(&plans, pick)?;
        let wanted = if year { Interval::Year } else { Interval::Month };
        let sold = &self.catalog.plans[plan].prices;
        let interval = sold.get_key_value(&wanted).or(sold.iter().next())?.0;
        Some((plan.clone(), *interval))
    }

    fn buy(
        &mut self,
        customer: u32,
        buy: Buy,
        card: CardKind,
        comes_back: bool,
    ) -> Result<String, Failure> {
        let purchase = Purchase { customer: id(customer), buy, currency: None, return_path: None };
        let mut opened = Err(No::Stopped);
        for _ in 0..TRIES {
            opened = self.ask(|engine| engine.start_checkout(&caller(), &purchase))?;
            match &opened {
                Err(No::Stopped) => {}
                Err(No::Refused(word)) if word == "provider unavailable" => {}
                _ => break,
            }
        }
        let checkout = match opened {
            Ok(checkout) => checkout,
            refused => return Ok(said(refused)),
        };
        let own = CARDS[customer as usize % CARDS.len()];
        let paid = match card {
            CardKind::None => 0,
            CardKind::Good => self.pay(&checkout, own),
            CardKind::FailsLater => self.pay(&checkout, FAILS_LATER),
            CardKind::DeclinedFirst => {
                self.pay(&checkout, DECLINED);
                self.pay(&checkout, own)
            }
        };
        if comes_back {
            let looked = self.ask(|engine| engine.refresh_checkout(&checkout.id))?;
            return Ok(match looked {
                Ok(checkout) => format!("page answered {paid}, {}", checkout.status),
                refused => said(refused),
            });
        }
        Ok(format!("page answered {paid}"))
    }

    fn pay(&mut self, checkout: &CheckoutView, card: &str) -> u16 {
        let Some(path) = checkout.url.as_ref().and_then(|url| url.strip_prefix(PAGES)) else {
            return 0;
        };
        let body = form(&[("card".to_owned(), card.to_owned())]);
        let (method, path) = ("POST".to_owned(), path.to_owned());
        lock(&self.provider).handle(&Request { method, path, headers: Vec::new(), body }).status
    }

    fn change(&mut self, customer: u32, command: &Command, shown: bool) -> Result<String, Failure> {
        let Ok(state) = self.ask(|engine| engine.state(&id(customer)))? else {
            return Ok("unknown".to_owned());
        };
        let Some(sub) = state.subscription.map(|sub| sub.id) else {
            return Ok("nothing to change".to_owned());
        };
        let mut token = None;
        if shown {
            match self.ask(|engine| engine.preview_change(&sub, command))? {
                Ok(preview) => token = preview.preview_token,
                refused => return Ok(format!("preview: {}", said(refused))),
            }
        }
        let changed =
            self.ask(|engine| engine.change(&caller(), &sub, command, token.as_deref()))?;
        Ok(match changed {
            Ok(changed) => {
                self.trace.milestone(format!("change {}", changed.outcome));
                changed.outcome.to_owned()
            }
            refused => said(refused),
        })
    }

    fn take(&mut self, customer: u32, pick: u32, amount: Amount) -> Result<String, Failure> {
        let counted = |feature: &Feature| {
            matches!(feature, Feature::Count { .. } | Feature::Usage { .. } | Feature::Credits(_))
        };
        let Some(feature) = self.pick_feature(pick, counted) else { return Ok(String::new()) };
        let Ok(state) = self.ask(|engine| engine.state(&id(customer)))? else {
            return Ok("unknown".to_owned());
        };
        let left = left(&state, &feature);
        let amount = match amount {
            Amount::Few(n) => i64::from(n),
            Amount::Rest => left.clamp(1, 1_000_000_000_000),
            Amount::TooMuch => left.clamp(0, 1_000_000_000_000) + 1,
        };
        let want =
            Want { customer: id(customer), feature: feature.clone(), amount, operation: None };
        let now = self.node_now();
        let answer = match self.ask(|engine| engine.consume(&caller(), &want))? {
            Ok(answer) => answer,
            refused => return Ok(said(refused)),
        };
        let must = self.oracle.take(&customer_id(customer), &feature, amount, now);
        if answer.allowed != must {
            let detail = format!(
                "{} took {amount} of {feature}: answered {}, must be {must}",
                customer_id(customer),
                answer.code.as_str()
            );
            return Err(self.failure("oracle: consume", detail));
        }
        self.trace.milestone(format!("consume {}", answer.code.as_str()));
        Ok(format!("{amount} of {feature}: {}", answer.code.as_str()))
    }

    fn give_back(&mut self, customer: u32, pick: u32, amount: u32) -> Result<String, Failure> {
        let held = |feature: &Feature| matches!(feature, Feature::Count { .. });
        let Some(feature) = self.pick_feature(pick, held) else { return Ok(String::new()) };
        let amount = i64::from(amount);
        let want =
            Want { customer: id(customer), feature: feature.clone(), amount, operation: None };
        let given = self.ask(|engine| engine.release(&caller(), &want))?;
        if given.is_ok() {
            self.oracle.give_back(&customer_id(customer), &feature, amount);
        }
        Ok(format!("{amount} of {feature}: {}", said(given)))
    }

    fn pick_feature(&self, pick: u32, fits: impl Fn(&Feature) -> bool) -> Option<String> {
        let all = self.catalog.features.iter();
        let keys: Vec<&String> = all.filter(|(_, it)| fits(it)).map(|(key, _)| key).collect();
        choose(&keys, pick).map(|key| (*key).clone())
    }

    /// The provider's running subscription of a customer.
    fn running(&mut self, customer: u32) -> Option<serde_json::Value> {
        let subs = self.truth.subscriptions(&customer_id(customer));
        subs.into_iter()
            .find(|sub| matches!(sub["status"].as_str(), Some("active" | "trialing" | "past_due")))
    }

    fn card(&mut self, customer: u32, scenario: &str) -> String {
        let Some(sub) = self.running(customer) else { return "nothing runs".to_owned() };
        let method = sub["default_payment_method"].as_str().unwrap_or_default();
        self.scenario(scenario, &[("payment_method", method)])
    }

    fn portal(&mut self, customer: u32, scenario: &str, more: &[(&str, &str)]) -> String {
        let Some(sub) = self.running(customer) else { return "nothing runs".to_owned() };
        let sub = sub["id"].as_str().unwrap_or_default().to_owned();
        self.scenario(scenario, &[&[("subscription", sub.as_str())], more].concat())
    }

    fn portal_switch(&mut self, customer: u32, pick: u32, later: bool) -> String {
        let Some(sub) = self.running(customer) else { return "nothing runs".to_owned() };
        let now = &sub["items"]["data"][0]["price"];
        let prices = self.truth.all("/v1/prices?type=recurring");
        let fits = |price: &&serde_json::Value| {
            price["currency"] == now["currency"] && price["id"] != now["id"]
        };
        let fitting: Vec<&serde_json::Value> = prices.iter().filter(fits).collect();
        let Some(price) = choose(&fitting, pick).and_then(|price| price["id"].as_str()) else {
            return "nothing to switch to".to_owned();
        };
        let when = if later { "period_end" } else { "now" };
        self.portal(customer, "portal_switch", &[("price", price), ("when", when)])
    }

    fn scenario(&mut self, name: &str, params: &[(&str, &str)]) -> String {
        let happened = lock(&self.provider).scenario(name, params);
        match happened {
            Ok(()) => {
                self.trace.milestone(name);
                "done".to_owned()
            }
            Err(why) => why,
        }
    }
}

/// How much of a feature is left for a customer.
fn left(state: &State, feature: &str) -> i64 {
    let credits = state.credits.get(feature).map(|held| held.balance);
    let limited = || state.features.get(feature).map(|held| held.remaining.unwrap_or(1_000));
    credits.or_else(limited).unwrap_or(0)
}

fn choose<T>(from: &[T], pick: u32) -> Option<&T> {
    from.get(pick as usize % from.len().max(1))
}

fn said<T>(answer: Result<T, No>) -> String {
    match answer {
        Ok(_) => "done".to_owned(),
        Err(No::Refused(word)) => word,
        Err(No::Stopped) => "the node stopped".to_owned(),
    }
}
