package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Names of the application's that are not there are found when a program starts, not
// when a client first needs them.

// check looks for the tables and columns of Options.Tables and Options.Members.
func (s *Store) check(ctx context.Context) error {
	return s.again(ctx, func() (err error) {
		for _, typ := range s.mapped {
			m := s.maps[typ]
			columns := present(m.Key, m.Tenant, m.Created)
			for _, c := range m.columns {
				columns = append(columns, c.Name)
			}
			if m.Retire != nil {
				columns = slices.AppendSeq(columns, maps.Keys(m.Retire(time.Now())))
			}
			columns = slices.AppendSeq(columns, maps.Keys(m.Revive))
			err = errors.Join(err, s.has(ctx, m.Name, m.Visible, columns...))
			for _, c := range m.children {
				columns := present(c.Parent, c.Order)
				for _, b := range c.columns {
					columns = append(columns, b.Name)
				}
				err = errors.Join(err, s.has(ctx, c.Name, "", columns...))
			}
		}
		if j := s.join; j != nil {
			err = errors.Join(err, s.has(ctx, j.Name, "", present(j.Group, j.User, j.Since)...))
		}
		return err
	})
}

// has asks the database for a table, its columns, and a condition on a row called t.
func (s *Store) has(ctx context.Context, table, condition string, columns ...string) error {
	ask := func(what string) error {
		// t. also because SQLite takes an unknown "name" for a text.
		return s.eachApp(ctx, &words{d: s.d}, "SELECT "+what+" FROM "+table+" AS t WHERE 1 = 0", func(func(...any) error) error { return nil })
	}
	if err := ask("1"); err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", table, err)
	}
	var all error
	for _, c := range columns {
		if err := ask("t." + c); err != nil {
			all = errors.Join(all, fmt.Errorf("sqlstore: table %s: column %s: %w", table, c, err))
		}
	}
	if condition != "" {
		if err := ask("CASE WHEN " + condition + " THEN 1 END"); err != nil {
			all = errors.Join(all, fmt.Errorf("sqlstore: table %s: Visible: %w", table, err))
		}
	}
	return all
}
