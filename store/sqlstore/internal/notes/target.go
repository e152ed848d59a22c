package notes

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// target is a table of the application whose changes are noted. The tables are few, and
// each target has one purpose.
type target struct {
	table string
	// what tells apart several targets with one table.
	what string
	// note is the query for the note of a row called {row}. Its columns are tenant, type,
	// id and member. {gone} stands for a text: Gone if the row is about to leave its place,
	// or else an empty one.
	note string
	// sealed is note in PostgreSQL as sealedNote writes it, or empty.
	sealed string
	// home is the schema of this package's tables if the triggers write sealed notes, or empty.
	home string
	// only are the columns whose change is noted. It is nil if every change is.
	only []string
	// isBulk says that the application writes many rows at a time.
	isBulk bool
	// all is the query for the notes of all rows.
	all string
	// isPart says that the rows are parts of resources that have a target themselves.
	isPart bool
	// place are the columns whose change moves a row from one resource to another.
	place []string
	// isBefore says that a row is noted before it is erased: afterwards nothing may refer to it.
	// isUnder says that it is noted before it is changed too: it is a part of a view.
	isBefore, isUnder bool
	// isComputed says that a column has its value from others. Only SQLite's triggers ask for it.
	isComputed bool
	// isPartitioned says that the table has partitions, in PostgreSQL. An update that moves a row between
	// them fires the triggers of a deletion. Its row exists when they run; that of a deletion does not.
	isPartitioned bool
	// isView says that the table is a view, which has no triggers.
	isView bool
	// columns are those that are mapped.
	columns []string
	// more is what else decides what the rows mean. All rows are noted after a change of it.
	more string
}

// part is the part of {p}schema whose version says which triggers the table has.
func (t *target) part() string { return "watch " + t.table + " " + t.what }

// placesPart is the part of {p}schema whose version says where the mapped columns are in the table.
func (t *target) placesPart() string { return placesOfWatch(t.part()) }

// placesOfWatch returns the placesPart of a part.
func placesOfWatch(part string) string { return "columns" + strings.TrimPrefix(part, "watch") }

// hasBegun is the condition that a tenant has a Store. Nobody would follow the notes of
// other tenants.
func hasBegun(d dialect.Dialect, tenant string) string {
	return "EXISTS (SELECT 1 FROM {p}schema n WHERE " + hasPart(d, tenant) + ")"
}

// hasPart is the condition that n, a row of {p}schema, is that of a tenant.
func hasPart(d dialect.Dialect, tenant string) string {
	return "n.part = " + dialect.Concat(d, dialect.Quote(tenantPart), tenant)
}

// isEnrolled is the condition that all rows of a tenant have been brought in once.
func isEnrolled(d dialect.Dialect, tenant string) string {
	return strings.TrimSuffix(hasBegun(d, tenant), ")") + " AND n.version = 1)"
}

// tenantPart and the name of a tenant are a part of {p}schema. Its version is 1 if all rows
// of the tenant have been brought in once, and 0 if not.
const tenantPart = "tenant "

// targets lists the tables of the application.
func (s *Triggers) targets() []target {
	var all []target
	d := s.db.Dialect
	for _, typ := range s.types {
		m := s.mappings[typ]
		t := rowTarget(d, m)
		all = append(all, t)
		for i := range m.Beside {
			all = append(all, besideTarget(d, m, i, t))
		}
		for _, c := range m.Children {
			all = append(all, childTarget(d, m, c, t))
		}
	}
	if s.join != nil {
		all = append(all, joinTarget(d, s.join, s.mappings[search.GroupType]))
	}
	return all
}

// tenantOf is the tenant of a row of m, as a text.
func tenantOf(d dialect.Dialect, m *mapping.Mapping, row string) string {
	if m.Tenant == "" {
		return "''"
	}
	return d.AsText(row + "." + m.Tenant)
}

// keyOf is the key of a row of m, as a text.
func keyOf(d dialect.Dialect, m *mapping.Mapping, row string) string {
	return d.AsText(row + "." + m.Key)
}

// rowTarget is the table of a type. A row without a tenant belongs to nobody: it may be an
// administrator or a template.
func rowTarget(d dialect.Dialect, m *mapping.Mapping) target {
	t := target{table: m.Name, what: m.Type, isView: m.IsView, place: mapping.NonEmpty(m.Key, m.Tenant)}
	// This is faster than EXISTS. No part is that of a tenant that is NULL.
	t.note = "SELECT " + tenantOf(d, m, "{row}") + ", " + dialect.Quote(m.Type) + ", " + keyOf(d, m, "{row}") + ", {gone} FROM {p}schema n WHERE " +
		hasPart(d, tenantOf(d, m, "{row}")) + " AND " + mapping.NotNull("{row}", []string{m.Key})
	if d == dialect.Postgres {
		t.sealed = sealedNote(m)
	}
	t.all = "SELECT " + tenantOf(d, m, "t") + " AS tenant, " + dialect.Quote(m.Type) + " AS type, " + keyOf(d, m, "t") + " AS id, '' AS member FROM " +
		m.Name + " AS t WHERE " + mapping.NotNull("t", t.place)
	t.columns = append(append(mapping.NonEmpty(m.Created), t.place...), m.VisibleColumns...)
	for _, c := range m.ColumnsOf(0) {
		t.columns = append(t.columns, c.Name)
	}
	for _, b := range m.Beside {
		t.columns = append(t.columns, mapping.NonEmpty(b.Ref)...)
	}
	if m.Visible == "" || m.VisibleColumns != nil {
		t.only = t.columns
	}
	t.more = fmt.Sprint(m.Visible, m.Created)
	for _, c := range m.Columns {
		t.more += "\n" + c.SeenKey() + fmt.Sprint(" ", c.TakesNull)
	}
	for _, c := range m.Children {
		t.more += "\n" + c.SeenKey()
		for _, c := range c.Columns {
			t.more += "\n" + c.SeenKey()
		}
	}
	return t
}

// inTenant is the condition that a row of m, as t, has the tenant of a row that refers to it. column
// is empty if the key tells tenants apart.
func inTenant(m *mapping.Mapping, row, column string) string {
	if column == "" {
		return ""
	}
	return " AND t." + m.Tenant + " = " + row + "." + column
}

// besideTarget is the i-th table beside that of a type, whose own target is row.
func besideTarget(d dialect.Dialect, m *mapping.Mapping, i int, row target) target {
	b := m.Beside[i]
	t := target{table: b.Name, what: m.Type + "+", place: mapping.NonEmpty(b.Key, b.Tenant), all: row.all, isPart: true, isBefore: true, isUnder: b.IsWatched() || m.IsView,
		note: "SELECT " + tenantOf(d, m, "t") + ", " + dialect.Quote(m.Type) + ", " + keyOf(d, m, "t") + ", '' FROM " + m.Name + " AS t WHERE t." + cmp.Or(b.Ref, m.Key) +
			" = {row}." + b.Key + inTenant(m, "{row}", b.Tenant) + " AND " + mapping.NotNull("t", row.place) + " AND " + hasBegun(d, tenantOf(d, m, "t"))}
	t.columns = slices.Clone(t.place)
	for _, c := range m.ColumnsOf(i + 1) {
		t.columns = append(t.columns, c.Name)
	}
	if !t.isUnder {
		t.only = t.columns
	}
	return t
}

// childTarget is the table of a multi-valued attribute of a type, whose own target is row.
func childTarget(d dialect.Dialect, m *mapping.Mapping, c mapping.BoundChild, row target) target {
	t := target{table: c.Name, what: m.Type + "." + c.Path, place: mapping.NonEmpty(c.Parent, c.Tenant), all: row.all, isPart: true,
		note: "SELECT " + tenantOf(d, m, "t") + ", " + dialect.Quote(m.Type) + ", " + keyOf(d, m, "t") + ", '' FROM " + m.Name + " AS t WHERE t." + m.Key +
			" = {row}." + c.Parent + inTenant(m, "{row}", c.Tenant) + " AND " + mapping.NotNull("t", row.place) + " AND " + hasBegun(d, tenantOf(d, m, "t"))}
	t.columns = slices.Clone(t.place)
	for _, column := range c.Columns {
		t.columns = append(t.columns, column.Name)
	}
	return t
}

// joinTarget is the table of memberships in groups, which are rows of g.
func joinTarget(d dialect.Dialect, j *mapping.Join, g *mapping.Mapping) target {
	known := mapping.NotNull("t", mapping.NonEmpty(g.Tenant, g.Key))
	return target{table: j.Name, what: Membership, isBulk: true, place: mapping.NonEmpty(j.Group, j.User, j.Tenant), columns: mapping.NonEmpty(j.Group, j.User, j.Tenant, j.Since),
		note: "SELECT " + tenantOf(d, g, "t") + ", " + dialect.Quote(Membership) + ", " + d.AsText("{row}."+j.Group) + ", " + d.AsText("{row}."+j.User) + " FROM " +
			g.Name + " AS t WHERE t." + g.Key + " = {row}." + j.Group + inTenant(g, "{row}", j.Tenant) + " AND " + mapping.NotNull("{row}", []string{j.User}) + " AND " + known +
			" AND " + hasBegun(d, tenantOf(d, g, "t")),
		all: "SELECT " + tenantOf(d, g, "t") + " AS tenant, " + dialect.Quote(Membership) + " AS type, " + d.AsText("j."+j.Group) + " AS id, " + d.AsText("j."+j.User) + " AS member FROM " +
			j.Name + " AS j JOIN " + g.Name + " AS t ON t." + g.Key + " = j." + j.Group + inTenant(g, "j", j.Tenant) + " WHERE " + mapping.NotNull("j", []string{j.User}) + " AND " + known}
}
