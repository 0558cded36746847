-- The people who use the admin panel. An e-mail address names one of them.
CREATE TABLE operators (
    id TEXT COLLATE "C" PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL CHECK (email = LOWER(email)),
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL CHECK (role IN ('owner', 'finance', 'support', 'developer', 'viewer')),
    password TEXT COLLATE "C",
    totp_secret BYTEA,
    totp_step BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE UNIQUE INDEX operators_by_email ON operators (email) WHERE removed_at IS NULL;

-- Codes for when the second factor is lost; each works once.
CREATE TABLE operator_recovery_codes (
    operator_id TEXT COLLATE "C" NOT NULL,
    hash BYTEA NOT NULL CHECK (length(hash) = 32),
    used_at BIGINT,
    PRIMARY KEY (operator_id, hash)
);

-- One-time links: the hash of what is in the address, never the link itself.
CREATE TABLE operator_links (
    hash BYTEA PRIMARY KEY CHECK (length(hash) = 32),
    kind TEXT COLLATE "C" NOT NULL CHECK (kind IN ('first', 'invite', 'reset', 'sandbox')),
    operator_id TEXT COLLATE "C",
    email TEXT COLLATE "C",
    role TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    CHECK ((kind = 'reset') = (operator_id IS NOT NULL)),
    CHECK ((kind = 'invite') = (email IS NOT NULL AND role IS NOT NULL))
);

-- Who is signed in where: the hash of the cookie, never the cookie itself.
CREATE TABLE operator_sessions (
    id TEXT COLLATE "C" PRIMARY KEY,
    hash BYTEA NOT NULL UNIQUE CHECK (length(hash) = 32),
    operator_id TEXT COLLATE "C" NOT NULL,
    stage TEXT COLLATE "C" NOT NULL CHECK (stage IN ('password', 'enrolling', 'full')),
    agent TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX operator_sessions_of ON operator_sessions (operator_id, created_at);

-- What people of the team write down about a customer.
CREATE TABLE customer_notes (
    customer_id TEXT COLLATE "C" NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    text TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (customer_id, id)
);
