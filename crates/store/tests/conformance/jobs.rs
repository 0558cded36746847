//! Jobs: claimed once, fenced, run again when asked for while they run.

use farthing_store::jobs::{self, Job, JobState, NewJob};
use farthing_store::{Claim, Lease, on_both};

use super::{TestStore, at, customer, is_lost, read, refused, write};

on_both!(
    a_job_is_run_when_it_is_due_and_once,
    the_same_job_waits_once_and_moves_only_earlier,
    a_job_asked_for_while_it_runs_is_run_again,
    jobs_without_a_key_are_never_the_same,
    two_workers_never_claim_the_same_job,
    after_its_lease_a_job_is_anothers_and_the_old_token_is_worth_nothing,
    a_failed_attempt_counts_and_one_that_was_too_early_does_not,
    an_earlier_request_wins_over_a_late_retry,
    a_dead_job_stays_and_its_like_can_be_asked_for_again,
    a_job_rolls_back_with_the_change_that_needs_it,
    jobs_are_listed_and_counted_by_state,
);

fn job(id: &str, dedup_key: Option<&str>, run_at: i64) -> NewJob {
    NewJob {
        id: id.into(),
        kind: "renew".into(),
        customer: Some(customer("ann")),
        payload: r#"{"subscription":"sub_1"}"#.into(),
        dedup_key: dedup_key.map(Into::into),
        run_at: at(run_at),
        created_at: at(0),
    }
}

fn enqueue(store: &TestStore, job: NewJob) -> bool {
    write(store, move |tx| jobs::enqueue(tx, &job))
}

/// Claims with a lease of 100 seconds.
fn claim(store: &TestStore, now: i64, token: &'static str) -> Vec<Job> {
    let claim = Claim { now: at(now), lease_until: at(now + 100), token, limit: 10 };
    write(store, move |tx| jobs::claim_due(tx, claim))
}

fn ids(jobs: &[Job]) -> Vec<&str> {
    jobs.iter().map(|job| job.id.as_str()).collect()
}

fn next_due(store: &TestStore) -> Option<farthing_core::time::Timestamp> {
    read(store, jobs::next_due)
}

const ONE: Lease<'static> = Lease { id: "job_1", token: "a" };

fn a_job_is_run_when_it_is_due_and_once(store: &TestStore) {
    assert_eq!(next_due(store), None);
    assert!(enqueue(store, job("job_1", None, 10)));
    assert!(enqueue(store, job("job_2", None, 5)));
    assert_eq!(next_due(store), Some(at(5)));
    assert_eq!(ids(&claim(store, 4, "x")), [""; 0]);
    let claimed = claim(store, 10, "a");
    assert_eq!(ids(&claimed), ["job_2", "job_1"], "the longest due first");
    let NewJob { id, kind, customer, payload, run_at, created_at, .. } = job("job_1", None, 10);
    let (attempts, state, last_error) = (1, JobState::Pending, None);
    let stored =
        Job { id, kind, customer, payload, run_at, attempts, state, last_error, created_at };
    assert_eq!(claimed[1], stored);
    assert_eq!(next_due(store), Some(at(110)), "when the leases are over");
    write(store, |tx| jobs::finish(tx, ONE, at(11)));
    let done = read(store, |tx| jobs::get(tx, "job_1"));
    assert_eq!(done, Some(Job { state: JobState::Done, ..stored }));
    assert_eq!(ids(&claim(store, 500, "b")), ["job_2"]);
}

fn the_same_job_waits_once_and_moves_only_earlier(store: &TestStore) {
    assert!(enqueue(store, job("job_1", Some("renew sub_1"), 50)));
    assert!(!enqueue(store, job("job_2", Some("renew sub_1"), 60)));
    assert_eq!(next_due(store), Some(at(50)));
    assert!(!enqueue(store, job("job_3", Some("renew sub_1"), 40)));
    assert_eq!(next_due(store), Some(at(40)));
    assert!(enqueue(store, job("job_4", Some("renew sub_2"), 45)));
    assert_eq!(ids(&claim(store, 50, "a")), ["job_1", "job_4"]);
    write(store, |tx| jobs::finish(tx, ONE, at(51)));
    assert!(enqueue(store, job("job_5", Some("renew sub_1"), 50)), "the key is free again");
}

fn a_job_asked_for_while_it_runs_is_run_again(store: &TestStore) {
    enqueue(store, job("job_1", Some("k"), 0));
    claim(store, 0, "a");
    assert!(!enqueue(store, job("job_2", Some("k"), 30)));
    assert!(!enqueue(store, job("job_3", Some("k"), 20)));
    assert!(!enqueue(store, job("job_4", Some("k"), 40)));
    write(store, |tx| jobs::finish(tx, ONE, at(1)));
    assert_eq!(next_due(store), Some(at(20)), "the earliest that was asked for");
    let again = claim(store, 20, "b");
    assert_eq!((ids(&again), again[0].attempts), (vec!["job_1"], 1));
    write(store, |tx| jobs::finish(tx, Lease { id: "job_1", token: "b" }, at(21)));
    assert_eq!(next_due(store), None);
}

fn jobs_without_a_key_are_never_the_same(store: &TestStore) {
    assert!(enqueue(store, job("job_1", None, 0)));
    assert!(enqueue(store, job("job_2", None, 0)));
    assert_eq!(claim(store, 0, "a").len(), 2);
}

fn two_workers_never_claim_the_same_job(store: &TestStore) {
    for number in 100..160 {
        enqueue(store, job(&format!("job_{number}"), None, number % 7));
    }
    let tokens = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut claimed: Vec<String> = std::thread::scope(|scope| {
        let claim_all = |token| {
            move || {
                let claim = Claim { now: at(9), lease_until: at(99), token, limit: 3 };
                let claim = || write(store, move |tx| jobs::claim_due(tx, claim));
                let claims = std::iter::from_fn(|| Some(claim()).filter(|jobs| !jobs.is_empty()));
                claims.flatten().map(|job| job.id).collect::<Vec<_>>()
            }
        };
        let workers = tokens.map(|token| scope.spawn(claim_all(token)));
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    claimed.sort();
    let all: Vec<String> = (100..160).map(|number| format!("job_{number}")).collect();
    assert_eq!(claimed, all);
}

fn after_its_lease_a_job_is_anothers_and_the_old_token_is_worth_nothing(store: &TestStore) {
    enqueue(store, job("job_1", Some("k"), 0));
    claim(store, 0, "a");
    assert_eq!(ids(&claim(store, 99, "b")), [""; 0], "the lease is not over");
    let second = claim(store, 100, "b");
    assert_eq!((ids(&second), second[0].attempts), (vec!["job_1"], 2), "[start, end)");
    assert!(is_lost(&refused(store, |tx| jobs::finish(tx, ONE, at(101)))));
    assert!(is_lost(&refused(store, |tx| jobs::retry(tx, ONE, at(101), "slow"))));
    assert!(is_lost(&refused(store, |tx| jobs::not_before(tx, ONE, at(101), "away"))));
    assert!(is_lost(&refused(store, |tx| jobs::dead(tx, ONE, at(101), "slow"))));
    let new = Lease { id: "job_1", token: "b" };
    write(store, move |tx| jobs::finish(tx, new, at(102)));
    assert!(is_lost(&refused(store, move |tx| jobs::finish(tx, new, at(103)))), "only once");
}

fn a_failed_attempt_counts_and_one_that_was_too_early_does_not(store: &TestStore) {
    enqueue(store, job("job_1", None, 0));
    claim(store, 0, "a");
    write(store, |tx| jobs::retry(tx, ONE, at(10), "timeout"));
    let second = claim(store, 10, "a");
    assert_eq!((second[0].attempts, second[0].last_error.as_deref()), (2, Some("timeout")));
    write(store, |tx| jobs::not_before(tx, ONE, at(20), "away"));
    assert_eq!(ids(&claim(store, 19, "a")), [""; 0]);
    assert_eq!(claim(store, 20, "a")[0].attempts, 2);
}

fn an_earlier_request_wins_over_a_late_retry(store: &TestStore) {
    enqueue(store, job("job_1", Some("k"), 0));
    claim(store, 0, "a");
    enqueue(store, job("job_2", Some("k"), 5));
    write(store, |tx| jobs::retry(tx, ONE, at(90), "timeout"));
    assert_eq!(next_due(store), Some(at(5)));
    claim(store, 5, "a");
    enqueue(store, job("job_3", Some("k"), 200));
    write(store, |tx| jobs::not_before(tx, ONE, at(90), "away"));
    assert_eq!(next_due(store), Some(at(90)));
    claim(store, 90, "a");
    write(store, |tx| jobs::finish(tx, ONE, at(91)));
    assert_eq!(next_due(store), Some(at(200)), "the later request is not forgotten");
}

fn a_dead_job_stays_and_its_like_can_be_asked_for_again(store: &TestStore) {
    enqueue(store, job("job_1", Some("k"), 0));
    claim(store, 0, "a");
    write(store, |tx| jobs::dead(tx, ONE, at(1), "no such subscription"));
    assert_eq!(next_due(store), None);
    let dead = read(store, |tx| jobs::get(tx, "job_1")).unwrap();
    assert_eq!(
        (dead.state, dead.last_error.as_deref()),
        (JobState::Dead, Some("no such subscription"))
    );
    let pending = |payload: &'static str| {
        let kind = dead.kind.clone();
        read(store, |tx| jobs::is_pending(tx, &kind, payload))
    };
    let payload: &'static str = Box::leak(dead.payload.clone().into_boxed_str());
    assert!(!pending(payload), "a dead one is not waiting");
    enqueue(store, job("job_2", Some("k"), 7));
    assert!(pending(payload) && !pending("{}x"));
    claim(store, 7, "a");
    assert!(pending(payload), "it runs");
}

fn a_job_rolls_back_with_the_change_that_needs_it(store: &TestStore) {
    let new = job("job_1", Some("k"), 0);
    refused(store, move |tx| {
        jobs::enqueue(tx, &new)?;
        Err::<(), _>(farthing_store::StoreError::Busy)
    });
    assert_eq!(read(store, |tx| jobs::get(tx, "job_1")), None);
}

fn jobs_are_listed_and_counted_by_state(store: &TestStore) {
    for id in ["job_1", "job_2", "job_3"] {
        enqueue(store, job(id, None, 0));
    }
    claim(store, 0, "a");
    write(store, |tx| jobs::finish(tx, ONE, at(1)));
    let listed = |after: &str| {
        let jobs = read(store, |tx| jobs::list(tx, JobState::Pending, after, 9));
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(listed(""), ["job_2", "job_3"]);
    assert_eq!(listed("job_2"), ["job_3"]);
    assert_eq!(read(store, jobs::counts), [(JobState::Done, 1), (JobState::Pending, 2)]);
}
