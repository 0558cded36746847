//! `[changes]`, `[refunds]`, `[dunning]` and `[anomalies]`: when things happen, and who decides.

use std::collections::BTreeMap;

use toml::de::DeValue;

use crate::time::Interval;

use super::error::{Report, shown};
use super::parse::{Known, in_bytes};
use super::reader::{Node, Section};
use super::{
    AnomalyPolicy, ChangePolicy, DunningMail, DunningPolicy, Feature, OverLimit, Proration,
    RefundEffect, RefundPolicy, RefundRule, Retries, Review, Span,
};

/// What holds without `[changes]`: up now with unused time credited, down at the period's end and
/// refused while too much is held, a cancellation can be undone.
impl Default for ChangePolicy {
    fn default() -> Self {
        Self {
            upgrade: Proration::CreditUnusedTime,
            over_limit: OverLimit::Block,
            undo_cancel: true,
        }
    }
}

impl DunningPolicy {
    /// What holds without `[dunning]`: retries after 1, 3, 5 and 7 days, none after a hard
    /// decline, a mail at every step, 7 days of full access, reading until day 16, then
    /// `fallback`; nothing is said about keeping data.
    pub fn when_absent(fallback: &str) -> Self {
        let days = |count| Span { count, unit: Interval::Day };
        Self {
            retries: Retries::After([1, 3, 5, 7].map(days).to_vec()),
            stop_on_hard_decline: true,
            email_on: MAILS.map(|(_, mail)| mail).to_vec(),
            full_access: days(7),
            read_only_until: days(16),
            move_to: fallback.to_owned(),
            keep_data: None,
        }
    }
}

const MAILS: [(&str, DunningMail); 4] = [
    ("failure", DunningMail::Failure),
    ("each_retry", DunningMail::EachRetry),
    ("last_chance", DunningMail::LastChance),
    ("recovered", DunningMail::Recovered),
];

/// Reads `[changes]`; what is left out is as [`ChangePolicy::default`].
pub(super) fn changes(node: Option<&Node<'_>>, report: &mut Report<'_>) -> Option<ChangePolicy> {
    let mut policy = ChangePolicy::default();
    let Some(node) = node else { return Some(policy) };
    let section = node.section(&["upgrade", "downgrade", "cancel"], report)?;
    if let Some(node) = section.find("upgrade") {
        let upgrade = node.section(&["at", "proration"], report)?;
        at(&upgrade, "now", report);
        let words =
            [("credit_unused_time", Proration::CreditUnusedTime), ("none", Proration::None)];
        let proration = upgrade.find("proration").and_then(|node| node.word(&words, report));
        policy.upgrade = proration.unwrap_or(policy.upgrade);
    }
    if let Some(node) = section.find("downgrade") {
        let downgrade = node.section(&["at", "over_limit"], report)?;
        at(&downgrade, "period_end", report);
        let over_limit = downgrade.find("over_limit").and_then(|node| over_limit(node, report));
        policy.over_limit = over_limit.unwrap_or(policy.over_limit);
    }
    if let Some(node) = section.find("cancel") {
        let cancel = node.section(&["at", "undo"], report)?;
        at(&cancel, "period_end", report);
        let undo = cancel.find("undo").and_then(|node| node.boolean(report));
        policy.undo_cancel = undo.unwrap_or(policy.undo_cancel);
    }
    Some(policy)
}

/// When a kind of change happens is fixed; the word is there for the reader.
fn at(section: &Section<'_>, only: &'static str, report: &mut Report<'_>) {
    if let Some(node) = section.find("at") {
        node.word(&[(only, ())], report);
    }
}

fn over_limit(node: &Node<'_>, report: &mut Report<'_>) -> Option<OverLimit> {
    if node.value().is_table() {
        let section = node.section(&["grace"], report)?;
        let grace = section.get("grace", "grace = \"30 days\"", report)?;
        return grace.span("30 days", report).map(OverLimit::Grace);
    }
    let words = [("block", OverLimit::Block), ("freeze_newest", OverLimit::FreezeNewest)];
    match node.value().as_str() {
        Some("grace") => {
            let fix = "write { grace = \"30 days\" }";
            report.add("catalog_duration", &node.at, "`grace` needs a length of time", fix);
            None
        }
        _ => node.word(&words, report),
    }
}

/// Reads `[refunds]`. Left out, `review` is always, `then` moves to the fallback now and claws
/// credits back, and there are no thresholds and no rules.
pub(super) fn refunds(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<RefundPolicy> {
    let keys =
        ["window", "measure", "review", "auto_max", "second_approver_above", "then", "rules"];
    let section = node.section(&keys, report)?;
    let window = section.get("window", "window = \"14 days\"", report);
    let window = window.and_then(|node| node.span("14 days", report));
    if let Some(node) = section.find("measure") {
        node.word(&[("since_payment", ())], report);
    }
    let words = [("always", Review::Always), ("auto", Review::Auto), ("never", Review::Never)];
    let review = match section.find("review") {
        None => Some(Review::Always),
        Some(node) => node.word(&words, report),
    };
    if review == Some(Review::Auto) {
        section.get("auto_max", "auto_max = { USD = \"200.00\" }", report);
    }
    let mut threshold = |key| match section.find(key) {
        None => Some(BTreeMap::new()),
        Some(node) => node.money(known, true, report),
    };
    let (auto_max, second) = (threshold("auto_max"), threshold("second_approver_above"));
    let then = refund_effect(section.find("then"), known, report);
    let rules = match section.find("rules") {
        None => Some(Vec::new()),
        Some(node) => refund_rules(node, known, report),
    };
    Some(RefundPolicy {
        window: window?,
        review: review?,
        auto_max: auto_max?,
        second_approver_above: second?,
        then: then?,
        rules: rules?,
    })
}

fn refund_effect(
    node: Option<&Node<'_>>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<RefundEffect> {
    let mut effect =
        RefundEffect { move_to: known.fallback.clone()?, at_once: true, claw_back: true };
    let Some(node) = node else { return Some(effect) };
    let section = node.section(&["move_to", "at", "credits"], report)?;
    if let Some(node) = section.find("move_to") {
        effect.move_to = known.free_plan(node, "after a refund,", report)?;
    }
    if let Some(node) = section.find("at") {
        effect.at_once = node.word(&[("now", true), ("period_end", false)], report)?;
    }
    if let Some(node) = section.find("credits") {
        effect.claw_back = node.word(&[("claw_back", true), ("keep", false)], report)?;
    }
    Some(effect)
}

fn refund_rules(
    node: &Node<'_>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<Vec<RefundRule>> {
    let nodes = node.list("[[refunds.rules]]", report)?;
    let rules: Vec<Option<RefundRule>> =
        nodes.iter().map(|node| refund_rule(node, known, report)).collect();
    rules.into_iter().collect()
}

/// A rule without `when` is for every purchase.
fn refund_rule(node: &Node<'_>, known: &Known, report: &mut Report<'_>) -> Option<RefundRule> {
    let section = node.section(&["name", "when", "refuse_if"], report)?;
    let name = section.get("name", "name = \"to pro\"", report);
    let name = name.and_then(|node| node.title(report));
    let when = section.find("when").and_then(|node| node.section(&["from", "to"], report));
    let mut plans = |key: &str| match when.as_ref().and_then(|when| when.find(key)) {
        None => Some(Vec::new()),
        Some(node) => known.plan_list(node, report),
    };
    let (from, to) = (plans("from"), plans("to"));
    let refuse = section.get("refuse_if", "refuse_if = { storage = \"> 5 GB\" }", report)?;
    let refused = refuse.table(report)?;
    if refused.nodes.is_empty() {
        refuse.empty("at least one comparison, such as { storage = \"> 5 GB\" }", report);
    }
    let mut refuse_above = BTreeMap::new();
    for node in &refused.nodes {
        let Some(feature) = known.feature(node, report) else { continue };
        if matches!(feature, Feature::Boolean | Feature::Value) {
            let message =
                format!("`{}` is not used up, so a refund cannot ask for it", shown(node.key));
            let fix = "name a count, usage or credit feature";
            report.add("catalog_refund_feature", &node.key_at, message, fix);
            continue;
        }
        let above = node.above(in_bytes(feature), report);
        refuse_above.extend(above.map(|above| (node.key.to_owned(), above)));
    }
    Some(RefundRule { name: name?, from: from?, to: to?, refuse_above })
}

/// Reads `[anomalies]`; left out, nothing is paused.
pub(super) fn anomalies(node: Option<&Node<'_>>, report: &mut Report<'_>) -> Option<AnomalyPolicy> {
    let Some(node) = node else { return Some(AnomalyPolicy::default()) };
    let section = node.section(&["pause_spending"], report)?;
    let pause = section.get("pause_spending", "pause_spending = true", report)?;
    pause.boolean(report).map(|pause_spending| AnomalyPolicy { pause_spending })
}

/// Reads `[dunning]`; what is left out is as [`DunningPolicy::when_absent`].
pub(super) fn dunning(
    node: Option<&Node<'_>>,
    known: &Known,
    report: &mut Report<'_>,
) -> Option<DunningPolicy> {
    // Without a fallback there is an error already; reading goes on to find the others.
    let mut policy = DunningPolicy::when_absent(known.fallback.as_deref().unwrap_or_default());
    let Some(node) = node else { return Some(policy) };
    let keys = ["retries", "hard_decline", "email_on", "grace", "give_up"];
    let section = node.section(&keys, report)?;
    if let Some(node) = section.find("hard_decline") {
        let words = [("stop_retrying", true), ("keep_retrying", false)];
        let stop = node.word(&words, report);
        policy.stop_on_hard_decline = stop.unwrap_or(policy.stop_on_hard_decline);
    }
    if let Some(node) = section.find("email_on") {
        policy.email_on = node.words(&MAILS, true, report).unwrap_or(policy.email_on);
    }
    if let Some(node) = section.find("grace") {
        grace(node, &mut policy, report);
    }
    if let Some(node) = section.find("retries") {
        let retries = retries(node, policy.read_only_until, report);
        policy.retries = retries.unwrap_or(policy.retries);
    }
    if let Some(node) = section.find("give_up") {
        let section = node.section(&["move_to", "keep_data"], report)?;
        let move_to = section.find("move_to");
        let move_to = move_to.and_then(|node| known.free_plan(node, "after dunning,", report));
        policy.move_to = move_to.unwrap_or(policy.move_to);
        policy.keep_data = section.find("keep_data").and_then(|node| node.span("90 days", report));
    }
    Some(policy)
}

fn grace(node: &Node<'_>, policy: &mut DunningPolicy, report: &mut Report<'_>) -> Option<()> {
    let section = node.section(&["full_access", "then", "until"], report)?;
    if let Some(node) = section.find("then") {
        node.word(&[("read_only", ())], report);
    }
    let full_access = section.get("full_access", "full_access = \"7 days\"", report);
    let full_access = full_access.and_then(|node| node.span("7 days", report));
    let until = section.get("until", "until = \"16 days\"", report)?;
    let (full_access, end) = (full_access?, until.span("16 days", report)?);
    if !full_access.fits_in(end) {
        let message = format!("`until` is before the end of full access, {full_access}");
        let fix = "write a longer time; both are counted from the failed payment";
        report.add("catalog_grace_order", &until.at, message, fix);
        return None;
    }
    (policy.full_access, policy.read_only_until) = (full_access, end);
    Some(())
}

/// `"provider"`, or times after the failure, ascending and none after access has ended.
fn retries(node: &Node<'_>, until: Span, report: &mut Report<'_>) -> Option<Retries> {
    if let DeValue::String(_) = node.value() {
        return node.word(&[("provider", ())], report).map(|()| Retries::Provider);
    }
    let nodes = node.list("[\"1 day\", \"3 days\"] or \"provider\"", report)?;
    if nodes.is_empty() {
        node.empty("at least one time, such as [\"1 day\"], or \"provider\"", report);
    }
    let mut after: Vec<Span> = Vec::new();
    for node in &nodes {
        let Some(span) = node.span("1 day", report) else { continue };
        if after.last().is_some_and(|last| *last == span || !last.fits_in(span)) {
            let message = format!("the retry after {span} is not later than the one before it");
            let fix = "write them ascending, each counted from the failed payment";
            report.add("catalog_retry_order", &node.at, message, fix);
        } else if !span.fits_in(until) {
            let message = format!("the retry after {span} comes when access has ended, at {until}");
            let fix = "write an earlier one, or a later `grace.until`";
            report.add("catalog_retry_order", &node.at, message, fix);
        }
        after.push(span);
    }
    (!after.is_empty()).then_some(Retries::After(after))
}
