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
	if err := s.db.Write(ctx, s.triggers.NoteAll); err != nil {
		return fmt.Errorf("sqlstore: reindex: %w", err)
	}
	for name, t := range s.resources.Types {
		q := &scim.Query{Limit: reindexBatch}
		for {
			page, err := s.List(ctx, t.ResourceType, q)
			if err == nil {
				err = s.db.InTx(ctx, func(ctx context.Context) error { return s.resources.Reindex(ctx, page.Resources) })
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
