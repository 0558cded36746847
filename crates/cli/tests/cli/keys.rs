//! `farthing keys`, directly in the database of a running server.

use crate::support::{Dev, http};

fn status(dev: &Dev, key: &str) -> u16 {
    let request = http().get(format!("{}/v1/plans", dev.api())).bearer_auth(key);
    request.send().unwrap().status().as_u16()
}

#[test]
fn a_key_works_until_it_is_revoked() {
    let dev = Dev::start();
    let made = dev.cli(&["keys", "create", "web app", "--scope", "read", "--json"]).exits(0).json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    assert_eq!(status(&dev, key), 200);
    let listed = dev.cli(&["keys", "list"]).exits(0).stdout;
    assert!(listed.contains("web app") && !listed.contains(key), "{listed}");

    dev.cli(&["keys", "revoke", id]).exits(0);
    crate::support::eventually("the key is refused", || status(&dev, key) == 401);
}

#[test]
fn a_key_that_is_not_there_cannot_be_revoked() {
    let dev = Dev::start();
    let ran = dev.cli(&["keys", "revoke", "key_1"]).exits(1);
    assert!(ran.stderr.contains("there is no key \"key_1\""), "{}", ran.stderr);
}

#[test]
fn the_key_of_the_directory_is_made_again_after_it_was_revoked() {
    let temp = tempfile::tempdir().unwrap();
    let dev = Dev::start_in(temp.path(), &[]).unwrap();
    let old = dev.key().to_owned();
    let keys = dev.cli(&["keys", "list", "--json"]).exits(0).json();
    dev.cli(&["keys", "revoke", keys["data"][0]["id"].as_str().unwrap()]).exits(0);
    drop(dev);
    let dev = Dev::start_in(temp.path(), &[]).unwrap();
    assert_ne!(dev.key(), old);
    assert_eq!(status(&dev, dev.key()), 200);
}
