-- What a subscription will change to, once that is scheduled.
ALTER TABLE subscriptions ADD COLUMN pending_plan TEXT;
ALTER TABLE subscriptions ADD COLUMN pending_interval TEXT
    CHECK (pending_interval IN ('day', 'month', 'year'));
ALTER TABLE subscriptions ADD COLUMN pending_at INTEGER
    CHECK ((pending_at IS NULL) = (pending_plan IS NULL));
