package apptables

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// uniqueIndex is a unique index of a table of the application.
type uniqueIndex struct {
	name string
	keys []string // keys are columns and expressions, as SQL writes them.
	// where is the condition of a partial index on the columns of a row, or empty.
	where string
	// isDeferred says that the database looks at it when the transaction commits.
	isDeferred bool
	// ofPartition says that it holds the rows of one partition.
	ofPartition bool
}

// uniqueIndexes reads the unique indexes of a table and of its partitions.
func uniqueIndexes(ctx context.Context, db *database.DB, table string) ([]uniqueIndex, error) {
	w := db.Arguments()
	text := `SELECT c.relname, pg_get_indexdef(i.indexrelid, k.n, true), coalesce(pg_get_expr(i.indpred, i.indrelid), ''), CASE WHEN i.indimmediate THEN 0 ELSE 1 END,
			CASE WHEN i.indrelid = o.oid THEN 0 ELSE 1 END
		FROM (SELECT CAST(CAST(` + w.Add(table) + ` AS text) AS regclass) AS oid) o
		JOIN pg_index i ON i.indrelid = o.oid OR i.indrelid IN (SELECT h.inhrelid FROM pg_inherits h WHERE h.inhparent = o.oid)
		JOIN pg_class c ON c.oid = i.indexrelid
		CROSS JOIN LATERAL generate_series(1, CAST(i.indnkeyatts AS integer)) AS k(n)
		WHERE i.indisunique ORDER BY c.oid, k.n`
	switch db.Dialect {
	case dialect.MariaDB: // A generated column is an expression, and so is the beginning of a column.
		w = db.Arguments()
		text = "SELECT s.index_name, CASE WHEN s.sub_part IS NOT NULL THEN concat('left(`', s.column_name, '`, ', s.sub_part, ')')" +
			" WHEN c.generation_expression IS NOT NULL THEN concat('`', s.column_name, '` AS ', c.generation_expression) ELSE concat('`', s.column_name, '`') END, '', 0, 0" +
			" FROM information_schema.statistics s JOIN information_schema.columns c ON c.table_schema = s.table_schema AND c.table_name = s.table_name" +
			" AND c.column_name = s.column_name WHERE s.non_unique = 0 AND " + ofTable(w, "s.table_schema", "s.table_name", table) + " ORDER BY s.index_name, s.seq_in_index"
	case dialect.SQLite:
		w = db.Arguments()
		text = `SELECT l.name, coalesce('"' || k.name || '"', ''), coalesce(m.sql, ''), 0, 0
			FROM pragma_index_list(` + w.Add(unquoted(table)) + `) l JOIN pragma_index_info(l.name) k
			LEFT JOIN sqlite_master m ON m.type = 'index' AND m.name = l.name
			WHERE l."unique" = 1 ORDER BY l.name, k.seqno`
	}
	var all []uniqueIndex
	err := db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var x uniqueIndex
		var key string
		if err := scan(&x.name, &key, &x.where, &x.isDeferred, &x.ofPartition); err != nil {
			return err
		}
		if db.Dialect == dialect.SQLite {
			key, x.where = partsOfIndex(key, x.where)
		}
		if n := len(all); n == 0 || all[n-1].name != x.name {
			all = append(all, x)
		}
		last := &all[len(all)-1]
		last.keys = append(last.keys, key)
		return nil
	})
	return all, err
}

// index matches a CREATE INDEX of SQLite: its keys and its condition.
var index = regexp.MustCompile(`(?is)^[^(]*(\(.*?\))\s*(?:WHERE\b(.*))?$`)

// partsOfIndex returns a key of an index of SQLite and the condition. It takes them from the
// index's text, because SQLite does not name keys that are expressions: then all keys stand
// for each.
func partsOfIndex(key, sql string) (keys, where string) {
	parts := index.FindStringSubmatch(sql)
	if parts == nil {
		return key, "" // a constraint of the table, which has columns only
	}
	if key == "" {
		key = parts[1]
	}
	return key, parts[2]
}

// lastName matches the last part of a name, which may be in quotes.
var lastName = regexp.MustCompile("(`[^`]+`|\"[^\"]+\"|\\w+)$")

// unquoted returns the last part of a name, without its quotes.
func unquoted(name string) string { return strings.Trim(lastName.FindString(name), "`\"") }

// isOf reports whether a key is a column.
func isOf(key, column string) bool {
	return strings.EqualFold(unquoted(key), unquoted(column)) && dialect.IsName(key)
}

// has reports whether a column is one of the keys, or stands in one.
func (x *uniqueIndex) has(column string) bool {
	return slices.ContainsFunc(x.keys, func(key string) bool {
		return isOf(key, column) || names(key, column)
	})
}

// names reports whether an expression names a column.
func names(expression, column string) bool {
	return regexp.MustCompile(`(?i)(^|\W)` + regexp.QuoteMeta(unquoted(column)) + `(\W|$)`).MatchString(expression)
}

// TakenPaths returns the attributes whose values another row has, for the error of the
// database. It is empty if no attribute has the columns.
func (m *Table) TakenPaths(ctx context.Context, cause error) (paths []string, err error) {
	constraint, columns := database.Violated(cause)
	add := func(table, prefix string, bound []mapping.BoundColumn) error {
		x := uniqueIndex{}
		for _, c := range columns { // "table.column"
			if i := strings.LastIndexByte(c, '.'); i >= 0 && strings.EqualFold(c[:i], unquoted(table)) {
				x.keys = append(x.keys, `"`+c[i+1:]+`"`)
			}
		}
		if constraint != "" {
			all, err := uniqueIndexes(ctx, m.db, table)
			if err != nil {
				return err
			}
			if i := slices.IndexFunc(all, func(o uniqueIndex) bool { return o.name == constraint }); i >= 0 {
				x = all[i]
			}
		}
		for i := range bound {
			if c := &bound[i]; x.has(c.Name) && !slices.Contains(paths, prefix+c.Path) {
				paths = append(paths, prefix+c.Path)
			}
		}
		return nil
	}
	err = add(m.Name, "", m.ColumnsOf(0))
	for i := range m.Beside {
		columns := m.ColumnsOf(i + 1)
		if m.Beside[i].IsWatched() { // The columns of a view may have the names of those under it.
			columns = m.ColumnsOf(0)
		}
		if err == nil {
			err = add(m.Beside[i].Name, "", columns)
		}
	}
	for i := range m.Children {
		if c := &m.Children[i]; err == nil {
			err = add(c.Name, c.Path+".", c.Columns)
		}
	}
	return paths, err
}
