//! What the simulation can see: every planted bug is noticed. With `SIM_TABLE=path` the table of
//! which seed noticed it is written there.

mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use farthing_sim::plants::{PLANTS, Plant};
use farthing_sim::{Options, run};

/// How many worlds a bug may live through.
const WORLDS: u64 = 6;

/// The seed that notices it, what it notices, and after how many seconds.
fn notice(plant: Plant) -> Result<String, String> {
    let started = Instant::now();
    for seed in 0..WORLDS {
        let calm = Options { faults: false, days: 60, ..support::options(seed) };
        let outcome = run(&Options { plant: Some(plant), ..calm }).expect("the sample is valid");
        if let Some(failure) = outcome.failure {
            let seconds = started.elapsed().as_secs_f64();
            let Plant { name, like, .. } = plant;
            return Ok(format!("| {name} | {like} | {seed} | {} | {seconds:.1} s |", failure.kind));
        }
    }
    Err(plant.name.to_owned())
}

#[test]
fn every_planted_bug_is_noticed() {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(plant) = PLANTS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let noticed = notice(*plant);
                    println!("{noticed:?}");
                    found.lock().unwrap().push(noticed);
                }
            });
        }
    });
    let found = found.into_inner().unwrap();
    let missed: Vec<&String> = found.iter().filter_map(|it| it.as_ref().err()).collect();
    assert!(missed.is_empty(), "not noticed: {missed:?}");
    if let Some(path) = std::env::var_os("SIM_TABLE") {
        let rows: Vec<String> = found.into_iter().filter_map(Result::ok).collect();
        std::fs::write(path, rows.join("\n") + "\n").unwrap();
    }
}

#[test]
fn without_a_planted_bug_the_same_worlds_have_nothing_to_notice() {
    for seed in 0..2 {
        support::play(&Options { faults: false, days: 60, ..support::options(seed) });
    }
}
