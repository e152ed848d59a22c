package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
)

// reindexBatch is how many resources Reindex locks at once.
const reindexBatch = 500

// Reindex writes again what resources are found, sorted and shown by. Call it after a
// change of Options.Types under which stored values compare differently. Examples are an
// attribute with another type or caseExact, and a new attribute whose values
// TypeConfig.KeepUnknown has kept. Reindex also fills columns that rows of an earlier
// version of this package lack, and reads every row of the application's Tables again. This
// brings in changes that no trigger has noted, and changes of From. Clients can go on
// meanwhile.
func (s *Store) Reindex(ctx context.Context) error {
	if err := s.db.Write(ctx, s.triggers.NoteAll); err != nil {
		return fmt.Errorf("sqlstore: reindex: %w", err)
	}
	for name, t := range s.resources.Types {
		q := &scim.Query{Limit: reindexBatch}
		for {
			if err := s.app.Follow(ctx); err != nil {
				return err
			}
			page, err := s.resources.ListAll(ctx, t, q)
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
