//! What must always be true of money that went back, and of the credits that went with it.

use crate::invariants::Invariant;

pub(crate) const MONEY_BACK: &[Invariant] = &[
    Invariant {
        id: "I8b",
        name: "debts are in the ledger",
        meaning: "what an account owes is what its bucket of debts says, and nobody is owed anything",
        sql: "
            SELECT a.customer_id || ' ' || a.credit FROM credit_accounts a
            WHERE a.debt <> -COALESCE((SELECT b.amount FROM ledger_balances b
                    WHERE b.customer_id = a.customer_id AND b.credit = a.credit
                      AND b.bucket = 'debt'), 0)
               OR a.debt < 0
            LIMIT 100",
    },
    Invariant {
        id: "I9",
        name: "no more goes back than was taken",
        meaning: "the refunds of a payment that were sent or made are at most the payment, in its currency",
        sql: "
            SELECT p.customer_id || ' ' || p.payment_id FROM payments p JOIN refunds r
              ON r.customer_id = p.customer_id AND r.payment_id = p.payment_id
             AND r.state IN ('sent', 'waiting', 'succeeded')
            GROUP BY p.customer_id, p.payment_id, p.amount, p.currency
            HAVING SUM(r.amount) > p.amount OR MIN(r.currency) <> p.currency
                OR MAX(r.currency) <> p.currency
            LIMIT 100",
    },
    Invariant {
        id: "I9b",
        name: "refunds are of payments that are known",
        meaning: "every refund and every dispute has its customer's payment",
        sql: "
            SELECT b.customer_id || ' ' || b.id FROM (
                SELECT customer_id, refund_id AS id, payment_id FROM refunds
                UNION ALL
                SELECT customer_id, dispute_id AS id, payment_id FROM disputes
            ) AS b
            WHERE NOT EXISTS (SELECT 1 FROM payments p
                WHERE p.customer_id = b.customer_id AND p.payment_id = b.payment_id)
            LIMIT 100",
    },
    Invariant {
        id: "I10b",
        name: "no more is taken back than was granted",
        meaning: "what is taken back of a grant, owed included, is at most the grant",
        sql: "
            SELECT customer_id || ' ' || credit || ' ' || grant_id FROM credit_grants
            WHERE taken + voided + owed > amount OR remaining + ended + taken + owed > amount
               OR voided > ended
            LIMIT 100",
    },
    Invariant {
        id: "I15",
        name: "a refund on its way has its call",
        meaning: "every refund that was agreed to has one open call to the provider",
        sql: "
            SELECT r.customer_id || ' ' || r.refund_id FROM refunds r
            WHERE r.state = 'sent' AND NOT EXISTS (SELECT 1 FROM intents i
                WHERE i.customer_id = r.customer_id AND i.id = r.intent_id
                  AND i.state IN ('open', 'unknown'))
            LIMIT 100",
    },
];
