//! What must always be true, as read-only questions to the live database: `farthing check`.

use std::collections::BTreeMap;

use farthing_store::{Tx, audit, catalog_versions, customers, entitlements, params};
use serde::Serialize;

use crate::customers::rights;
use crate::invariants_back::MONEY_BACK;
use crate::{Engine, EngineError};

/// An invariant with the rows that break it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable, for example `I1`.
    pub id: &'static str,
    /// What it is called.
    pub name: &'static str,
    /// What must be true.
    pub meaning: &'static str,
    /// The rows that break it; the first hundred. Empty: it holds.
    pub rows: Vec<String>,
}

pub(crate) struct Invariant {
    pub id: &'static str,
    pub name: &'static str,
    pub meaning: &'static str,
    /// One text column per offending row.
    pub sql: &'static str,
}

const INVARIANTS: &[Invariant] = &[
    Invariant {
        id: "I1",
        name: "balance is the sum of its entries",
        meaning: "every running balance equals the sum of the ledger entries of its bucket",
        sql: "
            SELECT customer_id || ' ' || credit || ' ' || bucket FROM (
                SELECT customer_id, credit, bucket, amount FROM ledger_balances
                UNION ALL
                SELECT customer_id, credit, bucket, -amount FROM ledger_entries
            ) AS both_sides
            GROUP BY customer_id, credit, bucket HAVING SUM(amount) <> 0 LIMIT 100",
    },
    Invariant {
        id: "I1b",
        name: "balance is what is left of the grants",
        meaning: "what can be spent equals what is left of all grants, and the account says the same",
        sql: "
            SELECT a.customer_id || ' ' || a.credit FROM credit_accounts a
            WHERE a.available <> COALESCE((SELECT SUM(g.remaining) FROM credit_grants g
                    WHERE g.customer_id = a.customer_id AND g.credit = a.credit), 0)
               OR a.available <> COALESCE((SELECT b.amount FROM ledger_balances b
                    WHERE b.customer_id = a.customer_id AND b.credit = a.credit
                      AND b.bucket = 'available'), 0)
            LIMIT 100",
    },
    Invariant {
        id: "I2",
        name: "ledger transactions balance",
        meaning: "the entries of every ledger transaction sum to zero",
        sql: "
            SELECT customer_id || ' ' || credit || ' ' || CAST(transaction_n AS TEXT)
            FROM ledger_entries GROUP BY customer_id, credit, transaction_n
            HAVING SUM(amount) <> 0 LIMIT 100",
    },
    Invariant {
        id: "I3",
        name: "ledger is complete",
        meaning: "no ledger transaction is missing: they are numbered without gaps",
        sql: "
            SELECT a.customer_id || ' ' || a.credit FROM credit_accounts a
            WHERE a.transactions <> (SELECT COUNT(DISTINCT e.transaction_n) FROM ledger_entries e
                WHERE e.customer_id = a.customer_id AND e.credit = a.credit) LIMIT 100",
    },
    Invariant {
        id: "I4",
        name: "one grant per reason",
        meaning: "no sign-up, period or checkout was granted twice",
        sql: "
            SELECT customer_id || ' ' || credit || ' ' || business_key FROM credit_grants
            GROUP BY customer_id, credit, business_key HAVING COUNT(*) > 1 LIMIT 100",
    },
    Invariant {
        id: "I5",
        name: "every paid period has its grants",
        meaning: "the credits of every period that was paid, or is on trial, were granted",
        sql: "
            SELECT p.customer_id || ' ' || p.subscription_id || ' ' || CAST(p.starts_at AS TEXT)
            FROM periods p
            WHERE p.grants > (SELECT COUNT(*) FROM credit_grants g
                WHERE g.customer_id = p.customer_id
                  AND g.business_key = 'period:' || p.subscription_id || ':'
                      || CAST(p.starts_at AS TEXT) || ':' || p.plan)
            LIMIT 100",
    },
    Invariant {
        id: "I6",
        name: "no limit is crossed",
        meaning: "what is used and reserved stays within the limit, or within what was held when it was lowered",
        sql: "
            SELECT customer_id || ' ' || feature FROM entitlements
            WHERE used + reserved > ceiling AND used + reserved > floor_used LIMIT 100",
    },
    Invariant {
        id: "I7",
        name: "use is the sum of its events",
        meaning: "what is used equals the sum of the recorded changes in its window",
        sql: "
            SELECT e.customer_id || ' ' || e.feature FROM entitlements e
            WHERE e.used <> COALESCE((SELECT SUM(u.delta) FROM usage_events u
                WHERE u.customer_id = e.customer_id AND u.feature = e.feature
                  AND u.epoch = e.epoch), 0)
            LIMIT 100",
    },
    Invariant {
        id: "I8",
        name: "nothing negative can be spent",
        meaning: "no account has less than nothing to spend",
        sql: "
            SELECT customer_id || ' ' || credit FROM credit_accounts WHERE available < 0 LIMIT 100",
    },
    Invariant {
        id: "I12",
        name: "one effect per fact",
        meaning: "no fact of a provider had its effect twice",
        sql: "
            SELECT provider || ' ' || fact_key FROM effects
            GROUP BY provider, fact_key HAVING COUNT(*) > 1 LIMIT 100",
    },
    Invariant {
        id: "I17",
        name: "periods do not overlap",
        meaning: "no moment of a subscription was paid for twice",
        sql: "
            SELECT a.customer_id || ' ' || a.subscription_id || ' ' || CAST(b.starts_at AS TEXT)
            FROM periods a JOIN periods b
              ON b.customer_id = a.customer_id AND b.subscription_id = a.subscription_id
             AND b.starts_at > a.starts_at AND b.starts_at < a.ends_at
            LIMIT 100",
    },
    Invariant {
        id: "I21",
        name: "every change was announced",
        meaning: "the newest revision of every customer has its event for the app",
        sql: "
            SELECT c.customer_id FROM customers c
            WHERE NOT EXISTS (SELECT 1 FROM outbox o
                WHERE o.customer_id = c.customer_id AND o.revision = c.revision)
            LIMIT 100",
    },
    Invariant {
        id: "I22a",
        name: "plan follows the subscription",
        meaning: "a customer with a running subscription has its plan and standing",
        sql: "
            SELECT c.customer_id FROM customers c JOIN subscriptions s
              ON s.customer_id = c.customer_id AND s.status IN ('trialing', 'active')
            WHERE s.plan <> c.plan OR s.standing <> c.standing LIMIT 100",
    },
];

/// Events and alerts are compared with the present time.
const OVERDUE: Invariant = Invariant {
    id: "I11",
    name: "no event is lost",
    meaning: "every stored provider event was handled, is due soon, or waits for a person with an alert",
    sql: "
        SELECT e.id || ' ' || e.state FROM provider_events e
        WHERE (e.state = 'received' AND (e.next_attempt_at IS NULL OR e.next_attempt_at < $1))
           OR (e.state IN ('dead', 'quarantined') AND NOT EXISTS (SELECT 1 FROM alerts a
                WHERE a.kind = 'provider_event' AND a.subject = e.id AND a.resolved_at IS NULL))
        LIMIT 100",
};

/// How long an event may be overdue, in seconds: workers may be busy.
const OVERDUE_AFTER: i64 = 900;
/// How many customers are looked at in one page.
const PAGE: u32 = 500;

impl Engine {
    /// Asks every invariant; those that hold come back without rows.
    pub fn findings(&self) -> Result<Vec<Finding>, EngineError> {
        self.read(|engine, tx| {
            let mut findings = Vec::new();
            for invariant in INVARIANTS.iter().chain(MONEY_BACK) {
                findings.push(ask(tx, invariant, &[])?);
            }
            let before = engine.now().plus_seconds(-OVERDUE_AFTER);
            findings.push(ask(tx, &OVERDUE, &params![before])?);
            findings.push(Finding {
                id: "I10",
                name: "credits follow their money",
                meaning: "what is taken back of a grant is its share of the money that went back",
                rows: engine.wrong_clawbacks(tx)?,
            });
            findings.push(engine.unpaid_plans(tx)?);
            findings.push(broken_chains(tx)?);
            findings.push(engine.wrong_entitlements(tx)?);
            Ok(findings)
        })
    }

    fn unpaid_plans(&self, tx: &mut Tx<'_>) -> Result<Finding, EngineError> {
        const SQL: &str = "
            SELECT c.customer_id FROM customers c
            WHERE c.plan <> $1 AND c.plan <> $2 AND NOT EXISTS (SELECT 1 FROM subscriptions s
                WHERE s.customer_id = c.customer_id AND s.status IN ('trialing', 'active'))
            LIMIT 100";
        let mut rows = Vec::new();
        if catalog_versions::current_number(tx)?.is_some() {
            let (_, catalog) = self.catalog(tx)?;
            // Where a refund moves customers to is a free plan, too.
            let refunded = catalog.refunds.as_ref().map(|policy| &policy.then.move_to);
            let refunded = refunded.unwrap_or(&catalog.fallback);
            for row in tx.query(SQL, &params![&catalog.fallback, refunded])? {
                rows.push(row.text(0)?);
            }
        }
        Ok(Finding {
            id: "I22b",
            name: "nobody has a plan for nothing",
            meaning: "a customer without a running subscription is on the fallback plan",
            rows,
        })
    }

    fn wrong_entitlements(&self, tx: &mut Tx<'_>) -> Result<Finding, EngineError> {
        let mut rows = Vec::new();
        let mut after = String::new();
        loop {
            let page = customers::list(tx, "", &after, i64::from(PAGE))?;
            let Some(last) = page.last() else { break };
            after = last.id.to_string();
            for customer in &page {
                self.compare_entitlements(tx, customer, &mut rows)?;
            }
        }
        Ok(Finding {
            id: "I22",
            name: "entitlements follow from plan and exceptions",
            meaning: "what a customer may use equals what catalog, plan and exceptions add up to",
            rows,
        })
    }

    fn compare_entitlements(
        &self,
        tx: &mut Tx<'_>,
        customer: &customers::Customer,
        rows: &mut Vec<String>,
    ) -> Result<(), EngineError> {
        let now = self.now();
        let (_, catalog) = self.catalog(tx)?;
        let held: BTreeMap<String, _> = entitlements::of_customer(tx, &customer.id)?
            .into_iter()
            .map(|stored| (stored.feature, stored.entitlement))
            .collect();
        for (feature, right) in rights(tx, &catalog, customer, now)? {
            let same = held.get(&feature).is_some_and(|held| {
                (held.source, held.limit, held.cap, held.access, &held.kind, held.anchor)
                    == (
                        right.source,
                        right.limit,
                        right.cap,
                        right.access,
                        &right.kind,
                        right.anchor,
                    )
            });
            if !same {
                rows.push(format!("{} {feature}", customer.id));
            }
        }
        Ok(())
    }
}

fn ask(
    tx: &mut Tx<'_>,
    invariant: &Invariant,
    params: &[farthing_store::Value],
) -> Result<Finding, EngineError> {
    let rows = tx.query(invariant.sql, params)?;
    let rows = rows.iter().map(|row| row.text(0)).collect::<Result<Vec<_>, _>>()?;
    let Invariant { id, name, meaning, .. } = *invariant;
    Ok(Finding { id, name, meaning, rows })
}

fn broken_chains(tx: &mut Tx<'_>) -> Result<Finding, EngineError> {
    let mut rows = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let chains = audit::chains(tx, after.as_deref(), PAGE)?;
        let Some(last) = chains.last() else { break };
        after = Some(last.as_ref().map(ToString::to_string).unwrap_or_default());
        for chain in &chains {
            if let Some(broken) = audit::verify(tx, chain.as_ref())? {
                let of = chain.as_ref().map_or("(system)", |id| id.as_str());
                rows.push(format!("{of} entry {}: {}", broken.seq, broken.problem));
            }
        }
    }
    Ok(Finding {
        id: "I20",
        name: "audit log is whole",
        meaning: "no entry of the audit log was changed, removed or added afterwards",
        rows,
    })
}
