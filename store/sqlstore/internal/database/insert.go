package database

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Kind is what a column holds into which rows are inserted.
type Kind byte

// These are the kinds. A value is a string, an int64 or nil. That of the kinds Document and JSON is
// a JSON text, and JSON has a type of its own in PostgreSQL. A value of the kind Bytes is a []byte, and not nil.
const (
	Text Kind = iota
	Number
	Document
	JSON
	Bytes
)

// Columns are the columns of a table into which rows are inserted.
type Columns struct {
	Into  string // Into is the table with its columns, as INSERT names them.
	Kinds []Kind // Kinds are those of the columns.
}

func (c *Columns) hasBytes() bool { return slices.Contains(c.Kinds, Bytes) }

// rowsAtOnce is how many rows a list of VALUES has at most. More do not make it faster.
const rowsAtOnce = 64

// InsertRows inserts rows, each with a value for each column.
func InsertRows(ctx context.Context, b *DB, c Columns, rows [][]any) error {
	switch {
	case len(rows) == 0:
		return nil
	case b.Dialect == dialect.SQLite:
		return insertOneByOne(ctx, b, c, rows)
	case b.Dialect == dialect.Postgres && (len(rows) >= rowsAtOnce || len(rows) > 1 && c.hasBytes()):
		return insertArrays(ctx, b, c, rows)
	}
	for n := rowsAtOnce; len(rows) > 0; {
		for n > len(rows) { // A server that keeps prepared statements gets only a few to keep.
			n /= 2
		}
		most := len(rows) / n * n
		if err := insertLists(ctx, b, c, n, rows[:most]); err != nil {
			return err
		}
		rows = rows[most:]
	}
	return nil
}

// insertLists inserts rows, n in a statement. MariaDB prepares a statement that it needs more often.
func insertLists(ctx context.Context, b *DB, c Columns, n int, rows [][]any) error {
	text := insertText(c.Into, n, len(c.Kinds))
	args := make([]any, 0, n*len(c.Kinds))
	exec := func() error {
		_, err := b.ExecOn(ctx, b.Conn(ctx), text, args...)
		return err
	}
	if b.Dialect == dialect.MariaDB && len(rows) > n {
		text, _ := b.Dialect.Bind(b.Statement(text), make([]any, cap(args)))
		statement, err := b.Conn(ctx).PrepareContext(ctx, text)
		if err != nil {
			return err
		}
		defer statement.Close() //nolint:errcheck // each execution reports its error
		exec = func() error { return execPrepared(ctx, b, statement, args) }
	}
	for ; len(rows) > 0; rows = rows[n:] {
		args = args[:0]
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		if err := exec(); err != nil {
			return err
		}
	}
	return nil
}

// execPrepared executes a prepared statement.
func execPrepared(ctx context.Context, b *DB, statement *sql.Stmt, args []any) error {
	_, err := statement.ExecContext(ctx, args...)
	return noticed(ctx, b, err)
}

// insertOneByOne is InsertRows for SQLite. It takes twice as long there for a statement with
// many rows.
func insertOneByOne(ctx context.Context, b *DB, c Columns, rows [][]any) error {
	text, places := textForEach(c, rows)
	statement, err := b.Conn(ctx).PrepareContext(ctx, b.Statement(text))
	if err != nil {
		return err
	}
	defer statement.Close()             //nolint:errcheck // each execution reports its error
	alone := context.WithoutCancel(ctx) // Drivers start a goroutine for each execution that could be cancelled.
	args := make([]any, len(places))
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, column := range places {
			args[i] = row[column]
		}
		if err := execPrepared(alone, b, statement, args); err != nil {
			return err
		}
	}
	return nil
}

// textForEach returns the statement that inserts one row, and the columns of its arguments. What all rows have
// in common stands in the statement, where it can: each argument takes its time.
func textForEach(c Columns, rows [][]any) (text string, places []int) {
	var out strings.Builder
	out.WriteString("INSERT INTO " + c.Into + " VALUES (")
	for i := range c.Kinds {
		if i > 0 {
			out.WriteString(", ")
		}
		literal, ok := literalOf(rows[0][i])
		if len(rows) == 1 || !ok || !isConstant(rows, i) {
			literal, places = "?", append(places, i) // Placeholders without numbers are bound faster.
		}
		out.WriteString(literal)
	}
	out.WriteByte(')')
	return out.String(), places
}

// literalOf returns a value as it stands in a statement, if it is a number, NULL or a simple text.
func literalOf(v any) (literal string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "NULL", true
	case int64:
		return strconv.FormatInt(v, 10), true
	case string:
		isOdd := func(r rune) bool {
			return r != ':' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
		}
		return "'" + v + "'", len(v) < 256 && strings.IndexFunc(v, isOdd) < 0
	}
	return "", false
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

// separator stands between JSON texts, which have no such character.
const separator = "\x1f"

// insertArrays is InsertRows for many rows in PostgreSQL. Each column is one argument: the server
// would otherwise plan thousands of arguments, and prepare each row of a list anew.
func insertArrays(ctx context.Context, b *DB, c Columns, rows [][]any) error {
	var text strings.Builder
	text.WriteString("INSERT INTO " + c.Into + " SELECT ")
	var args []any
	hasArray, hasBytes := false, c.hasBytes() // Tables with bytes are written often, and should need one statement each.
	add := func(arg any, as string) string {
		args = append(args, arg)
		return "CAST($" + strconv.Itoa(len(args)) + " AS " + as + ")"
	}
	for i, kind := range c.Kinds {
		if i > 0 {
			text.WriteString(", ")
		}
		isLast := i == len(c.Kinds)-1
		if !hasBytes && isConstant(rows, i) && (hasArray || !isLast) { // An array says how many rows there are.
			text.WriteString("CAST(" + add(textOf(rows[0][i]), "text") + " AS " + typeOf[kind] + ")")
			continue
		}
		hasArray = true
		switch kind {
		case Document, JSON:
			text.WriteString("CAST(unnest(string_to_array(" + add(joinColumn(rows, i), "text") + ", chr(31))) AS " + typeOf[kind] + ")")
		case Bytes: // An array would have them as digits.
			all, from, sizes := joinBytes(rows, i)
			text.WriteString("substring(" + add(all, "bytea") + " FROM unnest(CAST(" + add(from, "text") + " AS int[])) FOR unnest(CAST(" + add(sizes, "text") + " AS int[])))")
		default:
			text.WriteString("unnest(CAST(" + add(arrayOf(rows, i), "text") + " AS " + typeOf[kind] + "[]))")
		}
	}
	_, err := b.ExecOn(ctx, b.Conn(ctx), text.String(), args...)
	return err
}

// typeOf are the types of the kinds in PostgreSQL.
var typeOf = map[Kind]string{Text: "text", Number: "bigint", Document: "text", JSON: "jsonb"}

// isConstant reports whether all rows have one value in a column.
func isConstant(rows [][]any, column int) bool {
	for _, row := range rows[1:] {
		if row[column] != rows[0][column] {
			return false
		}
	}
	return true
}

// textOf returns a value as a text, or nil.
func textOf(v any) any {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return v
}

// sizeOf returns how long the texts in a column are.
func sizeOf(rows [][]any, column int) (n int) {
	for _, row := range rows {
		text, _ := row[column].(string)
		n += len(text)
	}
	return n
}

// joinColumn joins the JSON texts in a column.
func joinColumn(rows [][]any, column int) string {
	var out strings.Builder
	out.Grow(sizeOf(rows, column) + len(rows))
	for i, row := range rows {
		if i > 0 {
			out.WriteString(separator)
		}
		text, _ := row[column].(string)
		out.WriteString(text)
	}
	return out.String()
}

// joinBytes joins the bytes in a column, and returns where each begins, counted from 1, and how long it is,
// as PostgreSQL writes arrays.
func joinBytes(rows [][]any, column int) (all []byte, from, sizes string) {
	places := make([][]any, len(rows))
	size := 0
	for i, row := range rows {
		b, _ := row[column].([]byte)
		places[i] = []any{int64(size + 1), int64(len(b))}
		size += len(b)
	}
	all = make([]byte, 0, size)
	for _, row := range rows {
		b, _ := row[column].([]byte)
		all = append(all, b...)
	}
	return all, arrayOf(places, 0), arrayOf(places, 1)
}

// arrayOf returns a column as PostgreSQL writes an array.
func arrayOf(rows [][]any, column int) string {
	var out strings.Builder
	out.Grow(sizeOf(rows, column) + 24*len(rows)) // A number has up to twenty digits.
	out.WriteByte('{')
	for i, row := range rows {
		if i > 0 {
			out.WriteByte(',')
		}
		switch v := row[column].(type) {
		case int64:
			var digits [20]byte
			out.Write(strconv.AppendInt(digits[:0], v, 10))
		case string:
			writeQuoted(&out, v)
		default:
			out.WriteString("NULL")
		}
	}
	out.WriteByte('}')
	return out.String()
}

// writeQuoted writes a text as an element of an array.
func writeQuoted(out *strings.Builder, text string) {
	out.WriteByte('"')
	for {
		i := strings.IndexAny(text, `"\\`)
		if i < 0 {
			break
		}
		out.WriteString(text[:i])
		out.WriteByte('\\')
		out.WriteByte(text[i])
		text = text[i+1:]
	}
	out.WriteString(text)
	out.WriteByte('"')
}
