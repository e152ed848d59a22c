// Package dialect writes the SQL of the two databases, and the values that statements
// carry.
package dialect

import (
	"database/sql"
	"regexp"
	"strconv"
	"strings"
)

// Dialect is the SQL that a database speaks. The Dialect of package sqlstore converts to
// it.
type Dialect uint8

// These are the dialects.
const (
	SQLite Dialect = iota + 1
	Postgres
)

// String returns the dialect's name.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case Postgres:
		return "PostgreSQL"
	}
	return "dialect " + strconv.Itoa(int(d))
}

// placeholder matches a placeholder of PostgreSQL.
var placeholder = regexp.MustCompile(`\$(\d+)`)

// HasPlaceholder reports whether text has a placeholder of PostgreSQL.
func HasPlaceholder(text string) bool { return placeholder.MatchString(text) }

// Adapt writes a statement, given with PostgreSQL's placeholders, in the dialect:
//
//	{p}          the prefix of the tables' names
//	{rows $n}    a JSON array as a table e with one column, value
//	{lock TEXT}  TEXT, which locks rows; nothing in SQLite, where transactions exclude
//	             one another
func (d Dialect) Adapt(text, prefix string) string {
	var out strings.Builder
	out.Grow(len(text) + 100)
	for {
		i := strings.IndexAny(text, "{$")
		if i < 0 {
			out.WriteString(text)
			return out.String()
		}
		out.WriteString(text[:i])
		if text[i] == '$' {
			mark := byte('$')
			if d == SQLite && i+1 < len(text) && '0' <= text[i+1] && text[i+1] <= '9' {
				mark = '?'
			}
			out.WriteByte(mark)
			text = text[i+1:]
			continue
		}
		in, rest, _ := strings.Cut(text[i+1:], "}")
		switch word, arg, _ := strings.Cut(in, " "); {
		case word == "p":
			out.WriteString(prefix)
		case word == "lock" && d != SQLite:
			out.WriteString(arg)
		case word == "rows" && d == SQLite:
			out.WriteString("json_each(?" + arg[1:] + ") AS e")
		case word == "rows":
			out.WriteString("jsonb_array_elements(CAST(CAST(" + arg + " AS text) AS jsonb)) AS e(value)")
		case word != "lock":
			out.WriteString("{" + in + "}")
		}
		text = rest
	}
}

// Arg returns the placeholder of the n-th argument, a text or a number.
func (d Dialect) Arg(n int, number bool) string {
	switch {
	case d == SQLite:
		return "?" + strconv.Itoa(n)
	case number:
		return "$" + strconv.Itoa(n) + "::bigint"
	default:
		return "$" + strconv.Itoa(n) + "::text"
	}
}

// Quote returns s as a literal.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Key returns a member's name as it stands on the right of -> and ->>. sqlstore.New refuses
// names with quotes.
func (d Dialect) Key(name string) string {
	if d == SQLite {
		return Quote(`$."` + name + `"`)
	}
	return Quote(name)
}

// JSON converts a text to the type of the column search.
func (d Dialect) JSON(expr string) string {
	if d == SQLite {
		return expr
	}
	return "CAST(" + expr + " AS jsonb)"
}

// Text makes a text compare byte by byte, whatever the database's collation is.
func (d Dialect) Text(expr string) string {
	if d == SQLite {
		return expr
	}
	return "(" + expr + ` COLLATE "C")`
}

// Elements lists the elements of the array that object has under name, as a table alias
// with one column, value.
func (d Dialect) Elements(object, name, alias string) string {
	if d == SQLite {
		return "json_each(" + object + ", " + d.Key(name) + ") AS " + alias
	}
	return "jsonb_array_elements(" + object + " -> " + d.Key(name) + ") AS " + alias + "(value)"
}

// ElementText returns the text of an element that Elements lists.
func (d Dialect) ElementText(alias string) string {
	if d == SQLite {
		return alias + ".value"
	}
	return d.Text("(" + alias + ".value #>> '{}')")
}

// Contains says that v contains part. Contains, Prefix and Suffix take part as it is, not
// as a pattern.
func (d Dialect) Contains(v, part string) string {
	if d == SQLite {
		return "instr(" + v + ", " + part + ") > 0"
	}
	return "strpos(" + v + ", " + part + ") > 0"
}

// Prefix says that v begins with part.
func (d Dialect) Prefix(v, part string) string {
	return "substr(" + v + ", 1, length(" + part + ")) = " + part
}

// Suffix says that v ends with part, which is not empty.
func (d Dialect) Suffix(v, part string) string {
	if d == SQLite {
		return "substr(" + v + ", -length(" + part + ")) = " + part
	}
	return "right(" + v + ", length(" + part + ")) = " + part
}

// In says that a column is one of the texts that a query lists.
func (d Dialect) In(column, query string) string {
	if d == SQLite {
		return column + " IN (" + query + ")"
	}
	return column + " = ANY(ARRAY(" + query + "))"
}

// Each returns a FROM clause: for each w.value of list, in its order, the rows of table, as
// alias, that satisfy where. lock is appended where it can lock them. The clause forces a
// nested-loop index look-up. With missing or stale statistics both planners otherwise
// choose a full scan.
func (d Dialect) Each(list, table, alias, where, lock string) string {
	as := " AS w(value)"
	if d == SQLite {
		as = " AS w"
	}
	return " FROM " + list + as + d.Also(table, alias, where, lock)
}

// Also continues a FROM clause with another table, as Each does.
func (d Dialect) Also(table, alias, where, lock string) string {
	if d == SQLite {
		return " CROSS JOIN {p}" + table + " AS " + alias + " ON " + where
	}
	return " CROSS JOIN LATERAL (SELECT * FROM {p}" + table + " " + alias + " WHERE " + where + " OFFSET 0" + lock + ") " + alias
}

// Texts lists the strings of a JSON array, which is an argument, for Each.
func (d Dialect) Texts(arg string) string {
	if d == SQLite {
		return "json_each(" + arg + ")"
	}
	return "jsonb_array_elements_text(CAST(CAST(" + arg + " AS text) AS jsonb))"
}

// Isolation returns the isolation level that the locks of the store need. The documentation
// of package sqlstore says why.
func (d Dialect) Isolation() *sql.TxOptions {
	if d == SQLite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// Begin returns the first statement of a transaction, or an empty text. In SQLite it takes
// the write lock, if the DSN did not do so, and writes nothing. What the transaction reads
// afterwards cannot become stale.
func (d Dialect) Begin() string {
	if d == SQLite {
		return "UPDATE {p}schema SET version = version WHERE 0"
	}
	return ""
}
