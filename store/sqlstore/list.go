package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
)

// List implements scim.Store. Pages in order of creation cost the same at any depth
// with Query.After. Equality of id, userName, externalId, displayName and
// emails.value is answered by an index; other filters and sort orders are exact, and
// look at all resources of the type.
func (s *Store) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	page := &scim.Page{}
	if q.IDs != nil && len(q.IDs) == 0 {
		return page, ctx.Err()
	}
	if err := s.follow(ctx); err != nil {
		return nil, err
	}
	w := &writer{d: s.d, t: t, mapped: s.maps[t.Name()] != nil}
	where, err := w.where(q)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: filter %s: %w", q.Filter.Text(), err)
	}
	if q.Total || q.Limit <= 0 {
		err := s.read(ctx, func() error {
			return s.each(ctx, func(scan func(...any) error) error { return scan(&page.Total) },
				"SELECT count(*)"+where, w.args...)
		})
		if err != nil {
			return nil, fmt.Errorf("sqlstore: count %ss: %w", t.Name(), err)
		}
	}
	if q.Limit <= 0 || q.Total && q.After == nil && page.Total <= q.Offset {
		return page, nil
	}
	text, err := w.page(resourceColumns, where, q)
	if err != nil {
		return nil, err
	}
	err = s.read(ctx, func() error {
		page.Resources = nil
		return s.each(ctx, func(scan func(...any) error) error {
			r, err := s.bind(t, scan)
			page.Resources = append(page.Resources, r)
			return err
		}, text, w.args...)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: list %ss: %w", t.Name(), err)
	}
	return page, nil
}
