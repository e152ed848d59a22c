package mariatest

import (
	"regexp"
	"strconv"
	"strings"
)

// Statement returns a statement that tests write for other databases too, as MariaDB understands it.
// It knows what the tests need: placeholders with numbers, names of types, ||, string_agg, a list
// of texts or of arrays in a JSON argument, ON CONFLICT, unique indexes of an expression or of some
// rows, which are those of a generated column.
func Statement(text string, args ...any) (string, []any) {
	text = expressionIndex.ReplaceAllString(text, "ALTER TABLE $2 ADD COLUMN ${1}_key text AS ($3), ADD UNIQUE INDEX $1 (${1}_key)")
	text = partialIndex.ReplaceAllString(text, "ALTER TABLE $2 ADD COLUMN ${1}_key text AS (CASE WHEN $4 THEN $3 END), ADD UNIQUE INDEX $1 (${1}_key)")
	text = lists.ReplaceAllString(text, "group_concat($1 ORDER BY $3 SEPARATOR $2)")
	text = joined.ReplaceAllStringFunc(text, func(s string) string { return "concat(" + strings.ReplaceAll(s, " || ", ", ") + ")" })
	text = words.Replace(text)
	if isDefinition.MatchString(text) {
		text = types.Replace(text)
	}
	text = limited.ReplaceAllString(text, "IN (SELECT * FROM ($1) x)")
	if ignore := strings.TrimSuffix(text, " ON CONFLICT DO NOTHING"); ignore != text {
		text = strings.Replace(ignore, "INSERT INTO", "INSERT IGNORE INTO", 1)
	}
	text = upsert.ReplaceAllString(text, "ON DUPLICATE KEY UPDATE")
	text = excluded.ReplaceAllString(text, "VALUES($1)")
	var bound []any
	text = placeholder.ReplaceAllStringFunc(text, func(s string) string {
		if n, err := strconv.Atoi(s[1:]); err == nil && n <= len(args) {
			bound = append(bound, args[n-1])
		}
		return "?"
	})
	return text, bound
}

var (
	expressionIndex = regexp.MustCompile(`^CREATE UNIQUE INDEX (\w+) ON (\w+) \((\w+\(\w+\))\)$`)
	partialIndex    = regexp.MustCompile(`^CREATE UNIQUE INDEX (\w+) ON (\w+) \((\w+|\w+\(\w+\))\) WHERE ?(.*)$`)

	placeholder = regexp.MustCompile(`\$\d+`)
	lists       = regexp.MustCompile(`string_agg\((.*), ('[^']*') ORDER BY ([^)]*)\)`)
	joined      = regexp.MustCompile(term + `( \|\| ` + term + `)+`)
	upsert      = regexp.MustCompile(`ON CONFLICT \([\w, ]*\) DO UPDATE\s+SET`)
	limited     = regexp.MustCompile(`IN \((SELECT [^()]*(?:\(\))? LIMIT \d+)\)`)
	excluded    = regexp.MustCompile(`excluded\.(\w+)`)
	words       = strings.NewReplacer(" AS text)", " AS char)", " AS bigint)", " AS signed)",
		"random()", "rand()", "e.value ->> 0", "e.c0", "e.value ->> 1", "e.c1")
	isDefinition = regexp.MustCompile(`^\s*(CREATE TABLE|ALTER TABLE)`)
	types        = strings.NewReplacer("bigserial PRIMARY KEY", "bigint AUTO_INCREMENT PRIMARY KEY",
		" text", " varchar(255) COLLATE utf8mb4_nopad_bin", "timestamp with time zone", "datetime(6)", "timestamptz", "datetime(6)")
)

// term is a part of a text that || joins.
const term = `('[^']*'|CASE .* END|\w+\([^()]*\)|[\w.]+)`

// Rows lists the arrays in a JSON argument as a table e, of whose columns e.value ->> 0 and
// e.value ->> 1 are the first two, and e.value is a text that stands in the place of an array.
func Rows(arg string) string {
	const text = " longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin PATH "
	return "JSON_TABLE(" + arg + ", '$[*]' COLUMNS (value" + text + "'$', c0" + text + "'$[0]', c1" + text + "'$[1]')) AS e"
}
