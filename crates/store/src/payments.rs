//! Payments with what they paid for, and what went back of them.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::snapshot::ChargeSnapshot;
use farthing_core::time::Timestamp;

use crate::invoices::Place;
use crate::{Row, StoreError, Tx, params};

/// A payment with what it paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Whose it is.
    pub customer: CustomerId,
    /// Ours, `pay_…`.
    pub id: String,
    /// Whose payment it mirrors.
    pub provider: String,
    /// The provider's id.
    pub provider_id: String,
    /// Our id of the invoice that it paid.
    pub invoice: Option<String>,
    /// The provider's id of that invoice.
    pub provider_invoice: Option<String>,
    /// Our id of the checkout that it paid, for a one-off purchase.
    pub checkout: Option<String>,
    /// The word for where it stands.
    pub status: String,
    /// The amount.
    pub amount: Money,
    /// The provider's code for why it failed.
    pub failure_code: Option<String>,
    /// When we first saw it.
    pub created_at: Timestamp,
}

impl Payment {
    /// Whether the money arrived.
    pub fn succeeded(&self) -> bool {
        self.status == "succeeded"
    }

    /// What was paid for: the provider's id of the invoice, or our id of the checkout.
    pub fn purchase(&self) -> Option<&str> {
        self.provider_invoice.as_deref().or(self.checkout.as_deref())
    }
}

/// What went back of a payment, in its own minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Returned {
    /// By refunds that a person still has to agree to.
    pub asked: i64,
    /// By refunds that the provider may have but has not confirmed.
    pub sent: i64,
    /// By refunds that the provider has, pending ones included.
    pub refunded: i64,
    /// The part of `refunded` that takes credits with it.
    pub clawing: i64,
    /// The part of `refunded` that succeeded.
    pub settled: i64,
    /// By disputes: the bank has it.
    pub disputed: i64,
    /// The part of `disputed` that was lost for good.
    pub lost: i64,
}

/// A payment that was made outside of what we sell, so that what goes back of it has a place.
pub fn insert_charge(
    tx: &mut Tx<'_>,
    place: Place<'_>,
    new_id: &str,
    (payment, charge): (&str, &ChargeSnapshot),
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO payments (customer_id, payment_id, provider, provider_id, invoice_id,
            checkout_id, status, amount, currency, failure_code, card, created_at, seen)
        VALUES ($1, $2, $3, $4, NULL, NULL, 'succeeded', $5, $6, NULL, $7, $8, $9)
        ON CONFLICT DO NOTHING";
    let card = charge.card.as_ref().map(|card| serde_json::to_string(card).expect("plain data"));
    let values = params![
        place.customer,
        new_id,
        place.provider,
        payment,
        charge.amount.minor,
        charge.amount.currency.code(),
        card,
        charge.created_at,
        place.seen
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// The payment with the provider's id.
pub fn find_by_provider_id(
    tx: &mut Tx<'_>,
    provider: &str,
    provider_id: &str,
) -> Result<Option<Payment>, StoreError> {
    const SQL: &str = "
        SELECT p.customer_id, p.payment_id, p.provider, p.provider_id, p.invoice_id, i.provider_id,
               p.checkout_id, p.status, p.amount, p.currency, p.failure_code, p.created_at
        FROM payments p LEFT JOIN invoices i
          ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
        WHERE p.provider = $1 AND p.provider_id = $2";
    tx.query_opt(SQL, &params![provider, provider_id])?.map(|row| read(&row)).transpose()
}

/// The payment with our id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Payment>, StoreError> {
    const SQL: &str = "
        SELECT p.customer_id, p.payment_id, p.provider, p.provider_id, p.invoice_id, i.provider_id,
               p.checkout_id, p.status, p.amount, p.currency, p.failure_code, p.created_at
        FROM payments p LEFT JOIN invoices i
          ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
        WHERE p.payment_id = $1";
    tx.query_opt(SQL, &params![id])?.map(|row| read(&row)).transpose()
}

/// Up to `limit` payments of a customer (of everybody when `None`), the newest first, first seen
/// before the one with our id `before` (`""`: from the newest).
pub fn list(
    tx: &mut Tx<'_>,
    customer: Option<&CustomerId>,
    before: &str,
    limit: i64,
) -> Result<Vec<Payment>, StoreError> {
    const SQL: &str = "
        SELECT p.customer_id, p.payment_id, p.provider, p.provider_id, p.invoice_id, i.provider_id,
               p.checkout_id, p.status, p.amount, p.currency, p.failure_code, p.created_at
        FROM payments p LEFT JOIN invoices i
          ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
        WHERE ($1 = '' OR p.customer_id = $1) AND ($2 = '' OR p.payment_id < $2)
        ORDER BY p.payment_id DESC LIMIT $3";
    let customer = customer.map_or("", CustomerId::as_str);
    tx.query(SQL, &params![customer, before, limit])?.iter().map(read).collect()
}

/// The payments of one purchase, by the provider's id of the invoice or our id of the checkout.
pub fn of_purchase(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    purchase: &str,
) -> Result<Vec<Payment>, StoreError> {
    const SQL: &str = "
        SELECT p.customer_id, p.payment_id, p.provider, p.provider_id, p.invoice_id, i.provider_id,
               p.checkout_id, p.status, p.amount, p.currency, p.failure_code, p.created_at
        FROM payments p LEFT JOIN invoices i
          ON i.customer_id = p.customer_id AND i.invoice_id = p.invoice_id
        WHERE p.customer_id = $1 AND (i.provider_id = $2 OR p.checkout_id = $2)
        ORDER BY p.payment_id";
    tx.query(SQL, &params![customer, purchase])?.iter().map(read).collect()
}

/// What went back of a payment. The customer should be locked when something follows from it.
pub fn returned(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    payment: &str,
) -> Result<Returned, StoreError> {
    const REFUNDS: &str = "
        SELECT state, claws_back, amount FROM refunds WHERE customer_id = $1 AND payment_id = $2";
    const DISPUTES: &str = "
        SELECT status, amount FROM disputes
        WHERE customer_id = $1 AND payment_id = $2 AND withdrawn = 1 AND reinstated = 0";
    let mut back = Returned::default();
    for row in tx.query(REFUNDS, &params![customer, payment])? {
        let (state, claws, amount) = (row.text(0)?, row.bool(1)?, row.int(2)?);
        match state.as_str() {
            "needs_review" => back.asked += amount,
            "sent" => back.sent += amount,
            "waiting" | "succeeded" => {
                back.refunded += amount;
                back.clawing += if claws { amount } else { 0 };
                back.settled += if state == "succeeded" { amount } else { 0 };
            }
            _ => {}
        }
    }
    for row in tx.query(DISPUTES, &params![customer, payment])? {
        let amount = row.int(1)?;
        back.disputed += amount;
        back.lost += if row.text(0)? == "lost" { amount } else { 0 };
    }
    Ok(back)
}

/// Our ids of the payments of which something went back, or was to, after `after`, in their order.
pub fn with_returns(tx: &mut Tx<'_>, after: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    const SQL: &str = "
        SELECT payment_id FROM refunds WHERE payment_id > $1
        UNION
        SELECT payment_id FROM disputes WHERE payment_id > $1
        ORDER BY payment_id LIMIT $2";
    tx.query(SQL, &params![after, limit])?.iter().map(|row| row.text(0)).collect()
}

fn read(row: &Row) -> Result<Payment, StoreError> {
    Ok(Payment {
        customer: row.customer(0)?,
        id: row.text(1)?,
        provider: row.text(2)?,
        provider_id: row.text(3)?,
        invoice: row.opt_text(4)?,
        provider_invoice: row.opt_text(5)?,
        checkout: row.opt_text(6)?,
        status: row.text(7)?,
        amount: Money::new(row.int(8)?, row.parse(9)?),
        failure_code: row.opt_text(10)?,
        created_at: row.time(11)?,
    })
}
