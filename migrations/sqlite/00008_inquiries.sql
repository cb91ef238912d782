-- +goose Up

-- Badges that somebody asked to have verified, for the buttons below the
-- answer: what was asked, sealed, for a day. Nobody is named here.
CREATE TABLE inquiries (
    id         TEXT PRIMARY KEY,
    sealed     TEXT NOT NULL,
    created_at INTEGER NOT NULL
);
CREATE INDEX inquiries_created ON inquiries (created_at);

-- +goose Down
DROP TABLE inquiries;
