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
