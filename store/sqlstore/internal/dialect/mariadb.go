package dialect

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// MariaDB's SQL differs from that of the others in much: it has no ->>, no ON CONFLICT, no
// LATERAL, no placeholders with numbers. Statements are written for the others, and rewritten
// here.

// mostColumns is how many columns a row of {rows $n} has at most.
const mostColumns = 15

// rewriter replaces what MariaDB writes in another way. Longer texts come before their
// beginnings.
var rewriter = newRewriter()

func newRewriter() *strings.Replacer {
	pairs := []string{" AS text)", " AS CHAR)", " AS bigint)", " AS SIGNED)", " AS smallint)", " AS SIGNED)"}
	for n := mostColumns - 1; n >= 0; n-- {
		pairs = append(pairs, "e.value ->> "+strconv.Itoa(n), "e.c"+strconv.Itoa(n))
	}
	return strings.NewReplacer(pairs...)
}

// text is the type of a text that compares byte by byte. The text keeps spaces at its end.
const text = "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"

// rows lists the arrays in a JSON array as a table e, whose columns statement names.
func rows(arg, statement string) string {
	var columns []string
	for n := range mostColumns {
		if name := "e.c" + strconv.Itoa(n); strings.Contains(statement, name) {
			columns = append(columns, fmt.Sprintf("c%d %s PATH '$[%d]'", n, text, n))
		}
	}
	return jsonTable(arg, "$[*]", strings.Join(columns, ", ")) + " AS e"
}

// jsonTable lists what a path finds in a JSON text.
func jsonTable(json, path, columns string) string {
	return "JSON_TABLE(" + json + ", " + Quote(path) + " COLUMNS (" + columns + "))"
}

// Bind returns a statement with the placeholders that the database knows, and its
// arguments in their order.
func (d Dialect) Bind(text string, args []any) (string, []any) {
	if d != MariaDB || len(args) == 0 {
		return text, args
	}
	var out strings.Builder
	out.Grow(len(text))
	var bound []any
	for {
		i := strings.IndexByte(text, '$')
		if i < 0 {
			out.WriteString(text)
			return out.String(), bound
		}
		out.WriteString(text[:i])
		text = text[i+1:]
		n, digits := 0, 0
		for digits < len(text) && '0' <= text[digits] && text[digits] <= '9' {
			n, digits = 10*n+int(text[digits]-'0'), digits+1
		}
		if n < 1 || n > len(args) {
			out.WriteByte('$')
			continue
		}
		out.WriteByte('?')
		bound, text = append(bound, args[n-1]), text[digits:]
	}
}

// locks are the locks of PostgreSQL as MariaDB has them. It has none that lets others refer to
// a row.
var locks = strings.NewReplacer("FOR NO KEY UPDATE", "FOR UPDATE", "FOR KEY SHARE", "LOCK IN SHARE MODE")

// Lock returns a lock on rows, which is given as PostgreSQL writes it. In SQLite it is empty,
// because transactions exclude one another.
func (d Dialect) Lock(lock string) string {
	switch d {
	case SQLite:
		return ""
	case MariaDB:
		return locks.Replace(lock)
	}
	return lock
}

// SchemaAndTable returns the parts of the name of a table of the application, without quotes. The
// schema is empty if the name does not tell it.
func SchemaAndTable(name string) (schema, table string) {
	parts := part.FindAllString(name, -1)
	for i := range parts {
		parts[i] = strings.Trim(parts[i], "`\"")
	}
	if len(parts) > 1 {
		schema = parts[len(parts)-2]
	}
	return schema, parts[len(parts)-1]
}

// part matches one part of a name.
var part = regexp.MustCompile("`[^`]+`|\"[^\"]+\"|\\w+")
