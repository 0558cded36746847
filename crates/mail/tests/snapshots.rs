//! Every mail as it is read and as it leaves. A change of words or looks is a change of these.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use farthing_mail::{Brand, Letterhead, Postmark, Rendered, message, render, samples};

fn letterhead() -> Letterhead {
    let brand = Brand {
        app: "Acme Chat".to_owned(),
        logo_url: Some("https://acme.example/logo.png".to_owned()),
        support: Some("help@acme.example".to_owned()),
        billing_url: Some("https://acme.example/billing".to_owned()),
    };
    let from = "Acme Chat <billing@acme.example>".to_owned();
    Letterhead { brand, from, reply_to: Some("help@acme.example".to_owned()) }
}

fn postmark() -> Postmark<'static> {
    let now = "2027-01-31T10:00:00Z".parse().unwrap();
    Postmark { id: "mail_01", to: "ana@example.com", name: Some("Ana Silva"), now }
}

#[test]
fn every_mail_reads_as_it_was_approved() {
    for (name, letter) in samples::all() {
        let Rendered { subject, html, text } =
            render(&letter, Some("Ana Silva"), &letterhead().brand);
        // A line for each element, so that a difference is seen where it is.
        let html = html.replace("><", ">\n<");
        insta::assert_snapshot!(
            name,
            format!("Subject: {subject}\n\n{text}\n=== html ===\n{html}")
        );
    }
}

#[test]
fn every_message_leaves_as_it_was_approved() {
    for (name, letter) in samples::all() {
        let message = message(&letter, &letterhead(), postmark()).unwrap();
        let wire = String::from_utf8(message.bytes).unwrap();
        assert!(wire.is_ascii(), "{name}: 8-bit bytes need a server that takes them");
        let longest = wire.split("\r\n").map(str::len).max().unwrap_or_default();
        assert!(longest <= 998, "{name}: a line of {longest} bytes is cut or refused on the way");
        insta::assert_snapshot!(format!("{name}.eml"), wire.replace("\r\n", "\n"));
    }
}

#[test]
fn no_sample_is_missing() {
    let kinds: std::collections::BTreeSet<&str> =
        samples::all().iter().map(|(_, letter)| letter.kind()).collect();
    assert_eq!(kinds.len(), 22, "a new kind of letter needs a sample: {kinds:?}");
}

#[test]
fn the_same_mail_is_the_same_message_every_time() {
    for (_, letter) in samples::all() {
        let once = message(&letter, &letterhead(), postmark()).unwrap();
        assert_eq!(once, message(&letter, &letterhead(), postmark()).unwrap());
    }
}

#[test]
fn a_letter_that_was_stored_is_read_back_as_it_was() {
    for (name, letter) in samples::all() {
        let stored = serde_json::to_value(&letter).unwrap();
        assert_eq!(stored["kind"], letter.kind(), "{name}");
        assert_eq!(serde_json::from_value::<farthing_mail::Letter>(stored).unwrap(), letter);
    }
}
