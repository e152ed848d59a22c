package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// List reads a page of the resources of a type.
func (s *Resources) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	page := &scim.Page{}
	w := search.NewWriter(s.db.Dialect, t, s.Types[t.Name()].HasTable)
	where, err := w.Where(q)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: filter %s: %w", q.Filter.Text(), err)
	}
	if q.Total || q.Limit <= 0 {
		err := s.db.Read(ctx, func() error {
			return s.db.Each(ctx, func(scan func(...any) error) error { return scan(&page.Total) },
				"SELECT count(*)"+where, w.Args...)
		})
		if err != nil {
			return nil, fmt.Errorf("sqlstore: count %ss: %w", t.Name(), err)
		}
	}
	if q.Limit <= 0 || q.Total && q.After == nil && page.Total <= q.Offset {
		return page, nil
	}
	text, err := w.Page(Columns, where, q)
	if err != nil {
		return nil, err
	}
	err = s.db.Read(ctx, func() error {
		page.Resources = nil
		return s.db.Each(ctx, func(scan func(...any) error) error {
			r, err := s.Bind(t, scan)
			page.Resources = append(page.Resources, r)
			return err
		}, text, w.Args...)
	})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: list %ss: %w", t.Name(), err)
	}
	return page, nil
}
