-- Of resources with one time of creation, the shorter id comes first: so ids that are numbers are
-- in their own order.
ALTER TABLE {p}resources ADD COLUMN id_length bigint GENERATED ALWAYS AS (length(id)) STORED;
DROP INDEX {p}resources_created;
CREATE INDEX {p}resources_created ON {p}resources (collection, deleted, created, id_length, id);
DROP INDEX {p}resources_claimed;
CREATE INDEX {p}resources_claimed ON {p}resources (collection, created, id_length, id) WHERE deleted = 0 AND claimed = 1;
