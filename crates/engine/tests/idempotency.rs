//! A keyed request has its effect and its answer together.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

mod world;

use farthing_engine::Call;
use farthing_engine::idempotency::{Begun, Keyed};

use world::World;

on_both!(
    an_effect_and_its_answer_are_kept_together,
    a_request_that_lost_its_key_to_another_takes_nothing,
);

fn keyed(request_id: &str) -> Keyed {
    Keyed {
        scope: "key_1".to_owned(),
        key: "order-17".to_owned(),
        request_hash: [7; 32],
        request_id: request_id.to_owned(),
        now: "2027-01-31T10:00:00Z".parse().unwrap(),
    }
}

fn an_hour_later(keyed: Keyed) -> Keyed {
    Keyed { now: keyed.now.plus_seconds(3_600), ..keyed }
}

fn an_effect_and_its_answer_are_kept_together(world: World) {
    world.customer("ana");
    assert_eq!(world.engine.idempotency_begin(&keyed("req_1")).unwrap(), Begun::Started);
    let call = Call::new("test", "req_1").keyed(Some(keyed("req_1")));
    let answer = world.engine.consume(&call, &world.want("ana", "messages", 3)).unwrap();
    // The process ends here, before it could answer. The app sends the request again.
    let again = world.engine.idempotency_begin(&keyed("req_2")).unwrap();
    let body = serde_json::to_vec(&answer).unwrap();
    assert_eq!(again, Begun::Replay { status: 200, body });
    assert_eq!(world.state("ana").features["messages"].used, 3);
}

fn a_request_that_lost_its_key_to_another_takes_nothing(world: World) {
    world.customer("ana");
    world.engine.idempotency_begin(&keyed("req_1")).unwrap();
    let second = an_hour_later(keyed("req_2"));
    assert_eq!(world.engine.idempotency_begin(&second).unwrap(), Begun::Started);
    let late = Call::new("test", "req_1").keyed(Some(keyed("req_1")));
    assert!(world.engine.consume(&late, &world.want("ana", "messages", 3)).is_err());
    assert_eq!(world.state("ana").features["messages"].used, 0);
    let second = Call::new("test", "req_2").keyed(Some(second));
    assert!(world.engine.consume(&second, &world.want("ana", "messages", 3)).unwrap().allowed);
    assert_eq!(world.state("ana").features["messages"].used, 3);
    world.check();
}
