-- Limits of the plan before that still count for a while, because more is held than the plan now
-- allows. `limit_amount` NULL: unlimited.
CREATE TABLE grace_limits (
    customer_id TEXT NOT NULL,
    feature TEXT NOT NULL,
    limit_amount INTEGER CHECK (limit_amount >= 0),
    until INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, feature)
) STRICT;

-- A payment of a subscription that failed, and what is done about it. One is open at a time.
CREATE TABLE dunning_cases (
    customer_id TEXT NOT NULL,
    case_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    invoice TEXT,
    started_at INTEGER NOT NULL,
    announced INTEGER NOT NULL DEFAULT 0 CHECK (announced IN (0, 1)),
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_retry_at INTEGER,
    tried_at INTEGER,
    path TEXT NOT NULL CHECK (path IN ('retry', 'new_card', 'confirm')),
    decline_code TEXT,
    method TEXT,
    closed_at INTEGER,
    outcome TEXT CHECK (outcome IN ('recovered', 'exhausted', 'ended')),
    recovered_by TEXT CHECK (recovered_by IN ('retry', 'new_card', 'asked', 'customer')),
    PRIMARY KEY (customer_id, case_id),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (recovered_by IS NULL OR outcome = 'recovered')
) STRICT;
CREATE UNIQUE INDEX dunning_one_open ON dunning_cases (customer_id, subscription_id)
    WHERE closed_at IS NULL;
CREATE INDEX dunning_open_by_start ON dunning_cases (started_at) WHERE closed_at IS NULL;
