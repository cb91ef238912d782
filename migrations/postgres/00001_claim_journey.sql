-- +goose Up

-- The one clock of all replicas.
CREATE VIEW clock AS
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms;

CREATE TABLE members (
    id                  text   COLLATE "C" PRIMARY KEY,
    -- The badge with which the person is told about accepting automatically.
    auto_accept_badge   text   COLLATE "C" NOT NULL DEFAULT '',
    created_at          bigint NOT NULL
);

CREATE TABLE accounts (
    id           text   COLLATE "C" PRIMARY KEY,
    platform     text   NOT NULL,
    tenant       text   NOT NULL,
    user_id      text   NOT NULL,
    member_id    text   COLLATE "C" NOT NULL REFERENCES members (id),
    locale       text   NOT NULL DEFAULT '',
    time_zone    text   NOT NULL DEFAULT '',
    display_name text   NOT NULL DEFAULT '',
    seen_at      bigint NOT NULL,
    created_at   bigint NOT NULL,
    UNIQUE (platform, tenant, user_id)
);
CREATE INDEX accounts_member ON accounts (member_id);

-- Verified addresses only; an unproven one lives in verifications.
CREATE TABLE addresses (
    id              text   COLLATE "C" PRIMARY KEY,
    member_id       text   COLLATE "C" NOT NULL REFERENCES members (id),
    shown           text   NOT NULL,
    normal          text   COLLATE "C" NOT NULL UNIQUE,
    verified_at     bigint NOT NULL,
    -- When the provider is next asked about everything of this address.
    next_refresh_at bigint NOT NULL
);
CREATE INDEX addresses_member ON addresses (member_id);
CREATE INDEX addresses_refresh ON addresses (next_refresh_at, id);

CREATE TABLE verifications (
    id         text   COLLATE "C" PRIMARY KEY,
    account_id text   COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    workspace  text   NOT NULL,
    shown      text   NOT NULL,
    normal     text   COLLATE "C" NOT NULL,
    code_hash  text   NOT NULL,
    tries      int    NOT NULL DEFAULT 0,
    state      text   NOT NULL,
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX verifications_account ON verifications (account_id, created_at);
CREATE INDEX verifications_normal ON verifications (normal, created_at);
CREATE INDEX verifications_workspace ON verifications (workspace, created_at);
CREATE INDEX verifications_created ON verifications (created_at);

CREATE TABLE templates (
    id          text   COLLATE "C" PRIMARY KEY,
    name        text   NOT NULL,
    description text   NOT NULL DEFAULT '',
    image_url   text   NOT NULL DEFAULT '',
    updated_at  bigint NOT NULL
);

CREATE TABLE badges (
    id                 text   COLLATE "C" PRIMARY KEY,
    -- '' where the body's own system never told of it.
    award_id           text   COLLATE "C" NOT NULL DEFAULT '',
    -- '' while the provider does not know it.
    provider_id        text   COLLATE "C" NOT NULL DEFAULT '',
    template_id        text   COLLATE "C" NOT NULL,
    recipient_shown    text   NOT NULL,
    recipient          text   COLLATE "C" NOT NULL,
    first_name         text   NOT NULL DEFAULT '',
    last_name          text   NOT NULL DEFAULT '',
    locale             text   NOT NULL DEFAULT '',
    stage              text   NOT NULL,
    issued_at          bigint NOT NULL DEFAULT 0,
    expires_at         bigint NOT NULL DEFAULT 0,
    certificate_number text   NOT NULL DEFAULT '',
    certificate_url    text   NOT NULL DEFAULT '',
    accept_url         text   NOT NULL DEFAULT '',
    badge_url          text   NOT NULL DEFAULT '',
    replaced_by        text   NOT NULL DEFAULT '',
    -- The body named another address, and the provider has not followed yet.
    moving             boolean NOT NULL DEFAULT false,
    -- Order of what the body said, and of what the provider said.
    decided_at         bigint NOT NULL DEFAULT 0,
    provider_time      bigint NOT NULL DEFAULT 0,
    read_at            bigint NOT NULL DEFAULT 0,
    -- When the provider is next asked about this badge; 0 means never.
    next_poll_at       bigint NOT NULL DEFAULT 0,
    created_at         bigint NOT NULL,
    updated_at         bigint NOT NULL
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX badges_award ON badges (award_id) WHERE award_id <> '';
CREATE UNIQUE INDEX badges_provider ON badges (provider_id) WHERE provider_id <> '';
CREATE INDEX badges_recipient ON badges (recipient, template_id);
CREATE INDEX badges_poll ON badges (next_poll_at, id) WHERE next_poll_at > 0;

CREATE TABLE handoffs (
    id          text   COLLATE "C" PRIMARY KEY,
    badge_id    text   COLLATE "C" NOT NULL REFERENCES badges (id) ON DELETE CASCADE,
    member_id   text   COLLATE "C" NOT NULL,
    state       text   NOT NULL,
    opened_at   bigint NOT NULL,
    expires_at  bigint NOT NULL,
    followed_at bigint NOT NULL DEFAULT 0,
    closed_at   bigint NOT NULL DEFAULT 0
);
-- Rule 2: a badge has at most one open handoff.
CREATE UNIQUE INDEX handoffs_open ON handoffs (badge_id) WHERE state IN ('preparing', 'open');
CREATE INDEX handoffs_badge ON handoffs (badge_id, id);
CREATE INDEX handoffs_stale ON handoffs (expires_at, id) WHERE state IN ('preparing', 'open');

-- Messages that show something that can change.
CREATE TABLE posts (
    id             text    COLLATE "C" PRIMARY KEY,
    account_id     text    COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    subject_kind   text    NOT NULL,
    subject_id     text    COLLATE "C" NOT NULL,
    -- NULL until the platform has named the message.
    message_key    text,
    place_sealed   text    NOT NULL DEFAULT '',
    editable_until bigint  NOT NULL DEFAULT 0,
    shown          boolean NOT NULL DEFAULT false,
    created_at     bigint  NOT NULL
);
CREATE INDEX posts_subject ON posts (subject_kind, subject_id);
-- The same message seen through two interactions is one post.
CREATE UNIQUE INDEX posts_message ON posts (account_id, message_key);
CREATE INDEX posts_created ON posts (created_at);

-- A lane without anything to send is not active, nor is one of a dead
-- installation.
CREATE TABLE lanes (
    lane     text    COLLATE "C" PRIMARY KEY,
    platform text    NOT NULL,
    tenant   text    NOT NULL,
    next_at  bigint  NOT NULL,
    active   boolean NOT NULL
);
CREATE INDEX lanes_next ON lanes (next_at, lane) WHERE active;

CREATE TABLE outbox (
    id           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lane         text    COLLATE "C" NOT NULL,
    kind         text    NOT NULL,
    -- The post, verification or badge that the delivery is about.
    ref          text    COLLATE "C" NOT NULL,
    payload      text    NOT NULL DEFAULT '',
    delivery_key text    NOT NULL,
    -- Whether another way is tried when the place is gone.
    fallback     boolean NOT NULL DEFAULT false,
    state        text    NOT NULL,
    attempts     int     NOT NULL DEFAULT 0,
    available_at bigint  NOT NULL,
    first_try_at bigint  NOT NULL DEFAULT 0,
    cause        text    NOT NULL DEFAULT '',
    created_at   bigint  NOT NULL,
    done_at      bigint  NOT NULL DEFAULT 0
);
CREATE INDEX outbox_lane ON outbox (lane, id) WHERE state IN ('ready', 'sending');
CREATE INDEX outbox_idle ON outbox (lane, id) WHERE state IN ('waiting', 'dead');
CREATE INDEX outbox_done ON outbox (done_at) WHERE done_at > 0;
CREATE INDEX outbox_ref ON outbox (ref);
-- A card is rendered when it is sent: one waiting delivery of a post tells
-- everything that a second one could.
CREATE UNIQUE INDEX outbox_one_waiting ON outbox (ref) WHERE kind = 'post' AND state = 'ready';

CREATE TABLE inbox (
    id           bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text    NOT NULL,
    event_key    text    NOT NULL,
    kind         text    NOT NULL,
    priority     int     NOT NULL,
    payload      text    NOT NULL,
    state        text    NOT NULL,
    attempts     int     NOT NULL DEFAULT 0,
    available_at bigint  NOT NULL,
    cause        text    NOT NULL DEFAULT '',
    received_at  bigint  NOT NULL,
    done_at      bigint  NOT NULL DEFAULT 0,
    UNIQUE (source, event_key)
);
CREATE INDEX inbox_due ON inbox (priority, available_at, id) WHERE state IN ('ready', 'running');
CREATE INDEX inbox_parked ON inbox (id) WHERE state = 'parked';
CREATE INDEX inbox_done ON inbox (done_at) WHERE done_at > 0;

-- Interactions already worked off.
CREATE TABLE actions (
    key        text   COLLATE "C" PRIMARY KEY,
    started_at bigint NOT NULL,
    done       boolean NOT NULL
);
CREATE INDEX actions_started ON actions (started_at);

CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      bigint NOT NULL,
    actor   text   COLLATE "C" NOT NULL DEFAULT '',
    kind    text   NOT NULL,
    subject text   COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX audit_actor ON audit (actor) WHERE actor <> '';

CREATE TABLE installations (
    platform text   NOT NULL,
    tenant   text   NOT NULL,
    -- Why nothing is sent there, '' while it is alive.
    dead     text   NOT NULL DEFAULT '',
    since    bigint NOT NULL,
    PRIMARY KEY (platform, tenant)
);

CREATE TABLE counters (
    name  text   PRIMARY KEY,
    value bigint NOT NULL
);

CREATE TABLE job_runs (
    job  text   NOT NULL,
    slot bigint NOT NULL,
    PRIMARY KEY (job, slot)
);

CREATE TABLE job_results (
    job         text   PRIMARY KEY,
    started_at  bigint NOT NULL,
    duration_ms bigint NOT NULL,
    outcome     text   NOT NULL
);

-- +goose Down
DROP TABLE job_results, job_runs, counters, installations, audit, actions, inbox, outbox, lanes, posts,
    handoffs, badges, templates, verifications, addresses, accounts, members;
DROP VIEW clock;
