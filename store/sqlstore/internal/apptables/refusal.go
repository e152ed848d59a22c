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
	// The text does not depend on whether clients see the other row: it would tell them what
	// other tenants and hidden rows have.
	paths, err := m.TakenPaths(ctx, cause)
	switch {
	case err != nil:
		return fmt.Errorf("sqlstore: write of %s: %w", m.Name, errors.Join(cause, err))
	case len(paths) == 0:
		return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: cause,
			Detail: "the application has one of these values already"}
	case len(paths) == 1:
		return taken(paths[0], cause)
	}
	return &scim.Error{Status: http.StatusConflict, Type: "uniqueness", Err: cause,
		Detail: strings.Join(paths, ", ") + " are taken together: another resource has these values"}
}

// taken returns the conflict of one attribute, with its cause for the log.
func taken(path string, cause error) error {
	err := scim.Conflict(path)
	var e *scim.Error
	if errors.As(err, &e) {
		e.Err = cause
	}
	return err
}
