package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strings"
)

// Triggers on the application's tables write into {p}stale which rows have changed.
// The tables are few, and each is watched for one purpose.

// watched is a table of the application with what its triggers do.
type watched struct {
	table string
	// what tells apart those who watch one table.
	what string
	// note is the query for what to write into {p}stale, of a row called {row}; its
	// columns are tenant, type, id and member. {gone} stands for a text: gone if the row
	// is about to have this place no more, else none.
	note string
	// only are the columns whose change counts; nil: any.
	only []string
	// many: the table is written many rows at a time.
	many bool
	// all is the query for everything that there is.
	all string
	// part: the rows are parts of resources that have a table too.
	part bool
	// place are the columns by which a change moves a row from one resource to another.
	place []string
	// more is what else decides what the rows mean, so that they are looked at again
	// after a change of it.
	more string
}

// enrolled is the condition that a tenant has a Store: what other customers of the
// application do nobody would ever follow.
func enrolled(tenant string) string {
	return "EXISTS (SELECT 1 FROM {p}schema n WHERE n.part = " + quote(tenantPart) + " || " + tenant + ")"
}

// gone is the member in the note of a resource whose row was erased, or has another key
// now. If there is a row of this key afterwards, it is another one.
const gone = "gone"

// tenantPart and a tenant's name are the part of {p}schema that says whether all its rows
// have been noted once: 1, or not yet: 0.
const tenantPart = "tenant "

// watches lists the tables of the application.
func (s *Store) watches() []watched {
	var list []watched
	for _, typ := range s.mapped {
		m := s.maps[typ]
		tenant := func(row string) string {
			if m.Tenant == "" {
				return "''"
			}
			return "CAST(" + row + "." + m.Tenant + " AS text)"
		}
		key := func(row string) string { return "CAST(" + row + "." + m.Key + " AS text)" }
		w := watched{table: m.Name, what: typ, place: present(m.Key, m.Tenant)}
		// A row without a tenant is nobody's: an administrator's, a template.
		w.note = "SELECT " + tenant("{row}") + ", " + quote(typ) + ", " + key("{row}") + ", {gone} WHERE " + filled("{row}", w.place) + " AND " + enrolled(tenant("{row}"))
		w.all = "SELECT " + tenant("t") + " AS tenant, " + quote(typ) + " AS type, " + key("t") + " AS id, '' AS member FROM " + m.Name + " AS t WHERE " + filled("t", w.place)
		if m.Visible == "" || m.visible != nil {
			w.only = append(append(present(m.Created), w.place...), m.visible...)
			for _, c := range m.columns {
				w.only = append(w.only, c.Name)
			}
		}
		w.more = fmt.Sprint(m.Visible, m.Created)
		for _, c := range m.columns {
			w.more += "\n" + c.seen() + fmt.Sprint(" ", c.null)
		}
		for _, c := range m.children {
			w.more += "\n" + c.seen()
			for _, c := range c.columns {
				w.more += "\n" + c.seen()
			}
		}
		list = append(list, w)
		for _, c := range m.children {
			list = append(list, watched{table: c.Name, what: typ + "." + c.Path, place: []string{c.Parent}, all: w.all, part: true,
				note: "SELECT " + tenant("t") + ", " + quote(typ) + ", " + key("t") + ", '' FROM " + m.Name + " AS t WHERE t." + m.Key + " = {row}." + c.Parent + " AND " + filled("t", w.place) + " AND " + enrolled(tenant("t"))})
		}
	}
	if j := s.join; j != nil {
		g := s.maps[groupType]
		tenant := "''"
		if g.Tenant != "" {
			tenant = "CAST(t." + g.Tenant + " AS text)"
		}
		list = append(list, watched{table: j.Name, what: membership, many: true, place: []string{j.Group, j.User},
			note: "SELECT " + tenant + ", " + quote(membership) + ", CAST({row}." + j.Group + " AS text), CAST({row}." + j.User + " AS text) FROM " +
				g.Name + " AS t WHERE t." + g.Key + " = {row}." + j.Group + " AND " + filled("{row}", []string{j.User}) + " AND " + filled("t", present(g.Tenant, g.Key)) + " AND " + enrolled(tenant),
			all: "SELECT " + tenant + " AS tenant, " + quote(membership) + " AS type, CAST(j." + j.Group + " AS text) AS id, CAST(j." + j.User + " AS text) AS member FROM " +
				j.Name + " AS j JOIN " + g.Name + " AS t ON t." + g.Key + " = j." + j.Group + " WHERE " + filled("j", []string{j.User}) + " AND " + filled("t", present(g.Tenant, g.Key))})
	}
	return list
}

// lastName is a table's name without that of its schema.
var lastName = regexp.MustCompile(`("[^"]+"|\w+)$`)

var oddities = regexp.MustCompile(`[^a-z0-9]+`)

// trigger is the first part of the names of a table's triggers.
func (b *base) trigger(w watched) string {
	h := fnv.New32a()
	fmt.Fprint(h, w.table, "\x00", w.what) //nolint:errcheck // never fails
	plain := oddities.ReplaceAllString(strings.ToLower(w.table), "_")
	return fmt.Sprintf("%s%.20s_%08x", b.prefix, plain, h.Sum32())
}

// triggers are the statements that make the triggers of a table, in the place of those
// that are there.
func (b *base) triggers(w watched) []string {
	name := b.trigger(w)
	note := func(row, member string) string {
		return "INSERT INTO {p}stale (tenant, type, id, member) " + strings.NewReplacer("{row}", row, "{gone}", quote(member)).Replace(w.note)
	}
	insert := func(row string) string { return note(row, "") }
	erase := func(row string) string { return note(row, gone) }
	differ := "IS NOT"
	if b.d == Postgres {
		differ = "IS DISTINCT FROM"
	}
	changed := func(columns []string) string {
		var any []string
		for _, c := range columns {
			old, now := "OLD."+c, "NEW."+c
			if b.d == Postgres { // json has no equality
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
	case b.d == SQLite:
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
		own := " AND CAST(o." + w.place[0] + " AS text) IS DISTINCT FROM current_setting('" + b.ownSetting() + "', true)"
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

// ownSetting is the setting that holds, while this Store changes the application's
// memberships of a group, the group's key. Those with another prefix have notes of their own.
func (b *base) ownSetting() string { return "scim." + b.prefix + "own" }

// function makes a trigger's function. It runs with the rights of who migrated, so that
// whoever writes the application's table needs none on this package's, and with their
// search_path, behind which temporary tables come last: nobody can put one in its way.
const function = "CREATE OR REPLACE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {path}, pg_temp AS $scim$ BEGIN %s RETURN NULL; END $scim$"

// from adds a source to a query that begins with INSERT and has one already.
func from(query, source string) string {
	return strings.Replace(query, " FROM ", " FROM "+source+", ", 1)
}

// watch makes the triggers, unless these very ones are there, and then notes every row
// that there is.
func (s *Store) watch(ctx context.Context, tx *sql.Tx) error {
	path := ""
	if s.d == Postgres {
		if err := tx.QueryRowContext(ctx, "SELECT current_setting('search_path')").Scan(&path); err != nil {
			return err
		}
		if path == "" {
			path = `""`
		}
	}
	known, err := s.known(ctx, tx)
	if err != nil {
		return err
	}
	if known < 0 { // before the triggers are there, or else by enrol
		known = 0
		if _, err := tx.ExecContext(ctx, s.statement("INSERT INTO {p}schema (part, version) VALUES ($1, 0)"), tenantPart+s.tenant); err != nil {
			return err
		}
	}
	if err := s.unwatch(ctx, tx); err != nil {
		return err
	}
	noted := true
	for _, w := range s.watches() {
		texts := s.triggers(w)
		h := fnv.New64a()
		fmt.Fprintln(h, texts, w.all, w.more, path) //nolint:errcheck // never fails
		part, version := w.entry(), int64(h.Sum64()>>1)
		var have int64
		err := tx.QueryRowContext(ctx, s.statement("SELECT version FROM {p}schema WHERE part = $1"), part).Scan(&have)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		before := err == nil
		if before && have == version {
			there, err := s.watching(ctx, tx, w)
			if err != nil {
				return err
			}
			if there {
				noted = noted && w.part
				continue
			}
		}
		for _, text := range texts {
			if _, err := tx.ExecContext(ctx, strings.NewReplacer("{p}", s.prefix, "{path}", path).Replace(text)); err != nil {
				return fmt.Errorf("%s: %w", w.table, err)
			}
		}
		if before || !w.part { // those of resources that are new come with these, as memberships do
			text := "INSERT INTO {p}stale (tenant, type, id, member) SELECT x.tenant, x.type, x.id, x.member FROM (" + w.all + ") AS x WHERE " + enrolled("x.tenant")
			if w.many {
				text += withGroup + " UNION SELECT m.tenant, " + quote(membership) + ", m.group_id, m.member_id FROM {p}members m WHERE m.member_type = 'User'" // of another table, perhaps
			}
			// With the triggers in place, and before others can write again.
			if _, err := tx.ExecContext(ctx, s.statement(text)); err != nil {
				return fmt.Errorf("%s: %w", w.table, err)
			}
		}
		_, err = tx.ExecContext(ctx, s.statement("INSERT INTO {p}schema (part, version) VALUES ($1, $2) ON CONFLICT (part) DO UPDATE SET version = excluded.version"), part, version)
		if err != nil {
			return err
		}
	}
	if known == 0 && noted {
		return s.setKnown(ctx, tx)
	}
	return nil
}

// withGroup is the condition that a membership's group is known: with one that is new all
// its memberships come.
const withGroup = " AND EXISTS (SELECT 1 FROM {p}resources r WHERE r.tenant = x.tenant AND r.type = 'Group' AND r.id = x.id AND r.deleted = 0)"

// known says whether all rows of the tenant have been noted once: 1, not yet: 0, or
// nobody has begun to: -1.
func (s *Store) known(ctx context.Context, db DBTX) (version int, err error) {
	err = db.QueryRowContext(ctx, s.statement("SELECT version FROM {p}schema WHERE part = $1"), tenantPart+s.tenant).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		return -1, nil
	}
	return version, err
}

func (s *Store) setKnown(ctx context.Context, db DBTX) error {
	_, err := db.ExecContext(ctx, s.statement("UPDATE {p}schema SET version = 1 WHERE part = $1"), tenantPart+s.tenant)
	return err
}

// enrol notes all rows of a tenant for which the triggers that were there do so from now on.
func (s *Store) enrol(ctx context.Context) error {
	known, err := s.known(ctx, s.db)
	if err != nil || known == 1 {
		return err
	}
	for _, w := range s.watches() {
		if w.part {
			continue
		}
		if s.d == Postgres {
			// Wait for the end of those who have written without its being noted.
			if err := s.inTx(ctx, func(ctx context.Context) error {
				_, err := s.DB(ctx).ExecContext(ctx, "LOCK TABLE "+w.table+" IN SHARE MODE")
				return err
			}); err != nil {
				return fmt.Errorf("%s: %w", w.table, err)
			}
		}
		text := "INSERT INTO {p}stale (tenant, type, id, member) SELECT x.tenant, x.type, x.id, x.member FROM (" + w.all + ") AS x WHERE x.tenant = $1"
		if w.many {
			text += withGroup
		}
		if err := s.write(ctx, func(ctx context.Context) error {
			_, err := s.exec(ctx, text)
			return err
		}); err != nil {
			return fmt.Errorf("%s: %w", w.table, err)
		}
	}
	return s.write(ctx, func(ctx context.Context) error { return s.setKnown(ctx, s.DB(ctx)) })
}

// watching reports whether the triggers of a table are there: a table that was made anew,
// which is how SQLite's are altered, has none.
func (s *Store) watching(ctx context.Context, tx *sql.Tx, w watched) (bool, error) {
	query := "SELECT count(*) FROM pg_trigger WHERE tgname IN ($1 || '_insert', $1 || '_update', $1 || '_delete') AND tgrelid = to_regclass($2)"
	table := w.table
	if s.d == SQLite {
		query = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name IN ($1 || '_insert', $1 || '_update', $1 || '_delete') AND lower(tbl_name) = lower($2)"
		table = strings.Trim(lastName.FindString(w.table), `"`)
	}
	n := 0
	err := tx.QueryRowContext(ctx, query, s.trigger(w), table).Scan(&n)
	return n == 3, err
}

// unwatch drops the triggers of tables that the mapping had and has no more: their columns
// may be dropped, and one that comes back is looked at again.
func (s *Store) unwatch(ctx context.Context, tx *sql.Tx) error {
	mine := make(map[string]bool)
	for _, w := range s.watches() {
		mine[w.entry()] = true
	}
	rows, err := tx.QueryContext(ctx, s.statement("SELECT part FROM {p}schema WHERE part LIKE 'watch %'"))
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	var old []string
	for rows.Next() {
		var part string
		if err := rows.Scan(&part); err != nil {
			return err
		}
		if !mine[part] {
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
		w := watched{table: table, what: what}
		for _, text := range s.dropTriggers(w) {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		if _, err := tx.ExecContext(ctx, s.statement("DELETE FROM {p}schema WHERE part = $1"), part); err != nil {
			return err
		}
	}
	return nil
}

// entry is the part of {p}schema that says with which triggers the table is watched.
func (w *watched) entry() string { return "watch " + w.table + " " + w.what }

// dropTriggers are the statements that drop the triggers of a table.
func (b *base) dropTriggers(w watched) []string {
	name, on := b.trigger(w), ""
	if b.d == Postgres {
		on = " ON " + w.table
	}
	var all []string
	for _, event := range []string{"insert", "update", "delete"} {
		all = append(all, fmt.Sprintf("DROP TRIGGER IF EXISTS %s_%s%s", name, event, on))
	}
	if b.d == Postgres {
		all = append(all, "DROP FUNCTION IF EXISTS "+name+"()")
	}
	return all
}
