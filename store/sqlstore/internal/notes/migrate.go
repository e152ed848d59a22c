package notes

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Migrate creates the triggers, unless exactly these exist. A table whose triggers it
// created has all its rows noted that belong to enrolled tenants, and those that it once had.
func (s *Triggers) Migrate(ctx context.Context, tx database.Querier) error {
	path, err := s.searchPath(ctx, tx)
	if err != nil {
		return err
	}
	if err := s.begin(ctx, tx); err != nil {
		return err
	}
	if err := s.dropOld(ctx, tx); err != nil {
		return err
	}
	if err := dropStray(ctx, s, tx); err != nil {
		return err
	}
	for _, t := range s.targets() {
		if err := s.migrateTarget(ctx, tx, t, path); err != nil {
			return err
		}
	}
	return nil
}

// begin stores that triggers note the rows of the tenant. Enrol brings in the rows that
// are new. Resources that exist already, because EraseTenant did not end, are noted. That comes
// first, because in MariaDB each statement commits by itself.
func (s *Triggers) begin(ctx context.Context, tx database.Querier) error {
	_, begun, err := s.schema.Version(ctx, tx, tenantPart+s.db.Tenant)
	if err != nil || begun {
		return err
	}
	for _, typ := range s.types {
		if _, err := s.db.ExecOn(ctx, tx, insertNotes+"SELECT r.tenant, r.type, r.id, '' FROM {p}resources r WHERE r.collection = $1 AND r.deleted = 0 AND r.seen IS NOT NULL"+onceInSQLite(s.db.Dialect),
			typ+":"+s.db.Tenant); err != nil {
			return err
		}
	}
	return s.schema.SetVersion(ctx, tx, tenantPart+s.db.Tenant, 0)
}

// searchPath returns the search_path of the role that migrates, in PostgreSQL.
func (s *Triggers) searchPath(ctx context.Context, tx database.Querier) (path string, err error) {
	if s.db.Dialect != dialect.Postgres {
		return "", nil
	}
	err = tx.QueryRowContext(ctx, "SELECT current_setting('search_path')").Scan(&path)
	if path == "" {
		path = `""`
	}
	return path, err
}

// lookAt finds out what only the database knows of a table.
func lookAt(ctx context.Context, s *Triggers, q database.Querier, t *target) error {
	switch {
	case t.isView:
		return nil
	case s.db.Dialect == dialect.SQLite:
		return s.findComputed(ctx, q, t)
	case s.db.Dialect == dialect.Postgres:
		if err := q.QueryRowContext(ctx, "SELECT count(*) > 0 FROM pg_class WHERE oid = to_regclass($1) AND relkind = 'p'", t.table).Scan(&t.isPartitioned); err != nil {
			return err
		}
		return s.findHome(ctx, q, t)
	}
	return nil
}

// versionOf returns the number that stands for the triggers of a table and for what they note.
func versionOf(t target, texts []string, path string) int64 {
	h := fnv.New64a()
	fmt.Fprintln(h, texts, t.all, t.more, path) //nolint:errcheck // never fails
	return int64(h.Sum64() >> 1)
}

// migrateTarget creates the triggers of a table, unless exactly these exist.
func (s *Triggers) migrateTarget(ctx context.Context, tx database.Querier, t target, path string) error {
	if err := lookAt(ctx, s, tx, &t); err != nil {
		return err
	}
	texts := s.replace(t)
	version := versionOf(t, texts, path)
	have, before, err := s.schema.Version(ctx, tx, t.part())
	if err != nil {
		return err
	}
	if before && have == version {
		exist, err := s.exist(ctx, tx, t)
		if err == nil && exist {
			exist, err = areCurrent(ctx, s, tx, t)
		}
		if err != nil {
			return err
		}
		if exist {
			_, known, err := s.schema.Version(ctx, tx, t.placesPart())
			if err != nil || known {
				return err
			}
			return storePlaces(ctx, s, tx, t) // An earlier version has not stored them.
		}
	}
	if err := s.unsettle(ctx, tx, t, before); err != nil {
		return err
	}
	for _, text := range texts {
		if _, err := tx.ExecContext(ctx, strings.NewReplacer("{p}", s.db.Prefix, "{path}", path).Replace(text)); err != nil {
			return fmt.Errorf("%s: %w", t.table, err)
		}
	}
	if before || !t.isPart { // The parts of new resources come with the resources, as memberships do.
		// This comes after the triggers, and before others can write again.
		if err := s.noteAgain(ctx, tx, t); err != nil {
			return fmt.Errorf("%s: %w", t.table, err)
		}
	}
	if err := storePlaces(ctx, s, tx, t); err != nil {
		return err
	}
	return s.schema.SetVersion(ctx, tx, t.part(), version)
}

// storePlaces stores where the mapped columns are in their table.
func storePlaces(ctx context.Context, s *Triggers, tx database.Querier, t target) error {
	places, err := placesOf(ctx, s, tx, t)
	if err != nil {
		return err
	}
	return s.schema.SetVersion(ctx, tx, t.placesPart(), places)
}

// noteAgain notes what may have changed while a table had no triggers, or others. Enrol brings
// in the rest of a tenant that is not enrolled. The first time there is nothing to note, and
// no table of the application is read, so that it can be written again at once.
func (s *Triggers) noteAgain(ctx context.Context, tx database.Querier, t target) error {
	some := "{p}schema WHERE part LIKE '" + tenantPart + "%' AND version = 1"
	if t.isBulk {
		some = "{p}resources WHERE type = " + dialect.Quote(search.GroupType)
	}
	n := 0
	if err := tx.QueryRowContext(ctx, s.db.Statement("SELECT count(*) FROM "+some)).Scan(&n); err != nil {
		return err
	}
	var queries []string
	switch {
	case t.isBulk:
		if n > 0 {
			queries = append(queries, selectNotes(t)+hasBegun(s.db.Dialect, "x.tenant")+hasGroup)
		}
		// There may be memberships of a table that the mapping had before.
		queries = append(queries, t.known(""))
	default:
		if n > 0 {
			queries = append(queries, selectNotes(t)+isEnrolled(s.db.Dialect, "x.tenant"))
		}
		// Rows may have been erased.
		queries = append(queries, t.known(""))
	}
	_, err := tx.ExecContext(ctx, s.db.Statement(insertNotes+strings.Join(queries, " UNION ")+onceInSQLite(s.db.Dialect)))
	return err
}

// insertNotes begins a statement that notes many rows.
const insertNotes = "INSERT INTO {p}stale (tenant, type, id, member) "

// onceInSQLite ends a statement that notes rows, and has a WHERE clause. It is no OR IGNORE: the application's INSERT OR FAIL
// would overrule that in a trigger.
func onceInSQLite(d dialect.Dialect) string {
	if d == dialect.SQLite {
		return " ON CONFLICT DO NOTHING"
	}
	return ""
}

// selectNotes selects the notes of all rows of a table. A condition on x follows.
func selectNotes(t target) string {
	return "SELECT x.tenant, x.type, x.id, x.member FROM (" + t.all + ") AS x WHERE "
}

// hasGroup is the condition that the group of a membership is known. The memberships of a
// new group come with the group.
const hasGroup = " AND EXISTS (SELECT 1 FROM {p}resources r WHERE r.tenant = x.tenant AND r.type = 'Group' AND r.id = x.id AND r.deleted = 0)"

// Enrol brings in all rows of a tenant by readAll, unless that was done before. The tenant
// counts as enrolled afterwards.
func (s *Triggers) Enrol(ctx context.Context, readAll func(context.Context) error) error {
	version, _, err := s.schema.Version(ctx, s.db.Pool, tenantPart+s.db.Tenant)
	if err != nil || version == 1 {
		return err
	}
	for _, t := range s.targets() {
		if err := s.awaitWriters(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.table, err)
		}
	}
	if err := readAll(ctx); err != nil {
		return err
	}
	return s.db.InTxAlone(ctx, func(ctx context.Context) error {
		if err := s.db.LockName(ctx, FollowLock); err != nil { // of other processes that read all rows, too
			return err
		}
		_, err := s.db.ExecOn(ctx, s.db.Conn(ctx), "UPDATE {p}schema SET version = 1 WHERE part = $1", tenantPart+s.db.Tenant)
		return err
	})
}

// awaitWriters waits for transactions whose writes the triggers did not note, because they
// began before the tenant.
func (s *Triggers) awaitWriters(ctx context.Context, t target) error {
	switch s.db.Dialect {
	case dialect.MariaDB:
		return s.awaitInMariaDB(ctx, t)
	case dialect.Postgres:
		return s.db.InTxAlone(ctx, func(ctx context.Context) error {
			_, err := s.db.Conn(ctx).ExecContext(ctx, "LOCK TABLE "+t.table+" IN SHARE MODE")
			return err
		})
	}
	return nil
}

// dropOld drops the triggers of tables that are no longer mapped. The application can then
// drop their columns, and a table that is mapped again has all its rows noted.
func (s *Triggers) dropOld(ctx context.Context, tx database.Querier) error {
	current := make(map[string]bool)
	for _, t := range s.targets() {
		current[t.part()] = true
	}
	rows, err := tx.QueryContext(ctx, s.db.Statement("SELECT part FROM {p}schema WHERE part LIKE 'watch %'"))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	var old []string
	for rows.Next() {
		var part string
		if err := rows.Scan(&part); err != nil {
			return err
		}
		if !current[part] {
			old = append(old, part)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, part := range old {
		table, what := strings.TrimPrefix(part, "watch "), ""
		if i := strings.LastIndexByte(table, ' '); i >= 0 {
			table, what = table[:i], table[i+1:]
		}
		for _, text := range s.drop(target{table: table, what: what, isUnder: true}) {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		if _, err := s.db.ExecOn(ctx, tx, "DELETE FROM {p}schema WHERE part IN ($1, $2)", part, placesOfWatch(part)); err != nil {
			return err
		}
	}
	return nil
}

// NoteAll notes every row that the application has or once had.
func (s *Triggers) NoteAll(ctx context.Context) error {
	for _, t := range s.targets() {
		if t.isPart {
			continue
		}
		if _, err := s.db.Exec(ctx, insertNotes+selectNotes(t)+"x.tenant = $1"+onceInSQLite(s.db.Dialect)); err != nil {
			return err
		}
	}
	for _, typ := range groupsFirst(s.types) {
		if err := s.lockAll(ctx, typ); err != nil {
			return err
		}
		// What was seen is a JSON object. It says from now on that all is read again.
		const again = `{"` + mapping.Again + `":null`
		if _, err := s.db.Exec(ctx, "UPDATE {p}resources SET seen = CASE WHEN seen LIKE $4 THEN seen WHEN seen LIKE $5 THEN "+
			dialect.Concat(s.db.Dialect, s.db.Dialect.AsText("$3"), "substr(seen, 2)")+" ELSE $6 END WHERE tenant = $1 AND type = $2 AND deleted = 0 AND seen IS NOT NULL",
			typ, again+",", again+"%", `{"%`, again+"}"); err != nil {
			return err
		}
		if _, err := s.db.Exec(ctx, insertNotes+"SELECT r.tenant, r.type, r.id, '' FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.seen IS NOT NULL"+onceInSQLite(s.db.Dialect), typ); err != nil {
			return err
		}
	}
	if s.join == nil {
		return nil
	}
	_, err := s.db.Exec(ctx, insertNotes+"SELECT m.tenant, $2, m.group_id, m.member_id FROM {p}members m WHERE m.tenant = $1 AND m.member_type = 'User'"+onceInSQLite(s.db.Dialect), Membership)
	return err
}

// groupsFirst returns the types in the order in which their resources are locked.
func groupsFirst(types []string) []string {
	isGroup := func(typ string) bool { return typ == search.GroupType }
	if !slices.ContainsFunc(types, isGroup) {
		return types
	}
	return slices.Insert(slices.DeleteFunc(slices.Clone(types), isGroup), 0, search.GroupType)
}

// lockAll locks the resources of a type that have a row of the application, in order of id.
func (s *Triggers) lockAll(ctx context.Context, typ string) error {
	const rows = "SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.seen IS NOT NULL ORDER BY r.id"
	switch s.db.Dialect {
	case dialect.MariaDB: // It would not lock what a subquery reads.
		return s.db.Each(ctx, func(func(...any) error) error { return nil }, rows+" FOR UPDATE", typ)
	case dialect.Postgres:
		_, err := s.db.HasAny(ctx, "SELECT count(*) FROM ("+rows+" FOR NO KEY UPDATE) AS x", typ)
		return err
	}
	return nil
}

// Leave ends the notes of the tenant, and erases at most limit of them.
func (s *Triggers) Leave(ctx context.Context, limit int) (isLeft bool, err error) {
	if _, err := s.db.ExecOn(ctx, s.db.Conn(ctx), "DELETE FROM {p}schema WHERE part = $1", tenantPart+s.db.Tenant); err != nil {
		return false, err
	}
	key := []string{"seq"}
	if s.db.Dialect == dialect.SQLite {
		key = []string{"type", "id", "member"}
	}
	n, err := s.db.Count(ctx, dialect.DeleteSome(s.db.Dialect, "stale", "n", key...), limit)
	return n == int64(limit), err
}
