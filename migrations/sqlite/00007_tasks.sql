-- +goose Up

-- What people say of the tasks that follow the acceptance of a badge, where
-- nobody else can see whether they are done.
CREATE TABLE member_tasks (
    member_id TEXT NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    -- public, profile, auto or address.
    task      TEXT NOT NULL,
    -- The id of the badge, of the issuer or of the address; '' for none.
    scope     TEXT NOT NULL DEFAULT '',
    -- done or skipped.
    said      TEXT NOT NULL,
    said_at   INTEGER NOT NULL,
    PRIMARY KEY (member_id, task, scope)
);
CREATE INDEX member_tasks_scope ON member_tasks (scope) WHERE scope <> '';

-- Whether the provider has the address in the account of somebody who holds a
-- badge, as it was read last.
ALTER TABLE addresses ADD COLUMN at_provider INTEGER NOT NULL DEFAULT 0;
-- The page on which the owner changes who sees the badge, '' for unknown. It
-- names the person.
ALTER TABLE badges ADD COLUMN owner_url TEXT NOT NULL DEFAULT '';

-- members.auto_accept_badge is of no use any more. It stays until no program
-- is at work that reads it.

-- +goose Down
DELETE FROM outbox WHERE kind = 'post' AND ref IN (SELECT id FROM posts WHERE subject_kind = 'tasks');
DELETE FROM posts WHERE subject_kind = 'tasks';
ALTER TABLE badges DROP COLUMN owner_url;
ALTER TABLE addresses DROP COLUMN at_provider;
DROP TABLE member_tasks;
