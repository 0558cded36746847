-- What Farthing needs to work, whatever it sells: keys, versions, queues, the audit log.
-- Times are microseconds since 1970, booleans 0 or 1. Where a key begins with customer_id,
-- '' stands for the system itself.

CREATE TABLE meta (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL CHECK (scope IN ('full', 'read', 'usage')),
    hash BYTEA NOT NULL UNIQUE CHECK (length(hash) = 32),
    hint TEXT COLLATE "C" NOT NULL CHECK (length(hint) <= 4),
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE catalog_versions (
    version BIGINT PRIMARY KEY CHECK (1 <= version),
    source TEXT COLLATE "C" NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL CHECK (length(sha256) = 64),
    applied_at BIGINT NOT NULL,
    actor TEXT COLLATE "C" NOT NULL
);

CREATE TABLE provider_prices (
    provider TEXT COLLATE "C" NOT NULL,
    lookup_key TEXT COLLATE "C" NOT NULL,
    provider_price_id TEXT COLLATE "C" NOT NULL,
    product_id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('plan', 'pack')),
    item TEXT COLLATE "C" NOT NULL,
    billing_interval TEXT COLLATE "C" CHECK (billing_interval IN ('day', 'month', 'year')),
    currency TEXT COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    amount BIGINT NOT NULL CHECK (0 <= amount),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (provider, lookup_key),
    UNIQUE (provider, provider_price_id)
);

CREATE TABLE provider_events (
    provider TEXT COLLATE "C" NOT NULL,
    event_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL UNIQUE,
    type TEXT COLLATE "C" NOT NULL,
    api_version TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    subject TEXT COLLATE "C",
    customer_id TEXT COLLATE "C",
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('received', 'done', 'ignored', 'quarantined', 'dead')),
    attempts BIGINT NOT NULL CHECK (0 <= attempts),
    next_attempt_at BIGINT,
    lease_until BIGINT,
    lease_token TEXT COLLATE "C",
    last_error TEXT COLLATE "C",
    processed_at BIGINT,
    PRIMARY KEY (provider, event_id),
    CHECK ((state = 'received') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'received') = (processed_at IS NULL)),
    CHECK ((lease_until IS NULL) = (lease_token IS NULL)),
    CHECK (state = 'received' OR lease_token IS NULL),
    CHECK (state NOT IN ('quarantined', 'dead') OR last_error IS NOT NULL)
);
CREATE INDEX provider_events_due ON provider_events (next_attempt_at, id)
    WHERE state = 'received' AND lease_token IS NULL;
CREATE INDEX provider_events_leased ON provider_events (lease_until)
    WHERE state = 'received' AND lease_token IS NOT NULL;
CREATE INDEX provider_events_by_state ON provider_events (state, id);

CREATE TABLE jobs (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    customer_id TEXT COLLATE "C",
    payload TEXT COLLATE "C" NOT NULL,
    dedup_key TEXT COLLATE "C",
    run_at BIGINT NOT NULL,
    -- Asked for again while it ran: when to run it once more.
    rerun_at BIGINT,
    attempts BIGINT NOT NULL CHECK (0 <= attempts),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('pending', 'done', 'dead')),
    lease_until BIGINT,
    lease_token TEXT COLLATE "C",
    last_error TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    CHECK ((state = 'pending') = (finished_at IS NULL)),
    CHECK ((lease_until IS NULL) = (lease_token IS NULL)),
    CHECK (state = 'pending' OR lease_token IS NULL),
    CHECK (state <> 'dead' OR last_error IS NOT NULL)
);
CREATE UNIQUE INDEX jobs_dedup ON jobs (dedup_key) WHERE state = 'pending';
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'pending' AND lease_token IS NULL;
CREATE INDEX jobs_leased ON jobs (lease_until)
    WHERE state = 'pending' AND lease_token IS NOT NULL;
CREATE INDEX jobs_by_state ON jobs (state, id);

CREATE TABLE idempotency_keys (
    scope TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    request_hash BYTEA NOT NULL CHECK (length(request_hash) = 32),
    request_id TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('running', 'done')),
    status BIGINT CHECK (100 <= status AND status <= 599),
    body BYTEA,
    created_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (scope, key),
    CHECK ((state = 'done') = (status IS NOT NULL)),
    CHECK ((state = 'done') = (body IS NOT NULL))
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- The end of each customer's audit chain. Its row is the lock under which the chain grows.
CREATE TABLE audit_heads (
    customer_id TEXT COLLATE "C" PRIMARY KEY,
    seq BIGINT NOT NULL CHECK (0 <= seq),
    hash BYTEA NOT NULL CHECK (length(hash) = 32)
);

CREATE TABLE audit (
    customer_id TEXT COLLATE "C" NOT NULL,
    seq BIGINT NOT NULL CHECK (1 <= seq),
    actor TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    entity TEXT COLLATE "C" NOT NULL,
    from_state TEXT COLLATE "C",
    to_state TEXT COLLATE "C",
    effective_at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    prev_hash BYTEA NOT NULL CHECK (length(prev_hash) = 32),
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (customer_id, seq)
);

CREATE TABLE outbox (
    customer_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    type TEXT COLLATE "C" NOT NULL,
    revision BIGINT NOT NULL CHECK (0 <= revision),
    data TEXT COLLATE "C" NOT NULL,
    cause TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, id)
);
CREATE INDEX outbox_by_id ON outbox (id);

CREATE TABLE intents (
    customer_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    is_change BIGINT NOT NULL CHECK (is_change IN (0, 1)),
    idempotency_key TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'done', 'refused', 'unknown')),
    request TEXT COLLATE "C" NOT NULL,
    response TEXT COLLATE "C",
    attempts BIGINT NOT NULL CHECK (0 <= attempts),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (customer_id, id),
    UNIQUE (customer_id, idempotency_key),
    CHECK ((state IN ('done', 'refused')) = (closed_at IS NOT NULL)),
    CHECK (is_change = 0 OR customer_id <> '')
);
-- The lock for plan changes: one at a time per customer.
CREATE UNIQUE INDEX intents_change ON intents (customer_id)
    WHERE is_change = 1 AND state IN ('open', 'unknown');
CREATE INDEX intents_by_id ON intents (id);
CREATE INDEX intents_open ON intents (updated_at, id) WHERE state IN ('open', 'unknown');

CREATE TABLE alerts (
    id TEXT COLLATE "C" PRIMARY KEY,
    kind TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    detail TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    resolved_at BIGINT
);
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE resolved_at IS NULL;
