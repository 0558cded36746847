//! Every call of every journey lost, refused, or the last thing that a process did. Afterwards a
//! new process runs the jobs: the lock is open, what was wanted is there or cleanly not, and a
//! second click gets there. Whatever happened, it is charged once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farthing_core::change::Command;
use farthing_core::time::Interval;
use farthing_engine::EngineError;
use farthing_store::testing::Backend;

use super::{CANCEL, RESUME, every, to};
use crate::world::{Fate, GOOD_CARD, Killed, World, caller};

/// Something that a customer does, over several calls to the provider.
struct Journey {
    name: &'static str,
    /// The plan that was bought, and what was changed about it before.
    from: (&'static str, Option<Command>),
    command: Command,
    /// Plan, how often it is paid, what is scheduled, whether it ends.
    to: (&'static str, Option<Interval>, Option<&'static str>, bool),
    /// How many payments it takes.
    payments: usize,
}

const MONTH: Option<Interval> = Some(Interval::Month);

fn journeys() -> Vec<Journey> {
    let later = |plan| (plan, MONTH);
    let journey = |name, from, command, (plan, interval), scheduled, ends, payments| Journey {
        name,
        from,
        command,
        to: (plan, interval, scheduled, ends),
        payments,
    };
    let end_now = Command::Cancel { at_once: true };
    vec![
        journey("upgrade", ("starter", None), to("growth"), later("growth"), None, false, 1),
        journey(
            "upgrade instead of a downgrade",
            ("growth", Some(to("starter"))),
            to("pro"),
            later("pro"),
            None,
            false,
            1,
        ),
        journey(
            "downgrade",
            ("growth", None),
            to("starter"),
            later("growth"),
            Some("starter"),
            false,
            0,
        ),
        journey("cancel", ("growth", None), CANCEL, later("growth"), None, true, 0),
        journey("resume", ("growth", Some(CANCEL)), RESUME, later("growth"), None, false, 0),
        journey(
            "resume from a downgrade",
            ("growth", Some(to("starter"))),
            RESUME,
            later("growth"),
            None,
            false,
            0,
        ),
        journey(
            "pay by the year",
            ("growth", None),
            every(Interval::Year, "growth"),
            ("growth", Some(Interval::Year)),
            None,
            false,
            1,
        ),
        journey("end at once", ("growth", None), end_now, ("free", None), None, false, 0),
    ]
}

const FATES: [Fate; 7] = [
    Fate::NotSent,
    Fate::AnswerLost,
    Fate::Failed,
    Fate::TooMany,
    Fate::Busy,
    Fate::KilledBefore,
    Fate::KilledAfter,
];

fn arrived(world: &World, id: &str, journey: &Journey) -> bool {
    let state = world.state(id);
    let sub = state.subscription.unwrap();
    let scheduled = sub.pending_change.map(|pending| pending.plan);
    let found =
        (state.plan.as_str(), state.interval, scheduled.as_deref(), sub.cancel_at.is_some());
    found == journey.to
}

fn click(world: &World, id: &str, command: &Command) -> Result<(), EngineError> {
    let sub = world.state(id).subscription.unwrap().id;
    world.engine.change(&caller(), &sub, command, None).map(drop)
}

/// Lets call number `n` from now end as `fate` says while `work` runs; how many calls there were.
fn with_fate(world: &World, (n, fate): (usize, Fate), work: impl FnOnce()) -> usize {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    world.line.set(move |_| {
        let it = count.fetch_add(1, Ordering::SeqCst);
        if it == n { fate } else { Fate::Answered }
    });
    if let Err(why) = catch_unwind(AssertUnwindSafe(work)) {
        assert!(why.is::<Killed>(), "it panicked by itself");
    }
    world.line.heal();
    calls.load(Ordering::SeqCst)
}

/// A new process runs the jobs for a minute.
fn recover(world: &mut World) {
    world.restart();
    world.settle();
    world.advance_to(world.now().plus_seconds(60));
}

fn locks(world: &World) -> usize {
    world.ask("SELECT id, attempts FROM intents WHERE state IN ('open', 'unknown')").len()
}

fn start(world: &mut World, id: &str, journey: &Journey) {
    let (plan, before) = &journey.from;
    world.customer(id);
    world.buy(id, plan);
    if let Some(before) = before {
        click(world, id, before).unwrap();
    }
}

/// One journey with one fault; answers how many calls it takes.
fn survive(world: &mut World, id: &str, journey: &Journey, (n, fate): (usize, Fate)) -> usize {
    let what = format!("{}, call {n}: {fate:?}", journey.name);
    start(world, id, journey);
    let payments = world.charged_there().len();
    let calls = with_fate(world, (n, fate), || drop(click(world, id, &journey.command)));
    recover(world);
    assert_eq!(locks(world), 0, "{what}: the lock stays");
    if !arrived(world, id, journey) {
        assert_eq!(world.charged_there().len(), payments, "{what}: charged for nothing");
        click(world, id, &journey.command).unwrap_or_else(|error| panic!("{what}: {error:?}"));
        world.settle();
    }
    assert!(arrived(world, id, journey), "{what}: {:?}", world.state(id));
    assert_eq!(world.charged_there().len(), payments + journey.payments, "{what}: charged");
    calls
}

fn survive_all(backend: Backend, journeys: &[Journey], fates: &[Fate]) {
    for journey in journeys {
        let mut world = World::new(backend);
        let calls = survive(&mut world, "c", journey, (usize::MAX, Fate::Answered));
        assert!(2 <= calls, "{} asks first", journey.name);
        for (position, fate) in fates.iter().enumerate() {
            for n in 0..calls {
                survive(&mut world, &format!("c{position}_{n}"), journey, (n, *fate));
            }
        }
        world.prove();
    }
}

#[test]
fn a_change_survives_the_loss_of_every_call_and_is_charged_once() {
    survive_all(Backend::Memory, &journeys(), &FATES);
}

#[test]
fn a_change_survives_the_loss_of_every_call_and_is_charged_once_on_postgres() {
    let some: Vec<Journey> = journeys().into_iter().take(3).collect();
    survive_all(Backend::Postgres, &some, &[Fate::AnswerLost, Fate::KilledAfter]);
}

/// The provider answers 500 and keeps that for the key: under this key it will never do anything.
#[test]
fn an_error_that_the_provider_keeps_for_its_key_does_not_lock_for_a_day() {
    for backend in [Backend::Memory, Backend::Postgres] {
        let mut world = World::new(backend);
        let journeys = journeys();
        for (position, journey) in journeys.iter().filter(|it| it.name != "end at once").enumerate()
        {
            for scenario in ["fails_before", "fails_after"] {
                let id = format!("{scenario}{position}");
                start(&mut world, &id, journey);
                let payments = world.charged_there().len();
                world.provider().scenario(scenario, &[("call", "POST /v1/subscription")]).unwrap();
                click(&world, &id, &journey.command).unwrap_err();
                recover(&mut world);
                world.advance_to(world.now().plus_seconds(15 * 60));
                let what = format!("{} {scenario}", journey.name);
                assert_eq!(locks(&world), 0, "{what}: the lock stays");
                assert!(arrived(&world, &id, journey), "{what}");
                assert_eq!(world.charged_there().len(), payments + journey.payments, "{what}");
            }
        }
        world.prove();
    }
}

#[test]
fn a_checkout_survives_the_loss_of_every_call_and_is_charged_once() {
    for (backend, fates) in
        [(Backend::Memory, &FATES[..]), (Backend::Postgres, &[Fate::AnswerLost, Fate::KilledAfter])]
    {
        let mut world = World::new(backend);
        let cases = fates.iter().flat_map(|fate| (0..3).map(move |n| (n, *fate)));
        for (bought, (n, fate)) in cases.enumerate() {
            let (id, what) = (format!("c{bought}"), format!("call {n}: {fate:?}"));
            world.customer(&id);
            let plan = world.plan(&id, "growth");
            let calls = with_fate(&world, (n, fate), || drop(world.checkout(&plan)));
            assert!(n < calls, "{what}: there are {calls} calls");
            recover(&mut world);
            assert_eq!(world.charged_there().len(), bought, "{what}");
            let page = world.checkout(&plan).unwrap_or_else(|error| panic!("{what}: {error:?}"));
            assert_eq!(world.pay(&page, GOOD_CARD), 303);
            world.settle();
            let state = world.state(&id);
            assert_eq!((state.plan.as_str(), state.credits["ai"].balance), ("growth", 10_500));
            let made = ["/v1/customers", "/v1/checkout/sessions", "/v1/subscriptions"]
                .map(|path| world.all_there(path).len());
            assert_eq!(made, [bought + 1; 3], "{what}: made once");
        }
        world.prove();
    }
}

/// The process that handles an event dies with the provider's answer in its hands.
#[test]
fn an_event_whose_worker_died_is_handled_by_the_next_one() {
    for (bought, fate) in [Fate::KilledBefore, Fate::KilledAfter].into_iter().enumerate() {
        let mut world = World::new(Backend::Memory);
        let id = format!("c{bought}");
        world.customer(&id);
        let page = world.checkout(&world.plan(&id, "growth")).unwrap();
        assert_eq!(world.pay(&page, GOOD_CARD), 303);
        for delivery in world.take_deliveries() {
            world.receive(&delivery);
        }
        while with_fate(&world, (0, fate), || drop(world.engine.process_events())) != 0 {}
        assert_eq!(world.state(&id).plan, "free");
        world.restart();
        world.advance_to(world.now().plus_seconds(300));
        assert_eq!(world.state(&id).credits["ai"].balance, 10_500);
        world.prove();
    }
}
