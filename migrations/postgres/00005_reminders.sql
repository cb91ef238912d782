-- +goose Up

-- When the person is next looked at for reminders, 0 for never; since when
-- reasons count for those who were here before there were reminders; what
-- the person wants; and the last reminder: its day and its post.
ALTER TABLE members
    ADD COLUMN remind_at     bigint NOT NULL DEFAULT 0,
    ADD COLUMN remind_from   bigint NOT NULL DEFAULT 0,
    ADD COLUMN stopped       boolean NOT NULL DEFAULT false,
    ADD COLUMN snoozed_until bigint NOT NULL DEFAULT 0,
    ADD COLUMN zone          text   NOT NULL DEFAULT '',
    ADD COLUMN hours_from    int    NOT NULL DEFAULT 0,
    ADD COLUMN hours_to      int    NOT NULL DEFAULT 0,
    ADD COLUMN days          int    NOT NULL DEFAULT 0,
    ADD COLUMN asked_zone    boolean NOT NULL DEFAULT false,
    ADD COLUMN reminded_on   text   NOT NULL DEFAULT '',
    ADD COLUMN reminder_post text   COLLATE "C" NOT NULL DEFAULT '';
-- The clock is read once: a time for all.
WITH now AS MATERIALIZED (SELECT now_ms FROM clock)
UPDATE members SET remind_at = (SELECT now_ms FROM now), remind_from = (SELECT now_ms FROM now);
CREATE INDEX members_remind ON members (remind_at, id) WHERE remind_at > 0;

-- When the badge came into its stage, 0 for before this was noted.
ALTER TABLE badges
    ADD COLUMN stage_at   bigint  NOT NULL DEFAULT 0,
    ADD COLUMN was_public boolean NOT NULL DEFAULT false,
    ADD COLUMN shared_at  bigint  NOT NULL DEFAULT 0;

-- What people were reminded of: each step of a policy once for each badge.
CREATE TABLE reminder_steps (
    badge_id text   COLLATE "C" NOT NULL,
    policy   text   NOT NULL,
    step     int    NOT NULL,
    -- The person's day on which it was, see posts with subject 'reminder'.
    reminder text   COLLATE "C" NOT NULL,
    PRIMARY KEY (badge_id, policy, step)
);
CREATE INDEX reminder_steps_reminder ON reminder_steps (reminder);
-- At most one reminder for each person and day.
CREATE UNIQUE INDEX posts_reminder ON posts (subject_id) WHERE subject_kind = 'reminder';

-- What a workspace has for those who have no wishes of their own.
CREATE TABLE customs (
    platform   text NOT NULL,
    tenant     text NOT NULL,
    -- Days of each policy as JSON, '' for the usual ones.
    plan       text NOT NULL DEFAULT '',
    zone       text NOT NULL DEFAULT '',
    hours_from int  NOT NULL DEFAULT 0,
    hours_to   int  NOT NULL DEFAULT 0,
    days       int  NOT NULL DEFAULT 0,
    PRIMARY KEY (platform, tenant)
);

-- +goose Down
DROP TABLE customs, reminder_steps;
DROP INDEX posts_reminder;
DELETE FROM posts WHERE subject_kind = 'reminder';
ALTER TABLE badges DROP COLUMN shared_at, DROP COLUMN was_public, DROP COLUMN stage_at;
DROP INDEX members_remind;
ALTER TABLE members
    DROP COLUMN reminder_post, DROP COLUMN reminded_on, DROP COLUMN asked_zone, DROP COLUMN days,
    DROP COLUMN hours_to, DROP COLUMN hours_from, DROP COLUMN zone, DROP COLUMN snoozed_until,
    DROP COLUMN stopped, DROP COLUMN remind_from, DROP COLUMN remind_at;
