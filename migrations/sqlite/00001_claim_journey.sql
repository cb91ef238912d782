-- +goose Up

-- The one clock of all replicas.
CREATE VIEW clock AS
SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now_ms;

CREATE TABLE members (
    id                  TEXT PRIMARY KEY,
    -- The badge with which the person is told about accepting automatically.
    auto_accept_badge   TEXT NOT NULL DEFAULT '',
    created_at          INTEGER NOT NULL
);

CREATE TABLE accounts (
    id           TEXT PRIMARY KEY,
    platform     TEXT NOT NULL,
    tenant       TEXT NOT NULL,
    user_id      TEXT NOT NULL,
    member_id    TEXT NOT NULL REFERENCES members (id),
    locale       TEXT NOT NULL DEFAULT '',
    time_zone    TEXT NOT NULL DEFAULT '',
    display_name TEXT NOT NULL DEFAULT '',
    seen_at      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    UNIQUE (platform, tenant, user_id)
);
CREATE INDEX accounts_member ON accounts (member_id);

-- Verified addresses only; an unproven one lives in verifications.
CREATE TABLE addresses (
    id              TEXT PRIMARY KEY,
    member_id       TEXT NOT NULL REFERENCES members (id),
    shown           TEXT NOT NULL,
    normal          TEXT NOT NULL UNIQUE,
    verified_at     INTEGER NOT NULL,
    -- When the provider is next asked about everything of this address.
    next_refresh_at INTEGER NOT NULL
);
CREATE INDEX addresses_member ON addresses (member_id);
CREATE INDEX addresses_refresh ON addresses (next_refresh_at, id);

CREATE TABLE verifications (
    id         TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    workspace  TEXT NOT NULL,
    shown      TEXT NOT NULL,
    normal     TEXT NOT NULL,
    code_hash  TEXT NOT NULL,
    tries      INTEGER NOT NULL DEFAULT 0,
    state      TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
);
CREATE INDEX verifications_account ON verifications (account_id, created_at);
CREATE INDEX verifications_normal ON verifications (normal, created_at);
CREATE INDEX verifications_workspace ON verifications (workspace, created_at);
CREATE INDEX verifications_created ON verifications (created_at);

CREATE TABLE templates (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT NOT NULL DEFAULT '',
    image_url   TEXT NOT NULL DEFAULT '',
    updated_at  INTEGER NOT NULL
);

CREATE TABLE badges (
    id                 TEXT PRIMARY KEY,
    -- '' where the body's own system never told of it.
    award_id           TEXT NOT NULL DEFAULT '',
    -- '' while the provider does not know it.
    provider_id        TEXT NOT NULL DEFAULT '',
    template_id        TEXT NOT NULL,
    recipient_shown    TEXT NOT NULL,
    recipient          TEXT NOT NULL,
    first_name         TEXT NOT NULL DEFAULT '',
    last_name          TEXT NOT NULL DEFAULT '',
    locale             TEXT NOT NULL DEFAULT '',
    stage              TEXT NOT NULL,
    issued_at          INTEGER NOT NULL DEFAULT 0,
    expires_at         INTEGER NOT NULL DEFAULT 0,
    certificate_number TEXT NOT NULL DEFAULT '',
    certificate_url    TEXT NOT NULL DEFAULT '',
    accept_url         TEXT NOT NULL DEFAULT '',
    badge_url          TEXT NOT NULL DEFAULT '',
    replaced_by        TEXT NOT NULL DEFAULT '',
    -- The body named another address, and the provider has not followed yet.
    moving             INTEGER NOT NULL DEFAULT 0,
    -- Order of what the body said, and of what the provider said.
    decided_at         INTEGER NOT NULL DEFAULT 0,
    provider_time      INTEGER NOT NULL DEFAULT 0,
    read_at            INTEGER NOT NULL DEFAULT 0,
    -- When the provider is next asked about this badge; 0 means never.
    next_poll_at       INTEGER NOT NULL DEFAULT 0,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL
);
CREATE UNIQUE INDEX badges_award ON badges (award_id) WHERE award_id <> '';
CREATE UNIQUE INDEX badges_provider ON badges (provider_id) WHERE provider_id <> '';
CREATE INDEX badges_recipient ON badges (recipient, template_id);
CREATE INDEX badges_poll ON badges (next_poll_at, id) WHERE next_poll_at > 0;

CREATE TABLE handoffs (
    id          TEXT PRIMARY KEY,
    badge_id    TEXT NOT NULL REFERENCES badges (id) ON DELETE CASCADE,
    member_id   TEXT NOT NULL,
    state       TEXT NOT NULL,
    opened_at   INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    followed_at INTEGER NOT NULL DEFAULT 0,
    closed_at   INTEGER NOT NULL DEFAULT 0
);
-- Rule 2: a badge has at most one open handoff.
CREATE UNIQUE INDEX handoffs_open ON handoffs (badge_id) WHERE state IN ('preparing', 'open');
CREATE INDEX handoffs_badge ON handoffs (badge_id, id);
CREATE INDEX handoffs_stale ON handoffs (expires_at, id) WHERE state IN ('preparing', 'open');

-- Messages that show something that can change.
CREATE TABLE posts (
    id             TEXT PRIMARY KEY,
    account_id     TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    subject_kind   TEXT NOT NULL,
    subject_id     TEXT NOT NULL,
    -- NULL until the platform has named the message.
    message_key    TEXT,
    place_sealed   TEXT NOT NULL DEFAULT '',
    editable_until INTEGER NOT NULL DEFAULT 0,
    shown          INTEGER NOT NULL DEFAULT 0,
    created_at     INTEGER NOT NULL
);
CREATE INDEX posts_subject ON posts (subject_kind, subject_id);
-- The same message seen through two interactions is one post.
CREATE UNIQUE INDEX posts_message ON posts (account_id, message_key);
CREATE INDEX posts_created ON posts (created_at);

-- A lane without anything to send is not active, nor is one of a dead
-- installation.
CREATE TABLE lanes (
    lane     TEXT PRIMARY KEY,
    platform TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    next_at  INTEGER NOT NULL,
    active   INTEGER NOT NULL
);
CREATE INDEX lanes_next ON lanes (next_at, lane) WHERE active;

CREATE TABLE outbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    lane         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    -- The post, verification or badge that the delivery is about.
    ref          TEXT NOT NULL,
    payload      TEXT NOT NULL DEFAULT '',
    delivery_key TEXT NOT NULL,
    -- Whether another way is tried when the place is gone.
    fallback     INTEGER NOT NULL DEFAULT 0,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    available_at INTEGER NOT NULL,
    first_try_at INTEGER NOT NULL DEFAULT 0,
    cause        TEXT NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    done_at      INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_lane ON outbox (lane, id) WHERE state IN ('ready', 'sending');
CREATE INDEX outbox_idle ON outbox (lane, id) WHERE state IN ('waiting', 'dead');
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at > 0;
CREATE INDEX outbox_ref ON outbox (ref);
-- A card is rendered when it is sent: one waiting delivery of a post tells
-- everything that a second one could.
CREATE UNIQUE INDEX outbox_one_waiting ON outbox (ref) WHERE kind = 'post' AND state = 'ready';

CREATE TABLE inbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT NOT NULL,
    event_key    TEXT NOT NULL,
    kind         TEXT NOT NULL,
    priority     INTEGER NOT NULL,
    payload      TEXT NOT NULL,
    state        TEXT NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    available_at INTEGER NOT NULL,
    cause        TEXT NOT NULL DEFAULT '',
    received_at  INTEGER NOT NULL,
    done_at      INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, event_key)
);
CREATE INDEX inbox_due ON inbox (priority, available_at, id) WHERE state IN ('ready', 'running');
CREATE INDEX inbox_parked ON inbox (id) WHERE state = 'parked';
CREATE INDEX inbox_done ON inbox (done_at) WHERE done_at > 0;

-- Interactions already worked off.
CREATE TABLE actions (
    key        TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    done       INTEGER NOT NULL
);
CREATE INDEX actions_started ON actions (started_at);

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    actor   TEXT NOT NULL DEFAULT '',
    kind    TEXT NOT NULL,
    subject TEXT NOT NULL DEFAULT ''
);
CREATE INDEX audit_actor ON audit (actor) WHERE actor <> '';

CREATE TABLE installations (
    platform TEXT NOT NULL,
    tenant   TEXT NOT NULL,
    -- Why nothing is sent there, '' while it is alive.
    dead     TEXT NOT NULL DEFAULT '',
    since    INTEGER NOT NULL,
    PRIMARY KEY (platform, tenant)
);

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
);

CREATE TABLE job_runs (
    job  TEXT NOT NULL,
    slot INTEGER NOT NULL,
    PRIMARY KEY (job, slot)
);

CREATE TABLE job_results (
    job         TEXT PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    outcome     TEXT NOT NULL
);

-- +goose Down
DROP TABLE job_results;
DROP TABLE job_runs;
DROP TABLE counters;
DROP TABLE installations;
DROP TABLE audit;
DROP TABLE actions;
DROP TABLE inbox;
DROP TABLE outbox;
DROP TABLE lanes;
DROP TABLE posts;
DROP TABLE handoffs;
DROP TABLE badges;
DROP TABLE templates;
DROP TABLE verifications;
DROP TABLE addresses;
DROP TABLE accounts;
DROP TABLE members;
DROP VIEW clock;
