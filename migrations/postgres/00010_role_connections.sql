-- +goose Up

-- Who lets the bot tell a platform about public badges, so that servers can
-- give roles.
CREATE TABLE role_connections (
    id            text    COLLATE "C" PRIMARY KEY,
    platform      text    NOT NULL,
    tenant        text    NOT NULL,
    -- '' once its person is forgotten.
    user_id       text    NOT NULL,
    -- Tokens of the platform, and when the first of them ends.
    tokens_sealed text    NOT NULL,
    tokens_end    bigint  NOT NULL,
    -- What was told is to be taken back.
    ending        boolean NOT NULL DEFAULT false,
    -- When it began, or began to end.
    since         bigint  NOT NULL,
    -- What was told last, '' for nothing, and when.
    told          text    NOT NULL DEFAULT '',
    told_at       bigint  NOT NULL DEFAULT 0,
    failures      int     NOT NULL DEFAULT 0,
    -- Grows whenever it is taken or changed, and whenever it is to be looked at.
    revision      bigint  NOT NULL DEFAULT 1,
    wanted        bigint  NOT NULL DEFAULT 0,
    -- When it is looked at next, and until when it is kept for who took it.
    due_at        bigint  NOT NULL,
    leased_until  bigint  NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX role_connections_user ON role_connections (platform, tenant, user_id) WHERE user_id <> '';
CREATE INDEX role_connections_due ON role_connections (due_at, id);

-- +goose Down
DELETE FROM posts WHERE subject_kind = 'roles';
DROP TABLE role_connections;
