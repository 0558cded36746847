//! What one customer must have: a slow, obvious model.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{day_around, month_around};
use super::terms::{Kind, PlanTerms, Refill, Terms};

/// One customer as the oracle sees it.
#[derive(Clone, Debug)]
pub struct Account {
    /// The plan in force.
    pub plan: String,
    /// `good`, `past_due` or `read_only`.
    pub standing: &'static str,
    /// When payments stopped being in order, in microseconds.
    pub overdue_since: i64,
    /// What runs, if anything does.
    pub running: Option<Running>,
    /// Feature key to what is used.
    counters: BTreeMap<String, Counter>,
    /// Credit key to what is left of each gift, in the order of the gifts.
    lots: BTreeMap<String, Vec<Lot>>,
    /// Everything that was ever paid for and granted: an invoice, a pack's checkout, a window.
    pub granted: BTreeSet<String>,
    anchor: i64,
    /// Subscription to the start of the newest period that was paid.
    newest: BTreeMap<String, i64>,
}

/// A subscription that gives its plan.
#[derive(Clone, Debug)]
pub struct Running {
    /// Farthing's id of it.
    pub id: String,
    /// Its plan.
    pub plan: String,
    /// Whether it is paid each year.
    pub yearly: bool,
    /// What was paid for last, or is on trial: `[start, end)`.
    pub period: (i64, i64),
    /// Whether it is halted.
    pub paused: bool,
    /// When the next monthly credits of a yearly plan are due.
    next_refill: Option<i64>,
}

#[derive(Clone, Debug, Default)]
struct Counter {
    used: i64,
    window: Option<(i64, i64)>,
}

#[derive(Clone, Debug)]
struct Lot {
    source: &'static str,
    left: i64,
    expires_at: Option<i64>,
}

/// Something that was paid for, as the provider has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paid {
    /// The provider's invoice.
    pub invoice: String,
    /// The plan.
    pub plan: String,
    /// Whether for a year.
    pub yearly: bool,
    /// `[start, end)`.
    pub period: (i64, i64),
    /// Whether only for the rest of a period.
    pub prorated: bool,
    /// What the subscription's periods are counted from.
    pub anchor: i64,
}

impl Account {
    /// A customer who has just signed up.
    pub fn new(terms: &Terms, now: i64) -> Self {
        let mut account = Self {
            plan: terms.fallback.clone(),
            standing: "good",
            overdue_since: 0,
            running: None,
            counters: BTreeMap::new(),
            lots: BTreeMap::new(),
            granted: BTreeSet::new(),
            anchor: now,
            newest: BTreeMap::new(),
        };
        for (credit, amount) in &terms.plans[&terms.fallback].signup {
            account.give(credit, "signup", *amount, None);
        }
        account
    }

    fn terms<'a>(&self, terms: &'a Terms) -> &'a PlanTerms {
        &terms.plans[&self.plan]
    }

    fn give(&mut self, credit: &str, source: &'static str, left: i64, expires_at: Option<i64>) {
        self.lots.entry(credit.to_owned()).or_default().push(Lot { source, left, expires_at });
    }

    /// Ends all but the newest `keep` of the plan's credits.
    fn end_plan_credits(&mut self, credit: &str, keep: i64, now: i64) {
        let lots = self.lots.entry(credit.to_owned()).or_default();
        let ends = |lot: &&mut Lot| lot.source == "plan" && lot.is_live(now);
        let total: i64 = lots.iter_mut().filter(ends).map(|lot| lot.left).sum();
        let mut ending = (total - keep).max(0);
        for lot in lots.iter_mut().filter(ends) {
            let part = lot.left.min(ending);
            lot.left -= part;
            ending -= part;
        }
    }

    /// Gives what the plan gives for a period or window under `key`, once.
    fn refill(&mut self, terms: &Terms, plan: &str, key: &str, (replaces, now): (bool, i64)) {
        for (credit, refill) in &terms.plans[plan].credits {
            if !self.granted.insert(format!("{key} {credit}")) {
                continue;
            }
            let keep = if replaces { Some(0) } else { refill.keeps };
            if let Some(keep) = keep {
                self.end_plan_credits(credit, keep, now);
            }
            self.give(credit, "plan", refill.amount, None);
        }
    }

    /// Sets when the next monthly credits of a yearly plan are due, counted after `start`.
    fn plan_refill(&mut self, terms: &Terms, start: i64) {
        let anchor = self.anchor;
        let Some(running) = &mut self.running else { return };
        let monthly = |refill: &Refill| refill.monthly;
        let any = terms.plans[&running.plan].credits.values().any(monthly);
        let next = month_around(anchor, start).1;
        let inside = running.yearly && any && next < running.period.1;
        running.next_refill = inside.then_some(next);
    }

    /// Lets time pass: monthly credits of yearly plans.
    pub fn pass(&mut self, terms: &Terms, now: i64) {
        while let Some(running) = self.running.clone() {
            let Some(due) = running.next_refill.filter(|due| *due <= now) else { return };
            let within = running.period.0 <= due && due < running.period.1;
            if within && !running.paused {
                let key = format!("period {} {due} {}", running.id, running.plan);
                self.refill(terms, &running.plan, &key, (false, now));
            }
            self.plan_refill(terms, due);
        }
    }

    /// A trial began.
    pub fn trial(&mut self, terms: &Terms, sub: &str, paid: &Paid, now: i64) {
        self.runs(terms, sub, paid, now);
        self.restart(terms, now);
        let key = format!("period {sub} {} {}", paid.period.0, paid.plan);
        self.refill(terms, &paid.plan, &key, (true, now));
        self.plan_refill(terms, paid.period.0);
    }

    /// Something was paid for; `replaces` what was bought before.
    pub fn paid(&mut self, terms: &Terms, sub: &str, paid: &Paid, (replaces, now): (bool, i64)) {
        self.runs(terms, sub, paid, now);
        if replaces {
            self.restart(terms, now);
        }
        let key = format!("period {sub} {} {}", paid.period.0, paid.plan);
        self.refill(terms, &paid.plan, &key, (replaces, now));
        self.plan_refill(terms, paid.period.0);
    }

    fn runs(&mut self, terms: &Terms, sub: &str, paid: &Paid, now: i64) {
        self.roll(terms, now);
        self.anchor = paid.anchor;
        self.plan.clone_from(&paid.plan);
        let started = self.running.as_ref().filter(|it| it.id == sub).map(|it| it.period.0);
        let start = if paid.prorated { started.unwrap_or(paid.period.0) } else { paid.period.0 };
        let newest = self.newest.entry(sub.to_owned()).or_insert(i64::MIN);
        *newest = (*newest).max(paid.period.0);
        self.running = Some(Running {
            id: sub.to_owned(),
            plan: paid.plan.clone(),
            yearly: paid.yearly,
            period: (start, paid.period.1),
            paused: false,
            next_refill: None,
        });
    }

    /// Something was paid for after something later was, or after the end.
    pub fn paid_late(&mut self, terms: &Terms, sub: &str, paid: &Paid) {
        if paid.prorated {
            return;
        }
        let followed = self.newest.get(sub).is_some_and(|newest| paid.period.0 < *newest);
        for (credit, refill) in &terms.plans[&paid.plan].credits {
            let key = format!("period {sub} {} {} {credit}", paid.period.0, paid.plan);
            if !self.granted.insert(key) {
                continue;
            }
            let left = match refill.keeps {
                Some(keeps) if followed => refill.amount.min(keeps),
                _ => refill.amount,
            };
            self.give(credit, "plan", left, None);
        }
    }

    /// A pack was paid for.
    pub fn pack(&mut self, terms: &Terms, pack: &str, now: i64) {
        let Some((credits, lasts)) = terms.packs.get(pack) else { return };
        for (credit, amount) in credits {
            self.give(credit, "pack", *amount, lasts.map(|span| span.after(now)));
        }
    }

    /// Nothing runs any more; `trial`: what ended was a trial that was not paid for.
    pub fn ended(&mut self, terms: &Terms, trial: bool, now: i64) {
        self.roll(terms, now);
        self.running = None;
        self.plan.clone_from(&terms.fallback);
        self.standing = "good";
        let credits: Vec<String> = self.lots.keys().cloned().collect();
        for credit in credits {
            let ends = matches!(terms.features.get(&credit), Some(Kind::Credits(_, true)));
            if trial || ends {
                self.end_plan_credits(&credit, 0, now);
            }
        }
    }

    /// What runs was given up by dunning: the plan goes, the credits follow with its end.
    pub fn given_up(&mut self, terms: &Terms, now: i64) {
        self.roll(terms, now);
        self.running = None;
        self.plan.clone_from(&terms.fallback);
        self.standing = "good";
    }

    /// It was halted, or goes on.
    pub fn paused(&mut self, terms: &Terms, paused: bool, now: i64) {
        self.roll(terms, now);
        let Some(running) = &mut self.running else { return };
        running.paused = paused;
        self.plan = if paused { terms.fallback.clone() } else { running.plan.clone() };
    }

    /// Brings every window up to date, each counted from the anchor as it was until now.
    fn roll(&mut self, terms: &Terms, now: i64) {
        let anchor = self.anchor;
        for (feature, kind) in &terms.features {
            let counter = self.counters.entry(feature.clone()).or_default();
            counter.at(kind, anchor, now);
        }
    }

    /// Starts every window anew.
    fn restart(&mut self, terms: &Terms, now: i64) {
        for (feature, kind) in &terms.features {
            let end = match kind {
                Kind::Monthly => month_around(self.anchor, now).1,
                Kind::Daily(_) => day_around(now).1,
                _ => continue,
            };
            self.counters.insert(feature.clone(), Counter { used: 0, window: Some((now, end)) });
        }
    }

    /// Limit and use of a feature; `None` when the plan does not have it.
    pub fn use_of(&mut self, terms: &Terms, feature: &str, now: i64) -> Option<(Option<i64>, i64)> {
        let kind = terms.features.get(feature)?;
        let anchor = self.anchor;
        let counter = self.counters.entry(feature.to_owned()).or_default();
        counter.at(kind, anchor, now);
        let used = counter.used;
        let limit = self.terms(terms).limits.get(feature)?;
        Some((*limit, used))
    }

    /// Takes from a feature; whether that may be.
    pub fn take(&mut self, terms: &Terms, feature: &str, amount: i64, now: i64) -> bool {
        if let Some(Kind::Credits(order, _)) = terms.features.get(feature) {
            return self.standing != "read_only" && self.spend(feature, order, amount, now);
        }
        let Some((limit, used)) = self.use_of(terms, feature, now) else { return false };
        let cap = self.terms(terms).caps.get(feature).copied();
        let most = limit.map(|limit| cap.unwrap_or(limit).max(limit));
        let fits = most.is_none_or(|most| used + amount <= most);
        if self.standing == "read_only" || !fits {
            return false;
        }
        if let Some(counter) = self.counters.get_mut(feature) {
            counter.used += amount;
        }
        true
    }

    fn spend(&mut self, credit: &str, order: &[String], amount: i64, now: i64) -> bool {
        if self.balance(credit, now) < amount {
            return false;
        }
        let Some(lots) = self.lots.get_mut(credit) else { return false };
        let mut live: Vec<&mut Lot> = lots.iter_mut().filter(|lot| lot.is_live(now)).collect();
        let rank = |lot: &Lot| order.iter().position(|source| source == lot.source);
        // Stable: of equals the older one first.
        live.sort_by_key(|lot| {
            (rank(lot).unwrap_or(order.len()), lot.expires_at.unwrap_or(i64::MAX))
        });
        let mut missing = amount;
        for lot in live {
            let part = lot.left.min(missing);
            lot.left -= part;
            missing -= part;
        }
        true
    }

    /// Gives held things back.
    pub fn give_back(&mut self, feature: &str, amount: i64) {
        let counter = self.counters.entry(feature.to_owned()).or_default();
        counter.used = (counter.used - amount).max(0);
    }

    /// What can be spent.
    pub fn balance(&self, credit: &str, now: i64) -> i64 {
        let lots = self.lots.get(credit).map(Vec::as_slice).unwrap_or_default();
        lots.iter().filter(|lot| lot.is_live(now)).map(|lot| lot.left).sum()
    }
}

impl Lot {
    fn is_live(&self, now: i64) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

impl Counter {
    fn at(&mut self, kind: &Kind, anchor: i64, now: i64) {
        let around = match kind {
            Kind::Monthly => month_around(anchor, now),
            Kind::Daily(_) => day_around(now),
            _ => return,
        };
        if self.window.is_none_or(|(_, end)| end <= now) {
            *self = Self { used: 0, window: Some(around) };
        }
    }
}
