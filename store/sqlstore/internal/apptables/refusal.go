package apptables

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

// Refusal returns the error that tells a client why the database rejects a row, for cause.
// before is nil for a new resource.
func (m *Table) Refusal(ctx context.Context, before, r *scim.Resource, cause error) error {
	switch {
	case database.IsNull(cause):
		if paths := m.MissingPaths(r, cause); len(paths) > 0 {
			return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Err: cause,
				Detail: strings.Join(paths, ", ") + ": the application needs a value"}
		}
		// No client can fill this column.
		return fmt.Errorf("sqlstore: write of %s: a column that is NOT NULL needs a default, an Empty, or an Insert: %w", m.Name, cause)
	case database.IsUnfit(cause), database.IsDangling(cause): // A dangling value is not in the table that the column refers to.
		var paths []string
		for i := range m.Columns {
			if c := &m.Columns[i]; !c.IsCopy && (before == nil || !reflect.DeepEqual(c.ValueIn(before), c.ValueIn(r))) {
				paths = append(paths, c.Path)
			}
		}
		for i := range m.Children {
			paths = append(paths, m.Children[i].Path)
		}
		return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Err: cause,
			Detail: "the application cannot store a value of one of these attributes: " + strings.Join(paths, ", ")}
	case !database.IsDuplicate(cause):
		return fmt.Errorf("sqlstore: write of %s: %w", m.Name, cause)
	}
	for i := range m.Columns {
		c := &m.Columns[i]
		cell, err := c.Cell(c.ValueIn(r))
		if err != nil || cell == nil {
			continue
		}
		w := m.db.Arguments()
		found := false
		err = m.db.EachAppRow(ctx, w, "SELECT 1 FROM "+m.Name+" AS t WHERE "+m.mine(w)+" AND t."+c.Name+" = "+w.Add(cell)+" AND CAST(t."+m.Key+" AS text) <> "+w.Add(r.ID())+" LIMIT 1",
			func(func(...any) error) error { found = true; return nil })
		if err != nil {
			return fmt.Errorf("sqlstore: write of %s: %w", m.Name, errors.Join(cause, err))
		}
		if found {
			return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: cause,
				Detail: c.Path + " is taken: the application has this value already"}
		}
	}
	return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: cause,
		Detail: "the application has one of these values already"}
}
