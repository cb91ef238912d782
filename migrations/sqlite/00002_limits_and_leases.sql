-- +goose Up

-- The limits of the platforms, kept for all replicas together: the time of
-- the next permit of each. A row that was not used for long says the same as
-- none.
CREATE TABLE limits (
    name    TEXT PRIMARY KEY,
    next_at INTEGER NOT NULL
);

-- What only one of the replicas does, who it is, and for how long.
CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until  INTEGER NOT NULL
);

-- Attempts that do not count towards giving up, and since when a delivery
-- has met nothing but limits.
ALTER TABLE outbox ADD COLUMN uncounted INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN limited_since INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE outbox DROP COLUMN limited_since;
ALTER TABLE outbox DROP COLUMN uncounted;
DROP TABLE leases;
DROP TABLE limits;
