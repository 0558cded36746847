-- Where ours and the provider's differ, or did: one row per customer, object and field. An object of
-- nobody that we know has an empty customer.
CREATE TABLE drift (
    customer_id TEXT COLLATE "C" NOT NULL,
    object TEXT COLLATE "C" NOT NULL,
    field TEXT COLLATE "C" NOT NULL,
    drift_id TEXT COLLATE "C" NOT NULL,
    ours TEXT COLLATE "C" NOT NULL,
    theirs TEXT COLLATE "C" NOT NULL,
    repair TEXT COLLATE "C" NOT NULL CHECK (repair IN ('absorb', 'rematerialize', 'grant', 'person')),
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('open', 'repaired', 'gone', 'ignored')),
    opened_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    closed_at BIGINT CHECK ((state = 'open') = (closed_at IS NULL)),
    closed_by TEXT COLLATE "C" CHECK ((state = 'open') = (closed_by IS NULL)),
    reason TEXT COLLATE "C" CHECK ((state = 'ignored') = (reason IS NOT NULL)),
    PRIMARY KEY (customer_id, object, field)
);
CREATE UNIQUE INDEX drift_by_id ON drift (drift_id);
CREATE INDEX drift_by_state ON drift (state, drift_id);

-- Up to when something that walks along time has come.
CREATE TABLE watermarks (
    name TEXT COLLATE "C" PRIMARY KEY,
    reached BIGINT NOT NULL
);
