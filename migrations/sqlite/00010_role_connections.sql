-- +goose Up

-- Who lets the bot tell a platform about public badges, so that servers can
-- give roles.
CREATE TABLE role_connections (
    id            TEXT PRIMARY KEY,
    platform      TEXT NOT NULL,
    tenant        TEXT NOT NULL,
    -- '' once its person is forgotten.
    user_id       TEXT NOT NULL,
    -- Tokens of the platform, and when the first of them ends.
    tokens_sealed TEXT NOT NULL,
    tokens_end    INTEGER NOT NULL,
    -- What was told is to be taken back.
    ending        INTEGER NOT NULL DEFAULT 0,
    -- When it began, or began to end.
    since         INTEGER NOT NULL,
    -- What was told last, '' for nothing, and when.
    told          TEXT NOT NULL DEFAULT '',
    told_at       INTEGER NOT NULL DEFAULT 0,
    failures      INTEGER NOT NULL DEFAULT 0,
    -- Grows whenever it is taken or changed, and whenever it is to be looked at.
    revision      INTEGER NOT NULL DEFAULT 1,
    wanted        INTEGER NOT NULL DEFAULT 0,
    -- When it is looked at next, and until when it is kept for who took it.
    due_at        INTEGER NOT NULL,
    leased_until  INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX role_connections_user ON role_connections (platform, tenant, user_id) WHERE user_id <> '';
CREATE INDEX role_connections_due ON role_connections (due_at, id);

-- +goose Down
DELETE FROM posts WHERE subject_kind = 'roles';
DROP TABLE role_connections;
