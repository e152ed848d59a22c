package owntables

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim"
)

// Reindex writes again what the rows of resources are found, sorted and shown by. It
// reads the resources again, because the caller has read them without a lock, and locks
// them in order of id.
func (s *Resources) Reindex(ctx context.Context, all []*scim.Resource) error {
	all = slices.SortedFunc(slices.Values(all), func(a, b *scim.Resource) int { return cmp.Compare(a.ID(), b.ID()) })
	for _, r := range all {
		r, err := s.Fetch(ctx, r.Ref(), "{lock  FOR NO KEY UPDATE}")
		if errors.Is(err, scim.ErrNotFound) {
			continue
		}
		if err == nil {
			err = s.reindexOne(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reindexOne is Reindex for one resource, which is locked.
func (s *Resources) reindexOne(ctx context.Context, r *scim.Resource) error {
	w, err := s.Row(r)
	if err != nil {
		return err
	}
	ref := r.Ref()
	_, err = s.db.Exec(ctx, `UPDATE {p}resources SET user_name = $4, external_id = $5, display_name = $6, search = $7, display = $8
		WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0`,
		ref.Type, ref.ID, w.userName, w.externalID, w.displayName, w.search, w.display)
	if err != nil {
		return fmt.Errorf("%s %q: %w", ref.Type, ref.ID, err)
	}
	return s.putEmails(ctx, ref, []string{"\x00"}, w.emails) // It replaces whatever is stored.
}
