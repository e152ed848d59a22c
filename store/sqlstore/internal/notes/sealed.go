package notes

import (
	"context"
	"fmt"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// sealedNote is the note of a row of m in PostgreSQL, in words that mean the same under any
// search_path. {home} stands for the schema of this package's tables.
func sealedNote(m *mapping.Mapping) string {
	asText := func(column string) string { return "CAST({row}." + column + " AS pg_catalog.text)" }
	tenant := "CAST('' AS pg_catalog.text)"
	if m.Tenant != "" {
		tenant = asText(m.Tenant)
	}
	return "SELECT " + tenant + ", " + dialect.Quote(m.Type) + ", " + asText(m.Key) + ", {gone} FROM {home}.{p}schema n WHERE n.part OPERATOR(pg_catalog.=) (CAST(" +
		dialect.Quote(tenantPart) + " AS pg_catalog.text) OPERATOR(pg_catalog.||) " + tenant + ") AND " + mapping.NotNull("{row}", []string{m.Key})
}

// findHome finds out whether the triggers of a table need no search_path of their own. PostgreSQL takes up
// to 60 µs for each call of a function that has one. A type that is not PostgreSQL's may have a cast that
// needs one.
func (s *Triggers) findHome(ctx context.Context, q database.Querier, t *target) error {
	if t.sealed == "" || t.isPartitioned {
		return nil
	}
	names := []string{plainName(s.db.Dialect, t.place[0]), plainName(s.db.Dialect, t.place[len(t.place)-1])}
	text, args := s.db.Dialect.Bind(`SELECT coalesce(min(quote_ident(n.nspname)), '') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.oid = to_regclass(CAST($1 AS text)) AND NOT EXISTS (SELECT 1 FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid JOIN pg_namespace o ON o.oid = y.typnamespace
		WHERE a.attrelid = to_regclass(CAST($2 AS text)) AND a.attname IN (CAST($3 AS text), CAST($4 AS text)) AND o.nspname <> 'pg_catalog')`,
		[]any{s.db.Prefix + "schema", t.table, names[0], names[1]})
	if err := q.QueryRowContext(ctx, text, args...).Scan(&t.home); err != nil {
		return fmt.Errorf("%s: %w", t.table, err)
	}
	return nil
}

// sealedFunction is function for a body that means the same under any search_path.
const sealedFunction = "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $scim$ BEGIN %s END $scim$"

// function returns the statement that creates a function of triggers for each row. end follows the note.
func (t *target) function(name, row, member, end string) string {
	if t.home == "" {
		return fmt.Sprintf(function, name, t.insertNote(row, member)+"; "+end)
	}
	note := strings.NewReplacer("{row}", row, "{gone}", dialect.Quote(member), "{home}", t.home).Replace(t.sealed)
	return fmt.Sprintf(sealedFunction, name, strings.Replace(insertNotes, " INTO ", " INTO "+t.home+".", 1)+note+"; "+end)
}
