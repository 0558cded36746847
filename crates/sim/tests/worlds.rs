//! Worlds from seeds: as many as there is time for, and one that nobody has seen before.
//!
//! `SIM_SECONDS`, `SIM_FROM`, `SIM_CUSTOMERS`, `SIM_DAYS` and `SIM_THREADS` make it longer or other.

mod support;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use support::{number, options, play};

#[test]
fn calm_worlds_are_as_predicted() {
    for seed in 0..2 {
        let mut options = options(seed);
        (options.faults, options.customers, options.days) = (false, 4, 70);
        let outcome = play(&options);
        assert!(outcome.milestones.contains_key("subscription.activated"), "nothing happened");
    }
}

#[test]
fn worlds_in_which_everything_goes_wrong_end_as_predicted() {
    let until = Instant::now() + Duration::from_secs(number("SIM_SECONDS", 5));
    let next = AtomicU64::new(number("SIM_FROM", 0));
    let started = Instant::now();
    let (worlds, milestones) = (AtomicU64::new(0), Mutex::new(BTreeMap::<String, u64>::new()));
    std::thread::scope(|scope| {
        for _ in 0..number("SIM_THREADS", 2) {
            scope.spawn(|| {
                while Instant::now() < until {
                    let outcome = play(&options(next.fetch_add(1, Ordering::Relaxed)));
                    worlds.fetch_add(1, Ordering::Relaxed);
                    let mut all = milestones.lock().unwrap();
                    for (name, n) in outcome.milestones {
                        *all.entry(name).or_default() += n;
                    }
                }
            });
        }
    });
    let worlds = worlds.into_inner();
    let one = options(0);
    let years = worlds as f64 * f64::from(one.customers) * (one.days + 8) as f64 / 365.0;
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{worlds} worlds, {years:.0} customer-years in {seconds:.0} s: {:.0} a minute",
        years / seconds * 60.0
    );
    for (name, n) in milestones.into_inner().unwrap() {
        println!("{n:8}  {name}");
    }
}

#[test]
fn a_world_that_nobody_has_seen_ends_as_predicted() {
    let seed = number("SIM_SEED", RandomState::new().hash_one("seed") % 1_000_000_000);
    println!("seed {seed}");
    play(&options(seed));
}

#[test]
fn the_same_seed_has_the_same_history() {
    let options = options(4);
    let (first, second) = (play(&options), play(&options));
    assert_eq!((first.lines, first.hash), (second.lines, second.hash));
    assert_ne!(first.hash, play(&support::options(5)).hash);
}
