-- Limits of the plan before that still count for a while, because more is held than the plan now
-- allows. `limit_amount` NULL: unlimited.
CREATE TABLE grace_limits (
    customer_id TEXT COLLATE "C" NOT NULL,
    feature TEXT COLLATE "C" NOT NULL,
    limit_amount BIGINT CHECK (limit_amount >= 0),
    until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, feature)
);

-- A payment of a subscription that failed, and what is done about it. One is open at a time.
CREATE TABLE dunning_cases (
    customer_id TEXT COLLATE "C" NOT NULL,
    case_id TEXT COLLATE "C" NOT NULL,
    subscription_id TEXT COLLATE "C" NOT NULL,
    invoice TEXT COLLATE "C",
    started_at BIGINT NOT NULL,
    announced BIGINT NOT NULL DEFAULT 0 CHECK (announced IN (0, 1)),
    attempts BIGINT NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    next_retry_at BIGINT,
    tried_at BIGINT,
    path TEXT COLLATE "C" NOT NULL CHECK (path IN ('retry', 'new_card', 'confirm')),
    decline_code TEXT COLLATE "C",
    method TEXT COLLATE "C",
    closed_at BIGINT,
    outcome TEXT COLLATE "C" CHECK (outcome IN ('recovered', 'exhausted', 'ended')),
    recovered_by TEXT COLLATE "C" CHECK (recovered_by IN ('retry', 'new_card', 'asked', 'customer')),
    PRIMARY KEY (customer_id, case_id),
    CHECK ((closed_at IS NULL) = (outcome IS NULL)),
    CHECK (recovered_by IS NULL OR outcome = 'recovered')
);
CREATE UNIQUE INDEX dunning_one_open ON dunning_cases (customer_id, subscription_id)
    WHERE closed_at IS NULL;
CREATE INDEX dunning_open_by_start ON dunning_cases (started_at) WHERE closed_at IS NULL;
