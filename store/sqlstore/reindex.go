package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
)

// reindexBatch is how many resources Reindex locks at once.
const reindexBatch = 500

// Reindex writes again what filters, sorting and uniqueness go by. It is needed after
// a change of Options.Types under which what is stored compares otherwise: an
// attribute of another type or another caseExact, or one that is new where
// TypeConfig.KeepUnknown had kept its values. It also looks at every row of the
// application's Tables again, for changes that no trigger has noted, and as From reads
// them now. Clients may go on meanwhile.
func (s *Store) Reindex(ctx context.Context) error {
	if err := s.write(ctx, s.noteAll); err != nil {
		return fmt.Errorf("sqlstore: reindex: %w", err)
	}
	for name, t := range s.resources.types {
		q := &scim.Query{Limit: reindexBatch}
		for {
			page, err := s.List(ctx, t.ResourceType, q)
			if err == nil {
				err = s.inTx(ctx, func(ctx context.Context) error { return s.resources.reindexAll(ctx, page.Resources) })
			}
			if err != nil {
				return fmt.Errorf("sqlstore: reindex %ss: %w", name, err)
			}
			if len(page.Resources) < reindexBatch {
				break
			}
			q.After = scim.KeyOf(q, page.Resources[reindexBatch-1])
		}
	}
	return nil
}

// noteAll notes every row that the application has, or once had, as changed.
func (s *Store) noteAll(ctx context.Context) error {
	insert := "INSERT INTO {p}stale (tenant, type, id, member) "
	for _, w := range s.watches() {
		if w.part {
			continue
		}
		if _, err := s.exec(ctx, insert+"SELECT x.tenant, x.type, x.id, x.member FROM ("+w.all+") AS x WHERE x.tenant = $1"); err != nil {
			return err
		}
	}
	for _, typ := range s.mapped {
		// Nothing was seen, so that a column counts that From reads otherwise by now.
		if _, err := s.exec(ctx, "UPDATE {p}resources SET seen = '{}' WHERE tenant = $1 AND type = $2 AND deleted = 0 AND seen IS NOT NULL", typ); err != nil {
			return err
		}
		if _, err := s.exec(ctx, insert+"SELECT r.tenant, r.type, r.id, '' FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.seen IS NOT NULL", typ); err != nil {
			return err
		}
	}
	if s.join == nil {
		return nil
	}
	_, err := s.exec(ctx, insert+"SELECT m.tenant, $2, m.group_id, m.member_id FROM {p}members m WHERE m.tenant = $1 AND m.member_type = 'User'", membership)
	return err
}
