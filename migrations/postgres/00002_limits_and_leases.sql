-- +goose Up

-- The limits of the platforms, kept for all replicas together: the time of
-- the next permit of each. A row that was not used for long says the same as
-- none.
CREATE TABLE limits (
    name    text   COLLATE "C" PRIMARY KEY,
    next_at bigint NOT NULL
) WITH (fillfactor = 50);

-- What only one of the replicas does, who it is, and for how long.
CREATE TABLE leases (
    name   text   COLLATE "C" PRIMARY KEY,
    holder text   NOT NULL,
    until  bigint NOT NULL
) WITH (fillfactor = 50);

-- Attempts that do not count towards giving up, and since when a delivery
-- has met nothing but limits.
ALTER TABLE outbox
    ADD COLUMN uncounted     int    NOT NULL DEFAULT 0,
    ADD COLUMN limited_since bigint NOT NULL DEFAULT 0;

-- One conversation may hold nearly every message for a while. What the
-- planner then believes of lanes must not lead it to read all of them for
-- each of the others.
ALTER TABLE outbox ALTER COLUMN lane SET (n_distinct = -0.1);

-- +goose Down
ALTER TABLE outbox ALTER COLUMN lane RESET (n_distinct);
ALTER TABLE outbox DROP COLUMN limited_since, DROP COLUMN uncounted;
DROP TABLE leases, limits;
