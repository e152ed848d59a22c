package apptables

import (
	"context"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// insert inserts one row. row, if it is not nil, gets what returning asks for.
func insert(ctx context.Context, db *database.DB, table string, all []mapping.Setting, returning string, row func(scan func(...any) error) error) error {
	w := db.Arguments()
	columns, places := make([]string, len(all)), make([]string, len(all))
	for i, c := range all {
		columns[i], places[i] = c.Column, w.Add(c.Value)
	}
	text := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")" + returning
	if len(all) == 0 && db.Dialect != dialect.MariaDB {
		text = "INSERT INTO " + table + " DEFAULT VALUES" + returning
	}
	if row == nil {
		return db.ExecApp(ctx, w, text)
	}
	return db.EachAppRow(ctx, w, text, row)
}

// InsertMissing inserts the rows that do not exist yet, and returns how many. It may return fewer.
func InsertMissing(ctx context.Context, db *database.DB, table string, rows [][]mapping.Setting) (n int64, err error) {
	for len(rows) > 0 {
		// One statement inserts the rows that have the same columns.
		same := slices.IndexFunc(rows, func(r []mapping.Setting) bool {
			return !slices.EqualFunc(r, rows[0], func(a, b mapping.Setting) bool { return a.Column == b.Column })
		})
		if same < 0 {
			same = len(rows)
		}
		made, err := insertAlike(ctx, db, table, rows[:same])
		if err != nil {
			return 0, err
		}
		n, rows = n+made, rows[same:]
	}
	return n, nil
}

// insertAlike is InsertMissing for rows with the same columns.
func insertAlike(ctx context.Context, db *database.DB, table string, rows [][]mapping.Setting) (n int64, err error) {
	w := db.Arguments()
	values := make([]string, len(rows))
	for i, row := range rows {
		places := make([]string, len(row))
		for j, c := range row {
			places[j] = w.Add(c.Value)
		}
		values[i] = "(" + strings.Join(places, ", ") + ")"
	}
	columns := make([]string, len(rows[0]))
	for j, c := range rows[0] {
		columns[j] = c.Column
	}
	text := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + strings.Join(values, ", ")
	if db.Dialect == dialect.MariaDB {
		// INSERT IGNORE would cut values that do not fit. How many rows this has inserted depends on
		// the connection's flags, so the caller has to look.
		return 0, db.ExecApp(ctx, w, text+" ON DUPLICATE KEY UPDATE "+columns[0]+" = "+table+"."+columns[0])
	}
	return database.CountApp(ctx, db, w, text+" ON CONFLICT DO NOTHING")
}
