//! One world from its beginning to its end.

use std::collections::BTreeMap;

use farthing_engine::reconcile::{Drift, Repair};
use farthing_engine::{Call, Engine};

use crate::acts::customer_id;
use crate::plants::Plant;
use crate::report::{Revenue, revenue};
use crate::script::{Item, Script};
use crate::world::{Failure, World};

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything else follows from.
    pub seed: u64,
    /// How many customers sign up.
    pub customers: u32,
    /// How many days things happen.
    pub days: i64,
    /// The catalog file.
    pub catalog: String,
    /// Whether things go wrong.
    pub faults: bool,
    /// A bug to be noticed.
    pub plant: Option<Plant>,
    /// Whether to keep the story.
    pub tell: bool,
    /// Which items of the script to play, by number; all when `None`.
    pub keep: Option<Vec<usize>>,
}

impl Options {
    /// The command that plays exactly this again.
    pub fn command(&self) -> String {
        let Self { seed, customers, days, .. } = self;
        let mut command =
            format!("farthing simulate --seed {seed} --customers {customers} --days {days}");
        if !self.faults {
            command += " --calm";
        }
        if let Some(keep) = &self.keep {
            let keep: Vec<String> = keep.iter().map(usize::to_string).collect();
            command += &format!(" --keep {}", keep.join(","));
        }
        command
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What must not have been; `None`: all is well.
    pub failure: Option<Failure>,
    /// Equal for equal histories.
    pub hash: u64,
    /// How many things happened.
    pub lines: u64,
    /// What happened, and how often.
    pub milestones: BTreeMap<String, u64>,
    /// Month (`2027-02`) to what happened to how often.
    pub months: BTreeMap<String, BTreeMap<String, u64>>,
    /// Every line, when the story was kept.
    pub story: Vec<String>,
    /// What was paid, by month and what it was for.
    pub revenue: Revenue,
    /// How many items the script has, before any were left out.
    pub items: usize,
}

/// Days after the last item of the script in which nothing goes wrong any more.
const QUIET_DAYS: i64 = 8;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// Simulates. Errors: the catalog is not valid.
pub fn run(options: &Options) -> Result<Outcome, String> {
    let script = Script::write(options.seed, options.customers, options.days, options.faults);
    let kept = |n: &usize| options.keep.as_ref().is_none_or(|keep| keep.contains(n));
    let numbered = script.items.iter().enumerate();
    let items: Vec<Item> = numbered.filter(|(n, _)| kept(n)).map(|(_, item)| *item).collect();
    let place = (options.seed, script.start);
    let mut world = World::open(place, &options.catalog, options.plant, options.tell)?;
    let failure = play(&mut world, script.start, &items, options).err();
    Ok(Outcome {
        failure,
        hash: world.trace.hash(),
        lines: world.trace.lines(),
        milestones: world.trace.milestones().clone(),
        months: world.trace.months().clone(),
        story: world.trace.story().to_vec(),
        revenue: revenue(&mut world.truth),
        items: script.items.len(),
    })
}

fn play(world: &mut World, start: i64, items: &[Item], options: &Options) -> Result<(), Failure> {
    for item in items {
        world.advance_to((start + item.at) * SECOND)?;
        world.perform(item.what)?;
        world.advance_to(world.now)?;
    }
    world.advance_to((start + options.days * 86_400) * SECOND)?;
    world.heal();
    world.advance_to(world.now + QUIET_DAYS * DAY)?;
    judge(world, options.customers)
}

/// Farthing = oracle = provider, and nothing is left over.
fn judge(world: &mut World, customers: u32) -> Result<(), Failure> {
    world.touched = (0..customers).map(customer_id).collect();
    let known: Vec<String> = world.oracle.customers().cloned().collect();
    world.touched.retain(|id| known.contains(id));
    world.watch()?;
    world.check_all()?;
    let fail = |world: &World, kind: &str, found: Vec<String>| match found.is_empty() {
        true => Ok(()),
        false => Err(world.failure(kind, found.join("; "))),
    };
    world.truth.refresh();
    let missed = world.oracle.missed(&mut world.truth);
    fail(world, "provider: missed", missed)?;
    for customer in known {
        let id = customer.parse().map_err(|_| world.failure("provider: state", "a bad id"))?;
        let Ok(state) = world.ask(|engine| engine.state(&id))? else { continue };
        let found = world.oracle.against(&customer, &state, &mut world.truth);
        let found = found.into_iter().map(|found| format!("{customer} {found}")).collect();
        fail(world, "provider: state", found)?;
    }
    let call = Call::new("simulation", "end");
    let mut drift = Vec::new();
    let walked = world.ask(|engine: &Engine| {
        engine.reconcile_all(&call, false, &mut |report| {
            drift.extend(
                report.findings.iter().filter(|one| is_drift(one)).map(|one| format!("{one:?}")),
            );
        })
    })?;
    if walked.is_ok() {
        fail(world, "drift", drift)?;
    }
    left_over(world)
}

/// Whether a difference is one. After a move from a year to a month in the provider's own portal
/// the walk takes the year, which ends later, for what was bought last, and asks for a person; it
/// changes nothing, and what the subscription gives is judged against the provider anyway.
fn is_drift(found: &Drift) -> bool {
    let asks = found.repair == Repair::Person && found.object.starts_with("sub_");
    !found.ignored && !asks
}

/// What waits for nobody: dead or set-aside events, dead jobs, changes without an end.
fn left_over(world: &World) -> Result<(), Failure> {
    const EVENT: &str = "
        SELECT type || ' ' || state || ': ' || last_error FROM provider_events
        WHERE state IN ('dead', 'quarantined') ORDER BY id LIMIT 1";
    const JOB: &str = "SELECT kind || ': ' || last_error FROM jobs WHERE state = 'dead' LIMIT 1";
    const INTENT: &str = "
        SELECT customer_id || ' ' || kind || ' ' || state FROM intents
        WHERE state IN ('open', 'unknown') LIMIT 1";
    for (kind, sql) in [("event", EVENT), ("job", JOB), ("intent", INTENT)] {
        if let Some(found) = world.first_text(sql) {
            return Err(world.failure(format!("left over: {kind}"), found));
        }
    }
    match world.count("SELECT COUNT(*) FROM provider_events WHERE state = 'received'") {
        0 => Ok(()),
        n => Err(world.failure("left over: event", format!("{n} events are not handled"))),
    }
}
