-- What Farthing needs to work, whatever it sells: keys, versions, queues, the audit log.
-- Times are microseconds since 1970, booleans 0 or 1. Where a key begins with customer_id,
-- '' stands for the system itself.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('full', 'read', 'usage')),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    hint TEXT NOT NULL CHECK (length(hint) <= 4),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE catalog_versions (
    version INTEGER PRIMARY KEY CHECK (1 <= version),
    source TEXT NOT NULL,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    applied_at INTEGER NOT NULL,
    actor TEXT NOT NULL
) STRICT;

CREATE TABLE provider_prices (
    provider TEXT NOT NULL,
    lookup_key TEXT NOT NULL,
    provider_price_id TEXT NOT NULL,
    product_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('plan', 'pack')),
    item TEXT NOT NULL,
    billing_interval TEXT CHECK (billing_interval IN ('day', 'month', 'year')),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    amount INTEGER NOT NULL CHECK (0 <= amount),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (provider, lookup_key),
    UNIQUE (provider, provider_price_id)
) STRICT;

CREATE TABLE provider_events (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    api_version TEXT,
    created_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    payload BLOB NOT NULL,
    subject TEXT,
    customer_id TEXT,
    state TEXT NOT NULL CHECK (state IN ('received', 'done', 'ignored', 'quarantined', 'dead')),
    attempts INTEGER NOT NULL CHECK (0 <= attempts),
    next_attempt_at INTEGER,
    lease_until INTEGER,
    lease_token TEXT,
    last_error TEXT,
    processed_at INTEGER,
    PRIMARY KEY (provider, event_id),
    CHECK ((state = 'received') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'received') = (processed_at IS NULL)),
    CHECK ((lease_until IS NULL) = (lease_token IS NULL)),
    CHECK (state = 'received' OR lease_token IS NULL),
    CHECK (state NOT IN ('quarantined', 'dead') OR last_error IS NOT NULL)
) STRICT;
CREATE INDEX provider_events_due ON provider_events (next_attempt_at, id)
    WHERE state = 'received' AND lease_token IS NULL;
CREATE INDEX provider_events_leased ON provider_events (lease_until)
    WHERE state = 'received' AND lease_token IS NOT NULL;
CREATE INDEX provider_events_by_state ON provider_events (state, id);

CREATE TABLE jobs (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    customer_id TEXT,
    payload TEXT NOT NULL,
    dedup_key TEXT,
    run_at INTEGER NOT NULL,
    -- Asked for again while it ran: when to run it once more.
    rerun_at INTEGER,
    attempts INTEGER NOT NULL CHECK (0 <= attempts),
    state TEXT NOT NULL CHECK (state IN ('pending', 'done', 'dead')),
    lease_until INTEGER,
    lease_token TEXT,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    finished_at INTEGER,
    CHECK ((state = 'pending') = (finished_at IS NULL)),
    CHECK ((lease_until IS NULL) = (lease_token IS NULL)),
    CHECK (state = 'pending' OR lease_token IS NULL),
    CHECK (state <> 'dead' OR last_error IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX jobs_dedup ON jobs (dedup_key) WHERE state = 'pending';
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state = 'pending' AND lease_token IS NULL;
CREATE INDEX jobs_leased ON jobs (lease_until)
    WHERE state = 'pending' AND lease_token IS NOT NULL;
CREATE INDEX jobs_by_state ON jobs (state, id);

CREATE TABLE idempotency_keys (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
    request_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done')),
    status INTEGER CHECK (100 <= status AND status <= 599),
    body BLOB,
    created_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (scope, key),
    CHECK ((state = 'done') = (status IS NOT NULL)),
    CHECK ((state = 'done') = (body IS NOT NULL))
) STRICT;
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

-- The end of each customer's audit chain. Its row is the lock under which the chain grows.
CREATE TABLE audit_heads (
    customer_id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL CHECK (0 <= seq),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TABLE audit (
    customer_id TEXT NOT NULL,
    seq INTEGER NOT NULL CHECK (1 <= seq),
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    cause TEXT NOT NULL,
    entity TEXT NOT NULL,
    from_state TEXT,
    to_state TEXT,
    effective_at INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL,
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (customer_id, seq)
) STRICT;

CREATE TABLE outbox (
    customer_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    revision INTEGER NOT NULL CHECK (0 <= revision),
    data TEXT NOT NULL,
    cause TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, id)
) STRICT;
CREATE INDEX outbox_by_id ON outbox (id);

CREATE TABLE intents (
    customer_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    is_change INTEGER NOT NULL CHECK (is_change IN (0, 1)),
    idempotency_key TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'refused', 'unknown')),
    request TEXT NOT NULL,
    response TEXT,
    attempts INTEGER NOT NULL CHECK (0 <= attempts),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    closed_at INTEGER,
    PRIMARY KEY (customer_id, id),
    UNIQUE (customer_id, idempotency_key),
    CHECK ((state IN ('done', 'refused')) = (closed_at IS NOT NULL)),
    CHECK (is_change = 0 OR customer_id <> '')
) STRICT;
-- The lock for plan changes: one at a time per customer.
CREATE UNIQUE INDEX intents_change ON intents (customer_id)
    WHERE is_change = 1 AND state IN ('open', 'unknown');
CREATE INDEX intents_by_id ON intents (id);
CREATE INDEX intents_open ON intents (updated_at, id) WHERE state IN ('open', 'unknown');

CREATE TABLE alerts (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    resolved_at INTEGER
) STRICT;
CREATE UNIQUE INDEX alerts_open ON alerts (kind, subject) WHERE resolved_at IS NULL;
