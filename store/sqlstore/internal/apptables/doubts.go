package apptables

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// A mapping may work, and yet do what nobody expects. Such doubts are no errors: the application
// may have its reasons, and may be unable to change its tables.

// Doubts returns what is doubtful about a table that Check has accepted.
func (m *Table) Doubts(ctx context.Context) (all []error, err error) {
	hidden, err := doubtHidden(ctx, m)
	if err != nil {
		return nil, err
	}
	all, err = doubtBeside(ctx, m)
	all = append(hidden, all...)
	if err != nil || m.IsView { // The indexes of a view are those of other tables.
		return all, err
	}
	own, err := uniqueIndexes(ctx, m.db, m.Name)
	if err != nil {
		return nil, err
	}
	all = append(all, doubtEmpty(m, own)...)
	tables := []string{m.Name}
	for _, b := range m.Beside {
		tables = append(tables, b.Name)
	}
	for _, c := range m.Children {
		tables = append(tables, c.Name)
	}
	for _, table := range tables {
		heirs, err := doubtHeirs(ctx, m.db, table)
		if err != nil {
			return nil, err
		}
		all = append(all, heirs...)
	}
	for i := range m.Columns {
		var some []error
		switch c := &m.Columns[i]; {
		case c.Path == namePath && !c.ReadOnly && !c.IsCopy:
			some, err = doubtName(ctx, m, c)
		case c.Path == "active" && !c.IsCopy:
			some, err = doubtActive(ctx, m, c)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	isActive := func(c mapping.BoundColumn) bool { return c.Path == "active" }
	if m.Type == search.UserType && !slices.ContainsFunc(m.Columns, isActive) {
		all = append(all, finding(m.Name, "no column is for active, so nothing in the table says that a client has deactivated a user, who can go on working: map a column, with ActiveWhen or ActiveWhileNull"))
	}
	return all, nil
}

// doubtName returns what is doubtful about the column of userName.
func doubtName(ctx context.Context, m *Table, c *mapping.BoundColumn) (all []error, err error) {
	table := placeOf(m, c).table
	unique, err := uniqueIndexes(ctx, m.db, table)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(unique, func(x uniqueIndex) bool { return x.has(c.Name) }) {
		all = append(all, finding(table, "column %s is in no unique index, so the application may give two users one userName, and a client would find the wrong one: create a unique index", c.Name))
	}
	returns, err := m.doubtReturn(ctx, c, unique)
	return append(all, returns...), err
}

// doubtActive returns what is doubtful about the column of active.
func doubtActive(ctx context.Context, m *Table, c *mapping.BoundColumn) (all []error, err error) {
	table := placeOf(m, c).table
	columns, err := columnsOf(ctx, m.db, table)
	if err != nil {
		return nil, err
	}
	if is := find(columns, c.Name); c.From != nil && !c.TakesNull && is != nil && is.nullable && !isActiveForNull(c.From) {
		all = append(all, finding(table, "column %s may be NULL, which counts as active without a call of From: use ActiveWhen, or declare the column NOT NULL; if NULL means active, let From return true for nil", c.Name))
	}
	isOther, err := holdsOtherWords(ctx, m, c)
	if err != nil {
		return nil, err
	}
	switch {
	case areSwapped(c):
		all = append(all, finding(table, "ActiveWhen says that column %s is %#v for active users and %#v for others: swap the values, unless your words mean the reverse", c.Name, c.Values[0], c.Values[1]))
	case isOther:
		all = append(all, finding(table, "no row has %#v in column %s, so every user counts as inactive: give ActiveWhen the values that the column holds", c.Values[0], c.Name))
	}
	if c.ReadOnly {
		return all, nil
	}
	hides, err := hidesInactive(ctx, m, c)
	if hides {
		all = append(all, finding(m.Name, "Visible hides a user whom a client deactivates by column %s: the client no longer finds the user and creates a new one, and what has no column is forgotten: let Visible accept inactive users", c.Name))
	}
	return all, err
}

// hidesInactive reports whether Visible excludes a user who becomes inactive. If Visible
// reads other columns, the rows that are there tell.
func hidesInactive(ctx context.Context, m *Table, active *mapping.BoundColumn) (yes bool, err error) {
	if active.Beside > 0 || !visibleReads(m, active.Name) { // Visible reads no column of another table.
		return false, nil
	}
	inactive, err := active.Cell(false)
	if err != nil {
		return false, err
	}
	if len(m.VisibleColumns) > 1 {
		some, err := remainVisible(ctx, m, nil)
		if err != nil || !some {
			return false, err
		}
		seen, err := remainVisible(ctx, m, map[string]any{active.Name: inactive})
		return !seen, err
	}
	value := "NULL"
	switch v := inactive.(type) {
	case nil:
	case int, int32, int64, bool:
		value = fmt.Sprint(v)
	case time.Time:
		value = dialect.Quote(v.UTC().Format(time.DateTime))
	default:
		value = dialect.Quote(fmt.Sprint(v))
	}
	// The first part of the union gives the column its type.
	isVisible := true
	err = m.db.EachAppRow(ctx, m.db.Arguments(), "SELECT CASE WHEN ("+m.Visible+") THEN 1 ELSE 0 END FROM (SELECT t."+active.Name+" FROM "+m.Name+
		" AS t WHERE 1 = 0 UNION ALL SELECT "+value+") AS t", func(scan func(...any) error) error { return scan(&isVisible) })
	return !isVisible, err
}

// doubtEmpty looks for columns where one row only can have the value that stands for absent.
func doubtEmpty(m *Table, unique []uniqueIndex) (all []error) {
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.Empty == nil || c.ReadOnly || len(c.Values) > 0 || c.Beside > 0 {
			continue
		}
		isAlone := func(x uniqueIndex) bool {
			return x.where == "" && x.isPlain() && !slices.ContainsFunc(x.keys, func(key string) bool { return !isOf(key, c.Name) && (m.Tenant == "" || !isOf(key, m.Tenant)) })
		}
		if slices.ContainsFunc(unique, func(x uniqueIndex) bool { return x.has(c.Name) && isAlone(x) }) {
			all = append(all, finding(m.Name, "column %s is in a unique index, and Empty is %#v, so one resource only can be without %s: leave Empty out, and allow NULL or let clients send a value", c.Name, c.Empty, c.Path))
		}
	}
	return all
}

// doubtReturn looks whether a retired row keeps the userName from the person who comes back.
func (m *Table) doubtReturn(ctx context.Context, name *mapping.BoundColumn, unique []uniqueIndex) (all []error, err error) {
	if m.Retire == nil || m.Revive != nil || name.Beside > 0 && m.Beside[name.Beside-1].Shared { // see doubtBeside
		return nil, nil
	}
	sample, err := m.ResourceType.Bind(scim.Meta{ID: SampleID}, nil, nil)
	if err != nil {
		return nil, err
	}
	for column := range maps.Keys(m.Retire(ctx, sample, time.Now())) {
		if isOf(column, name.Name) {
			return nil, nil
		}
	}
	keeps := func(x uniqueIndex) bool { return x.where == "" && x.has(name.Name) }
	if slices.ContainsFunc(unique, keeps) {
		all = append(all, finding(m.Name, "a deleted user cannot come back, because the retired row keeps the userName: set Revive and use Store.Adopt, or let Retire change %s", name.Name))
	}
	return all, nil
}

// isActiveForNull reports whether From, if it were asked, would say of NULL what the Store says.
func isActiveForNull(from func(v any) (any, error)) (yes bool) {
	defer func() {
		if recover() != nil { // It expects a value.
			yes = false
		}
	}()
	v, err := from(nil)
	return err == nil && (v == nil || v == true)
}

// Doubts returns what is doubtful about a table of memberships that Check has accepted. users and
// groups are the tables of the members and of their groups.
func (s *Joins) Doubts(ctx context.Context, users, groups string) (all []error, err error) {
	refers, err := references(ctx, s.db, s.Name)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: table %s: %w", s.Name, err)
	}
	for _, r := range refers {
		for _, c := range []struct{ column, field, table string }{{s.User, "User", users}, {s.Group, "Group", groups}} {
			if isOf(r.column, c.column) && !isSame(r.table, c.table) {
				all = append(all, finding(s.Name, "Members: %s: column %s refers to the table %s, and not to %s, so a key may be that of somebody else: name the memberships of %s, unless both tables have the same keys", c.field, r.column, r.table, c.table, c.table))
			}
		}
	}
	unique, err := uniqueIndexes(ctx, s.db, s.Name)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: table %s: unique indexes: %w", s.Name, err)
	}
	isFine := func(x uniqueIndex) bool { // The pair is unique, or rows differ in something else.
		within := !slices.ContainsFunc(x.keys, func(key string) bool { return !isOf(key, s.Group) && !isOf(key, s.User) })
		return within || x.has(s.Group) && x.has(s.User)
	}
	if !slices.ContainsFunc(unique, isFine) {
		all = append(all, finding(s.Name, "no unique index has %s and %s, so a user may be in a group twice if the application and a client add them at the same time: create one", s.Group, s.User))
	}
	heirs, err := doubtHeirs(ctx, s.db, s.Name)
	return append(all, heirs...), err
}
