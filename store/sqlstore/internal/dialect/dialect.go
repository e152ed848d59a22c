// Package dialect writes the SQL of the databases, and the values that statements
// carry.
package dialect

import (
	"database/sql"
	"fmt"
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
	MariaDB
)

// String returns the dialect's name.
func (d Dialect) String() string {
	switch d {
	case SQLite:
		return "SQLite"
	case Postgres:
		return "PostgreSQL"
	case MariaDB:
		return "MariaDB"
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
//	{lock TEXT}  TEXT, which locks rows: see Lock
//	{key}        the column key
func (d Dialect) Adapt(text, prefix string) string {
	if d == MariaDB {
		text = rewriter.Replace(text)
	}
	statement := text
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
		case word == "lock":
			out.WriteString(d.Lock(arg))
		case word == "key" && d == MariaDB: // the word is reserved
			out.WriteString("`key`")
		case word == "key":
			out.WriteString("key")
		case word == "rows" && d == SQLite:
			out.WriteString("json_each(?" + arg[1:] + ") AS e")
		case word == "rows" && d == MariaDB:
			out.WriteString(rows(arg, statement))
		case word == "rows":
			out.WriteString("jsonb_array_elements(CAST(CAST(" + arg + " AS text) AS jsonb)) AS e(value)")
		default:
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
	case d == MariaDB:
		return "$" + strconv.Itoa(n) // see Bind
	case number:
		return "$" + strconv.Itoa(n) + "::bigint"
	default:
		return "$" + strconv.Itoa(n) + "::text"
	}
}

// Quote returns s as a literal.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// keyOf returns a member's name as SQL writes it. sqlstore.New refuses names with quotes.
func keyOf(d Dialect, name string) string {
	if d == Postgres {
		return Quote(name)
	}
	return Quote(`$."` + name + `"`)
}

// Member returns the member of a JSON object, or NULL.
func (d Dialect) Member(object, name string) string {
	if d == MariaDB {
		return "JSON_EXTRACT(" + object + ", " + keyOf(d, name) + ")"
	}
	return object + " -> " + keyOf(d, name)
}

// MemberText is Member as a text.
func (d Dialect) MemberText(object, name string) string {
	if d == MariaDB {
		return "JSON_UNQUOTE(" + d.Member(object, name) + ")"
	}
	return object + " ->> " + keyOf(d, name)
}

// First returns the first element of the array that is a member of a JSON object.
func (d Dialect) First(object, name string) string {
	if d == MariaDB {
		return "JSON_EXTRACT(" + object + ", " + strings.TrimSuffix(keyOf(d, name), "'") + "[0]')"
	}
	return d.Member(object, name) + " -> 0"
}

// FirstText is First as a text.
func (d Dialect) FirstText(object, name string) string {
	if d == MariaDB {
		return "JSON_UNQUOTE(" + d.First(object, name) + ")"
	}
	return d.Member(object, name) + " ->> 0"
}

// JSON converts a text to the type of the column search.
func (d Dialect) JSON(expr string) string {
	if d == Postgres {
		return "CAST(" + expr + " AS jsonb)"
	}
	return expr
}

// Text makes a text compare byte by byte, whatever the database's collation is.
func (d Dialect) Text(expr string) string {
	switch d {
	case Postgres:
		return "(" + expr + ` COLLATE "C")`
	case MariaDB:
		return "(" + expr + " COLLATE utf8mb4_nopad_bin)" // Others ignore spaces at the end.
	}
	return expr
}

// AsText converts a value of the application to a text. In MariaDB the text compares byte by
// byte.
func (d Dialect) AsText(expr string) string {
	if d == MariaDB {
		return d.Text("CAST(" + expr + " AS CHAR CHARACTER SET utf8mb4)")
	}
	return "CAST(" + expr + " AS text)"
}

// Characters returns a key in this package's tables as a text of characters.
func Characters(d Dialect, key string) string {
	if d == MariaDB { // It is bytes there.
		return d.Text("CONVERT(" + key + " USING utf8mb4)")
	}
	return key
}

// Concat joins texts.
func Concat(d Dialect, a, b string) string {
	if d == MariaDB {
		return "CONCAT(" + a + ", " + b + ")"
	}
	return a + " || " + b
}

// Elements lists the elements of the array that object has under name, as a table alias
// with one column, value.
func (d Dialect) Elements(object, name, alias string) string {
	switch d {
	case SQLite:
		return "json_each(" + object + ", " + keyOf(d, name) + ") AS " + alias
	case MariaDB:
		return jsonTable(object, `$."`+name+`"[*]`, "value JSON PATH '$'") + " AS " + alias
	}
	return "jsonb_array_elements(" + d.Member(object, name) + ") AS " + alias + "(value)"
}

// ElementText returns the text of an element that Elements lists.
func (d Dialect) ElementText(alias string) string {
	switch d {
	case SQLite:
		return alias + ".value"
	case MariaDB:
		return d.Text("JSON_UNQUOTE(" + alias + ".value)")
	}
	return d.Text("(" + alias + ".value #>> '{}')")
}

// Contains says that v contains part. Contains, Prefix and Suffix take part as it is, not
// as a pattern.
func (d Dialect) Contains(v, part string) string {
	if d == Postgres {
		return "strpos(" + v + ", " + part + ") > 0"
	}
	return "instr(" + v + ", " + part + ") > 0"
}

// Prefix says that v begins with part.
func (d Dialect) Prefix(v, part string) string {
	if d == MariaDB {
		return "left(" + v + ", char_length(" + part + ")) = " + part
	}
	return "substr(" + v + ", 1, length(" + part + ")) = " + part
}

// Suffix says that v ends with part, which is not empty.
func (d Dialect) Suffix(v, part string) string {
	switch d {
	case SQLite:
		return "substr(" + v + ", -length(" + part + ")) = " + part
	case MariaDB:
		return "right(" + v + ", char_length(" + part + ")) = " + part
	}
	return "right(" + v + ", length(" + part + ")) = " + part
}

// Beyond says that a row of keys is behind a place, in the direction of the operator < or >.
func (d Dialect) Beyond(keys, place []string, operator string) string {
	if d != MariaDB {
		return "(" + strings.Join(keys, ", ") + ") " + operator + " (" + strings.Join(place, ", ") + ")"
	}
	// It compares rows key by key without an index.
	text := ""
	for i := len(keys) - 1; i >= 0; i-- {
		behind := keys[i] + " " + operator + " " + place[i]
		if text != "" {
			behind = "(" + behind + " OR " + keys[i] + " = " + place[i] + " AND " + text + ")"
		}
		text = behind
	}
	return text
}

// In says that a column is one of the texts that a query lists.
func (d Dialect) In(column, query string) string {
	if d == Postgres {
		return column + " = ANY(ARRAY(" + query + "))"
	}
	return column + " IN (" + query + ")"
}

// Each returns a FROM clause: for each w.value of list, in its order, the rows of table, as
// alias, that satisfy where. lock is appended where it can lock them: in MariaDB the clause is
// then the end of the query. The clause forces a nested-loop index look-up. With missing or
// stale statistics the planners otherwise choose a full scan.
func (d Dialect) Each(list, table, alias, where, lock string) string {
	as := " AS w"
	if d == Postgres {
		as = " AS w(value)"
	}
	return " FROM " + list + as + d.Also(table, alias, where, lock)
}

// Also continues a FROM clause with another table, as Each does.
func (d Dialect) Also(table, alias, where, lock string) string {
	switch d {
	case SQLite:
		return " CROSS JOIN {p}" + table + " AS " + alias + " ON " + where
	case MariaDB:
		index := "PRIMARY"
		if table == "members" {
			index = "{p}members_member"
		}
		return " STRAIGHT_JOIN {p}" + table + " AS " + alias + " FORCE INDEX (" + index + ") ON " + where + d.Lock(lock)
	}
	return " CROSS JOIN LATERAL (SELECT * FROM {p}" + table + " " + alias + " WHERE " + where + " OFFSET 0" + lock + ") " + alias
}

// Texts lists the strings of a JSON array, which is an argument, for Each.
func (d Dialect) Texts(arg string) string {
	switch d {
	case SQLite:
		return "json_each(" + arg + ")"
	case MariaDB:
		return jsonTable(arg, "$[*]", "value "+text+" PATH '$'")
	}
	return "jsonb_array_elements_text(CAST(CAST(" + arg + " AS text) AS jsonb))"
}

// Upsert continues an INSERT: a row whose keys exist gets the values of these columns.
func (d Dialect) Upsert(keys string, columns ...string) string {
	text, value := " ON CONFLICT ("+keys+") DO UPDATE SET ", "%[1]s = excluded.%[1]s"
	if d == MariaDB {
		text, value = " ON DUPLICATE KEY UPDATE ", "%[1]s = VALUES(%[1]s)"
	}
	for i, c := range columns {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf(value, c)
	}
	return text
}

// DeleteRows deletes the rows of table whose columns have the texts in one of the rows of
// the argument $2. $1 is the tenant, which stands in each row.
func (d Dialect) DeleteRows(table string, columns ...string) string {
	if d == MariaDB {
		return "DELETE x FROM {rows $2} STRAIGHT_JOIN {p}" + table + " AS x FORCE INDEX (PRIMARY) ON " + equal("x", columns) + " WHERE $1 = $1"
	}
	return "DELETE FROM {p}" + table + " WHERE $1 = $1 AND " + among(columns)
}

// UpdateRows is DeleteRows for an update. set and where name no other table.
func (d Dialect) UpdateRows(table, set, where string, columns ...string) string {
	if d == MariaDB {
		return "UPDATE {rows $2} STRAIGHT_JOIN {p}" + table + " AS x FORCE INDEX (PRIMARY) ON " + equal("x", columns) + " SET x." + set + " WHERE $1 = $1 AND x." + where
	}
	return "UPDATE {p}" + table + " SET " + set + " WHERE $1 = $1 AND " + where + " AND " + among(columns)
}

// among says that columns are a row of {rows $2}.
func among(columns []string) string {
	values := make([]string, len(columns))
	for i := range columns {
		values[i] = "e.value ->> " + strconv.Itoa(i)
	}
	return "(" + strings.Join(columns, ", ") + ") IN (SELECT " + strings.Join(values, ", ") + " FROM {rows $2})"
}

// equal says that columns of a table have the values of the row e.
func equal(alias string, columns []string) string {
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = alias + "." + c + " = e.value ->> " + strconv.Itoa(i)
	}
	return strings.Join(all, " AND ")
}

// DeleteSome deletes at most $2 rows of a tenant. columns are the rest of the primary key.
func DeleteSome(d Dialect, table, alias string, columns ...string) string {
	if d == MariaDB {
		return "DELETE FROM {p}" + table + " WHERE tenant = $1 LIMIT $2"
	}
	list, own := strings.Join(columns, ", "), alias+"."+strings.Join(columns, ", "+alias+".")
	if len(columns) > 1 {
		list = "(" + list + ")"
	}
	return "DELETE FROM {p}" + table + " WHERE tenant = $1 AND " + list + " IN (SELECT " + own + " FROM {p}" + table + " AS " + alias + " WHERE " + alias + ".tenant = $1 LIMIT $2)"
}

// QuoteName writes the name of a column in quotes.
func QuoteName(d Dialect, column string) string {
	if d == MariaDB {
		return "`" + column + "`"
	}
	return `"` + column + `"`
}

// Delete begins a DELETE from a table of the application, whose rows have an alias.
func (d Dialect) Delete(table, alias string) string {
	if d == MariaDB {
		return "DELETE " + alias + " FROM " + table + " AS " + alias
	}
	return "DELETE FROM " + table + " AS " + alias
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
