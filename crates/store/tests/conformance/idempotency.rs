//! Idempotency keys: one effect and one answer per key.

use std::sync::atomic::{AtomicU32, Ordering};

use farthing_store::idempotency::{self, Begun, KeyedRequest};
use farthing_store::on_both;

use super::{TestStore, at, is_lost, read, refused, write};

on_both!(
    a_request_is_run_once_and_then_replayed,
    the_same_key_with_another_body_is_refused,
    keys_of_two_callers_have_nothing_to_do_with_each_other,
    fifty_at_once_start_once,
    a_request_that_failed_without_effect_frees_its_key,
    a_request_whose_process_died_is_started_again_and_the_old_one_cannot_finish,
    an_expired_key_is_free_and_is_purged,
);

const FIRST: &[u8; 32] = &[1; 32];
const OTHER: &[u8; 32] = &[2; 32];

/// A request at `now`, with a lease of ten seconds and a key that is kept for a hundred.
fn request(request_id: &'static str, now: i64) -> KeyedRequest<'static> {
    KeyedRequest {
        scope: "key_1",
        key: "order-7",
        request_hash: FIRST,
        request_id,
        now: at(now),
        lease_until: at(now + 10),
        expires_at: at(now + 100),
    }
}

fn begin(store: &TestStore, request: KeyedRequest<'static>) -> Begun {
    write(store, move |tx| idempotency::begin(tx, &request))
}

fn finish(store: &TestStore, request: KeyedRequest<'static>) {
    write(store, move |tx| idempotency::finish(tx, &request, 201, b"{\"id\":7}"));
}

fn answer() -> Begun {
    Begun::Replay { status: 201, body: b"{\"id\":7}".to_vec() }
}

fn a_request_is_run_once_and_then_replayed(store: &TestStore) {
    assert_eq!(begin(store, request("req_1", 0)), Begun::Started);
    assert_eq!(begin(store, request("req_2", 1)), Begun::Running);
    finish(store, request("req_1", 0));
    assert_eq!(begin(store, request("req_3", 2)), answer());
    assert_eq!(begin(store, request("req_4", 99)), answer());
}

fn the_same_key_with_another_body_is_refused(store: &TestStore) {
    let other = |id, now| KeyedRequest { request_hash: OTHER, ..request(id, now) };
    begin(store, request("req_1", 0));
    assert_eq!(begin(store, other("req_2", 1)), Begun::OtherBody);
    assert_eq!(begin(store, other("req_2", 11)), Begun::OtherBody, "also after the lease");
    finish(store, request("req_1", 0));
    assert_eq!(begin(store, other("req_3", 2)), Begun::OtherBody);
}

fn keys_of_two_callers_have_nothing_to_do_with_each_other(store: &TestStore) {
    begin(store, request("req_1", 0));
    let another = KeyedRequest { scope: "key_2", request_hash: OTHER, ..request("req_2", 0) };
    assert_eq!(begin(store, another), Begun::Started);
}

fn fifty_at_once_start_once(store: &TestStore) {
    let started = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                if begin(store, request("req_1", 0)) == Begun::Started {
                    started.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    assert_eq!(started.load(Ordering::SeqCst), 1);
}

fn a_request_that_failed_without_effect_frees_its_key(store: &TestStore) {
    begin(store, request("req_1", 0));
    write(store, |tx| idempotency::forget(tx, &request("req_1", 0)));
    assert_eq!(begin(store, request("req_2", 1)), Begun::Started);
    write(store, |tx| idempotency::forget(tx, &request("req_1", 0)));
    assert_eq!(begin(store, request("req_3", 2)), Begun::Running, "it was not req_1's any more");
    finish(store, request("req_2", 0));
    write(store, |tx| idempotency::forget(tx, &request("req_2", 0)));
    assert_eq!(begin(store, request("req_4", 3)), answer(), "an answer is never forgotten");
}

fn a_request_whose_process_died_is_started_again_and_the_old_one_cannot_finish(store: &TestStore) {
    begin(store, request("req_1", 0));
    assert_eq!(begin(store, request("req_2", 9)), Begun::Running);
    assert_eq!(begin(store, request("req_3", 10)), Begun::Started, "[start, end)");
    let error = refused(store, |tx| idempotency::finish(tx, &request("req_1", 0), 500, b""));
    assert!(is_lost(&error), "{error}");
    finish(store, request("req_3", 10));
    assert_eq!(begin(store, request("req_4", 11)), answer());
}

fn an_expired_key_is_free_and_is_purged(store: &TestStore) {
    begin(store, request("req_1", 0));
    finish(store, request("req_1", 0));
    let another = KeyedRequest { request_hash: OTHER, ..request("req_2", 100) };
    assert_eq!(begin(store, another), Begun::Started, "even for another body");
    assert_eq!(write(store, |tx| idempotency::purge_expired(tx, at(199), 10)), 0);
    assert_eq!(write(store, |tx| idempotency::purge_expired(tx, at(200), 10)), 1);
    let left = read(store, |tx| tx.query("SELECT key FROM idempotency_keys", &[]));
    assert!(left.is_empty());
}
