-- +goose Up

-- The same number as in PostgreSQL, where lanes get an index that is of no
-- use here.
SELECT 1;

-- +goose Down
SELECT 1;
