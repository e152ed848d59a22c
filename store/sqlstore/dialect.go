package sqlstore

import (
	"database/sql"
	"regexp"
	"strconv"
	"strings"
)

// Dialect is the SQL that a database speaks. The package imports no driver: open
// the *sql.DB with any one for that database.
type Dialect uint8

// The dialects.
const (
	// SQLite is SQLite 3.38 or later. Open it with SQLiteDSN.
	SQLite Dialect = iota + 1
	// Postgres is PostgreSQL 12 or later, with UTF8 as the database's encoding, and
	// what speaks its language.
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

var placeholder = regexp.MustCompile(`\$(\d+)`)

// adapt writes a statement, given with PostgreSQL's placeholders, in the dialect. {p}
// is what tables begin with; {rows $n} is a JSON array as a table e with one column,
// value; what is between {lock and } locks rows where transactions do not exclude one
// another anyway.
func (d Dialect) adapt(text, prefix string) string {
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

// arg is the n-th argument, a text or a number.
func (d Dialect) arg(n int, number bool) string {
	switch {
	case d == SQLite:
		return "?" + strconv.Itoa(n)
	case number:
		return "$" + strconv.Itoa(n) + "::bigint"
	default:
		return "$" + strconv.Itoa(n) + "::text"
	}
}

// quote is s as a literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// key is a member's name on the right of -> and ->>. New refuses names with quotes.
func (d Dialect) key(name string) string {
	if d == SQLite {
		return quote(`$."` + name + `"`)
	}
	return quote(name)
}

// json is a text as the column search takes it.
func (d Dialect) json(expr string) string {
	if d == SQLite {
		return expr
	}
	return "CAST(" + expr + " AS jsonb)"
}

// text is a text compared byte by byte, whatever the database's collation.
func (d Dialect) text(expr string) string {
	if d == SQLite {
		return expr
	}
	return "(" + expr + ` COLLATE "C")`
}

// elements lists the elements of the array that object has under name, as alias
// with one column, value.
func (d Dialect) elements(object, name, alias string) string {
	if d == SQLite {
		return "json_each(" + object + ", " + d.key(name) + ") AS " + alias
	}
	return "jsonb_array_elements(" + object + " -> " + d.key(name) + ") AS " + alias + "(value)"
}

// elementText is the text that an element listed by elements is.
func (d Dialect) elementText(alias string) string {
	if d == SQLite {
		return alias + ".value"
	}
	return d.text("(" + alias + ".value #>> '{}')")
}

// contains, prefix and suffix take text as it is, without patterns.
func (d Dialect) contains(v, part string) string {
	if d == SQLite {
		return "instr(" + v + ", " + part + ") > 0"
	}
	return "strpos(" + v + ", " + part + ") > 0"
}

func (d Dialect) prefix(v, part string) string {
	return "substr(" + v + ", 1, length(" + part + ")) = " + part
}

// suffix is for parts that are not empty.
func (d Dialect) suffix(v, part string) string {
	if d == SQLite {
		return "substr(" + v + ", -length(" + part + ")) = " + part
	}
	return "right(" + v + ", length(" + part + ")) = " + part
}

// in says that column is one of the texts that query lists.
func (d Dialect) in(column, query string) string {
	if d == SQLite {
		return column + " IN (" + query + ")"
	}
	return column + " = ANY(ARRAY(" + query + "))"
}

// each is a FROM clause: for each w.value of list, in its order, the rows of table, as
// alias, that satisfy where; locked as lock says. It is the only way in which neither
// database ever thinks of reading everything instead, because it has no idea, or an
// old one, of how much that is.
func (d Dialect) each(list, table, alias, where, lock string) string {
	as := " AS w(value)"
	if d == SQLite {
		as = " AS w"
	}
	return " FROM " + list + as + d.also(table, alias, where, lock)
}

// also goes on with a FROM clause as each does.
func (d Dialect) also(table, alias, where, lock string) string {
	if d == SQLite {
		return " CROSS JOIN {p}" + table + " AS " + alias + " ON " + where
	}
	return " CROSS JOIN LATERAL (SELECT * FROM {p}" + table + " " + alias + " WHERE " + where + " OFFSET 0" + lock + ") " + alias
}

// texts is a JSON array of strings, given as an argument, as a list for each.
func (d Dialect) texts(arg string) string {
	if d == SQLite {
		return "json_each(" + arg + ")"
	}
	return "jsonb_array_elements_text(CAST(CAST(" + arg + " AS text) AS jsonb))"
}

// isolation is the level that the locks of this package are made for: see the
// package's documentation.
func (d Dialect) isolation() *sql.TxOptions {
	if d == SQLite {
		return nil
	}
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

// begin is the first statement of a transaction. In SQLite it takes the write lock,
// so that what is read afterwards cannot go stale, if the DSN did not do that
// already; nothing is written.
func (d Dialect) begin() string {
	if d == SQLite {
		return "UPDATE {p}schema SET version = version WHERE 0"
	}
	return ""
}
