-- The people who use the admin panel. An e-mail address names one of them.
CREATE TABLE operators (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL CHECK (email = LOWER(email)),
    name TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('owner', 'finance', 'support', 'developer', 'viewer')),
    password TEXT,
    totp_secret BLOB,
    totp_step INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX operators_by_email ON operators (email) WHERE removed_at IS NULL;

-- Codes for when the second factor is lost; each works once.
CREATE TABLE operator_recovery_codes (
    operator_id TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    used_at INTEGER,
    PRIMARY KEY (operator_id, hash)
) STRICT;

-- One-time links: the hash of what is in the address, never the link itself.
CREATE TABLE operator_links (
    hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('first', 'invite', 'reset', 'sandbox')),
    operator_id TEXT,
    email TEXT,
    role TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    CHECK ((kind = 'reset') = (operator_id IS NOT NULL)),
    CHECK ((kind = 'invite') = (email IS NOT NULL AND role IS NOT NULL))
) STRICT;

-- Who is signed in where: the hash of the cookie, never the cookie itself.
CREATE TABLE operator_sessions (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    operator_id TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('password', 'enrolling', 'full')),
    agent TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT;
CREATE INDEX operator_sessions_of ON operator_sessions (operator_id, created_at);

-- What people of the team write down about a customer.
CREATE TABLE customer_notes (
    customer_id TEXT NOT NULL,
    id TEXT NOT NULL,
    actor TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, id)
) STRICT;
