package database

import (
	"context"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// rowsAtOnce is how many rows a statement of InsertRows has at most. More do not make it
// faster.
const rowsAtOnce = 64

// InsertRows inserts rows. into is the table with its columns, for which each row has values.
func InsertRows(ctx context.Context, b *DB, into string, rows [][]any) error {
	if b.Dialect == dialect.SQLite {
		return insertOneByOne(ctx, b, into, rows)
	}
	text := ""
	for n, last := rowsAtOnce, 0; len(rows) > 0; rows = rows[n:] {
		for n > len(rows) { // A server that keeps prepared statements gets only a few to keep.
			n /= 2
		}
		if n != last {
			text, last = insertText(into, n, len(rows[0])), n
		}
		args := make([]any, 0, n*len(rows[0]))
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if _, err := b.ExecOn(ctx, b.Conn(ctx), text, args...); err != nil {
			return err
		}
	}
	return nil
}

// insertOneByOne is InsertRows for SQLite. It takes twice as long there for a statement with
// many rows.
func insertOneByOne(ctx context.Context, b *DB, into string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	// Placeholders without numbers are bound faster.
	text := "INSERT INTO " + into + " VALUES (?" + strings.Repeat(", ?", len(rows[0])-1) + ")"
	statement, err := b.Conn(ctx).PrepareContext(ctx, b.Statement(text))
	if err != nil {
		return err
	}
	defer statement.Close() //nolint:errcheck // each execution reports its error
	for _, row := range rows {
		if _, err := statement.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	return nil
}

// insertText is the statement that inserts n rows.
func insertText(into string, n, columns int) string {
	var out strings.Builder
	out.WriteString("INSERT INTO " + into + " VALUES ")
	for i := range n * columns {
		switch {
		case i == 0:
			out.WriteByte('(')
		case i%columns == 0:
			out.WriteString("), (")
		default:
			out.WriteString(", ")
		}
		out.WriteString("$" + strconv.Itoa(i+1))
	}
	out.WriteByte(')')
	return out.String()
}
