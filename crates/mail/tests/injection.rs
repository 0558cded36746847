//! What people and providers write cannot add a header, a recipient, a tag or a link.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops")]

use farthing_mail::letter::{Overdue, Reason, Refund, RefundToReview};
use farthing_mail::message::MessageError;
use farthing_mail::{Brand, Letter, Letterhead, Postmark, message, render};
use mail_parser::{Address, HeaderName, MessageParser};

const EVIL: &str = "<script>alert(1)</script>\r\nBcc: x@example.com\r\n\r\nHello\u{202e}";

fn letterhead() -> Letterhead {
    let brand = Brand {
        app: EVIL.to_owned(),
        logo_url: Some("https://a.example/\"><script>alert(2)</script>".to_owned()),
        support: Some(EVIL.to_owned()),
        billing_url: Some("javascript:alert(3)".to_owned()),
    };
    Letterhead { brand, from: "billing@acme.example".to_owned(), reply_to: None }
}

fn evil_letters() -> Vec<Letter> {
    let amount = farthing_core::money::Money::new(100, "USD".parse().unwrap());
    let overdue = Overdue {
        plan: EVIL.to_owned(),
        amount: Some(amount),
        card: None,
        reason: Reason::Other,
        pay_url: Some("javascript:alert(4)".to_owned()),
        retry_at: None,
        read_only_at: None,
        ends_at: None,
        then: EVIL.to_owned(),
    };
    let refund = Refund { id: EVIL.to_owned(), amount, note: Some(EVIL.to_owned()) };
    let review = RefundToReview {
        id: EVIL.to_owned(),
        customer: EVIL.to_owned(),
        amount,
        reason: EVIL.to_owned(),
    };
    vec![
        Letter::PaymentFailed(overdue.clone()),
        Letter::LastChance(overdue),
        Letter::RefundRejected(refund),
        Letter::RefundToReview(review),
    ]
}

#[test]
fn a_name_cannot_add_headers_or_recipients() {
    let now = "2027-01-31T10:00:00Z".parse().unwrap();
    let postmark = Postmark { id: "mail_1", to: "ana@example.com", name: Some(EVIL), now };
    for letter in evil_letters() {
        let sent = message(&letter, &letterhead(), postmark).unwrap();
        assert_eq!(sent.to, "ana@example.com");
        let parsed = MessageParser::default().parse(&sent.bytes).unwrap();
        let names: Vec<&str> = parsed.headers().iter().map(|header| header.name.as_str()).collect();
        let expected = [
            "From",
            "To",
            "Date",
            "Message-ID",
            "Subject",
            "Auto-Submitted",
            "MIME-Version",
            "Content-Type",
        ];
        let strangers: Vec<_> = names
            .iter()
            .filter(|name| !expected.iter().any(|known| known.eq_ignore_ascii_case(name)))
            .collect();
        assert_eq!(strangers, [&""; 0], "{letter:?}");
        let Some(Address::List(to)) = parsed.to() else { panic!("a recipient") };
        assert_eq!(to.len(), 1);
        assert_eq!(to[0].address.as_deref(), Some("ana@example.com"));
        let name = to[0].name.as_deref().unwrap();
        assert!(!name.contains(['\r', '\n']), "{name:?}");
        assert!(!parsed.subject().unwrap().contains(['\r', '\n', '\u{202e}']));
        assert!(parsed.header(HeaderName::Bcc).is_none());
    }
}

#[test]
fn nothing_that_was_written_becomes_a_tag_or_a_link() {
    for letter in evil_letters() {
        let words = render(&letter, Some(EVIL), &letterhead().brand);
        assert!(!words.html.contains("<script"), "{}", words.html);
        assert!(!words.html.contains("javascript:"), "{}", words.html);
        assert!(words.html.contains("&lt;script&gt;"), "it is shown as what it is");
        assert!(!words.text.contains('\u{202e}') && !words.text.contains('\r'));
    }
}

#[test]
fn an_address_that_is_none_is_told_and_not_repeated() {
    let letter = &evil_letters()[0];
    let now = "2027-01-31T10:00:00Z".parse().unwrap();
    for to in ["ana", "a@b\r\nBcc: x@example.com", "a@example.com, b@example.com", "", "@"] {
        let postmark = Postmark { id: "mail_1", to, name: None, now };
        let refused = message(letter, &letterhead(), postmark).unwrap_err();
        assert_eq!(refused, MessageError::To, "{to:?}");
        assert!(!refused.to_string().contains('@'));
    }
    let postmark = Postmark { id: "mail_1", to: "ana@example.com", name: None, now };
    let nobody = Letterhead { from: "nobody".to_owned(), ..letterhead() };
    assert_eq!(message(letter, &nobody, postmark).unwrap_err(), MessageError::From);
}

#[test]
fn both_alternatives_say_the_same() {
    let now = "2027-01-31T10:00:00Z".parse().unwrap();
    let brand = Brand { app: "Äcme".to_owned(), ..Brand::default() };
    let from = "Äcme <billing@acme.example>".to_owned();
    let letterhead = Letterhead { brand, from, reply_to: None };
    let postmark = Postmark { id: "mail_1", to: "ana@example.com", name: Some("Ána"), now };
    for (name, letter) in farthing_mail::samples::all() {
        let sent = message(&letter, &letterhead, postmark).unwrap();
        let parsed = MessageParser::default().parse(&sent.bytes).unwrap();
        let words = render(&letter, Some("Ána"), &letterhead.brand);
        let text = parsed.body_text(0).unwrap().replace("\r\n", "\n");
        assert_eq!(text.trim(), words.text.trim(), "{name}");
        let html = parsed.body_html(0).unwrap().replace("\r\n", "\n");
        assert_eq!(html.trim(), words.html.trim(), "{name}");
        assert_eq!(parsed.message_id(), Some("mail_1@acme.example"), "{name}");
        assert_eq!(parsed.date().unwrap().to_rfc3339(), "2027-01-31T10:00:00Z", "{name}");
    }
}
