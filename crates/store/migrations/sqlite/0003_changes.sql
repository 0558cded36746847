-- What a subscription will change to, once that is scheduled.
ALTER TABLE subscriptions ADD COLUMN pending_plan TEXT;
ALTER TABLE subscriptions ADD COLUMN pending_interval TEXT
    CHECK (pending_interval IN ('day', 'month', 'year'));
ALTER TABLE subscriptions ADD COLUMN pending_at INTEGER
    CHECK ((pending_at IS NULL) = (pending_plan IS NULL));

-- What a customer was shown before confirming a change: the change costs exactly that, or nothing.
CREATE TABLE previews (
    customer_id TEXT NOT NULL,
    preview_id TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    goal TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    proration_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, preview_id)
) STRICT;
CREATE INDEX previews_by_expiry ON previews (expires_at);

-- How many grants of credits a period has to have.
ALTER TABLE periods ADD COLUMN grants INTEGER NOT NULL DEFAULT 0 CHECK (grants >= 0);

-- What was sold, whatever the catalog says when it is paid; and how often its page was asked for.
-- Why a checkout failed, as a code.
ALTER TABLE checkouts ADD COLUMN failure TEXT
    CHECK (failure IS NULL OR status = 'failed');
ALTER TABLE checkouts ADD COLUMN sold TEXT;
ALTER TABLE checkouts ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0);

-- The provider's customers of people who were erased: what still comes about them is nobody's.
CREATE TABLE former_provider_customers (
    provider TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    ended_at INTEGER NOT NULL,
    PRIMARY KEY (provider, provider_id)
) STRICT;
