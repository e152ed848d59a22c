-- A group shows its members' names. SQLite reads them from this index. A row of resources fills
-- most of a page of the file, because it has the whole document.
CREATE INDEX {p}resources_shown ON {p}resources (id, type, tenant, deleted, display);
