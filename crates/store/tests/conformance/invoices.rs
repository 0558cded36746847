//! Invoices and payments: a mirror that never goes back.

use farthing_core::money::Money;
use farthing_core::snapshot::{
    Card, CustomerRef, InvoiceLine, InvoiceSnapshot, InvoiceStatus, PaymentSnapshot, PaymentStatus,
};
use farthing_core::time::Period;
use farthing_store::invoices::{self, Invoice, Payment, Place};
use farthing_store::{on_both, params};

use super::{TestStore, at, by_hand, customer, is_impossible, read, write, wrong_column};

on_both!(
    every_status_of_an_invoice_survives_a_round_trip,
    every_status_of_a_payment_survives_a_round_trip,
    an_invoice_keeps_our_id_and_follows_the_providers,
    a_picture_older_than_what_is_there_does_not_overwrite,
    an_older_picture_of_a_payment_does_not_overwrite,
    the_newest_invoice_comes_first_page_by_page,
    payments_are_listed_by_their_invoice,
    a_row_that_cannot_be_right_is_named,
);

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn snapshot(id: &str, status: InvoiceStatus) -> InvoiceSnapshot {
    InvoiceSnapshot {
        id: id.into(),
        customer: CustomerRef { provider_id: "cus_1".into(), app_id: None },
        subscription: Some("si_1".into()),
        number: Some("A-0001".into()),
        status,
        reason: "subscription_cycle".into(),
        total: eur(1900),
        paid: eur(-100),
        created_at: at(2),
        attempts: 2,
        next_attempt_at: Some(at(9)),
        lines: vec![InvoiceLine {
            description: "Pro".into(),
            price: Some("price_1".into()),
            amount: eur(1900),
            quantity: 1,
            period: Period { start: at(0), end: at(10) },
            proration: false,
        }],
        payments: Vec::new(),
        hosted_url: Some("https://pay.example/1".into()),
    }
}

fn put(store: &TestStore, new_id: &str, seen: i64, snapshot: &InvoiceSnapshot) -> String {
    let (id, snapshot) = (new_id.to_owned(), snapshot.clone());
    write(store, move |tx| {
        let place = Place { customer: &customer("ann"), provider: "stripe", seen };
        invoices::put(tx, place, &id, Some("sub_1"), &snapshot)
    })
}

fn list(store: &TestStore) -> Vec<Invoice> {
    read(store, |tx| invoices::list(tx, Some(&customer("ann")), "", 99))
}

fn every_status_of_an_invoice_survives_a_round_trip(store: &TestStore) {
    let statuses = [
        (InvoiceStatus::Draft, "draft"),
        (InvoiceStatus::Open, "open"),
        (InvoiceStatus::Paid, "paid"),
        (InvoiceStatus::Uncollectible, "uncollectible"),
        (InvoiceStatus::Void, "void"),
        (InvoiceStatus::Other("weird".into()), "unknown"),
    ];
    for (n, (status, word)) in (1..).zip(statuses) {
        let picture = snapshot(&format!("in_{n}"), status);
        let id = format!("inv_{n}");
        assert_eq!(put(store, &id, 1, &picture), id);
        let expected = Invoice {
            customer: customer("ann"),
            id,
            provider_id: picture.id.clone(),
            subscription: Some("sub_1".into()),
            number: picture.number.clone(),
            status: word.into(),
            reason: picture.reason.clone(),
            total: picture.total,
            paid: picture.paid,
            attempts: 2,
            next_attempt_at: Some(at(9)),
            lines: serde_json_of(&picture),
            hosted_url: picture.hosted_url.clone(),
            created_at: at(2),
        };
        assert_eq!(list(store)[0], expected);
    }
}

fn serde_json_of(snapshot: &InvoiceSnapshot) -> String {
    let period = &snapshot.lines[0].period;
    format!(
        r#"[{{"description":"Pro","price":"price_1","amount":{{"amount":1900,"currency":"EUR"}},"quantity":1,"period":{{"start":"{}","end":"{}"}},"proration":false}}]"#,
        period.start, period.end
    )
}

fn payment(id: &str, status: PaymentStatus) -> PaymentSnapshot {
    let card = Card {
        brand: "visa".into(),
        last4: "4242".into(),
        fingerprint: Some("fp".into()),
        exp_month: Some(4),
        exp_year: Some(2030),
    };
    PaymentSnapshot {
        id: id.into(),
        status,
        amount: eur(1900),
        failure_code: Some("card_declined".into()),
        card: Some(card),
    }
}

fn put_payment(store: &TestStore, new_id: &str, seen: i64, of: &str, paid: &PaymentSnapshot) {
    let (id, of, paid) = (new_id.to_owned(), of.to_owned(), paid.clone());
    write(store, move |tx| {
        let place = Place { customer: &customer("ann"), provider: "stripe", seen };
        let parents = (Some(of.as_str()), None);
        invoices::put_payment(tx, place, &id, parents, (&paid, at(seen)))
    });
}

fn payments(store: &TestStore, invoice: &str) -> Vec<Payment> {
    read(store, |tx| invoices::payments(tx, &customer("ann"), invoice))
}

fn every_status_of_a_payment_survives_a_round_trip(store: &TestStore) {
    let statuses = [
        (PaymentStatus::Succeeded, "succeeded"),
        (PaymentStatus::Processing, "processing"),
        (PaymentStatus::RequiresAction, "requires_action"),
        (PaymentStatus::Failed, "failed"),
        (PaymentStatus::Canceled, "canceled"),
        (PaymentStatus::Other("weird".into()), "unknown"),
    ];
    for (n, (status, word)) in (1..).zip(statuses) {
        let (id, of) = (format!("pay_{n}"), format!("inv_{n}"));
        put_payment(store, &id, 1, &of, &payment(&format!("pi_{n}"), status));
        let expected = Payment {
            id,
            provider_id: format!("pi_{n}"),
            status: word.into(),
            amount: eur(1900),
            failure_code: Some("card_declined".into()),
            created_at: at(1),
        };
        assert_eq!(payments(store, &of), [expected]);
    }
}

fn an_invoice_keeps_our_id_and_follows_the_providers(store: &TestStore) {
    assert_eq!(put(store, "inv_1", 1, &snapshot("in_1", InvoiceStatus::Open)), "inv_1");
    let paid = InvoiceSnapshot {
        number: Some("A-0002".into()),
        total: eur(2000),
        paid: eur(2000),
        attempts: 3,
        next_attempt_at: None,
        lines: Vec::new(),
        hosted_url: None,
        ..snapshot("in_1", InvoiceStatus::Paid)
    };
    assert_eq!(put(store, "inv_2", 1, &paid), "inv_1", "the same fetch may see it twice");
    let found = list(store);
    let first = &found[0];
    assert_eq!((found.len(), first.id.as_str(), first.status.as_str()), (1, "inv_1", "paid"));
    assert_eq!((first.total, first.paid, first.attempts), (eur(2000), eur(2000), 3));
    assert_eq!((first.lines.as_str(), first.next_attempt_at), ("[]", None));
    assert_eq!((first.hosted_url.as_deref(), first.number.as_deref()), (None, Some("A-0002")));
}

fn a_picture_older_than_what_is_there_does_not_overwrite(store: &TestStore) {
    put(store, "inv_1", 5, &snapshot("in_1", InvoiceStatus::Paid));
    let before = list(store);
    assert_eq!(put(store, "inv_2", 4, &snapshot("in_1", InvoiceStatus::Open)), "inv_1");
    assert_eq!(list(store), before);
    put(store, "inv_2", 6, &snapshot("in_1", InvoiceStatus::Void));
    assert_eq!(list(store)[0].status, "void");
    put(store, "inv_2", 5, &snapshot("in_1", InvoiceStatus::Paid));
    assert_eq!(list(store)[0].status, "void", "the later number was kept");
}

fn an_older_picture_of_a_payment_does_not_overwrite(store: &TestStore) {
    put_payment(store, "pay_1", 5, "inv_1", &payment("pi_1", PaymentStatus::Succeeded));
    put_payment(store, "pay_2", 4, "inv_9", &payment("pi_1", PaymentStatus::Failed));
    let found = payments(store, "inv_1");
    assert_eq!((found.len(), found[0].status.as_str()), (1, "succeeded"));
    let later = PaymentSnapshot {
        amount: eur(1),
        failure_code: None,
        card: None,
        ..payment("pi_1", PaymentStatus::Canceled)
    };
    put_payment(store, "pay_3", 6, "inv_2", &later);
    let found = payments(store, "inv_2");
    assert_eq!((found[0].id.as_str(), found[0].status.as_str()), ("pay_1", "canceled"));
    assert_eq!((found[0].amount, found[0].failure_code.as_ref()), (eur(1), None));
    assert_eq!(found[0].created_at, at(5), "when we first saw it");
    assert_eq!(payments(store, "inv_1"), []);
}

fn the_newest_invoice_comes_first_page_by_page(store: &TestStore) {
    for n in [2, 1, 3] {
        put(store, &format!("inv_{n}"), 1, &snapshot(&format!("in_{n}"), InvoiceStatus::Paid));
    }
    let sql = "UPDATE invoices SET customer_id = $1 WHERE invoice_id = $2";
    write(store, move |tx| tx.execute(sql, &params!["bob", "inv_2"]));
    let ids = |of: Option<&str>, before: &str, limit| {
        let of = of.map(customer);
        let found = read(store, |tx| invoices::list(tx, of.as_ref(), before, limit));
        found.into_iter().map(|invoice| invoice.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, "", 2), ["inv_3", "inv_2"]);
    assert_eq!(ids(None, "inv_2", 2), ["inv_1"]);
    assert_eq!(ids(Some("ann"), "", 9), ["inv_3", "inv_1"]);
    assert_eq!(ids(Some("ann"), "inv_3", 9), ["inv_1"]);
    assert_eq!(ids(Some("cat"), "", 9), [""; 0]);
}

fn payments_are_listed_by_their_invoice(store: &TestStore) {
    for (n, of) in [(2, "inv_1"), (1, "inv_1"), (3, "inv_2")] {
        let paid = payment(&format!("pi_{n}"), PaymentStatus::Failed);
        put_payment(store, &format!("pay_{n}"), 1, of, &paid);
    }
    let ids: Vec<String> = payments(store, "inv_1").into_iter().map(|paid| paid.id).collect();
    assert_eq!(ids, ["pay_1", "pay_2"]);
    assert_eq!(read(store, |tx| invoices::payments(tx, &customer("bob"), "inv_1")), []);
}

fn a_row_that_cannot_be_right_is_named(store: &TestStore) {
    put(store, "inv_1", 1, &snapshot("in_1", InvoiceStatus::Paid));
    put_payment(store, "pay_1", 1, "inv_1", &payment("pi_1", PaymentStatus::Failed));
    is_impossible(store, "UPDATE invoices SET status = 'lost'");
    is_impossible(store, "UPDATE payments SET status = 'lost'");
    is_impossible(store, "UPDATE payments SET amount = -1");
    by_hand(store, "UPDATE invoices SET currency = 'XXQ'");
    let column = wrong_column(store, |tx| invoices::list(tx, None, "", 9));
    assert_eq!(column, "currency of \"ann\"");
    by_hand(store, "UPDATE payments SET created_at = -1");
    let column = wrong_column(store, |tx| invoices::payments(tx, &customer("ann"), "inv_1"));
    assert_eq!(column, "created_at of \"pay_1\"");
}
