-- +goose Up

-- Badges that somebody asked to have verified, for the buttons below the
-- answer: what was asked, sealed, for a day. Nobody is named here.
CREATE TABLE inquiries (
    id         text COLLATE "C" PRIMARY KEY,
    sealed     text NOT NULL,
    created_at bigint NOT NULL
);
CREATE INDEX inquiries_created ON inquiries (created_at);

-- +goose Down
DROP TABLE inquiries;
