//! What applying a changed catalog would do, in words and with what it is refused for.

use farthing_core::catalog::{
    AI_CREDITS, Catalog, Change, ChangeKind, InUse, SAMPLE, SEATS, diff, is_blocked, parse,
};
use proptest::prelude::*;

fn catalog(source: &str) -> Catalog {
    parse(source).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// The sample with each text on the left replaced by the one on the right.
fn changed(replacements: &[(&str, &str)]) -> Catalog {
    let mut source = SAMPLE.to_owned();
    for (from, to) in replacements {
        assert!(source.contains(from), "{from:?} is not in the sample");
        source = source.replace(from, to);
    }
    catalog(&source)
}

fn growth_has(customers: u64) -> InUse {
    InUse { plans: [("growth".to_owned(), customers)].into() }
}

fn rendered(changes: &[Change]) -> String {
    let line = |change: &Change| {
        let sign = match change.kind {
            ChangeKind::Added => "+",
            ChangeKind::Removed => "-",
            ChangeKind::Changed => "~",
        };
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "·".to_owned());
        let (from, to) = (value(&change.from), value(&change.to));
        let blocking = change.blocking.as_deref().map(|why| format!("\n  blocked: {why}"));
        let (path, effect) = (&change.path, &change.effect);
        format!("{sign} {path}: {from} → {to}\n  {effect}{}", blocking.unwrap_or_default())
    };
    changes.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_changed_catalog_says_who_is_affected_and_how() {
    let next = changed(&[
        ("USD = \"69.00\"", "USD = \"79.00\""),
        ("prices.year = { USD = \"690.00\", EUR = \"640.00\" }", ""),
        ("chatbots = 10, ", "chatbots = 12, "),
        ("storage = \"100 GB\"", "storage = \"250 GB\""),
        ("image = 5", "image = 4, video = 50"),
        ("expires = \"12 months\"", "expires = \"6 months\""),
        ("signup_credits = { ai = 500 }", ""),
        ("days = 7", "days = 14"),
        ("name = \"Pro\"", "name = \"Scale\""),
        ("cap = \"5 TB\"", "cap = \"6 TB\""),
        ("window = \"14 days\"", "window = \"30 days\""),
        ("over_limit = \"block\"", "over_limit = { grace = \"30 days\" }"),
        ("retries = [\"1 day\", ", "retries = ["),
    ]);
    let changes = diff(Some(&catalog(SAMPLE)), &next, &growth_has(12));
    insta::assert_snapshot!(rendered(&changes), @r#"
    ~ features.ai.cost: image 5, text 1 → image 4, text 1, video 50
      counts for everyone who uses ai, from the moment it is applied
    - plans.free.signup_credits.ai: 500 → ·
      customers created from now on get none
    ~ plans.growth.limits.chatbots: 10 → 12
      from the moment it is applied; 12 customers are on the plan
    ~ plans.growth.limits.storage: 100 GB → 250 GB
      from the moment it is applied; 12 customers are on the plan
    ~ plans.growth.prices.month.USD: 69.00 USD → 79.00 USD
      new subscribers pay 79.00 USD; existing subscribers keep 69.00 USD until they are moved
    - plans.growth.prices.year.EUR: 640.00 EUR → ·
      not sold like this any more; existing subscribers keep 640.00 EUR until they are moved
    - plans.growth.prices.year.USD: 690.00 USD → ·
      not sold like this any more; existing subscribers keep 690.00 USD until they are moved
    ~ plans.pro.name: Pro → Scale
      people see the new name
    ~ plans.pro.overage.storage: 7.50 EUR, 8.00 USD per 100 GB, up to 5 TB → 7.50 EUR, 8.00 USD per 100 GB, up to 6 TB
      from the moment it is applied; nobody is on the plan
    ~ plans.starter.trial: 7 days, payment method required, once per customer, card, email, device, reminder 3 days before the end → 14 days, payment method required, once per customer, card, email, device, reminder 3 days before the end
      trials that start from now on; running ones stay as they are
    ~ packs.ai_500.expires: 12 months → 6 months
      packs bought from now on; earlier ones stay as they are
    ~ changes.downgrade.over_limit: block → grace of 30 days
      what is decided from now on
    ~ refunds.window: 14 days → 30 days
      what is decided from now on
    ~ dunning.retries: 1 day, 3 days, 5 days, 7 days → 3 days, 5 days, 7 days
      payments that fail from now on
    "#);
}

#[test]
fn a_first_catalog_is_new_as_a_whole() {
    let changes = diff(None, &catalog(SEATS), &InUse::default());
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Added));
    assert!(!is_blocked(&changes));
    insta::assert_snapshot!(rendered(&changes), @r#"
    + currencies: · → USD, EUR
      new purchases can be paid in these; a subscription keeps its own
    + tiers: · → solo, team, business
      decides which moves are upgrades from now on; nobody is moved
    + fallback: · → solo
      new, lapsed and canceled customers get solo; those who have one keep it
    + features.audit_log_days: · → value
      the app can ask for audit_log_days; plans that name it allow it
    + features.exports: · → usage
      the app can ask for exports; plans that name it allow it
    + features.projects: · → count
      the app can ask for projects; plans that name it allow it
    + features.seats: · → count
      the app can ask for seats; plans that name it allow it
    + features.single_sign_on: · → boolean
      the app can ask for single_sign_on; plans that name it allow it
    + features.storage: · → count
      the app can ask for storage; plans that name it allow it
    + plans.business: · → Business, 109.00 EUR, 119.00 USD every month, 1090.00 EUR, 1190.00 USD every year
      open to customers once it is applied
    + plans.solo: · → Solo, free
      open to customers once it is applied
    + plans.team: · → Team, 27.00 EUR, 29.00 USD every month, 270.00 EUR, 290.00 USD every year
      open to customers once it is applied
    + changes.cancel.undo: · → yes
      what is decided from now on
    + changes.downgrade.over_limit: · → grace of 14 days
      what is decided from now on
    + changes.upgrade.proration: · → credit_unused_time
      what is decided from now on
    + refunds: · → within 14 days
      what is decided from now on
    + dunning.email_on: · → failure, each_retry, last_chance, recovered
      payments that fail from now on
    + dunning.give_up.keep_data: · → 60 days
      payments that fail from now on
    + dunning.give_up.move_to: · → solo
      payments that fail from now on
    + dunning.grace.full_access: · → 7 days
      payments that fail from now on
    + dunning.grace.until: · → 21 days
      payments that fail from now on
    + dunning.hard_decline: · → stop_retrying
      payments that fail from now on
    + dunning.retries: · → 2 days, 4 days, 7 days
      payments that fail from now on
    + anomalies.pause_spending: · → false
      credits that are granted from now on
    "#);
}

fn without_growth() -> Catalog {
    let start = SAMPLE.find("[plans.growth]").expect("the sample has it");
    let end = SAMPLE.find("[plans.pro]").expect("the sample has it");
    let mut source = SAMPLE.to_owned();
    source.replace_range(start..end, "");
    catalog(&source.replace(", \"growth\"", ""))
}

#[test]
fn a_plan_that_people_are_on_cannot_be_removed() {
    let changes = diff(Some(&catalog(SAMPLE)), &without_growth(), &growth_has(1));
    assert!(is_blocked(&changes));
    insta::assert_snapshot!(rendered(&changes), @r#"
    ~ tiers: free, starter, growth, pro → free, starter, pro
      decides which moves are upgrades from now on; nobody is moved
    - plans.growth: Growth, 64.00 EUR, 69.00 USD every month, 640.00 EUR, 690.00 USD every year → ·
      cannot be bought any more; 1 customer is on the plan
      blocked: 1 customer is on the plan: keep it in the catalog, move them to another plan, then remove it
    ~ packs.ai_500.plans: starter, growth, pro → starter, pro
      packs bought from now on; earlier ones stay as they are
    ~ refunds.rules[0]: first purchase or from starter: from free, starter to starter, growth, refused with galleries above 5 or storage above 5 GB → first purchase or from starter: from free, starter to starter, refused with galleries above 5 or storage above 5 GB
      what is decided from now on
    "#);
    let unused = diff(Some(&catalog(SAMPLE)), &without_growth(), &InUse::default());
    assert!(!is_blocked(&unused), "{unused:#?}");
    let others = InUse { plans: [("pro".to_owned(), 9)].into() };
    assert!(!is_blocked(&diff(Some(&catalog(SAMPLE)), &without_growth(), &others)));
}

#[test]
fn the_type_of_a_feature_cannot_change() {
    let next = changed(&[(
        "messages = { type = \"usage\", resets = \"month\" }",
        "messages = { type = \"count\" }",
    )]);
    let changes = diff(Some(&catalog(SAMPLE)), &next, &InUse::default());
    assert!(is_blocked(&changes));
    insta::assert_snapshot!(rendered(&changes), @r#"
    - features.messages.resets: month → ·
      counts for everyone who uses messages, from the moment it is applied
    ~ features.messages.type: usage → count
      what is stored of messages means something else
      blocked: the type of a feature never changes: keep messages as usage, and add a feature under a new name
    "#);
}

#[test]
fn every_part_of_the_catalog_is_compared() {
    let one_by_one = [
        ("currencies = [\"USD\", \"EUR\"]", "currencies = [\"EUR\", \"USD\"]", "currencies"),
        ("\"starter\", \"growth\"", "\"growth\", \"starter\"", "tiers"),
        ("resets = \"month\"", "resets = \"day\"", "features.messages.resets"),
        ("timezone = \"UTC\"", "timezone = \"Asia/Tokyo\"", "features.prompts.resets"),
        ("\"plan\", \"pack\"", "\"pack\", \"plan\"", "features.ai.spend"),
        ("on_cancel = \"keep\"", "on_cancel = \"expire_at_period_end\"", "features.ai.on_cancel"),
        ("on_outage = \"deny\"", "on_outage = \"allow\"", "features.ai.on_outage"),
        ("amount = 2_000", "amount = 2_001", "plans.starter.credits.ai"),
        ("every = \"month\"", "every = \"day\"", "plans.starter.credits.ai"),
        ("on_renewal = \"reset\"", "on_renewal = \"stack\"", "plans.starter.credits.ai"),
        ("\"required\"", "\"optional\"", "plans.starter.trial"),
        (", \"device\"]", "]", "plans.starter.trial"),
        ("remind_days_before = 3", "remind_days_before = 2", "plans.starter.trial"),
        ("per = 1_000", "per = 2_000", "plans.pro.overage.messages"),
        ("USD = \"5.00\"", "USD = \"6.00\"", "plans.pro.overage.messages"),
        ("\"500 AI credits\"", "\"More\"", "packs.ai_500.name"),
        ("USD = \"9.00\"", "USD = \"8.00\"", "packs.ai_500.price.USD"),
        (
            "credits = { ai = 500 }\nexpires",
            "credits = { ai = 600 }\nexpires",
            "packs.ai_500.credits.ai",
        ),
        ("\"credit_unused_time\"", "\"none\"", "changes.upgrade.proration"),
        ("undo = true", "undo = false", "changes.cancel.undo"),
        ("review = \"always\"", "review = \"never\"", "refunds.review"),
        ("EUR = \"200.00\"", "EUR = \"210.00\"", "refunds.auto_max.EUR"),
        ("USD = \"500.00\"", "USD = \"510.00\"", "refunds.second_approver_above.USD"),
        ("at = \"now\", credits", "at = \"period_end\", credits", "refunds.then"),
        ("\"claw_back\"", "\"keep\"", "refunds.then"),
        ("\"> 5 GB\"", "\"> 6 GB\"", "refunds.rules[0]"),
        ("\"stop_retrying\"", "\"keep_retrying\"", "dunning.hard_decline"),
        (", \"recovered\"]", "]", "dunning.email_on"),
        ("full_access = \"7 days\"", "full_access = \"8 days\"", "dunning.grace.full_access"),
        ("until = \"16 days\"", "until = \"17 days\"", "dunning.grace.until"),
        ("keep_data = \"90 days\"", "keep_data = \"91 days\"", "dunning.give_up.keep_data"),
    ];
    let sample = catalog(SAMPLE);
    for (from, to, path) in one_by_one {
        assert!(SAMPLE.contains(from), "{from:?} is not in the sample");
        let next = catalog(&SAMPLE.replacen(from, to, 1));
        let changes = diff(Some(&sample), &next, &InUse::default());
        let paths: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
        assert_eq!(paths, [path], "{from:?} as {to:?}");
    }
}

#[test]
fn the_order_and_wording_of_the_file_do_not_matter() {
    let same = changed(&[
        ("10_000", "10000"),
        ("\"10 GB\"", "\"10000 MB\""),
        ("\"199.00\"", "\"199\""),
        ("EUR = \"64.00\"", "'EUR'='64.00'"),
    ]);
    assert_eq!(diff(Some(&catalog(SAMPLE)), &same, &growth_has(5)), []);
}

#[test]
fn changes_are_readable_by_programs() {
    let next = changed(&[("USD = \"69.00\"", "USD = \"79.00\"")]);
    let changes = diff(Some(&catalog(SAMPLE)), &next, &InUse::default());
    insta::assert_json_snapshot!(changes, @r#"
    [
      {
        "path": "plans.growth.prices.month.USD",
        "kind": "changed",
        "from": "69.00 USD",
        "to": "79.00 USD",
        "effect": "new subscribers pay 79.00 USD; existing subscribers keep 69.00 USD until they are moved",
        "blocking": null
      }
    ]
    "#);
}

proptest! {
    #[test]
    fn a_catalog_does_not_differ_from_itself(which in 0..3_usize, customers in 0..5_u64) {
        let catalog = catalog([SAMPLE, AI_CREDITS, SEATS][which]);
        prop_assert_eq!(diff(Some(&catalog), &catalog, &growth_has(customers)), []);
    }

    #[test]
    fn there_and_back_are_the_same_places(from in 0..3_usize, to in 0..3_usize) {
        let all = [SAMPLE, AI_CREDITS, SEATS].map(catalog);
        let places = |changes: Vec<Change>| {
            changes.into_iter().map(|change| change.path).collect::<Vec<_>>()
        };
        let there = diff(Some(&all[from]), &all[to], &InUse::default());
        let back = diff(Some(&all[to]), &all[from], &InUse::default());
        prop_assert_eq!(places(there), places(back));
    }
}
