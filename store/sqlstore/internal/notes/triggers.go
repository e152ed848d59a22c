package notes

import (
	"fmt"
	"hash/fnv"
	"regexp"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Triggers are those on the tables of the application. They write notes.
type Triggers struct {
	db       *database.DB
	schema   *database.Schema
	mappings map[string]*mapping.Mapping // by type
	types    []string                    // types are the keys of mappings, in order.
	join     *mapping.Join               // join is nil if the application has no table of memberships.
}

// NewTriggers returns the triggers for mappings, whose keys are types, and for a table of
// memberships, which may be nil.
func NewTriggers(db *database.DB, schema *database.Schema, mappings map[string]*mapping.Mapping, types []string, join *mapping.Join) *Triggers {
	return &Triggers{db, schema, mappings, types, join}
}

// lastName is a table's name without that of its schema.
var lastName = regexp.MustCompile("(`[^`]+`|\"[^\"]+\"|\\w+)$")

// oddities are characters that the name of a trigger does not have.
var oddities = regexp.MustCompile(`[^a-z0-9]+`)

// name is the first part of the names of a table's triggers.
func (s *Triggers) name(t target) string {
	h := fnv.New32a()
	fmt.Fprint(h, t.table, "\x00", t.what) //nolint:errcheck // never fails
	plain := oddities.ReplaceAllString(strings.ToLower(t.table), "_")
	return fmt.Sprintf("%s%.20s_%08x", s.db.Prefix, plain, h.Sum32())
}

// drop returns the statements that drop the triggers of a table.
func (s *Triggers) drop(t target) []string {
	name, on := s.name(t), ""
	if s.db.Dialect == dialect.MariaDB {
		name = inDatabaseOf(t.table, name)
	}
	if s.db.Dialect == dialect.Postgres {
		on = " ON " + t.table
	}
	var all []string
	for _, event := range t.events(s.db.Dialect) {
		all = append(all, fmt.Sprintf("DROP TRIGGER IF EXISTS %s_%s%s", name, event, on))
	}
	if s.db.Dialect == dialect.Postgres {
		all = append(all, "DROP FUNCTION IF EXISTS "+name+"()", "DROP FUNCTION IF EXISTS "+name+goneSuffix+"()", "DROP FUNCTION IF EXISTS "+name+emptySuffix+"()")
	}
	return all
}

// replace returns the statements that drop the triggers of a table and create them.
func (s *Triggers) replace(t target) []string {
	switch {
	case t.isView:
		return nil
	case s.db.Dialect == dialect.SQLite:
		return append(s.drop(t), s.sqlite(t)...)
	case s.db.Dialect == dialect.MariaDB: // The lock lets writers see all triggers or none. CREATE TRIGGER would wait for the same.
		return slices.Concat([]string{"LOCK TABLES " + t.table + " WRITE"}, s.mariadb(t), []string{"UNLOCK TABLES"})
	case t.isBulk:
		return slices.Concat(s.drop(t), s.postgresBulk(t), postgresEmpty(s, t))
	default:
		return slices.Concat(s.drop(t), s.postgres(t), postgresEmpty(s, t))
	}
}

// insert is the statement that writes a note of a row.
func (t *target) insert(row string) string { return t.insertNote(row, "") }

// insertGone is the statement that writes a note of a row that leaves its place.
func (t *target) insertGone(row string) string { return t.insertNote(row, Gone) }

func (t *target) insertNote(row, member string) string {
	gone := dialect.Quote(member)
	if member == Gone && t.isPartitioned {
		gone = "CASE WHEN EXISTS (SELECT 1 FROM " + t.table + " AS e WHERE e." + strings.Join(equalColumns(row, t.place), " AND e.") + ") THEN '' ELSE " + gone + " END"
	}
	return insertNotes + strings.NewReplacer("{row}", row, "{gone}", gone).Replace(t.note)
}

// changes is the condition that an update changes one of the columns.
func (s *Triggers) changes(columns []string) string {
	switch s.db.Dialect {
	case dialect.MariaDB:
		return changesBytes(columns)
	case dialect.SQLite:
		return changesRow(columns)
	}
	var any []string
	for _, c := range columns { // The type json has no equality, and the column's own collation may take two spellings for one.
		any = append(any, "CAST(OLD."+c+` AS text) COLLATE "C" IS DISTINCT FROM CAST(NEW.`+c+` AS text) COLLATE "C"`)
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// when is the WHEN clause of a trigger for updates.
func (s *Triggers) when(t target) string {
	if t.only == nil {
		return ""
	}
	return " WHEN " + s.changes(t.only)
}

// An update notes the row as it is now, and, if the row belonged to another resource, as
// it was.

// whenErased says when a row that is erased is noted.
func (t *target) whenErased() string {
	if t.isBefore {
		return "BEFORE"
	}
	return "AFTER"
}

// events are the last parts of the names of a table's triggers.
func (t *target) events(d dialect.Dialect) []string {
	all := []string{"insert", "update", "delete"}
	if d == dialect.SQLite || d == dialect.Postgres && !t.isBulk {
		all = append(all, "moved")
	}
	if d == dialect.Postgres {
		all = append(all, "truncate")
	}
	if t.isUnder {
		all = append(all, "before")
	}
	return all
}

// postgres returns the statements that create the triggers of a table in PostgreSQL. They run for
// each row. A function is one INSERT, since each further statement would cost each transaction.
func (s *Triggers) postgres(t target) []string {
	name := s.name(t)
	end := "RETURN NULL;"
	if t.isBefore || t.isUnder { // NULL would keep the row as it is.
		end = "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW;"
	}
	all := []string{
		t.function(name, "NEW", "", "RETURN NULL;"),
		t.function(name+goneSuffix, "OLD", Gone, end),
		fmt.Sprintf("CREATE TRIGGER %s_insert AFTER INSERT ON %s FOR EACH ROW EXECUTE FUNCTION %s()", name, t.table, name),
		fmt.Sprintf("CREATE TRIGGER %s_update AFTER UPDATE ON %s FOR EACH ROW%s EXECUTE FUNCTION %s()", name, t.table, s.when(t), name),
		fmt.Sprintf("CREATE TRIGGER %s_moved AFTER UPDATE ON %s FOR EACH ROW WHEN %s EXECUTE FUNCTION %s()", name, t.table, s.changes(t.place), name+goneSuffix),
		fmt.Sprintf("CREATE TRIGGER %s_delete %s DELETE ON %s FOR EACH ROW EXECUTE FUNCTION %s()", name, t.whenErased(), t.table, name+goneSuffix),
	}
	if t.isUnder {
		all = append(all, fmt.Sprintf("CREATE TRIGGER %s_before BEFORE UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s()", name, t.table, name+goneSuffix))
	}
	return all
}

// goneSuffix ends the name of the function that notes rows which leave their place.
const goneSuffix = "_gone"

// emptySuffix ends the name of the function that notes all rows of a table that is emptied.
const emptySuffix = "_empty"

// postgresEmpty returns the statements that create the trigger for TRUNCATE, which counts as the
// deletion of each row.
func postgresEmpty(s *Triggers, t target) []string {
	name := s.name(t)
	return []string{
		fmt.Sprintf(function, name+emptySuffix, insertNotes+t.known(Gone)+"; RETURN NULL;"),
		fmt.Sprintf("CREATE TRIGGER %s_truncate AFTER TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION %s%s()", name, t.table, name, emptySuffix),
	}
}

// known is the query for the notes of all resources of which the tables of this package know. member
// is that of a note of a resource.
func (t *target) known(member string) string {
	if t.isBulk {
		return "SELECT m.tenant, " + dialect.Quote(Membership) + ", m.group_id, m.member_id FROM {p}members m WHERE m.member_type = 'User'"
	}
	if t.isPart {
		member = ""
	}
	typ, _, _ := strings.Cut(t.what, ".")
	return "SELECT r.tenant, r.type, r.id, " + dialect.Quote(member) + " FROM {p}resources r WHERE r.type = " + dialect.Quote(strings.TrimSuffix(typ, "+")) + " AND r.deleted = 0 AND r.seen IS NOT NULL"
}

// postgresBulk is postgres for a table that is written many rows at a time. The triggers
// run for each statement.
func (s *Triggers) postgresBulk(t target) []string {
	name := s.name(t)
	insert := func(rows string) string {
		return from(t.insert("o"), rows+" AS o") + " AND CAST(o." + t.place[0] + " AS text) IS DISTINCT FROM current_setting('" + ownSetting(s.db.Prefix) + "', true)" // see Notes.Silence
	}
	each := " FOR EACH STATEMENT EXECUTE FUNCTION " + name + "()"
	return []string{
		fmt.Sprintf(function, name, "IF TG_OP <> 'INSERT' THEN "+insert("old_rows")+"; END IF; IF TG_OP <> 'DELETE' THEN "+insert("new_rows")+"; END IF; RETURN NULL;"),
		fmt.Sprintf("CREATE TRIGGER %s_insert AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows%s", name, t.table, each),
		fmt.Sprintf("CREATE TRIGGER %s_update AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows%s", name, t.table, each),
		fmt.Sprintf("CREATE TRIGGER %s_delete AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows%s", name, t.table, each),
	}
}

// function creates a trigger's function. It runs with the rights of the role that migrated.
// A role that writes the application's table needs no rights on this package's tables. The
// function also has the search_path of the migrating role, in which temporary tables come
// last. So no other role can put a table in its way.
const function = "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path}, pg_temp AS $scim$ BEGIN %s END $scim$"

// from adds a table to the FROM clause of a query.
func from(query, table string) string {
	return strings.Replace(query, " FROM ", " FROM "+table+", ", 1)
}

// equalColumns are conditions that columns of two rows are equal. The first row's name is left out.
func equalColumns(row string, columns []string) (all []string) {
	for _, c := range columns {
		all = append(all, c+" = "+row+"."+c)
	}
	return all
}
