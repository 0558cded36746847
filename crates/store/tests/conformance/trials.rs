//! Trial claims: one trial for good.

use farthing_core::catalog::TrialClaim;
use farthing_store::on_both;
use farthing_store::trials::{self, Claim};

use super::{TestStore, at, customer, is_impossible, read, write};

on_both!(
    a_claim_is_taken_once_and_its_checkout_may_take_it_again,
    the_same_hash_of_another_kind_is_another_claim,
    a_released_claim_is_free_and_the_others_stay,
    of_many_at_once_one_has_the_claim,
);

const KINDS: [TrialClaim; 4] =
    [TrialClaim::Customer, TrialClaim::Card, TrialClaim::Email, TrialClaim::Device];

fn claim(kind: TrialClaim) -> Claim {
    Claim { kind, value_hash: "ab".repeat(32) }
}

fn take(store: &TestStore, kind: TrialClaim, of: &str, checkout: &str) -> bool {
    let (of, checkout) = (customer(of), checkout.to_owned());
    write(store, move |tx| trials::claim(tx, &claim(kind), (&of, &checkout), at(0)))
}

fn holder(store: &TestStore, kind: TrialClaim) -> Option<String> {
    read(store, |tx| trials::holder(tx, &claim(kind)))
}

fn a_claim_is_taken_once_and_its_checkout_may_take_it_again(store: &TestStore) {
    assert_eq!(holder(store, TrialClaim::Card), None);
    assert!(take(store, TrialClaim::Card, "ann", "chk_1"));
    assert!(take(store, TrialClaim::Card, "ann", "chk_1"));
    assert!(!take(store, TrialClaim::Card, "bob", "chk_2"));
    assert!(!take(store, TrialClaim::Card, "ann", "chk_3"), "the same customer's second");
    assert_eq!(holder(store, TrialClaim::Card), Some("chk_1".into()));
}

fn the_same_hash_of_another_kind_is_another_claim(store: &TestStore) {
    for kind in KINDS {
        assert!(take(store, kind, "ann", "chk_1"), "{kind:?}");
        assert_eq!(holder(store, kind), Some("chk_1".into()));
    }
    is_impossible(store, "UPDATE trial_claims SET kind = 'phone' WHERE kind = 'card'");
}

fn a_released_claim_is_free_and_the_others_stay(store: &TestStore) {
    assert!(take(store, TrialClaim::Card, "ann", "chk_1"));
    assert!(take(store, TrialClaim::Email, "ann", "chk_1"));
    assert!(take(store, TrialClaim::Device, "bob", "chk_2"));
    write(store, |tx| trials::release(tx, "chk_1"));
    write(store, |tx| trials::release(tx, "chk_9"));
    assert_eq!((holder(store, TrialClaim::Card), holder(store, TrialClaim::Email)), (None, None));
    assert_eq!(holder(store, TrialClaim::Device), Some("chk_2".into()));
    assert!(take(store, TrialClaim::Card, "bob", "chk_2"));
}

fn of_many_at_once_one_has_the_claim(store: &TestStore) {
    let took: u32 = std::thread::scope(|scope| {
        let all: Vec<_> = (0..16)
            .map(|n| scope.spawn(move || take(store, TrialClaim::Card, "ann", &format!("chk_{n}"))))
            .collect();
        all.into_iter().map(|one| u32::from(one.join().unwrap())).sum()
    });
    assert_eq!(took, 1);
}
