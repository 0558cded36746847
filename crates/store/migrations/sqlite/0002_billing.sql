-- The app's customers. `customer_id` is the app's own id.
CREATE TABLE customers (
    customer_id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    canonical_email TEXT NOT NULL,
    name TEXT,
    currency TEXT,
    device_fingerprint TEXT,
    metadata TEXT NOT NULL,
    plan TEXT NOT NULL,
    on_trial INTEGER NOT NULL CHECK (on_trial IN (0, 1)),
    standing TEXT NOT NULL CHECK (standing IN ('good', 'past_due', 'read_only')),
    standing_since INTEGER CHECK ((standing = 'good') = (standing_since IS NULL)),
    anchor INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision >= 1),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
CREATE INDEX customers_by_email ON customers (canonical_email);

-- Which customer of the provider's is which of ours.
CREATE TABLE provider_customers (
    customer_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    PRIMARY KEY (customer_id, provider),
    UNIQUE (provider, provider_id)
) STRICT;

CREATE TABLE subscriptions (
    customer_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    plan TEXT NOT NULL,
    pay_interval TEXT NOT NULL CHECK (pay_interval IN ('day', 'month', 'year')),
    price TEXT NOT NULL,
    currency TEXT NOT NULL,
    status TEXT NOT NULL
        CHECK (status IN ('incomplete', 'trialing', 'active', 'paused', 'canceled')),
    standing TEXT NOT NULL CHECK (standing IN ('good', 'past_due', 'read_only')),
    standing_since INTEGER CHECK ((standing = 'good') = (standing_since IS NULL)),
    period_start INTEGER NOT NULL,
    period_end INTEGER NOT NULL CHECK (period_start < period_end),
    anchor INTEGER NOT NULL,
    cancel_at INTEGER,
    trial_ends_at INTEGER,
    ended_at INTEGER CHECK ((status = 'canceled') = (ended_at IS NOT NULL)),
    created_at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (customer_id, subscription_id),
    UNIQUE (provider, provider_id)
) STRICT;
CREATE INDEX subscriptions_by_id ON subscriptions (subscription_id);
-- A customer has one running subscription at most.
CREATE UNIQUE INDEX subscriptions_running ON subscriptions (customer_id)
    WHERE status IN ('trialing', 'active', 'paused');

-- What was paid for, or is on trial: `[starts_at, ends_at)`.
CREATE TABLE periods (
    customer_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    starts_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL CHECK (starts_at < ends_at),
    state TEXT NOT NULL CHECK (state IN ('trial', 'paid')),
    plan TEXT NOT NULL,
    invoice TEXT CHECK ((state = 'paid') = (invoice IS NOT NULL)),
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, subscription_id, starts_at)
) STRICT;

-- What a customer may use now: one row per feature.
CREATE TABLE entitlements (
    customer_id TEXT NOT NULL,
    feature TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('boolean', 'value', 'count', 'usage')),
    reset_every TEXT CHECK (reset_every IN ('month', 'day')),
    reset_zone TEXT,
    source TEXT CHECK (source IN ('plan', 'trial', 'override')),
    limit_amount INTEGER CHECK (limit_amount >= 0),
    cap INTEGER,
    ceiling INTEGER CHECK (ceiling >= 0),
    used INTEGER NOT NULL CHECK (used >= 0),
    reserved INTEGER NOT NULL CHECK (reserved >= 0),
    floor_used INTEGER NOT NULL CHECK (floor_used >= 0),
    window_start INTEGER,
    window_end INTEGER,
    anchor INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    access TEXT NOT NULL CHECK (access IN ('full', 'read_only')),
    revision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (customer_id, feature),
    -- No limit is crossed by consuming. Where a limit was lowered, what was used stays.
    CHECK (ceiling IS NULL OR used + reserved <= ceiling OR used + reserved <= floor_used),
    CHECK ((kind = 'usage') = (reset_every IS NOT NULL)),
    CHECK ((kind = 'usage') = (window_start IS NOT NULL AND window_end IS NOT NULL)),
    CHECK (window_start < window_end)
) STRICT;

-- Every change of `used`, in the order of time. The sum over an epoch is what was used in it.
CREATE TABLE usage_events (
    at INTEGER NOT NULL,
    customer_id TEXT NOT NULL,
    feature TEXT NOT NULL,
    version INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    delta INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('consume', 'release', 'sync', 'report', 'carry')),
    PRIMARY KEY (at, customer_id, feature, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_events_by_customer ON usage_events (customer_id, feature, epoch);

-- The app's own ids of events that it reported afterwards.
CREATE TABLE usage_reports (
    customer_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, event_id)
) STRICT;

CREATE TABLE overrides (
    customer_id TEXT NOT NULL,
    feature TEXT NOT NULL,
    limit_kind TEXT NOT NULL CHECK (limit_kind IN ('switch', 'amount', 'unlimited')),
    amount INTEGER CHECK ((limit_kind = 'unlimited') = (amount IS NULL)),
    reason TEXT NOT NULL,
    expires_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, feature)
) STRICT;

-- One row per customer and credit feature: what is locked while its balances change.
CREATE TABLE credit_accounts (
    customer_id TEXT NOT NULL,
    credit TEXT NOT NULL,
    available INTEGER NOT NULL CHECK (available >= 0),
    debt INTEGER NOT NULL CHECK (debt >= 0),
    paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
    transactions INTEGER NOT NULL CHECK (transactions >= 0),
    access TEXT NOT NULL CHECK (access IN ('full', 'read_only')),
    revision INTEGER NOT NULL,
    PRIMARY KEY (customer_id, credit)
) STRICT;

-- Immutable gifts of credits, but for what is left. The business key makes a second one impossible.
CREATE TABLE credit_grants (
    customer_id TEXT NOT NULL,
    grant_id TEXT NOT NULL,
    credit TEXT NOT NULL,
    business_key TEXT NOT NULL,
    source TEXT NOT NULL CHECK (source IN ('plan', 'pack', 'signup', 'manual')),
    amount INTEGER NOT NULL CHECK (amount >= 1),
    remaining INTEGER NOT NULL CHECK (remaining >= 0 AND remaining <= amount),
    expires_at INTEGER,
    granted_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, grant_id),
    UNIQUE (customer_id, credit, business_key)
) STRICT;
CREATE INDEX credit_grants_left ON credit_grants (customer_id, credit, grant_id) WHERE remaining > 0;
CREATE INDEX credit_grants_expiring ON credit_grants (expires_at) WHERE remaining > 0;

-- The ledger: insert only. The entries of a transaction sum to zero.
CREATE TABLE ledger_entries (
    customer_id TEXT NOT NULL,
    credit TEXT NOT NULL,
    transaction_n INTEGER NOT NULL,
    line INTEGER NOT NULL,
    ledger_id TEXT NOT NULL,
    reason TEXT NOT NULL CHECK (reason IN ('grant', 'spend', 'expire', 'reset')),
    bucket TEXT NOT NULL CHECK (bucket IN ('issued', 'available', 'spent', 'ended')),
    amount INTEGER NOT NULL CHECK (amount <> 0),
    balance_after INTEGER NOT NULL,
    grant_id TEXT,
    cause TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, credit, transaction_n, line),
    CHECK (CASE bucket WHEN 'issued' THEN balance_after <= 0 ELSE balance_after >= 0 END)
) STRICT;

-- Running balances: checked against the entries, never trusted.
CREATE TABLE ledger_balances (
    customer_id TEXT NOT NULL,
    credit TEXT NOT NULL,
    bucket TEXT NOT NULL CHECK (bucket IN ('issued', 'available', 'spent', 'ended')),
    amount INTEGER NOT NULL,
    PRIMARY KEY (customer_id, credit, bucket)
) STRICT;

CREATE TABLE checkouts (
    customer_id TEXT NOT NULL,
    checkout_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('plan', 'pack')),
    item TEXT NOT NULL,
    pay_interval TEXT CHECK ((kind = 'plan') = (pay_interval IS NOT NULL)),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    trial_days INTEGER CHECK (trial_days >= 1),
    provider TEXT NOT NULL,
    provider_id TEXT,
    url TEXT,
    return_path TEXT,
    status TEXT NOT NULL CHECK (status IN ('open', 'settled', 'expired', 'failed')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    settled_at INTEGER CHECK ((status = 'settled') = (settled_at IS NOT NULL)),
    seen INTEGER NOT NULL,
    PRIMARY KEY (customer_id, checkout_id),
    UNIQUE (provider, provider_id)
) STRICT;
CREATE INDEX checkouts_by_id ON checkouts (checkout_id);
-- Two tabs share one open checkout for a plan, so that only one subscription can be bought.
CREATE UNIQUE INDEX checkouts_open_plan ON checkouts (customer_id)
    WHERE kind = 'plan' AND status = 'open';

CREATE TABLE invoices (
    customer_id TEXT NOT NULL,
    invoice_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    subscription_id TEXT,
    number TEXT,
    status TEXT NOT NULL
        CHECK (status IN ('draft', 'open', 'paid', 'uncollectible', 'void', 'unknown')),
    reason TEXT NOT NULL,
    total INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    currency TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at INTEGER,
    lines TEXT NOT NULL,
    hosted_url TEXT,
    created_at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (customer_id, invoice_id),
    UNIQUE (provider, provider_id)
) STRICT;

CREATE TABLE payments (
    customer_id TEXT NOT NULL,
    payment_id TEXT NOT NULL,
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    invoice_id TEXT,
    checkout_id TEXT,
    status TEXT NOT NULL CHECK (
        status IN ('succeeded', 'processing', 'requires_action', 'failed', 'canceled', 'unknown')
    ),
    amount INTEGER NOT NULL CHECK (amount >= 0),
    currency TEXT NOT NULL,
    failure_code TEXT,
    card TEXT,
    created_at INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (customer_id, payment_id),
    UNIQUE (provider, provider_id)
) STRICT;

-- One effect per business fact, whatever event brought the news.
CREATE TABLE effects (
    provider TEXT NOT NULL,
    fact_key TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    cause TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (provider, fact_key)
) STRICT;

-- One trial for good per plan and customer, card, e-mail address and device.
CREATE TABLE trial_claims (
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'card', 'email', 'device')),
    value_hash TEXT NOT NULL,
    customer_id TEXT NOT NULL,
    checkout_id TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    PRIMARY KEY (kind, value_hash)
) STRICT;
CREATE INDEX trial_claims_by_checkout ON trial_claims (checkout_id);

-- Numbers that only grow, shared by all nodes.
CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;
