-- +goose Up

-- What people say of the tasks that follow the acceptance of a badge, where
-- nobody else can see whether they are done.
CREATE TABLE member_tasks (
    member_id text COLLATE "C" NOT NULL REFERENCES members (id) ON DELETE CASCADE,
    -- public, profile, auto or address.
    task      text NOT NULL,
    -- The id of the badge, of the issuer or of the address; '' for none.
    scope     text NOT NULL DEFAULT '',
    -- done or skipped.
    said      text NOT NULL,
    said_at   bigint NOT NULL,
    PRIMARY KEY (member_id, task, scope)
);
CREATE INDEX member_tasks_scope ON member_tasks (scope) WHERE scope <> '';

-- Whether the provider has the address in the account of somebody who holds a
-- badge, as it was read last.
ALTER TABLE addresses ADD COLUMN at_provider boolean NOT NULL DEFAULT false;
-- The page on which the owner changes who sees the badge, '' for unknown. It
-- names the person.
ALTER TABLE badges ADD COLUMN owner_url text NOT NULL DEFAULT '';

-- members.auto_accept_badge is of no use any more. It stays until no program
-- is at work that reads it.

-- +goose Down
DELETE FROM outbox WHERE kind = 'post' AND ref IN (SELECT id FROM posts WHERE subject_kind = 'tasks');
DELETE FROM posts WHERE subject_kind = 'tasks';
ALTER TABLE badges DROP COLUMN owner_url;
ALTER TABLE addresses DROP COLUMN at_provider;
DROP TABLE member_tasks;
