//! What the tests share.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use farthing_core::catalog::SAMPLE;
use farthing_sim::{Options, Outcome, run, shrink};

/// A number from the environment.
pub fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A world of the sample catalog with everything going wrong.
pub fn options(seed: u64) -> Options {
    Options {
        seed,
        customers: u32::try_from(number("SIM_CUSTOMERS", 3)).unwrap(),
        days: i64::try_from(number("SIM_DAYS", 75)).unwrap(),
        catalog: SAMPLE.to_owned(),
        faults: true,
        plant: None,
        tell: false,
        keep: std::env::var("SIM_KEEP")
            .ok()
            .map(|keep| keep.split(',').map(|number| number.parse().unwrap()).collect()),
    }
}

/// Plays it, and tells all about the shortest form of a failure.
pub fn play(options: &Options) -> Outcome {
    let outcome = run(options).unwrap();
    if outcome.failure.is_none() {
        return outcome;
    }
    let budget = usize::try_from(number("SIM_SHRINK", 60)).unwrap();
    let (short, _) = shrink(options, &outcome, budget);
    let told = run(&Options { tell: true, ..short.clone() }).unwrap();
    let from = told.story.len().saturating_sub(60);
    panic!("{:#?}\n{}\n{}", told.failure, short.command(), told.story[from..].join("\n"));
}
