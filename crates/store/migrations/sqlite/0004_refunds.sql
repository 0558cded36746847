-- Credits that are taken back, and what is owed when they were spent. A CHECK cannot be changed in
-- place here, so the two tables are written anew.
CREATE TABLE ledger_entries_next (
    customer_id TEXT NOT NULL,
    credit TEXT NOT NULL,
    transaction_n INTEGER NOT NULL,
    line INTEGER NOT NULL,
    ledger_id TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (
        reason IN ('grant', 'spend', 'expire', 'reset', 'claw_back', 'reinstate', 'repay', 'take')
    ),
    bucket TEXT NOT NULL
        CHECK (bucket IN ('issued', 'available', 'spent', 'ended', 'clawed', 'debt')),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    balance_after INTEGER NOT NULL,
    grant_id TEXT,
    cause TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, credit, transaction_n, line),
    CHECK (CASE WHEN bucket IN ('issued', 'debt') THEN balance_after <= 0 ELSE balance_after >= 0 END)
) STRICT;
INSERT INTO ledger_entries_next
SELECT customer_id, credit, transaction_n, line, ledger_id, reason, bucket, amount, balance_after,
       grant_id, cause, recorded_at
FROM ledger_entries;
DROP TABLE ledger_entries;
ALTER TABLE ledger_entries_next RENAME TO ledger_entries;

CREATE TABLE ledger_balances_next (
    customer_id TEXT NOT NULL,
    credit TEXT NOT NULL,
    bucket TEXT NOT NULL
        CHECK (bucket IN ('issued', 'available', 'spent', 'ended', 'clawed', 'debt')),
    amount INTEGER NOT NULL,
    PRIMARY KEY (customer_id, credit, bucket)
) STRICT;
INSERT INTO ledger_balances_next SELECT customer_id, credit, bucket, amount FROM ledger_balances;
DROP TABLE ledger_balances;
ALTER TABLE ledger_balances_next RENAME TO ledger_balances;

-- What became of a grant. What is neither left, ended nor taken was spent. `paid_by` is what was
-- paid for it: the provider's id of the invoice, or our id of the checkout.
ALTER TABLE credit_grants ADD COLUMN paid_by TEXT;
ALTER TABLE credit_grants ADD COLUMN ended INTEGER NOT NULL DEFAULT 0 CHECK (ended >= 0);
ALTER TABLE credit_grants ADD COLUMN taken INTEGER NOT NULL DEFAULT 0
    CHECK (taken >= 0 AND remaining + ended + taken <= amount);
ALTER TABLE credit_grants ADD COLUMN voided INTEGER NOT NULL DEFAULT 0
    CHECK (voided >= 0 AND voided <= ended);
ALTER TABLE credit_grants ADD COLUMN owed INTEGER NOT NULL DEFAULT 0
    CHECK (owed >= 0 AND remaining + ended + taken + owed <= amount);
CREATE INDEX credit_grants_paid_by ON credit_grants (customer_id, paid_by)
    WHERE paid_by IS NOT NULL;

-- What the payment of an invoice bought, from which plan.
CREATE TABLE purchases (
    customer_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    invoice TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    plan_from TEXT NOT NULL,
    plan_to TEXT NOT NULL,
    price TEXT NOT NULL,
    period_end INTEGER NOT NULL,
    purchased_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, provider, invoice, price)
) STRICT;

-- Money that goes back because we, or somebody in the provider's dashboard, say so.
CREATE TABLE refunds (
    customer_id TEXT NOT NULL,
    refund_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT,
    payment_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    state TEXT NOT NULL
        CHECK (state IN ('needs_review', 'sent', 'waiting', 'succeeded', 'rejected', 'failed')),
    origin TEXT NOT NULL CHECK (origin IN ('request', 'provider')),
    reason TEXT,
    judged TEXT,
    claws_back INTEGER NOT NULL CHECK (claws_back IN (0, 1)),
    two_people INTEGER NOT NULL CHECK (two_people IN (0, 1)),
    requested_by TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    approved_by TEXT,
    approved_at INTEGER,
    second_approved_by TEXT CHECK (second_approved_by <> approved_by),
    second_approved_at INTEGER,
    rejected_by TEXT,
    rejected_at INTEGER,
    reject_reason TEXT,
    intent_id TEXT,
    attempt INTEGER NOT NULL CHECK (attempt >= 0),
    failure TEXT,
    updated_at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (customer_id, refund_id),
    UNIQUE (provider, provider_id),
    CHECK (state NOT IN ('waiting', 'succeeded') OR provider_id IS NOT NULL),
    CHECK (state <> 'sent' OR intent_id IS NOT NULL),
    CHECK (state <> 'rejected' OR rejected_by IS NOT NULL),
    CHECK (origin = 'provider' OR reason IS NOT NULL),
    -- Where two people have to agree, nothing of ours is sent before both have.
    CHECK (origin = 'provider' OR two_people = 0 OR intent_id IS NULL
        OR second_approved_by IS NOT NULL)
) STRICT;
CREATE INDEX refunds_by_id ON refunds (refund_id);
CREATE INDEX refunds_by_payment ON refunds (customer_id, payment_id);
CREATE INDEX refunds_by_state ON refunds (state, refund_id);

-- Payments that the customer's bank contests. Money moved when `withdrawn` and not `reinstated`.
CREATE TABLE disputes (
    customer_id TEXT NOT NULL,
    dispute_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    due_by INTEGER,
    withdrawn INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    reinstated INTEGER NOT NULL CHECK (reinstated IN (0, 1)),
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    seen INTEGER NOT NULL,
    PRIMARY KEY (customer_id, dispute_id),
    UNIQUE (provider, provider_id)
) STRICT;
CREATE INDEX disputes_by_payment ON disputes (customer_id, payment_id);
CREATE INDEX payments_by_id ON payments (payment_id);
CREATE INDEX payments_by_invoice ON payments (customer_id, invoice_id);
