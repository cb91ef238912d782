-- +goose Up

-- While one workspace has its share of the dispatcher, active lanes of the
-- others are looked for: not by passing all of its own, of which there may be
-- many. That a lane is active stands in the indexed expression and not in the
-- condition: where few were active when the table was last analyzed, reading
-- all of lanes_next would look as cheap.
CREATE INDEX lanes_tenant ON lanes ((CASE WHEN NOT active THEN NULL
    WHEN platform <> '' THEN platform || ':' || tenant
    WHEN lane LIKE 'mail:%' THEN 'mail' ELSE 'event' END) COLLATE "C", next_at, lane)
WHERE (CASE WHEN NOT active THEN NULL
    WHEN platform <> '' THEN platform || ':' || tenant
    WHEN lane LIKE 'mail:%' THEN 'mail' ELSE 'event' END) COLLATE "C" IS NOT NULL;

-- +goose Down
DROP INDEX lanes_tenant;
