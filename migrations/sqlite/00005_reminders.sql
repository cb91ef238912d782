-- +goose Up

-- When the person is next looked at for reminders, 0 for never; since when
-- reasons count for those who were here before there were reminders; what
-- the person wants; and the last reminder: its day and its post.
ALTER TABLE members ADD COLUMN remind_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN remind_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN stopped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN snoozed_until INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN zone TEXT NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN hours_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN hours_to INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN days INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN asked_zone INTEGER NOT NULL DEFAULT 0;
ALTER TABLE members ADD COLUMN reminded_on TEXT NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN reminder_post TEXT NOT NULL DEFAULT '';
UPDATE members SET remind_at = (SELECT now_ms FROM clock), remind_from = (SELECT now_ms FROM clock);
CREATE INDEX members_remind ON members (remind_at, id) WHERE remind_at > 0;

-- When the badge came into its stage, 0 for before this was noted.
ALTER TABLE badges ADD COLUMN stage_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE badges ADD COLUMN was_public INTEGER NOT NULL DEFAULT 0;
ALTER TABLE badges ADD COLUMN shared_at INTEGER NOT NULL DEFAULT 0;

-- What people were reminded of: each step of a policy once for each badge.
CREATE TABLE reminder_steps (
    badge_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    step INTEGER NOT NULL,
    -- The person's day on which it was, see posts with subject 'reminder'.
    reminder TEXT NOT NULL,
    PRIMARY KEY (badge_id, policy, step)
);
CREATE INDEX reminder_steps_reminder ON reminder_steps (reminder);
-- At most one reminder for each person and day.
CREATE UNIQUE INDEX posts_reminder ON posts (subject_id) WHERE subject_kind = 'reminder';

-- What a workspace has for those who have no wishes of their own.
CREATE TABLE customs (
    platform TEXT NOT NULL,
    tenant TEXT NOT NULL,
    -- Days of each policy as JSON, '' for the usual ones.
    plan TEXT NOT NULL DEFAULT '',
    zone TEXT NOT NULL DEFAULT '',
    hours_from INTEGER NOT NULL DEFAULT 0,
    hours_to INTEGER NOT NULL DEFAULT 0,
    days INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (platform, tenant)
);

-- +goose Down
DROP TABLE customs;
DROP TABLE reminder_steps;
DROP INDEX posts_reminder;
DELETE FROM posts WHERE subject_kind = 'reminder';
ALTER TABLE badges DROP COLUMN shared_at;
ALTER TABLE badges DROP COLUMN was_public;
ALTER TABLE badges DROP COLUMN stage_at;
DROP INDEX members_remind;
ALTER TABLE members DROP COLUMN reminder_post;
ALTER TABLE members DROP COLUMN reminded_on;
ALTER TABLE members DROP COLUMN asked_zone;
ALTER TABLE members DROP COLUMN days;
ALTER TABLE members DROP COLUMN hours_to;
ALTER TABLE members DROP COLUMN hours_from;
ALTER TABLE members DROP COLUMN zone;
ALTER TABLE members DROP COLUMN snoozed_until;
ALTER TABLE members DROP COLUMN stopped;
ALTER TABLE members DROP COLUMN remind_from;
ALTER TABLE members DROP COLUMN remind_at;
