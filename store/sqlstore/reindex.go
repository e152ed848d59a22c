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
// TypeConfig.KeepUnknown had kept its values. Clients may go on meanwhile.
func (s *Store) Reindex(ctx context.Context) error {
	for name, t := range s.types {
		for after, more := "", true; more; {
			err := s.inTx(ctx, func(ctx context.Context) error {
				var batch []*scim.Resource
				err := s.each(ctx, func(scan func(...any) error) error {
					r, err := s.bind(t.ResourceType, scan)
					batch = append(batch, r)
					return err
				}, "SELECT "+resourceColumns+` FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.id > $3
					AND r.deleted = 0 ORDER BY r.id LIMIT $4{lock  FOR NO KEY UPDATE}`, name, after, reindexBatch)
				if err != nil {
					return err
				}
				for _, r := range batch {
					if err := s.reindex(ctx, r); err != nil {
						return err
					}
				}
				if more = len(batch) == reindexBatch; more {
					after = batch[len(batch)-1].ID()
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("sqlstore: reindex %ss: %w", name, err)
			}
		}
	}
	return nil
}

func (s *Store) reindex(ctx context.Context, r *scim.Resource) error {
	w, err := s.row(r)
	if err != nil {
		return err
	}
	ref := r.Ref()
	_, err = s.exec(ctx, `UPDATE {p}resources SET user_name = $4, external_id = $5, display_name = $6, search = $7
		WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0`,
		ref.Type, ref.ID, w.userName, w.externalID, w.displayName, w.search)
	if err != nil {
		return fmt.Errorf("%s %q: %w", ref.Type, ref.ID, err)
	}
	return s.putEmails(ctx, ref, []string{"\x00"}, w.emails) // whatever was there
}
