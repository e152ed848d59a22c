-- Whether a client has named the member, 0 or 1. Earlier steps did not record it. So the
-- members of a group are the application's if no client has written the group.
ALTER TABLE {p}members ADD COLUMN claimed smallint NOT NULL DEFAULT 1;
UPDATE {p}members SET claimed = 0 WHERE EXISTS (SELECT 1 FROM {p}resources g WHERE g.id = {p}members.group_id AND g.type = 'Group'
	AND g.tenant = {p}members.tenant AND g.deleted = 0 AND g.seen IS NOT NULL AND g.claimed = 0);
-- Lists that leave out what no client has claimed use it.
CREATE INDEX {p}resources_claimed ON {p}resources (collection, created, id) WHERE deleted = 0 AND claimed = 1;
