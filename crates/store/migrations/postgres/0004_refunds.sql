-- Credits that are taken back, and what is owed when they were spent.
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_reason_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_reason_check CHECK (
    reason IN ('grant', 'spend', 'expire', 'reset', 'claw_back', 'reinstate', 'repay', 'take')
);
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_bucket_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_bucket_check
    CHECK (bucket IN ('issued', 'available', 'spent', 'ended', 'clawed', 'debt'));
ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_check;
ALTER TABLE ledger_entries ADD CONSTRAINT ledger_entries_check CHECK (
    CASE WHEN bucket IN ('issued', 'debt') THEN balance_after <= 0 ELSE balance_after >= 0 END
);
ALTER TABLE ledger_balances DROP CONSTRAINT ledger_balances_bucket_check;
ALTER TABLE ledger_balances ADD CONSTRAINT ledger_balances_bucket_check
    CHECK (bucket IN ('issued', 'available', 'spent', 'ended', 'clawed', 'debt'));

-- What became of a grant. What is neither left, ended nor taken was spent. `paid_by` is what was
-- paid for it: the provider's id of the invoice, or our id of the checkout.
ALTER TABLE credit_grants ADD COLUMN paid_by TEXT COLLATE "C";
ALTER TABLE credit_grants ADD COLUMN ended BIGINT NOT NULL DEFAULT 0 CHECK (ended >= 0);
ALTER TABLE credit_grants ADD COLUMN taken BIGINT NOT NULL DEFAULT 0
    CHECK (taken >= 0 AND remaining + ended + taken <= amount);
ALTER TABLE credit_grants ADD COLUMN voided BIGINT NOT NULL DEFAULT 0
    CHECK (voided >= 0 AND voided <= ended);
ALTER TABLE credit_grants ADD COLUMN owed BIGINT NOT NULL DEFAULT 0
    CHECK (owed >= 0 AND remaining + ended + taken + owed <= amount);
CREATE INDEX credit_grants_paid_by ON credit_grants (customer_id, paid_by)
    WHERE paid_by IS NOT NULL;

-- What the payment of an invoice bought, from which plan.
CREATE TABLE purchases (
    customer_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    invoice TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    plan_from TEXT COLLATE "C" NOT NULL,
    plan_to TEXT COLLATE "C" NOT NULL,
    price TEXT COLLATE "C" NOT NULL,
    period_end BIGINT NOT NULL,
    purchased_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, provider, invoice, price)
);

-- Money that goes back because we, or somebody in the provider's dashboard, say so.
CREATE TABLE refunds (
    customer_id TEXT COLLATE "C" NOT NULL,
    refund_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C",
    payment_id TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL
        CHECK (state IN ('needs_review', 'sent', 'waiting', 'succeeded', 'rejected', 'failed')),
    origin TEXT COLLATE "C" NOT NULL CHECK (origin IN ('request', 'provider')),
    reason TEXT COLLATE "C",
    judged TEXT COLLATE "C",
    claws_back BIGINT NOT NULL CHECK (claws_back IN (0, 1)),
    two_people BIGINT NOT NULL CHECK (two_people IN (0, 1)),
    requested_by TEXT COLLATE "C" NOT NULL,
    requested_at BIGINT NOT NULL,
    approved_by TEXT COLLATE "C",
    approved_at BIGINT,
    second_approved_by TEXT COLLATE "C" CHECK (second_approved_by <> approved_by),
    second_approved_at BIGINT,
    rejected_by TEXT COLLATE "C",
    rejected_at BIGINT,
    reject_reason TEXT COLLATE "C",
    intent_id TEXT COLLATE "C",
    attempt BIGINT NOT NULL CHECK (attempt >= 0),
    failure TEXT COLLATE "C",
    updated_at BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (customer_id, refund_id),
    UNIQUE (provider, provider_id),
    CHECK (state NOT IN ('waiting', 'succeeded') OR provider_id IS NOT NULL),
    CHECK (state <> 'sent' OR intent_id IS NOT NULL),
    CHECK (state <> 'rejected' OR rejected_by IS NOT NULL),
    CHECK (origin = 'provider' OR reason IS NOT NULL),
    -- Where two people have to agree, nothing of ours is sent before both have.
    CHECK (origin = 'provider' OR two_people = 0 OR intent_id IS NULL
        OR second_approved_by IS NOT NULL)
);
CREATE INDEX refunds_by_id ON refunds (refund_id);
CREATE INDEX refunds_by_payment ON refunds (customer_id, payment_id);
CREATE INDEX refunds_by_state ON refunds (state, refund_id);

-- Payments that the customer's bank contests. Money moved when `withdrawn` and not `reinstated`.
CREATE TABLE disputes (
    customer_id TEXT COLLATE "C" NOT NULL,
    dispute_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    payment_id TEXT COLLATE "C" NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    currency TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    due_by BIGINT,
    withdrawn BIGINT NOT NULL CHECK (withdrawn IN (0, 1)),
    reinstated BIGINT NOT NULL CHECK (reinstated IN (0, 1)),
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    seen BIGINT NOT NULL,
    PRIMARY KEY (customer_id, dispute_id),
    UNIQUE (provider, provider_id)
);
CREATE INDEX disputes_by_payment ON disputes (customer_id, payment_id);
CREATE INDEX payments_by_id ON payments (payment_id);
CREATE INDEX payments_by_invoice ON payments (customer_id, invoice_id);
