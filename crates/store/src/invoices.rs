//! Invoices and payments: a mirror of the provider's, for people and reports.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::snapshot::{InvoiceSnapshot, InvoiceStatus, PaymentSnapshot, PaymentStatus};
use farthing_core::time::Timestamp;

use crate::{Row, StoreError, Tx, params};

/// An invoice as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Whose it is.
    pub customer: CustomerId,
    /// Ours, `inv_…`.
    pub id: String,
    /// The provider's id.
    pub provider_id: String,
    /// Our id of the subscription it bills.
    pub subscription: Option<String>,
    /// The number printed on it.
    pub number: Option<String>,
    /// The word for where it stands.
    pub status: String,
    /// The provider's word for why it was made.
    pub reason: String,
    /// The sum.
    pub total: Money,
    /// What was paid so far.
    pub paid: Money,
    /// How often a payment was tried.
    pub attempts: i64,
    /// When the provider tries again.
    pub next_attempt_at: Option<Timestamp>,
    /// The lines as JSON, in the form of [`farthing_core::snapshot::InvoiceLine`].
    pub lines: String,
    /// A page on which it can be paid.
    pub hosted_url: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Where a mirrored object belongs.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Whose it is.
    pub customer: &'a CustomerId,
    /// Whose object it mirrors.
    pub provider: &'a str,
    /// The number of the fetch that brought it.
    pub seen: i64,
}

/// Brings the mirror of an invoice up to date, unless it was fetched before what is there.
/// `new_id` is used when it was not known. Answers our id of it.
pub fn put(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    new_id: &str,
    subscription: Option<&str>,
    snapshot: &InvoiceSnapshot,
) -> Result<String, StoreError> {
    const SQL: &str = "
        INSERT INTO invoices (customer_id, invoice_id, provider, provider_id, subscription_id,
            number, status, reason, total, paid, currency, attempts, next_attempt_at, lines,
            hosted_url, created_at, seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        ON CONFLICT (provider, provider_id) DO UPDATE
        SET subscription_id = excluded.subscription_id, number = excluded.number,
            status = excluded.status, total = excluded.total, paid = excluded.paid,
            attempts = excluded.attempts, next_attempt_at = excluded.next_attempt_at,
            lines = excluded.lines, hosted_url = excluded.hosted_url, seen = excluded.seen
        WHERE invoices.seen <= excluded.seen";
    let s = snapshot;
    let lines = serde_json::to_string(&s.lines).expect("lines are plain data");
    let values = params![
        place.customer,
        new_id,
        place.provider,
        &s.id,
        subscription,
        s.number.clone(),
        invoice_word(&s.status),
        &s.reason,
        s.total.minor,
        s.paid.minor,
        s.total.currency.code(),
        s.attempts,
        s.next_attempt_at,
        lines,
        s.hosted_url.clone(),
        s.created_at,
        place.seen
    ];
    tx.execute(SQL, &values)?;
    const ID: &str = "SELECT invoice_id FROM invoices WHERE provider = $1 AND provider_id = $2";
    let row = tx.query_opt(ID, &params![place.provider, &s.id])?;
    row.map_or_else(|| Ok(new_id.to_owned()), |row| row.text(0))
}

/// Brings the mirror of a payment up to date, unless it was fetched before what is there. A look
/// that did not say where it stands takes nothing from what is known.
pub fn put_payment(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    new_id: &str,
    (invoice, checkout): (Option<&str>, Option<&str>),
    (snapshot, now): (&PaymentSnapshot, Timestamp),
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO payments (customer_id, payment_id, provider, provider_id, invoice_id,
            checkout_id, status, amount, currency, failure_code, card, created_at, seen)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        ON CONFLICT (provider, provider_id) DO UPDATE
        SET invoice_id = COALESCE(excluded.invoice_id, payments.invoice_id),
            checkout_id = COALESCE(excluded.checkout_id, payments.checkout_id),
            amount = excluded.amount, seen = excluded.seen,
            status = CASE WHEN excluded.status = 'unknown' THEN payments.status
                          ELSE excluded.status END,
            failure_code = CASE WHEN excluded.status = 'unknown' THEN payments.failure_code
                                ELSE excluded.failure_code END,
            card = CASE WHEN excluded.status = 'unknown' THEN payments.card
                        ELSE excluded.card END
        WHERE payments.seen <= excluded.seen";
    let s = snapshot;
    let card = s.card.as_ref().map(|card| serde_json::to_string(card).expect("plain data"));
    let values = params![
        place.customer,
        new_id,
        place.provider,
        &s.id,
        invoice,
        checkout,
        payment_word(&s.status),
        s.amount.minor,
        s.amount.currency.code(),
        s.failure_code.clone(),
        card,
        now,
        place.seen
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// Up to `limit` invoices of a customer (of everybody when `None`), the newest first, made before
/// the one with our id `before` (`""`: from the newest).
pub fn list(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    before: &str,
    limit: i64,
) -> Result<Vec<Invoice>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, invoice_id, provider_id, subscription_id, number, status, reason, total,
               paid, currency, attempts, next_attempt_at, lines, hosted_url, created_at
        FROM invoices
        WHERE ($1 = '' OR customer_id = $1) AND ($2 = '' OR invoice_id < $2)
        ORDER BY invoice_id DESC LIMIT $3";
    let customer = customer.map_or("", CustomerId::as_str);
    tx.query(SQL, &params![customer, before, limit])?.iter().map(read).collect()
}

/// The newest invoice of a subscription that waits for its payment.
pub fn newest_owed(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    subscription: &str,
) -> Result<Option<Invoice>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, invoice_id, provider_id, subscription_id, number, status, reason, total,
               paid, currency, attempts, next_attempt_at, lines, hosted_url, created_at
        FROM invoices
        WHERE customer_id = $1 AND subscription_id = $2 AND status IN ('open', 'uncollectible')
        ORDER BY created_at DESC, invoice_id DESC LIMIT 1";
    tx.query_opt(SQL, &params![customer, subscription])?.as_ref().map(read).transpose()
}

/// A payment as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Ours, `pay_…`.
    pub id: String,
    /// The provider's id.
    pub provider_id: String,
    /// The word for where it stands.
    pub status: String,
    /// The amount.
    pub amount: Money,
    /// The provider's code for why it failed.
    pub failure_code: Option<String>,
    /// When we first saw it.
    pub created_at: Timestamp,
}

/// The payments made or tried on an invoice, the oldest first.
pub fn payments(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    invoice: &str,
) -> Result<Vec<Payment>, StoreError> {
    const SQL: &str = "
        SELECT payment_id, provider_id, status, amount, currency, failure_code, created_at
        FROM payments WHERE customer_id = $1 AND invoice_id = $2 ORDER BY payment_id";
    let read = |row: &Row| {
        Ok(Payment {
            id: row.text(0)?,
            provider_id: row.text(1)?,
            status: row.text(2)?,
            amount: Money::new(row.int(3)?, row.parse(4)?),
            failure_code: row.opt_text(5)?,
            created_at: row.time(6)?,
        })
    };
    tx.query(SQL, &params![customer, invoice])?.iter().map(read).collect()
}

fn invoice_word(status: &InvoiceStatus) -> &'static str {
    match status {
        InvoiceStatus::Draft => "draft",
        InvoiceStatus::Open => "open",
        InvoiceStatus::Paid => "paid",
        InvoiceStatus::Uncollectible => "uncollectible",
        InvoiceStatus::Void => "void",
        InvoiceStatus::Other(_) => "unknown",
    }
}

fn payment_word(status: &PaymentStatus) -> &'static str {
    match status {
        PaymentStatus::Succeeded => "succeeded",
        PaymentStatus::Processing => "processing",
        PaymentStatus::RequiresAction => "requires_action",
        PaymentStatus::Failed => "failed",
        PaymentStatus::Canceled => "canceled",
        PaymentStatus::Other(_) => "unknown",
    }
}

fn read(row: &Row) -> Result<Invoice, StoreError> {
    let currency = row.parse(9)?;
    Ok(Invoice {
        customer: row.customer(0)?,
        id: row.text(1)?,
        provider_id: row.text(2)?,
        subscription: row.opt_text(3)?,
        number: row.opt_text(4)?,
        status: row.text(5)?,
        reason: row.text(6)?,
        total: Money::new(row.int(7)?, currency),
        paid: Money::new(row.int(8)?, currency),
        attempts: row.int(10)?,
        next_attempt_at: row.opt_time(11)?,
        lines: row.text(12)?,
        hosted_url: row.opt_text(13)?,
        created_at: row.time(14)?,
    })
}
