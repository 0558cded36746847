-- Where ours and the provider's differ, or did: one row per customer, object and field. An object of
-- nobody that we know has an empty customer.
CREATE TABLE drift (
    customer_id TEXT NOT NULL,
    object TEXT NOT NULL,
    field TEXT NOT NULL,
    drift_id TEXT NOT NULL,
    ours TEXT NOT NULL,
    theirs TEXT NOT NULL,
    repair TEXT NOT NULL CHECK (repair IN ('absorb', 'rematerialize', 'grant', 'person')),
    state TEXT NOT NULL CHECK (state IN ('open', 'repaired', 'gone', 'ignored')),
    opened_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    closed_at INTEGER CHECK ((state = 'open') = (closed_at IS NULL)),
    closed_by TEXT CHECK ((state = 'open') = (closed_by IS NULL)),
    reason TEXT CHECK ((state = 'ignored') = (reason IS NOT NULL)),
    PRIMARY KEY (customer_id, object, field)
) STRICT;
CREATE UNIQUE INDEX drift_by_id ON drift (drift_id);
CREATE INDEX drift_by_state ON drift (state, drift_id);

-- Up to when something that walks along time has come.
CREATE TABLE watermarks (
    name TEXT PRIMARY KEY,
    reached INTEGER NOT NULL
) STRICT;
