-- Mails that are owed to people. One fact is one mail: its business key says which fact.
-- A mail to operators has the customer ''.
CREATE TABLE mails (
    customer_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    business_key TEXT COLLATE "C" NOT NULL,
    -- What it is about, such as a subscription's id.
    subject_id TEXT COLLATE "C" NOT NULL,
    recipient TEXT COLLATE "C" NOT NULL,
    -- What it says, as JSON.
    data TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('queued', 'failed', 'sent', 'dead', 'suppressed')),
    attempts BIGINT NOT NULL CHECK (0 <= attempts),
    due_at BIGINT NOT NULL,
    lease_until BIGINT,
    lease_token TEXT COLLATE "C",
    -- Why it failed last, or why it is not sent.
    reason TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (customer_id, id),
    UNIQUE (customer_id, business_key),
    CHECK ((state IN ('queued', 'failed')) = (closed_at IS NULL)),
    CHECK ((lease_until IS NULL) = (lease_token IS NULL)),
    CHECK (state IN ('queued', 'failed') OR lease_token IS NULL),
    CHECK (state IN ('queued', 'sent') OR reason IS NOT NULL)
);
CREATE UNIQUE INDEX mails_by_id ON mails (id);
CREATE INDEX mails_due ON mails (due_at, id) WHERE state IN ('queued', 'failed');
CREATE INDEX mails_by_state ON mails (state, id);
