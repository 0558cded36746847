-- The app's customers. `customer_id` is the app's own id.
CREATE TABLE customers (
    customer_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL,
    canonical_email TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    currency TEXT COLLATE "C",
    device_fingerprint TEXT COLLATE "C",
    metadata TEXT COLLATE "C" NOT NULL,
    plan TEXT COLLATE "C" NOT NULL,
    on_trial BIGINT NOT NULL CHECK (on_trial IN (0, 1)),
    standing TEXT COLLATE "C" NOT NULL CHECK (standing IN ('good', 'past_due', 'read_only')),
    standing_since BIGINT CHECK ((standing = 'good') = (standing_since IS NULL)),
    anchor BIGINT NOT NULL,
    revision BIGINT NOT NULL CHECK (revision >= 1),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX customers_by_email ON customers (canonical_email);

-- Which customer of the provider's is which of ours.
CREATE TABLE provider_customers (
    customer_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (customer_id, provider),
    UNIQUE (provider, provider_id)
);

CREATE TABLE subscriptions (
    customer_id TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    plan TEXT COLLATE "C" NOT NULL,
    pay_interval TEXT COLLATE "C" NOT NULL CHECK (pay_interval IN ('day', 'month', 'year')),
    price TEXT COLLATE "C" NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('incomplete', 'trialing', 'active', 'paused', 'canceled')),
    standing TEXT COLLATE "C" NOT NULL CHECK (standing IN ('good', 'past_due', 'read_only')),
    standing_since BIGINT CHECK ((standing = 'good') = (standing_since IS NULL)),
    period_start BIGINT NOT NULL,
    period_end BIGINT NOT NULL CHECK (period_start < period_end),
    anchor BIGINT NOT NULL,
    cancel_at BIGINT,
    trial_ends_at BIGINT,
    ended_at BIGINT CHECK ((status = 'canceled') = (ended_at IS NOT NULL)),
    created_at BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (customer_id, subscription_id),
    UNIQUE (provider, provider_id)
);
CREATE INDEX subscriptions_by_id ON subscriptions (subscription_id);
-- A customer has one running subscription at most.
CREATE UNIQUE INDEX subscriptions_running ON subscriptions (customer_id)
    WHERE status IN ('trialing', 'active', 'paused');

-- What was paid for, or is on trial: `[starts_at, ends_at)`.
CREATE TABLE periods (
    customer_id TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL CHECK (starts_at < ends_at),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('trial', 'paid')),
    plan TEXT COLLATE "C" NOT NULL,
    invoice TEXT COLLATE "C" CHECK ((state = 'paid') = (invoice IS NOT NULL)),
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, subscription_id, starts_at)
);

-- What a customer may use now: one row per feature.
CREATE TABLE entitlements (
    customer_id TEXT COLLATE "C" NOT NULL,
    feature TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('boolean', 'value', 'count', 'usage')),
    reset_every TEXT COLLATE "C" CHECK (reset_every IN ('month', 'day')),
    reset_zone TEXT COLLATE "C",
    source TEXT COLLATE "C" CHECK (source IN ('plan', 'trial', 'override')),
    limit_amount BIGINT CHECK (limit_amount >= 0),
    cap BIGINT,
    ceiling BIGINT CHECK (ceiling >= 0),
    used BIGINT NOT NULL CHECK (used >= 0),
    reserved BIGINT NOT NULL CHECK (reserved >= 0),
    floor_used BIGINT NOT NULL CHECK (floor_used >= 0),
    window_start BIGINT,
    window_end BIGINT,
    anchor BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    access TEXT COLLATE "C" NOT NULL CHECK (access IN ('full', 'read_only')),
    revision BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (customer_id, feature),
    -- No limit is crossed by consuming. Where a limit was lowered, what was used stays.
    CHECK (ceiling IS NULL OR used + reserved <= ceiling OR used + reserved <= floor_used),
    CHECK ((kind = 'usage') = (reset_every IS NOT NULL)),
    CHECK ((kind = 'usage') = (window_start IS NOT NULL AND window_end IS NOT NULL)),
    CHECK (window_start < window_end)
);

-- Every change of `used`, in the order of time. The sum over an epoch is what was used in it.
CREATE TABLE usage_events (
    at BIGINT NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    feature TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    delta BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('consume', 'release', 'sync', 'report', 'carry')),
    PRIMARY KEY (at, customer_id, feature, version)
);
CREATE INDEX usage_events_by_customer ON usage_events (customer_id, feature, epoch);

-- The app's own ids of events that it reported afterwards.
CREATE TABLE usage_reports (
    customer_id TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, event_id)
);

CREATE TABLE overrides (
    customer_id TEXT COLLATE "C" NOT NULL,
    feature TEXT COLLATE "C" NOT NULL,
    limit_kind TEXT COLLATE "C" NOT NULL CHECK (limit_kind IN ('switch', 'amount', 'unlimited')),
    amount BIGINT CHECK ((limit_kind = 'unlimited') = (amount IS NULL)),
    reason TEXT COLLATE "C" NOT NULL,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, feature)
);

-- One row per customer and credit feature: what is locked while its balances change.
CREATE TABLE credit_accounts (
    customer_id TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    available BIGINT NOT NULL CHECK (available >= 0),
    debt BIGINT NOT NULL CHECK (debt >= 0),
    paused BIGINT NOT NULL CHECK (paused IN (0, 1)),
    transactions BIGINT NOT NULL CHECK (transactions >= 0),
    access TEXT COLLATE "C" NOT NULL CHECK (access IN ('full', 'read_only')),
    revision BIGINT NOT NULL,
    PRIMARY KEY (customer_id, credit)
);

-- Immutable gifts of credits, but for what is left. The business key makes a second one impossible.
CREATE TABLE credit_grants (
    customer_id TEXT COLLATE "C" NOT NULL,
    grant_id TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    business_key TEXT COLLATE "C" NOT NULL,
    source TEXT COLLATE "C" NOT NULL CHECK (source IN ('plan', 'pack', 'signup', 'manual')),
    amount BIGINT NOT NULL CHECK (amount >= 1),
    remaining BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= amount),
    expires_at BIGINT,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, grant_id),
    UNIQUE (customer_id, credit, business_key)
);
CREATE INDEX credit_grants_left ON credit_grants (customer_id, credit, grant_id) WHERE remaining > 0;
CREATE INDEX credit_grants_expiring ON credit_grants (expires_at) WHERE remaining > 0;

-- The ledger: insert only. The entries of a transaction sum to zero.
CREATE TABLE ledger_entries (
    customer_id TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    transaction_n BIGINT NOT NULL,
    line BIGINT NOT NULL,
    ledger_id TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL CHECK (reason IN ('grant', 'spend', 'expire', 'reset')),
    bucket TEXT COLLATE "C" NOT NULL CHECK (bucket IN ('issued', 'available', 'spent', 'ended')),
    amount BIGINT NOT NULL CHECK (amount <> 0),
    balance_after BIGINT NOT NULL,
    grant_id TEXT COLLATE "C",
    cause TEXT COLLATE "C" NOT NULL,
    recorded_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, credit, transaction_n, line),
    CHECK (CASE bucket WHEN 'issued' THEN balance_after <= 0 ELSE balance_after >= 0 END)
);

-- Running balances: checked against the entries, never trusted.
CREATE TABLE ledger_balances (
    customer_id TEXT COLLATE "C" NOT NULL,
    credit TEXT COLLATE "C" NOT NULL,
    bucket TEXT COLLATE "C" NOT NULL CHECK (bucket IN ('issued', 'available', 'spent', 'ended')),
    amount BIGINT NOT NULL,
    PRIMARY KEY (customer_id, credit, bucket)
);

CREATE TABLE checkouts (
    customer_id TEXT COLLATE "C" NOT NULL,
    checkout_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('plan', 'pack')),
    item TEXT COLLATE "C" NOT NULL,
    pay_interval TEXT COLLATE "C" CHECK ((kind = 'plan') = (pay_interval IS NOT NULL)),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency TEXT COLLATE "C" NOT NULL,
    trial_days BIGINT CHECK (trial_days >= 1),
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C",
    url TEXT COLLATE "C",
    return_path TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('open', 'settled', 'expired', 'failed')),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    settled_at BIGINT CHECK ((status = 'settled') = (settled_at IS NOT NULL)),
    seen BIGINT NOT NULL,
    PRIMARY KEY (customer_id, checkout_id),
    UNIQUE (provider, provider_id)
);
CREATE INDEX checkouts_by_id ON checkouts (checkout_id);
-- Two tabs share one open checkout for a plan, so that only one subscription can be bought.
CREATE UNIQUE INDEX checkouts_open_plan ON checkouts (customer_id)
    WHERE kind = 'plan' AND status = 'open';

CREATE TABLE invoices (
    customer_id TEXT COLLATE "C" NOT NULL,
    invoice_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C",
    number TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL
        CHECK (status IN ('draft', 'open', 'paid', 'uncollectible', 'void', 'unknown')),
    reason TEXT COLLATE "C" NOT NULL,
    total BIGINT NOT NULL,
    paid BIGINT NOT NULL,
    currency TEXT COLLATE "C" NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at BIGINT,
    lines TEXT COLLATE "C" NOT NULL,
    hosted_url TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (customer_id, invoice_id),
    UNIQUE (provider, provider_id)
);

CREATE TABLE payments (
    customer_id TEXT COLLATE "C" NOT NULL,
    payment_id TEXT COLLATE "C" NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    provider_id TEXT COLLATE "C" NOT NULL,
    invoice_id TEXT COLLATE "C",
    checkout_id TEXT COLLATE "C",
    status TEXT COLLATE "C" NOT NULL CHECK (
        status IN ('succeeded', 'processing', 'requires_action', 'failed', 'canceled', 'unknown')
    ),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    currency TEXT COLLATE "C" NOT NULL,
    failure_code TEXT COLLATE "C",
    card TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    seen BIGINT NOT NULL,
    PRIMARY KEY (customer_id, payment_id),
    UNIQUE (provider, provider_id)
);

-- One effect per business fact, whatever event brought the news.
CREATE TABLE effects (
    provider TEXT COLLATE "C" NOT NULL,
    fact_key TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    applied_at BIGINT NOT NULL,
    PRIMARY KEY (provider, fact_key)
);

-- One trial for good per plan and customer, card, e-mail address and device.
CREATE TABLE trial_claims (
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('customer', 'card', 'email', 'device')),
    value_hash TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C" NOT NULL,
    checkout_id TEXT COLLATE "C" NOT NULL,
    claimed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, value_hash)
);
CREATE INDEX trial_claims_by_checkout ON trial_claims (checkout_id);

-- Numbers that only grow, shared by all nodes.
CREATE TABLE counters (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
