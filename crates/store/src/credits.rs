//! Credits: accounts, grants and the ledger.

use farthing_core::catalog::GrantSource;
use farthing_core::clawback::{self, Clawed};
use farthing_core::credits::{Bucket, Draw, Grant, Posting};
use farthing_core::entitlement::Access;
use farthing_core::ids::CustomerId;
use farthing_core::time::Timestamp;

use crate::entitlements::{access, access_word};
use crate::{Row, StoreError, Tx, params};

/// One customer's account of one kind of credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The credit feature's key.
    pub credit: String,
    /// What could be spent if nothing had expired: the balance of the bucket `available`.
    pub available: i64,
    /// What is owed because money was taken back after its credits were spent.
    pub debt: i64,
    /// Whether spending is paused.
    pub paused: bool,
    /// How many ledger transactions there were.
    pub transactions: i64,
    /// What the state of payments leaves.
    pub access: Access,
    /// The revision of the customer's state that it was written with.
    pub revision: i64,
}

impl Account {
    /// What an account is before anything was granted.
    pub fn fresh(credit: &str) -> Self {
        let access = Access::Full;
        let (available, debt, transactions, revision) = (0, 0, 0, 0);
        let credit = credit.to_owned();
        Self { credit, available, debt, paused: false, transactions, access, revision }
    }
}

/// A grant that is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGrant {
    /// Ours, `grt_…`.
    pub id: String,
    /// The credit feature's key.
    pub credit: String,
    /// What it is granted for; there is one grant for each.
    pub business_key: String,
    /// Where it comes from.
    pub source: GrantSource,
    /// At least 1.
    pub amount: i64,
    /// The first instant at which it can no longer be spent.
    pub expires_at: Option<Timestamp>,
    /// What was paid for it: the provider's id of the invoice, or our id of the checkout. When
    /// that money goes back, so does this.
    pub paid_by: Option<String>,
}

/// Why a posting is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Because<'a> {
    /// Ours, `led_…`: the transaction's id.
    pub id: &'a str,
    /// What caused it, for example an invoice or a request.
    pub cause: &'a str,
    /// When.
    pub now: Timestamp,
}

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transaction's id, `led_…`.
    pub ledger_id: String,
    /// The word for why.
    pub reason: String,
    /// The word for where.
    pub bucket: String,
    /// Credits in (positive) or out (negative).
    pub amount: i64,
    /// What the bucket held afterwards.
    pub balance_after: i64,
    /// What caused it.
    pub cause: String,
    /// When it was written.
    pub recorded_at: Timestamp,
}

/// Opens an account with nothing in it; does nothing when there is one.
pub fn open(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    revision: i64,
) -> Result<(), StoreError> {
    const SQL: &str = "
        INSERT INTO credit_accounts (customer_id, credit, available, debt, paused, transactions,
            access, revision)
        VALUES ($1, $2, 0, 0, 0, 0, 'full', $3)
        ON CONFLICT DO NOTHING";
    tx.execute(SQL, &params![customer, credit, revision])?;
    Ok(())
}

/// An account, locked until the transaction ends.
pub fn lock(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
) -> Result<Option<Account>, StoreError> {
    const SQL: &str = "
        SELECT credit, available, debt, paused, transactions, access, revision
        FROM credit_accounts WHERE customer_id = $1 AND credit = $2 FOR UPDATE";
    tx.query_opt(SQL, &params![customer, credit])?.map(|row| read_account(&row)).transpose()
}

/// All of a customer's accounts, in the order of their keys.
pub fn of_customer(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Vec<Account>, StoreError> {
    const SQL: &str = "
        SELECT credit, available, debt, paused, transactions, access, revision
        FROM credit_accounts WHERE customer_id = $1 ORDER BY credit";
    tx.query(SQL, &params![customer])?.iter().map(read_account).collect()
}

/// Writes what the state of payments leaves, and the revision, into all of a customer's accounts.
pub fn set_access(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    access: Access,
    revision: i64,
) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE credit_accounts SET access = $2, revision = $3 WHERE customer_id = $1";
    tx.execute(SQL, &params![customer, access_word(access), revision])?;
    Ok(())
}

/// The grants of an account with something left, the oldest first.
pub fn grants(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
) -> Result<Vec<Grant>, StoreError> {
    const SQL: &str = "
        SELECT grant_id, source, remaining, expires_at FROM credit_grants
        WHERE customer_id = $1 AND credit = $2 AND remaining > 0 ORDER BY grant_id";
    let read = |row: &Row| {
        let source = GrantSource::parse(&row.text(1)?);
        Ok(Grant {
            id: row.text(0)?,
            source: source.ok_or_else(|| row.bad(1, "is not a source that is known here"))?,
            remaining: row.int(2)?,
            expires_at: row.opt_time(3)?,
        })
    };
    tx.query(SQL, &params![customer, credit])?.iter().map(read).collect()
}

/// What was granted once, whatever is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The credit feature's key.
    pub credit: String,
    /// What it was granted for.
    pub business_key: String,
    /// How much.
    pub amount: i64,
}

/// Everything that was ever granted to a customer, the oldest first.
pub fn granted(tx: &mut Tx<'_>, customer: &CustomerId) -> Result<Vec<Granted>, StoreError> {
    const SQL: &str = "
        SELECT credit, business_key, amount FROM credit_grants
        WHERE customer_id = $1 ORDER BY grant_id";
    let read = |row: &Row| {
        Ok(Granted { credit: row.text(0)?, business_key: row.text(1)?, amount: row.int(2)? })
    };
    tx.query(SQL, &params![customer])?.iter().map(read).collect()
}

/// Makes a grant with all of it left; `false` when there was one for that business key before,
/// and then nothing is written. The caller posts it.
pub fn insert_grant(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    grant: &NewGrant,
    now: Timestamp,
) -> Result<bool, StoreError> {
    const SQL: &str = "
        INSERT INTO credit_grants (customer_id, grant_id, credit, business_key, source, amount,
            remaining, expires_at, granted_at, paid_by)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)
        ON CONFLICT (customer_id, credit, business_key) DO NOTHING";
    let values = params![
        customer,
        &grant.id,
        &grant.credit,
        &grant.business_key,
        grant.source.as_str(),
        grant.amount,
        grant.expires_at,
        now,
        grant.paid_by.clone()
    ];
    Ok(tx.execute(SQL, &values)? == 1)
}

/// Writes a posting: its entries, the running balances, what is left of the grants it draws from,
/// and the account, which must be locked. `account` is brought up to date.
pub fn post(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    account: &mut Account,
    posting: &Posting,
    because: Because<'_>,
) -> Result<(), StoreError> {
    account.transactions += 1;
    for draw in &posting.draws {
        draw_from_grant(tx, customer, draw, posting.to)?;
    }
    let n = account.transactions;
    for (line, bucket, amount) in
        [(1, posting.from, -posting.amount), (2, posting.to, posting.amount)]
    {
        let balance = add_to_balance(tx, customer, &account.credit, bucket, amount)?;
        match bucket {
            Bucket::Available => account.available = balance,
            Bucket::Debt => account.debt = -balance,
            Bucket::Issued | Bucket::Spent | Bucket::Ended | Bucket::Clawed => {}
        }
        const SQL: &str = "
            INSERT INTO ledger_entries (customer_id, credit, transaction_n, line, ledger_id, reason,
                bucket, amount, balance_after, cause, recorded_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        let values = params![
            customer,
            &account.credit,
            n,
            line as i64,
            because.id,
            posting.reason.as_str(),
            bucket.as_str(),
            amount,
            balance,
            because.cause,
            because.now
        ];
        tx.execute(SQL, &values)?;
    }
    const SQL: &str = "
        UPDATE credit_accounts SET available = $3, transactions = $4, debt = $5
        WHERE customer_id = $1 AND credit = $2 AND transactions = $4 - 1";
    let values = params![customer, &account.credit, account.available, n, account.debt];
    match tx.execute(SQL, &values)? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "credit_accounts", id: account.credit.clone() }),
    }
}

/// Brings what is left of a grant up to date: less, or more when credits come back `to` it.
fn draw_from_grant(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    draw: &Draw,
    to: Bucket,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE credit_grants SET remaining = remaining - $3, ended = ended + $4
        WHERE customer_id = $1 AND grant_id = $2 AND remaining >= $3";
    let less = if to == Bucket::Available { -draw.amount } else { draw.amount };
    let ended = if to == Bucket::Ended { draw.amount } else { 0 };
    match tx.execute(SQL, &params![customer, &draw.grant, less, ended])? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "credit_grants", id: draw.grant.clone() }),
    }
}

fn add_to_balance(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    bucket: Bucket,
    amount: i64,
) -> Result<i64, StoreError> {
    const SQL: &str = "
        INSERT INTO ledger_balances (customer_id, credit, bucket, amount) VALUES ($1, $2, $3, $4)
        ON CONFLICT (customer_id, credit, bucket)
        DO UPDATE SET amount = ledger_balances.amount + excluded.amount
        RETURNING amount";
    let values = params![customer, credit, bucket.as_str(), amount];
    let row = tx.query_opt(SQL, &values)?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Up to `limit` entries of a customer, the newest first, older than transaction `before`.
pub fn entries(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Entry>, StoreError> {
    const SQL: &str = "
        SELECT ledger_id, reason, bucket, amount, balance_after, cause, recorded_at
        FROM ledger_entries
        WHERE customer_id = $1 AND credit = $2 AND transaction_n < $3
        ORDER BY transaction_n DESC, line LIMIT $4";
    let read = |row: &Row| {
        Ok(Entry {
            ledger_id: row.text(0)?,
            reason: row.text(1)?,
            bucket: row.text(2)?,
            amount: row.int(3)?,
            balance_after: row.int(4)?,
            cause: row.text(5)?,
            recorded_at: row.time(6)?,
        })
    };
    tx.query(SQL, &params![customer, credit, before, limit])?.iter().map(read).collect()
}

/// The grants that one purchase brought since `since`, by credit and then the oldest first.
/// `paid_by` is the provider's id of the invoice, or our id of the checkout.
pub fn granted_for(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    paid_by: &str,
    since: Timestamp,
) -> Result<Vec<(String, clawback::Granted)>, StoreError> {
    const SQL: &str = "
        SELECT credit, grant_id, amount, remaining, ended, taken, voided, owed FROM credit_grants
        WHERE customer_id = $1 AND paid_by = $2 AND granted_at >= $3 ORDER BY credit, grant_id";
    let read = |row: &Row| {
        let clawed = Clawed { taken: row.int(5)?, voided: row.int(6)?, owed: row.int(7)? };
        let (id, amount, left, ended) = (row.text(1)?, row.int(2)?, row.int(3)?, row.int(4)?);
        Ok((row.text(0)?, clawback::Granted { id, amount, left, ended, clawed }))
    };
    tx.query(SQL, &params![customer, paid_by, since])?.iter().map(read).collect()
}

/// Writes how much of a grant is taken back. The caller posts what that moves: what is taken before
/// this is written, what is given back after it, so that nothing is ever counted twice.
pub fn set_clawed(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    grant: &str,
    clawed: Clawed,
) -> Result<(), StoreError> {
    const SQL: &str = "
        UPDATE credit_grants SET taken = $3, voided = $4, owed = $5
        WHERE customer_id = $1 AND grant_id = $2";
    let Clawed { taken, voided, owed } = clawed;
    match tx.execute(SQL, &params![customer, grant, taken, voided, owed])? {
        1 => Ok(()),
        _ => Err(StoreError::Stale { table: "credit_grants", id: grant.to_owned() }),
    }
}

/// A window that a plan's credits were granted for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedWindow {
    /// Where it starts.
    pub start: Timestamp,
    /// What was paid for it; `None` when nothing was, as in a trial.
    pub paid_by: Option<String>,
}

/// The window of the newest grant of a subscription's `plan`; `None` when there is none.
pub fn newest_window(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    (subscription, plan): (&str, &str),
) -> Result<Option<GrantedWindow>, StoreError> {
    const SQL: &str = "
        SELECT business_key, paid_by FROM credit_grants
        WHERE customer_id = $1 AND credit = $2 AND source = 'plan'
        ORDER BY grant_id DESC LIMIT 100";
    let (start, end) = (format!("period:{subscription}:"), format!(":{plan}"));
    for row in tx.query(SQL, &params![customer, credit])? {
        let key = row.text(0)?;
        let micros = key.strip_prefix(&start).and_then(|rest| rest.strip_suffix(&end));
        let start = micros.and_then(|micros| Timestamp::from_micros(micros.parse().ok()?).ok());
        if let Some(start) = start {
            return Ok(Some(GrantedWindow { start, paid_by: row.opt_text(1)? }));
        }
    }
    Ok(None)
}

/// Pauses or resumes spending from an account.
pub fn set_paused(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    paused: bool,
) -> Result<(), StoreError> {
    const SQL: &str =
        "UPDATE credit_accounts SET paused = $3 WHERE customer_id = $1 AND credit = $2";
    tx.execute(SQL, &params![customer, credit, paused])?;
    Ok(())
}

/// A grant of a plan, as far as it counts towards what the plan expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanGrant {
    /// What it was granted for: `period:SUBSCRIPTION:START:PLAN`.
    pub business_key: String,
    /// How much of it could ever be spent: not what ended unspent.
    pub spendable: i64,
}

/// The newest grants of plans in an account, up to `limit`.
pub fn plan_grants(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    limit: i64,
) -> Result<Vec<PlanGrant>, StoreError> {
    const SQL: &str = "
        SELECT business_key, amount, ended FROM credit_grants
        WHERE customer_id = $1 AND credit = $2 AND source = 'plan'
        ORDER BY grant_id DESC LIMIT $3";
    let read = |row: &Row| {
        Ok(PlanGrant { business_key: row.text(0)?, spendable: row.int(1)? - row.int(2)? })
    };
    tx.query(SQL, &params![customer, credit, limit])?.iter().map(read).collect()
}

/// One transaction of the ledger: an amount went from one bucket to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Counts from 1 in each account.
    pub n: i64,
    /// Ours, `led_…`.
    pub id: String,
    /// The word for why.
    pub reason: String,
    /// The word for what gave.
    pub from: String,
    /// The word for what received.
    pub to: String,
    /// How much, at least 1.
    pub amount: i64,
    /// What caused it.
    pub cause: String,
    /// When.
    pub at: Timestamp,
}

/// Up to `limit` transactions of an account, the newest first, older than number `before`.
pub fn transactions(
    tx: &mut Tx<'_>,
    customer: &CustomerId,
    credit: &str,
    before: i64,
    limit: i64,
) -> Result<Vec<Transaction>, StoreError> {
    const SQL: &str = "
        SELECT a.transaction_n, a.ledger_id, a.reason, a.bucket, b.bucket, b.amount, b.cause,
               b.recorded_at
        FROM ledger_entries a JOIN ledger_entries b
          ON b.customer_id = a.customer_id AND b.credit = a.credit
         AND b.transaction_n = a.transaction_n AND b.line = 2
        WHERE a.customer_id = $1 AND a.credit = $2 AND a.line = 1 AND a.transaction_n < $3
        ORDER BY a.transaction_n DESC LIMIT $4";
    let read = |row: &Row| {
        Ok(Transaction {
            n: row.int(0)?,
            id: row.text(1)?,
            reason: row.text(2)?,
            from: row.text(3)?,
            to: row.text(4)?,
            amount: row.int(5)?,
            cause: row.text(6)?,
            at: row.time(7)?,
        })
    };
    tx.query(SQL, &params![customer, credit, before, limit])?.iter().map(read).collect()
}

fn read_account(row: &Row) -> Result<Account, StoreError> {
    Ok(Account {
        credit: row.text(0)?,
        available: row.int(1)?,
        debt: row.int(2)?,
        paused: row.bool(3)?,
        transactions: row.int(4)?,
        access: access(row, 5)?,
        revision: row.int(6)?,
    })
}
