-- +goose Up

-- Whether the person wants badges listed that they earned elsewhere, and how
-- often they ended the links to their certificates: the number is part of
-- every such link.
ALTER TABLE members
    ADD COLUMN elsewhere         boolean NOT NULL DEFAULT false,
    ADD COLUMN certificate_links int     NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE members DROP COLUMN certificate_links, DROP COLUMN elsewhere;
