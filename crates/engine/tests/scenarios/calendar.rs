//! Time: months of every length, leap years, yearly plans with monthly credits, and halts.

use farthing_core::time::{Interval, Period, Timestamp};

use super::{done, has, in_steps, is, on, sleep_until, to, yearly};
use crate::on_both;
use crate::world::{GOOD_CARD, World};

on_both!(
    a_subscription_of_the_31st_never_drifts_across_a_leap_year,
    a_yearly_plan_of_the_leap_day_comes_back_to_it,
    a_yearly_plan_grants_each_month_once_also_after_an_upgrade,
    a_yearly_plan_grants_each_missed_month_once_after_a_long_sleep,
    a_halt_after_an_upgrade_grants_nothing_a_second_time,
    a_halt_across_a_month_grants_the_month_that_it_is_once,
);

fn days(period: Period) -> (String, String) {
    let day = |at: Timestamp| at.to_string()[..10].to_owned();
    (day(period.start), day(period.end))
}

fn period(world: &World) -> (String, String) {
    days(world.state("ana").subscription.unwrap().period)
}

/// What the plan granted so far: when each window started, and for which plan.
fn granted(world: &World) -> Vec<String> {
    let sql = "SELECT business_key, amount FROM credit_grants WHERE source = 'plan'";
    let mut found: Vec<String> = world
        .ask(sql)
        .into_iter()
        .map(|(key, amount)| {
            let mut parts = key.split(':').skip(2);
            let start: i64 = parts.next().unwrap().parse().unwrap();
            let start = Timestamp::from_micros(start).unwrap().to_string();
            format!("{} {} {amount}", &start[..10], parts.next().unwrap())
        })
        .collect();
    found.sort();
    found
}

fn a_subscription_of_the_31st_never_drifts_across_a_leap_year(world: World) {
    let mut world = on("starter", world);
    let ends = [
        "2027-02-28",
        "2027-03-31",
        "2027-04-30",
        "2027-05-31",
        "2027-06-30",
        "2027-07-31",
        "2027-08-31",
        "2027-09-30",
        "2027-10-31",
        "2027-11-30",
        "2027-12-31",
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
    ];
    let mut start = "2027-01-31".to_owned();
    for end in ends {
        assert_eq!(period(&world), (start, end.to_owned()));
        let messages = world.state("ana").features["messages"].clone();
        let boundary: Timestamp = format!("{end}T10:00:00Z").parse().unwrap();
        assert_eq!((messages.used, messages.resets_at), (0, Some(boundary)));
        world.consume("ana", "messages", 1_000);
        world.consume("ana", "ai", 1_500);
        sleep_until(&mut world, boundary.plus_seconds(-1));
        assert_eq!(world.state("ana").features["messages"].used, 1_000, "the last second of {end}");
        world.advance_to(boundary);
        assert_eq!(world.state("ana").features["messages"].used, 0, "the first instant of {end}");
        assert_eq!(has(&world), is("starter", 1_000), "not paid yet");
        world.advance_to(boundary.plus_seconds(3_600));
        assert_eq!(has(&world), is("starter", 2_500));
        start = end.to_owned();
    }
    assert_eq!(granted(&world).len(), ends.len() + 1);
    assert_eq!(world.charged_there().len(), ends.len() + 1);
    world.prove();
}

fn a_yearly_plan_of_the_leap_day_comes_back_to_it(mut world: World) {
    sleep_until(&mut world, "2028-02-29T09:30:00Z".parse().unwrap());
    world.customer("ana");
    world.buy_with(&yearly("ana", "starter"), GOOD_CARD);
    for end in ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"] {
        assert_eq!(period(&world).1, end);
        let boundary: Timestamp = format!("{end}T09:30:00Z").parse().unwrap();
        let later = boundary.plus_seconds(7_200);
        in_steps(&mut world, later, 30);
    }
    let months: Vec<String> = granted(&world).into_iter().filter(|g| g.contains("-02-")).collect();
    let on: Vec<&str> = months.iter().map(|month| &month[..10]).collect();
    let wanted =
        ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29", "2033-02-28"];
    assert_eq!(on, wanted);
    assert_eq!(granted(&world).len(), 5 * 12 + 1, "each month once");
    world.prove();
}

fn a_yearly_plan_grants_each_month_once_also_after_an_upgrade(mut world: World) {
    world.customer("ana");
    world.buy_with(&yearly("ana", "growth"), GOOD_CARD);
    in_steps(&mut world, "2027-06-12T00:00:00Z".parse().unwrap(), 20);
    world.consume("ana", "ai", 9_000);
    assert_eq!(done(&world, &to("pro")), "done");
    assert_eq!(has(&world), is("pro", 50_500));
    in_steps(&mut world, "2028-02-03T00:00:00Z".parse().unwrap(), 20);
    let growth = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"];
    let pro = [
        "2027-06-12",
        "2027-06-30",
        "2027-07-31",
        "2027-08-31",
        "2027-09-30",
        "2027-10-31",
        "2027-11-30",
        "2027-12-31",
        "2028-01-31",
    ];
    let wanted: Vec<String> = growth
        .iter()
        .map(|day| format!("{day} growth 10000"))
        .chain(pro.iter().map(|day| format!("{day} pro 50000")))
        .collect();
    assert_eq!(granted(&world), wanted);
    assert_eq!(has(&world), is("pro", 50_500));
    assert_eq!(period(&world), ("2028-01-31".to_owned(), "2029-01-31".to_owned()));
    assert_eq!(world.charged_there().len(), 3, "two years and the difference");
    world.prove();
}

fn a_yearly_plan_grants_each_missed_month_once_after_a_long_sleep(mut world: World) {
    world.customer("ana");
    world.buy_with(&yearly("ana", "growth"), GOOD_CARD);
    world.consume("ana", "ai", 7_000);
    let later = world.now().plus_intervals(100, Interval::Day);
    sleep_until(&mut world, later);
    assert_eq!(has(&world), is("growth", 10_500));
    let wanted: Vec<String> = ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]
        .iter()
        .map(|day| format!("{day} growth 10000"))
        .collect();
    assert_eq!(granted(&world), wanted);
    world.prove();
}

/// Halts it as we stand by it; the provider, which is asked next, says that it runs.
fn halted_and_running_again(world: &mut World) {
    world.by_hand(|tx| tx.execute("UPDATE subscriptions SET status = 'paused'", &[]));
    world.engine.reconcile_all(&crate::world::caller(), true, &mut |_| {}).unwrap();
    world.drain();
    assert_eq!(world.state("ana").subscription.unwrap().status, "active");
}

fn a_halt_after_an_upgrade_grants_nothing_a_second_time(world: World) {
    let mut world = on("starter", world);
    world.advance_days(9);
    assert_eq!(done(&world, &to("growth")), "done");
    world.consume("ana", "ai", 9_000);
    let (before, left) = (granted(&world), has(&world));
    halted_and_running_again(&mut world);
    assert_eq!((granted(&world), has(&world)), (before, left));
    world.prove();
}

fn a_halt_across_a_month_grants_the_month_that_it_is_once(mut world: World) {
    world.customer("ana");
    world.buy_with(&yearly("ana", "growth"), GOOD_CARD);
    world.by_hand(|tx| tx.execute("UPDATE subscriptions SET status = 'paused'", &[]));
    world.advance_days_without_events(35);
    halted_and_running_again(&mut world);
    halted_and_running_again(&mut world);
    assert_eq!(granted(&world), ["2027-01-31 growth 10000", "2027-02-28 growth 10000"]);
    world.prove();
}
