//! `farthing simulate`: years of customers and faults in memory, judged by an oracle.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use farthing_core::catalog::SAMPLE;
use farthing_core::money::{Currency, Money};
use farthing_sim::{Options, Outcome as World, run as simulate, shrink, tale};
use serde_json::json;

use crate::args::Simulate;
use crate::commands::catalog::{draw_mistakes, read};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{Out, Tone};

/// How many worlds are tried to shorten a failure.
const SHRINK_BUDGET: usize = 400;
/// How many lines of one customer's tale are shown.
const TALE_MAX: usize = 40;
/// What is counted by month: event and heading.
const COLUMNS: [(&str, &str); 8] = [
    ("customer.created", "signed up"),
    ("trial.started", "trials"),
    ("subscription.activated", "bought"),
    ("subscription.renewed", "renewed"),
    ("subscription.changed", "changed"),
    ("subscription.past_due", "past due"),
    ("subscription.recovered", "recovered"),
    ("subscription.ended", "ended"),
];

/// Plays it, and tells what came of it; ends with findings if something must not have been.
pub fn run(asked: &Simulate, out: &Out) -> Outcome {
    let options = options(asked, out)?;
    if let Some(minutes) = asked.minutes {
        return many(&options, minutes, out);
    }
    let started = Instant::now();
    let world = simulate(&options).map_err(Failure::new)?;
    if world.failure.is_some() {
        return failed(&options, &world, out);
    }
    if out.json {
        out.value(&json!({
            "ok": true, "seed": options.seed, "trace": format!("{:016x}", world.hash),
            "items": world.items, "milestones": world.milestones, "months": world.months,
            "revenue": world.revenue, "seconds": started.elapsed().as_secs(),
        }));
        return Ok(Exit::Done);
    }
    let (seed, customers, days) = (options.seed, options.customers, options.days);
    out.line(format!("seed {seed}: {customers} customers, {days} days"));
    months(&world, out);
    revenue(&world, out);
    faults(&world, out);
    longest_tale(&world, customers, out);
    out.line(format!(
        "\n{}: every invariant held, and the engine, the oracle and the provider agree",
        out.tone("ok", Tone::Good)
    ));
    out.line(format!("the same again: {}   (history {:016x})", options.command(), world.hash));
    Ok(Exit::Done)
}

fn options(asked: &Simulate, out: &Out) -> Result<Options, Failure> {
    let catalog = match &asked.catalog {
        None => SAMPLE.to_owned(),
        Some(file) => {
            let source = read(file)?;
            if let Err(mistakes) = farthing_core::catalog::parse(&source) {
                draw_mistakes(out, file, &source, &mistakes);
                return Err(Failure::new("the catalog has mistakes; nothing was simulated")
                    .fix("correct them; `farthing catalog check` shows them again"));
            }
            source
        }
    };
    Ok(Options {
        seed: asked.seed,
        customers: u32::from(asked.customers),
        days: asked.days.map_or_else(|| i64::from(asked.years) * 365, i64::from),
        catalog,
        faults: !asked.calm,
        plant: None,
        tell: true,
        keep: asked.keep.clone(),
    })
}

fn months(world: &World, out: &Out) {
    let headings: Vec<&str> =
        ["month"].into_iter().chain(COLUMNS.iter().map(|(_, heading)| *heading)).collect();
    let rows = world.months.iter().map(|(month, counts)| {
        let count = |(kind, _): &(&str, &str)| counts.get(*kind).copied().unwrap_or(0).to_string();
        [month.clone()].into_iter().chain(COLUMNS.iter().map(count)).collect()
    });
    out.line("");
    out.table(&headings, &rows.collect::<Vec<Vec<String>>>());
}

fn revenue(world: &World, out: &Out) {
    let mut rows = Vec::new();
    let mut totals = BTreeMap::<&String, i64>::new();
    for (month, items) in &world.revenue {
        for (item, amounts) in items {
            for (currency, amount) in amounts {
                *totals.entry(currency).or_default() += amount;
                rows.push(vec![month.clone(), item.clone(), money(*amount, currency)]);
            }
        }
    }
    for (currency, amount) in totals {
        rows.push(vec!["all".to_owned(), String::new(), money(amount, currency)]);
    }
    out.line("\nrevenue");
    out.table(&["month", "of", "paid"], &rows);
}

fn money(minor: i64, currency: &str) -> String {
    let known = currency.parse::<Currency>();
    known.map_or_else(|_| format!("{minor} {currency}"), |it| Money::new(minor, it).to_string())
}

fn faults(world: &World, out: &Out) {
    let wrong =
        ["answer lost", "call lost", "500", "429", "crash", "an event", "a delivery", "webhook"];
    let mut counts = BTreeMap::<&str, u64>::new();
    for (name, n) in &world.milestones {
        if wrong.iter().any(|word| name.starts_with(word)) {
            *counts.entry(name.split(':').next().unwrap_or_default()).or_default() += n;
        }
    }
    let told: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}×")).collect();
    if !told.is_empty() {
        out.line(format!("\nwent wrong on purpose: {}", told.join(", ")));
    }
}

fn longest_tale(world: &World, customers: u32, out: &Out) {
    let tales = (0..customers).map(|n| (n, tale(&world.story, &format!("c{n}"))));
    let Some((customer, tale)) = tales.max_by_key(|(_, tale)| tale.len()) else { return };
    out.line(format!("\nthe story of customer c{customer} (\">\": asked for; else: happened)"));
    for line in tale.iter().take(TALE_MAX) {
        out.line(format!("  {line}"));
    }
    if TALE_MAX < tale.len() {
        out.line(format!("  … and {} more", tale.len() - TALE_MAX));
    }
}

fn failed(options: &Options, world: &World, out: &Out) -> Outcome {
    out.note("something must not have been; it is being shortened");
    let (short, last) = shrink(options, world, SHRINK_BUDGET);
    let Some(failure) = &last.failure else { return Ok(Exit::Findings) };
    if out.json {
        out.value(&json!({ "ok": false, "failure": failure, "replay": short.command() }));
        return Ok(Exit::Findings);
    }
    for line in last.story.iter().rev().take(TALE_MAX).rev() {
        out.line(format!("  {line}"));
    }
    out.line(format!("{}: {}: {}", out.tone("found", Tone::Bad), failure.kind, failure.detail));
    out.line(format!("at {}; again with: {}", failure.at, short.command()));
    Ok(Exit::Findings)
}

/// One seed after the other on every core until the time is over or something is found.
fn many(options: &Options, minutes: u16, out: &Out) -> Outcome {
    let started = Instant::now();
    let until = started + Duration::from_secs(60 * u64::from(minutes));
    let next = AtomicU64::new(options.seed);
    let found: Mutex<Option<(Options, World)>> = Mutex::new(None);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let stop = || found.lock().map_or(true, |found| found.is_some());
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while Instant::now() < until && !stop() {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let options = Options { seed, tell: false, ..options.clone() };
                    let Ok(world) = simulate(&options) else { return };
                    if world.failure.is_some()
                        && let Ok(mut found) = found.lock()
                    {
                        *found = Some((options, world));
                    }
                }
            });
        }
    });
    if let Some((options, world)) = found.into_inner().ok().flatten() {
        return failed(&Options { tell: true, ..options }, &world, out);
    }
    let worlds = next.into_inner() - options.seed;
    let years = u128::from(worlds) * u128::from(options.customers) * days(options) / 365;
    let per_minute = years * 60_000 / started.elapsed().as_millis().max(1);
    if out.json {
        out.value(
            &json!({ "ok": true, "worlds": worlds, "customer_years_per_minute": per_minute }),
        );
    } else {
        out.line(format!(
            "{}: {worlds} worlds, {years} customer-years, {per_minute} a minute",
            out.tone("ok", Tone::Good)
        ));
    }
    Ok(Exit::Done)
}

fn days(options: &Options) -> u128 {
    u128::try_from(options.days).unwrap_or(0)
}
