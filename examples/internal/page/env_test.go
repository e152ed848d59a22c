package page_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim/examples/internal/page"
)

// Two programs would take each other's tables for their own. The second one does not start, and says why.
func TestOneProgramInDatabase(t *testing.T) {
	where := "sqlite:" + filepath.Join(t.TempDir(), "app.db")
	errStarted := errors.New("it has started")
	start := func(name string) error {
		var out strings.Builder
		return page.Program{Name: name, Start: func(ctx context.Context, e *page.Env) (*page.App, error) {
			if err := e.Install(ctx, "teams", "CREATE TABLE teams (id {key})"); err != nil {
				return nil, err
			}
			return nil, errStarted
		}}.Run(t.Context(), []string{"-addr", "127.0.0.1:0", "-db", where}, &out, &out)
	}
	for _, row := range []struct {
		name, want, reason string
	}{
		{"first", "it has started", "an empty database"},
		{"first", "it has started", "its own database"},
		{"second", "this is the database of first: give second one of its own with -db", "tables of another program"},
		{"first", "it has started", "the refused one has changed nothing"},
	} {
		if err := start(row.name); err == nil || err.Error() != row.want {
			t.Errorf("%s: %v, want %q", row.reason, err, row.want)
		}
	}
}
