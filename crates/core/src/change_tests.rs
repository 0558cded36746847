use super::*;
use crate::catalog::{SAMPLE, parse};
use crate::time::Period;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Every status, standing and thing that may be scheduled.
fn states() -> Vec<(String, Subscription)> {
    let end = at("2027-02-10T00:00:00Z");
    let period = Period { start: at("2027-01-10T00:00:00Z"), end };
    let pending = || Some(Pending { plan: "starter".into(), interval: Interval::Month, at: end });
    let mut states = Vec::new();
    for status in Status::ALL {
        let runs = status == Status::Active;
        let standings =
            [Standing::Good, Standing::PastDue { since: end }, Standing::ReadOnly { since: end }];
        for standing in standings.into_iter().take(if runs { 3 } else { 1 }) {
            for scheduled in ["", ", ending", ", changing"] {
                if !scheduled.is_empty() && !status.is_entitled() {
                    continue;
                }
                let name = format!("{}, {}{scheduled}", status.as_str(), standing.as_str());
                let sub = Subscription {
                    plan: "growth".into(),
                    interval: Interval::Month,
                    price: "price_growth".into(),
                    currency: "USD".parse().unwrap(),
                    status,
                    standing,
                    period,
                    anchor: period.start,
                    cancel_at: (scheduled == ", ending").then_some(end),
                    trial_ends_at: (status == Status::Trialing).then_some(end),
                    ended_at: None,
                    pending: if scheduled == ", changing" { pending() } else { None },
                };
                states.push((name, sub));
            }
        }
    }
    states
}

/// One line per (state, command). Reviewing a change to the machine is reading this diff.
#[test]
fn command_table() {
    let catalog = parse(SAMPLE).unwrap();
    let to = |plan: &str| Command::Change { plan: plan.into(), interval: None };
    let year = Command::Change { plan: "growth".into(), interval: Some(Interval::Year) };
    let longer = Command::ExtendTrial { until: at("2027-02-20T00:00:00Z") };
    let commands = [
        ("to pro", to("pro")),
        ("to growth", to("growth")),
        ("to growth yearly", year),
        ("to starter", to("starter")),
        ("to free", to("free")),
        ("to gold", to("gold")),
        ("cancel later", Command::Cancel { at_once: false }),
        ("cancel now", Command::Cancel { at_once: true }),
        ("resume", Command::Resume),
        ("extend trial", longer),
    ];
    let mut table = String::new();
    for (state, sub) in states() {
        for (name, command) in &commands {
            let decided = match decide(&catalog, &sub, command, &BTreeMap::new()) {
                Ok(None) => "unchanged".to_owned(),
                Ok(Some(goal)) => match goal {
                    Goal::Now { plan, interval } => format!("now {plan}/{}", interval.as_str()),
                    Goal::Later { plan, interval } => {
                        format!("later {plan}/{}", interval.as_str())
                    }
                    Goal::EndLater => "ends later".to_owned(),
                    Goal::EndNow => "ends now".to_owned(),
                    Goal::Stay => "stays".to_owned(),
                    Goal::TrialUntil { .. } => "longer trial".to_owned(),
                },
                Err(rejection) => format!("refused: {}", rejection.code()),
            };
            table += &format!("{state:<28} {name:<17} {decided}\n");
        }
    }
    insta::assert_snapshot!(table);
}
