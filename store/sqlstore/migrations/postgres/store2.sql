-- The name that groups show of a member: JSON of displayName, or else of userName. It is
-- empty if the resource has neither. Rows that are older than this step have NULL until they
-- are written again, or until Reindex is called. Then doc answers, which costs more.
ALTER TABLE {p}resources ADD COLUMN display text;
