// Package dialect writes the SQL of the databases, and values as their statements carry
// them.
package dialect

import (
	"database/sql"
	"regexp"
	"strconv"
	"strings"
)

// Dialect is the SQL that a database speaks: that of the package sqlstore converts to it.
type Dialect uint8

// The dialects.
const (
	SQLite Dialect = iota + 1
	Postgres
)

// String is the dialect's name.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case Postgres:
		return "PostgreSQL"
	}
	return "dialect " + strconv.Itoa(int(d))
}

var Placeholder = regexp.MustCompile(`\$(\d+)`)

// Adapt writes a statement, given with PostgreSQL's placeholders, in the dialect. {p}
// is what tables begin with; {rows $n} is a JSON array as a table e with one column,
// value; what is between {lock and } locks rows where transactions do not exclude one
// another anyway.
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

// Arg is the n-th argument, a text or a number.
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

// Quote is s as a literal.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Key is a member's name on the right of -> and ->>. New refuses names with quotes.
func (d Dialect) Key(name string) string {
	if d == SQLite {
		return Quote(`$."` + name + `"`)
	}
	return Quote(name)
}

// JSON is a text as the column search takes it.
func (d Dialect) JSON(expr string) string {
	if d == SQLite {
		return expr
	}
	return "CAST(" + expr + " AS jsonb)"
}

// Text is a text compared byte by byte, whatever the database's collation.
func (d Dialect) Text(expr string) string {
	if d == SQLite {
		return expr
	}
	return "(" + expr + ` COLLATE "C")`
}

// Elements lists the elements of the array that object has under name, as alias
// with one column, value.
func (d Dialect) Elements(object, name, alias string) string {
	if d == SQLite {
		return "json_each(" + object + ", " + d.Key(name) + ") AS " + alias
	}
	return "jsonb_array_elements(" + object + " -> " + d.Key(name) + ") AS " + alias + "(value)"
}

// ElementText is the text that an element listed by elements is.
func (d Dialect) ElementText(alias string) string {
	if d == SQLite {
		return alias + ".value"
	}
	return d.Text("(" + alias + ".value #>> '{}')")
}

// Contains, prefix and suffix take text as it is, without patterns.
func (d Dialect) Contains(v, part string) string {
	if d == SQLite {
		return "instr(" + v + ", " + part + ") > 0"
	}
	return "strpos(" + v + ", " + part + ") > 0"
}

func (d Dialect) Prefix(v, part string) string {
	return "substr(" + v + ", 1, length(" + part + ")) = " + part
}

// Suffix is for parts that are not empty.
func (d Dialect) Suffix(v, part string) string {
	if d == SQLite {
		return "substr(" + v + ", -length(" + part + ")) = " + part
	}
	return "right(" + v + ", length(" + part + ")) = " + part
}

// In says that column is one of the texts that query lists.
func (d Dialect) In(column, query string) string {
	if d == SQLite {
		return column + " IN (" + query + ")"
	}
	return column + " = ANY(ARRAY(" + query + "))"
}

// Each is a FROM clause: for each w.value of list, in its order, the rows of table, as
// alias, that satisfy where; locked as lock says. It is the only way in which neither
// database ever thinks of reading everything instead, because it has no idea, or an
// old one, of how much that is.
func (d Dialect) Each(list, table, alias, where, lock string) string {
	as := " AS w(value)"
	if d == SQLite {
		as = " AS w"
	}
	return " FROM " + list + as + d.Also(table, alias, where, lock)
}

// Also goes on with a FROM clause as each does.
func (d Dialect) Also(table, alias, where, lock string) string {
	if d == SQLite {
		return " CROSS JOIN {p}" + table + " AS " + alias + " ON " + where
	}
	return " CROSS JOIN LATERAL (SELECT * FROM {p}" + table + " " + alias + " WHERE " + where + " OFFSET 0" + lock + ") " + alias
}

// Texts is a JSON array of strings, given as an argument, as a list for each.
func (d Dialect) Texts(arg string) string {
	if d == SQLite {
		return "json_each(" + arg + ")"
	}
	return "jsonb_array_elements_text(CAST(CAST(" + arg + " AS text) AS jsonb))"
}

// Isolation is the level that the locks of this package are made for: see the
// package's documentation.
func (d Dialect) Isolation() *sql.TxOptions {
	if d == SQLite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// Begin is the first statement of a transaction. In SQLite it takes the write lock,
// so that what is read afterwards cannot go stale, if the DSN did not do that
// already; nothing is written.
func (d Dialect) Begin() string {
	if d == SQLite {
		return "UPDATE {p}schema SET version = version WHERE 0"
	}
	return ""
}
