-- Of resources with one time of creation, the shorter id comes first: so ids that are numbers are
-- in their own order. SQLite uses an index for a place in a list if it has columns only.
ALTER TABLE {p}resources ADD COLUMN id_length bigint GENERATED ALWAYS AS (length(id)) VIRTUAL;
DROP INDEX {p}resources_created;
CREATE INDEX {p}resources_created ON {p}resources (collection, created, id_length, id) WHERE deleted = 0;
DROP INDEX {p}resources_claimed;
CREATE INDEX {p}resources_claimed ON {p}resources (collection, created, id_length, id) WHERE deleted = 0 AND claimed = 1;
