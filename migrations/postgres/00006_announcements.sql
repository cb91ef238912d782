-- +goose Up

-- A channel that messages are posted in is an account of its own, without a
-- person behind it: its member never has an address.
ALTER TABLE members
    ADD COLUMN channel boolean NOT NULL DEFAULT false,
    -- 'never' for who does not want to be asked about celebrations again.
    ADD COLUMN celebrate text NOT NULL DEFAULT '',
    -- About how many badges the person was ever asked.
    ADD COLUMN asked int NOT NULL DEFAULT 0;

-- The team or server in which a person was last met, '' for unknown.
ALTER TABLE accounts ADD COLUMN team text NOT NULL DEFAULT '';
UPDATE accounts SET team = 'slack:' || tenant WHERE platform = 'slack';
CREATE INDEX accounts_team ON accounts (team, member_id);

CREATE INDEX badges_template ON badges (template_id, stage);

-- What a team chose. It was kept by tenant, which Discord's servers share.
DROP TABLE customs;
CREATE TABLE customs (
    team          text COLLATE "C" PRIMARY KEY,
    -- Days of each policy as JSON, '' for the usual ones.
    plan          text NOT NULL DEFAULT '',
    zone          text NOT NULL DEFAULT '',
    hours_from    int  NOT NULL DEFAULT 0,
    hours_to      int  NOT NULL DEFAULT 0,
    days          int  NOT NULL DEFAULT 0,
    -- Where celebrations are posted: the account of a channel, '' for nowhere.
    celebrate_in  text COLLATE "C" NOT NULL DEFAULT '',
    -- Since when its members are being looked at again because of a change, 0
    -- for no more, and up to which of them that is done.
    replan_at     bigint NOT NULL DEFAULT 0,
    replan_after  text COLLATE "C" NOT NULL DEFAULT ''
);
CREATE INDEX customs_replan ON customs (replan_at, team) WHERE replan_at > 0;

-- Calls to claim.
CREATE TABLE calls (
    id           text   COLLATE "C" PRIMARY KEY,
    team         text   COLLATE "C" NOT NULL,
    -- The account of the channel, and its name as it was last seen.
    account_id   text   COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    channel_name text   NOT NULL DEFAULT '',
    state        text   NOT NULL,
    words        text   NOT NULL,
    picture_url  text   NOT NULL DEFAULT '',
    -- Ids of templates as JSON; none means all.
    templates    text   NOT NULL DEFAULT '[]',
    locale       text   NOT NULL DEFAULT '',
    zone         text   NOT NULL DEFAULT '',
    -- When it is repeated, '' for once.
    cron         text   NOT NULL DEFAULT '',
    -- When it is next posted, 0 for not.
    next_at      bigint NOT NULL DEFAULT 0,
    -- How often it was posted.
    edition      int    NOT NULL DEFAULT 0,
    claimed      int    NOT NULL DEFAULT 0,
    total        int    NOT NULL DEFAULT 0,
    -- When it was last counted.
    counted_at   bigint NOT NULL DEFAULT 0,
    created_at   bigint NOT NULL
);
CREATE INDEX calls_team ON calls (team, created_at);
CREATE INDEX calls_next ON calls (next_at, id) WHERE next_at > 0;
CREATE INDEX calls_open ON calls (counted_at, id) WHERE state = 'open';

-- What a manager entered for a call, until it is one; fields are JSON.
CREATE TABLE call_drafts (
    id         text   COLLATE "C" PRIMARY KEY,
    team       text   COLLATE "C" NOT NULL,
    call_id    text   COLLATE "C" NOT NULL DEFAULT '',
    zone       text   NOT NULL DEFAULT '',
    fields     text   NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX call_drafts_created ON call_drafts (created_at);

-- What a team may be told of, or not. Several badges share one post, whose
-- subject is the batch.
CREATE TABLE celebrations (
    badge_id   text   COLLATE "C" PRIMARY KEY REFERENCES badges (id) ON DELETE CASCADE,
    -- The question about it, and its number in there.
    question   text   COLLATE "C" NOT NULL,
    n          int    NOT NULL,
    -- The account that was asked, and by whose name the person is celebrated.
    person_id  text   COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The account of the channel.
    account_id text   COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- 'asked', 'agreed' or 'declined'.
    state      text   NOT NULL,
    -- '' while it is not shown.
    batch      text   COLLATE "C" NOT NULL DEFAULT '',
    asked_at   bigint NOT NULL,
    UNIQUE (question, n)
);
CREATE INDEX celebrations_batch ON celebrations (batch);
CREATE INDEX celebrations_person ON celebrations (person_id);
CREATE INDEX celebrations_account ON celebrations (account_id);

-- Digests of a team, and those that were made.
CREATE TABLE digests (
    id           text   COLLATE "C" PRIMARY KEY,
    team         text   COLLATE "C" NOT NULL,
    account_id   text   COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    channel_name text   NOT NULL DEFAULT '',
    -- team or managers; week or month.
    audience     text   NOT NULL,
    every        text   NOT NULL,
    zone         text   NOT NULL DEFAULT '',
    locale       text   NOT NULL DEFAULT '',
    -- The period that ends at next_at begins at from_at.
    from_at      bigint NOT NULL,
    next_at      bigint NOT NULL,
    created_at   bigint NOT NULL
);
CREATE INDEX digests_team ON digests (team, created_at);
CREATE INDEX digests_next ON digests (next_at, id) WHERE next_at > 0;
CREATE TABLE digest_issues (
    id        text   COLLATE "C" PRIMARY KEY,
    digest_id text   COLLATE "C" NOT NULL REFERENCES digests (id) ON DELETE CASCADE,
    from_at   bigint NOT NULL,
    to_at     bigint NOT NULL,
    UNIQUE (digest_id, to_at)
);

-- When the badge was first seen accepted, and public; 1 where that was before
-- it was noted, 0 for never. Digests count by them.
ALTER TABLE badges
    ADD COLUMN accepted_at bigint NOT NULL DEFAULT 0,
    ADD COLUMN public_at   bigint NOT NULL DEFAULT 0;
UPDATE badges SET accepted_at = CASE WHEN stage_at > 0 THEN stage_at ELSE 1 END,
    public_at = CASE WHEN stage = 'accepted' AND NOT was_public THEN 0 WHEN stage_at > 0 THEN stage_at ELSE 1 END
    WHERE stage IN ('accepted', 'public') OR was_public;
CREATE INDEX badges_accepted ON badges (stage_at) WHERE accepted_at > 0;
CREATE INDEX badges_earned ON badges ((CASE WHEN issued_at > 0 THEN issued_at ELSE created_at END));
CREATE INDEX handoffs_followed ON handoffs (followed_at) WHERE followed_at > 0;

-- +goose Down
DELETE FROM posts WHERE subject_kind IN ('call', 'consent', 'celebration', 'digest');
DROP TABLE digest_issues, digests, celebrations, call_drafts, calls, customs;
CREATE TABLE customs (
    platform   text NOT NULL,
    tenant     text NOT NULL,
    plan       text NOT NULL DEFAULT '',
    zone       text NOT NULL DEFAULT '',
    hours_from int  NOT NULL DEFAULT 0,
    hours_to   int  NOT NULL DEFAULT 0,
    days       int  NOT NULL DEFAULT 0,
    PRIMARY KEY (platform, tenant)
);
DROP INDEX handoffs_followed;
DROP INDEX badges_earned;
DROP INDEX badges_accepted;
ALTER TABLE badges DROP COLUMN public_at, DROP COLUMN accepted_at;
DROP INDEX badges_template;
DROP INDEX accounts_team;
ALTER TABLE accounts DROP COLUMN team;
DELETE FROM accounts WHERE member_id IN (SELECT id FROM members WHERE channel);
DELETE FROM members WHERE channel;
ALTER TABLE members DROP COLUMN asked, DROP COLUMN celebrate, DROP COLUMN channel;
