-- The client that wrote the resource last, by the ID of its Principal. Earlier steps did not record it.
ALTER TABLE {p}resources ADD COLUMN client text NOT NULL DEFAULT '';
