package notes

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Triggers on the application's tables write into {p}stale which rows have changed.
// The tables are few, and each is watched for one purpose.

// lastName is a table's name without that of its schema.
var lastName = regexp.MustCompile(`("[^"]+"|\w+)$`)

var oddities = regexp.MustCompile(`[^a-z0-9]+`)

// trigger is the first part of the names of a table's triggers.
func (b *Triggers) trigger(w watched) string {
	h := fnv.New32a()
	fmt.Fprint(h, w.table, "\x00", w.what) //nolint:errcheck // never fails
	plain := oddities.ReplaceAllString(strings.ToLower(w.table), "_")
	return fmt.Sprintf("%s%.20s_%08x", b.db.Prefix, plain, h.Sum32())
}

// triggers are the statements that make the triggers of a table, in the place of those
// that are there.
func (b *Triggers) triggers(w watched) []string {
	name := b.trigger(w)
	note := func(row, member string) string {
		return "INSERT INTO {p}stale (tenant, type, id, member) " + strings.NewReplacer("{row}", row, "{gone}", dialect.Quote(member)).Replace(w.note)
	}
	insert := func(row string) string { return note(row, "") }
	erase := func(row string) string { return note(row, Gone) }
	differ := "IS NOT"
	if b.db.Dialect == dialect.Postgres {
		differ = "IS DISTINCT FROM"
	}
	changed := func(columns []string) string {
		var any []string
		for _, c := range columns {
			old, now := "OLD."+c, "NEW."+c
			if b.db.Dialect == dialect.Postgres { // json has no equality
				old, now = "CAST("+old+" AS text)", "CAST("+now+" AS text)"
			}
			any = append(any, old+" "+differ+" "+now)
		}
		return "(" + strings.Join(any, " OR ") + ")"
	}
	when := ""
	if w.only != nil {
		when = " WHEN " + changed(w.only)
	}
	all := b.dropTriggers(w)
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	// An update is of the row as it is, and, if that was another resource's, as it was.
	switch each := " FOR EACH ROW"; {
	case b.db.Dialect == dialect.SQLite:
		unless := func(row string) string {
			if !w.many {
				return ""
			}
			return " WHEN NOT EXISTS (SELECT 1 FROM {p}own WHERE id = CAST(" + row + "." + w.place[0] + " AS text))"
		}
		add("CREATE TRIGGER %s_insert AFTER INSERT ON %s%s BEGIN %s; END", name, w.table, unless("NEW"), insert("NEW"))
		add("CREATE TRIGGER %s_update AFTER UPDATE ON %s%s BEGIN %s; %s; END", name, w.table, when, erase("OLD")+" AND "+changed(w.place), insert("NEW"))
		add("CREATE TRIGGER %s_delete AFTER DELETE ON %s%s BEGIN %s; END", name, w.table, unless("OLD"), erase("OLD"))
	case w.many:
		// See unnoted.
		own := " AND CAST(o." + w.place[0] + " AS text) IS DISTINCT FROM current_setting('" + ownSetting(b.db.Prefix) + "', true)"
		insert := func(row string) string { return insert(row) + own }
		add(function, name, "IF TG_OP <> 'INSERT' THEN "+from(insert("o"), "old_rows AS o")+"; END IF; IF TG_OP <> 'DELETE' THEN "+from(insert("o"), "new_rows AS o")+"; END IF;")
		each = " FOR EACH STATEMENT EXECUTE FUNCTION " + name + "()"
		add("CREATE TRIGGER %s_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows%s", name, w.table, each)
		add("CREATE TRIGGER %s_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows%s", name, w.table, each)
		add("CREATE TRIGGER %s_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows%s", name, w.table, each)
	default:
		add(function, name, "IF TG_OP = 'DELETE' THEN "+erase("OLD")+"; RETURN NULL; END IF; IF TG_OP = 'UPDATE' THEN IF "+
			changed(w.place)+" THEN "+erase("OLD")+"; END IF; END IF; "+insert("NEW")+";")
		add("CREATE TRIGGER %s_insert AFTER INSERT ON %s%s EXECUTE FUNCTION %s()", name, w.table, each, name)
		add("CREATE TRIGGER %s_update AFTER UPDATE ON %s%s%s EXECUTE FUNCTION %s()", name, w.table, each, when, name)
		add("CREATE TRIGGER %s_delete AFTER DELETE ON %s%s EXECUTE FUNCTION %s()", name, w.table, each, name)
	}
	return all
}

// function makes a trigger's function. It runs with the rights of who migrated, so that
// whoever writes the application's table needs none on this package's, and with their
// search_path, behind which temporary tables come last: nobody can put one in its way.
const function = "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path}, pg_temp AS $scim$ BEGIN %s RETURN NULL; END $scim$"

// from adds a source to a query that begins with INSERT and has one already.
func from(query, source string) string {
	return strings.Replace(query, " FROM ", " FROM "+source+", ", 1)
}

// dropTriggers are the statements that drop the triggers of a table.
func (b *Triggers) dropTriggers(w watched) []string {
	name, on := b.trigger(w), ""
	if b.db.Dialect == dialect.Postgres {
		on = " ON " + w.table
	}
	var all []string
	for _, event := range []string{"insert", "update", "delete"} {
		all = append(all, fmt.Sprintf("DROP TRIGGER IF EXISTS %s_%s%s", name, event, on))
	}
	if b.db.Dialect == dialect.Postgres {
		all = append(all, "DROP FUNCTION IF EXISTS "+name+"()")
	}
	return all
}
