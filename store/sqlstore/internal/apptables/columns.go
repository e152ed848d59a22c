package apptables

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// column is a column of a table of the application, as the database describes it.
type column struct {
	name, typ string // typ is in upper case
	declared  string // declared is the type as the database writes it.
	fill      fill
	nullable  bool // nullable says that the column may hold NULL.
}

// fill says what an insert has to do about a column.
type fill int

const (
	optional  fill = iota // it may be NULL, has a default, or the database generates it
	mandatory             // NOT NULL, without a default
	computed              // it is an expression of other columns
)

// columnsOf reads the columns of a table. In PostgreSQL a trigger before the insert may fill any
// column.
func columnsOf(ctx context.Context, db *database.DB, table string) (all []column, err error) {
	w := db.Arguments()
	text := `SELECT a.attname, format_type(a.atttypid, a.atttypmod),
			CASE WHEN a.attgenerated <> '' THEN 2 WHEN a.attnotnull AND NOT a.atthasdef AND a.attidentity = '' THEN 1 ELSE 0 END
			* CASE WHEN a.attgenerated = '' AND EXISTS (SELECT 1 FROM pg_trigger g WHERE g.tgrelid = a.attrelid AND NOT g.tgisinternal AND g.tgtype & 6 = 6) THEN 0 ELSE 1 END,
			CASE WHEN a.attnotnull THEN 0 ELSE 1 END
		FROM pg_attribute a WHERE a.attrelid = CAST(CAST(` + w.Add(table) + ` AS text) AS regclass) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
	switch db.Dialect {
	case dialect.MariaDB:
		w = db.Arguments()
		text = `SELECT c.column_name, c.column_type, CASE WHEN c.is_generated <> 'NEVER' THEN 2 WHEN c.is_nullable = 'NO' AND c.column_default IS NULL
				AND c.extra NOT LIKE '%auto_increment%' THEN 1 ELSE 0 END
				* CASE WHEN c.is_generated = 'NEVER' AND EXISTS (SELECT 1 FROM information_schema.triggers g WHERE g.event_object_schema = c.table_schema
				AND g.event_object_table = c.table_name AND g.event_manipulation = 'INSERT' AND g.action_timing = 'BEFORE') THEN 0 ELSE 1 END,
				CASE WHEN c.is_nullable = 'YES' THEN 1 ELSE 0 END
			FROM information_schema.columns c WHERE ` + ofTable(w, "c.table_schema", "c.table_name", table) + ` ORDER BY c.ordinal_position`
	case dialect.SQLite:
		w = db.Arguments()
		// A primary key of type INTEGER is the row's number, which SQLite gives.
		text = `SELECT c.name, c.type, CASE WHEN c.hidden IN (2, 3) THEN 2 WHEN (c."notnull" = 1 OR c.pk > 0) AND c.dflt_value IS NULL AND c.hidden = 0
				AND NOT (c.pk > 0 AND upper(c.type) = 'INTEGER') THEN 1 ELSE 0 END, CASE WHEN c."notnull" = 0 AND c.pk = 0 THEN 1 ELSE 0 END
			FROM pragma_table_xinfo(` + w.Add(unquoted(table)) + `) c ORDER BY c.cid`
	}
	err = db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var c column
		if err := scan(&c.name, &c.typ, &c.fill, &c.nullable); err != nil {
			return err
		}
		c.declared, c.typ = c.typ, strings.ToUpper(c.typ)
		all = append(all, c)
		return nil
	})
	return all, err
}

// Description is what the database says of a column.
type Description struct {
	Kind      string // Kind is such as "numbers", "" if any value may fit.
	IsNotNull bool
}

// IsNumber reports whether the column holds numbers.
func (d Description) IsNumber() bool { return d.Kind == string(kindNumber) }

// IsBoolean reports whether the column holds booleans.
func (d Description) IsBoolean() bool { return d.Kind == string(kindBoolean) }

// Describe describes a column. Nothing is known of one that the database does not describe.
func Describe(ctx context.Context, db *database.DB, table, name string) (d Description, err error) {
	all, err := columnsOf(ctx, db, table)
	if c := find(all, name); c != nil {
		d = Description{string(c.kind()), !c.nullable}
	}
	return d, err
}

// References reports whether a column refers to another table by a foreign key.
func References(ctx context.Context, db *database.DB, table, name string) (bool, error) {
	all, err := references(ctx, db, table)
	return slices.ContainsFunc(all, func(r reference) bool { return isOf(r.column, name) }), err
}

// ofTable is the condition in MariaDB that columns hold the names of a table and its database.
func ofTable(w *dialect.Arguments, schema, name, table string) string {
	in, plain := dialect.SchemaAndTable(table)
	return schema + " = coalesce(nullif(" + w.Add(in) + ", ''), database()) AND " + name + " = " + w.Add(plain)
}

// CheckValue returns an error if a column of MariaDB cannot hold a value. The database itself would
// compare any value with any column.
func CheckValue(ctx context.Context, db *database.DB, table, name string, value any) error {
	if db.Dialect != dialect.MariaDB {
		return nil
	}
	all, err := columnsOf(ctx, db, table)
	c := find(all, name)
	if err != nil || c == nil {
		return err
	}
	text := fmt.Sprint(value)
	_, notNumber := strconv.ParseFloat(text, 64)
	_, isText := value.(string)
	switch kind := c.kind(); {
	case strings.HasPrefix(c.typ, "ENUM(") && isText && !strings.Contains(c.typ, strings.ToUpper(dialect.Quote(text))),
		isText && notNumber != nil && (kind == kindNumber || kind == kindBoolean):
		return fmt.Errorf("the column has the type %s", c.typ)
	}
	return nil
}

// find finds a column as SQL names it.
func find(all []column, name string) *column {
	i := slices.IndexFunc(all, func(c column) bool { return strings.EqualFold(c.name, unquoted(name)) })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// kind is a kind of types whose values do not fit those of another kind.
type kind string

const (
	kindOther   kind = "" // any value may fit
	kindText    kind = "texts"
	kindNumber  kind = "numbers"
	kindBoolean kind = "booleans"
	kindTime    kind = "times"
	kindDate    kind = "dates"
)

// kinds are the begins of the names of types, in upper case.
var kinds = []struct {
	prefix string
	kind   kind
}{
	{"INTERVAL", kindOther}, {"INT", kindNumber}, {"BIGINT", kindNumber}, {"SMALLINT", kindNumber}, {"NUMERIC", kindNumber}, {"DECIMAL", kindNumber},
	{"REAL", kindNumber}, {"DOUBLE", kindNumber}, {"FLOAT", kindNumber}, {"BOOL", kindBoolean}, {"TIMESTAMP", kindTime}, {"DATETIME", kindTime},
	{"DATE", kindDate}, {"TEXT", kindText}, {"VARCHAR", kindText}, {"CHAR", kindText}, {"BPCHAR", kindText}, {"CITEXT", kindText},
	{"TINYINT(1)", kindBoolean}, {"TINYINT", kindNumber}, {"MEDIUMINT", kindNumber}, {"TINYTEXT", kindText}, {"MEDIUMTEXT", kindText}, {"LONGTEXT", kindText},
}

func (c *column) kind() kind {
	for _, k := range kinds {
		if strings.HasPrefix(c.typ, k.prefix) {
			return k.kind
		}
	}
	return kindOther
}
