-- Links to a customer's billing page: each opens one session, once. Only hashes are kept.
CREATE TABLE billing_links (
    customer_id TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    return_path TEXT,
    read_only INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
    used_at INTEGER,
    PRIMARY KEY (customer_id, hash)
) STRICT;
CREATE UNIQUE INDEX billing_links_by_hash ON billing_links (hash);
CREATE INDEX billing_links_by_expiry ON billing_links (expires_at);

-- Who is looking at a billing page: a browser with a cookie, for one customer.
CREATE TABLE billing_sessions (
    customer_id TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    return_path TEXT,
    read_only INTEGER NOT NULL CHECK (read_only IN (0, 1)),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
    PRIMARY KEY (customer_id, hash)
) STRICT;
CREATE UNIQUE INDEX billing_sessions_by_hash ON billing_sessions (hash);
CREATE INDEX billing_sessions_by_expiry ON billing_sessions (expires_at);
