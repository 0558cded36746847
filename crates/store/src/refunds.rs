//! Refunds: asked for here, or made in the provider's own dashboard.

use farthing_core::ids::CustomerId;
use farthing_core::money::Money;
use farthing_core::time::Timestamp;

use crate::words::words;
use crate::{Row, StoreError, Tx, params};

words! {
    /// Where a refund stands.
    State {
        /// A person has to decide.
        NeedsReview = "needs_review",
        /// It was agreed to; whether the provider has it is not known yet.
        Sent = "sent",
        /// The provider has it, and waits for somebody.
        Waiting = "waiting",
        /// The money is on its way to the customer.
        Succeeded = "succeeded",
        /// A person said no.
        Rejected = "rejected",
        /// The provider said no, or the money came back.
        Failed = "failed",
    }
}

words! {
    /// Who made a refund.
    Origin {
        /// It was asked for here.
        Request = "request",
        /// Somebody made it in the provider's dashboard.
        Provider = "provider",
    }
}

/// Who agreed to something, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct By {
    /// The actor.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// A refund as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Whose money it is.
    pub customer: CustomerId,
    /// Ours, `rfd_…`.
    pub id: String,
    /// Over which provider.
    pub provider: String,
    /// The provider's id, once it has it.
    pub provider_id: Option<String>,
    /// Our id of the payment that goes back.
    pub payment: String,
    /// How much, at least 1 minor unit.
    pub amount: Money,
    /// Where it stands.
    pub state: State,
    /// Who made it.
    pub origin: Origin,
    /// Why, in the words of whoever asked; gone when the customer was erased.
    pub reason: Option<String>,
    /// What the policy said when it was asked for, as JSON.
    pub judged: Option<String>,
    /// Whether it takes credits with it.
    pub claws_back: bool,
    /// Whether two people have to agree.
    pub two_people: bool,
    /// Who asked.
    pub requested: By,
    /// Who agreed.
    pub approved: Option<By>,
    /// Who agreed besides, where two have to.
    pub second_approved: Option<By>,
    /// Who said no.
    pub rejected: Option<By>,
    /// Why not.
    pub reject_reason: Option<String>,
    /// The call to the provider, once it was agreed to.
    pub intent: Option<String>,
    /// How many keys were given up because the provider provably had nothing under them.
    pub attempt: i64,
    /// Why it failed, as a code.
    pub failure: Option<String>,
    /// When its state was last written.
    pub updated_at: Timestamp,
    /// The number of the fetch it was last brought up to date with.
    pub seen: i64,
    /// Grows by one with each save.
    pub version: i64,
}

/// Adds a refund.
pub fn insert(tx: &mut Tx<'_>, refund: &Refund) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO refunds (customer_id, refund_id, provider, provider_id, payment_id, amount,
            currency, state, origin, reason, judged, claws_back, two_people, requested_by,
            requested_at, approved_by, approved_at, second_approved_by, second_approved_at,
            rejected_by, rejected_at, reject_reason, intent_id, attempt, failure, updated_at, seen,
            version)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $24, $25, $26, $27, $28)";
    let r = refund;
    let by = |by: &Option<By>| by.as_ref().map(|by| by.actor.clone());
    let at = |by: &Option<By>| by.as_ref().map(|by| by.at);
    let values = params![
        &r.customer,
        &r.id,
        &r.provider,
        r.provider_id.clone(),
        &r.payment,
        r.amount.minor,
        r.amount.currency.code(),
        r.state,
        r.origin,
        r.reason.clone(),
        r.judged.clone(),
        r.claws_back,
        r.two_people,
        &r.requested.actor,
        r.requested.at,
        by(&r.approved),
        at(&r.approved),
        by(&r.second_approved),
        at(&r.second_approved),
        by(&r.rejected),
        at(&r.rejected),
        r.reject_reason.clone(),
        r.intent.clone(),
        r.attempt,
        r.failure.clone(),
        r.updated_at,
        r.seen,
        r.version
    ];
    tx.execute(SQL, &values)?;
    Ok(())
}

/// Writes over the version that was read; `Stale` if someone else wrote in between.
pub fn save(tx: &mut Tx<'_>, refund: &Refund) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE refunds
        SET provider_id = $4, amount = $5, state = $6, approved_by = $7, approved_at = $8,
            second_approved_by = $9, second_approved_at = $10, rejected_by = $11,
            rejected_at = $12, reject_reason = $13, intent_id = $14, attempt = $15, failure = $16,
            updated_at = $17, seen = $18, version = version + 1
        WHERE customer_id = $1 AND refund_id = $2 AND version = $3";
    let r = refund;
    let by = |by: &Option<By>| by.as_ref().map(|by| by.actor.clone());
    let at = |by: &Option<By>| by.as_ref().map(|by| by.at);
    let values = params![
        &r.customer,
        &r.id,
        r.version,
        r.provider_id.clone(),
        r.amount.minor,
        r.state,
        by(&r.approved),
        at(&r.approved),
        by(&r.second_approved),
        at(&r.second_approved),
        by(&r.rejected),
        at(&r.rejected),
        r.reject_reason.clone(),
        r.intent.clone(),
        r.attempt,
        r.failure.clone(),
        r.updated_at,
        r.seen
    ];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "refunds", id: r.id.clone() }),
    }
}

/// The refund with our id.
pub fn find(tx: &mut Tx<'_>, id: &str) -> Result<Option<Refund>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, refund_id, provider, provider_id, payment_id, amount, currency, state,
               origin, reason, judged, claws_back, two_people, requested_by, requested_at,
               approved_by, approved_at, second_approved_by, second_approved_at, rejected_by,
               rejected_at, reject_reason, intent_id, attempt, failure, updated_at, seen, version
        FROM refunds WHERE refund_id = $1";
    tx.query_opt(SQL, &params![id])?.map(|row| read(&row)).transpose()
}

/// The refund with the provider's id.
pub fn find_by_provider_id(
    tx: &mut Tx<'_>,
    provider: &str,
    provider_id: &str,
) -> Result<Option<Refund>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, refund_id, provider, provider_id, payment_id, amount, currency, state,
               origin, reason, judged, claws_back, two_people, requested_by, requested_at,
               approved_by, approved_at, second_approved_by, second_approved_at, rejected_by,
               rejected_at, reject_reason, intent_id, attempt, failure, updated_at, seen, version
        FROM refunds WHERE provider = $1 AND provider_id = $2";
    tx.query_opt(SQL, &params![provider, provider_id])?.map(|row| read(&row)).transpose()
}

/// Which refunds are wanted. Everything left out is any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub customer: Option<CustomerId>,
    /// Of which payment, by our id.
    pub payment: Option<String>,
    /// Where they stand.
    pub state: Option<State>,
}

/// Up to `limit` refunds, the newest first, older than the one with our id `before` (`""`: from the
/// newest).
pub fn list(
    tx: &mut Tx<'_>,
    filter: &Filter,
    before: &str,
    limit: i64,
) -> Result<Vec<Refund>, StoreError> {
    const SQL: &str = "
        SELECT customer_id, refund_id, provider, provider_id, payment_id, amount, currency, state,
               origin, reason, judged, claws_back, two_people, requested_by, requested_at,
               approved_by, approved_at, second_approved_by, second_approved_at, rejected_by,
               rejected_at, reject_reason, intent_id, attempt, failure, updated_at, seen, version
        FROM refunds
        WHERE ($1 = '' OR customer_id = $1) AND ($2 = '' OR payment_id = $2)
          AND ($3 = '' OR state = $3) AND ($4 = '' OR refund_id < $4)
        ORDER BY refund_id DESC LIMIT $5";
    let customer = filter.customer.as_ref().map_or("", CustomerId::as_str);
    let payment = filter.payment.as_deref().unwrap_or("");
    let state = filter.state.map_or("", State::as_str);
    tx.query(SQL, &params![customer, payment, state, before, limit])?.iter().map(read).collect()
}

/// Forgets in whose words refunds were asked for and refused: the customer is erased.
pub fn forget_words(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE refunds SET reason = CASE WHEN reason IS NULL THEN NULL ELSE '' END,
            reject_reason = NULL
        WHERE customer_id = $1";
    tx.execute(SQL, &params![customer])?;
    Ok(())
}

fn read(row: &Row) -> Result<Refund, StoreError> {
    let by = |actor: usize| match (row.opt_text(actor)?, row.opt_time(actor + 1)?) {
        (Some(actor), Some(at)) => Ok::<_, StoreError>(Some(By { actor, at })),
        _ => Ok(None),
    };
    Ok(Refund {
        customer: row.customer(0)?,
        id: row.text(1)?,
        provider: row.text(2)?,
        provider_id: row.opt_text(3)?,
        payment: row.text(4)?,
        amount: Money::new(row.int(5)?, row.parse(6)?),
        state: row.parse(7)?,
        origin: row.parse(8)?,
        reason: row.opt_text(9)?,
        judged: row.opt_text(10)?,
        claws_back: row.bool(11)?,
        two_people: row.bool(12)?,
        requested: By { actor: row.text(13)?, at: row.time(14)? },
        approved: by(15)?,
        second_approved: by(17)?,
        rejected: by(19)?,
        reject_reason: row.opt_text(21)?,
        intent: row.opt_text(22)?,
        attempt: row.int(23)?,
        failure: row.opt_text(24)?,
        updated_at: row.time(25)?,
        seen: row.int(26)?,
        version: row.int(27)?,
    })
}
