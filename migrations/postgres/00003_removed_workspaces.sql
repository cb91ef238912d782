-- +goose Up

-- When the workspace removed the bot, 0 while it has it: some hours later
-- its people are erased.
ALTER TABLE installations ADD COLUMN removed_at bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE installations DROP COLUMN removed_at;
