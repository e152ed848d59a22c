package notes

import (
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

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
	return "EXISTS (SELECT 1 FROM {p}schema n WHERE n.part = " + dialect.Quote(tenantPart) + " || " + tenant + ")"
}

// tenantPart and a tenant's name are the part of {p}schema that says whether all its rows
// have been noted once: 1, or not yet: 0.
const tenantPart = "tenant "

// Triggers are those on the tables of the application.
type Triggers struct {
	db     *database.DB
	maps   map[string]*mapping.Mapping // by type
	mapped []string                    // the types in maps, in order
	join   *mapping.Join               // nil: memberships are this package's alone
}

// NewTriggers are the triggers for mappings and a table of memberships, which may be nil.
func NewTriggers(db *database.DB, maps map[string]*mapping.Mapping, mapped []string, join *mapping.Join) *Triggers {
	return &Triggers{db, maps, mapped, join}
}

// watches lists the tables of the application.
func (s *Triggers) watches() []watched {
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
		w := watched{table: m.Name, what: typ, place: mapping.Present(m.Key, m.Tenant)}
		// A row without a tenant is nobody's: an administrator's, a template.
		w.note = "SELECT " + tenant("{row}") + ", " + dialect.Quote(typ) + ", " + key("{row}") + ", {gone} WHERE " + mapping.Filled("{row}", w.place) + " AND " + enrolled(tenant("{row}"))
		w.all = "SELECT " + tenant("t") + " AS tenant, " + dialect.Quote(typ) + " AS type, " + key("t") + " AS id, '' AS member FROM " + m.Name + " AS t WHERE " + mapping.Filled("t", w.place)
		if m.Visible == "" || m.Looks != nil {
			w.only = append(append(mapping.Present(m.Created), w.place...), m.Looks...)
			for _, c := range m.Columns {
				w.only = append(w.only, c.Name)
			}
		}
		w.more = fmt.Sprint(m.Visible, m.Created)
		for _, c := range m.Columns {
			w.more += "\n" + c.Seen() + fmt.Sprint(" ", c.Null)
		}
		for _, c := range m.Children {
			w.more += "\n" + c.Seen()
			for _, c := range c.Columns {
				w.more += "\n" + c.Seen()
			}
		}
		list = append(list, w)
		for _, c := range m.Children {
			list = append(list, watched{table: c.Name, what: typ + "." + c.Path, place: []string{c.Parent}, all: w.all, part: true,
				note: "SELECT " + tenant("t") + ", " + dialect.Quote(typ) + ", " + key("t") + ", '' FROM " + m.Name + " AS t WHERE t." + m.Key + " = {row}." + c.Parent + " AND " + mapping.Filled("t", w.place) + " AND " + enrolled(tenant("t"))})
		}
	}
	if j := s.join; j != nil {
		g := s.maps[search.GroupType]
		tenant := "''"
		if g.Tenant != "" {
			tenant = "CAST(t." + g.Tenant + " AS text)"
		}
		list = append(list, watched{table: j.Name, what: Membership, many: true, place: []string{j.Group, j.User},
			note: "SELECT " + tenant + ", " + dialect.Quote(Membership) + ", CAST({row}." + j.Group + " AS text), CAST({row}." + j.User + " AS text) FROM " +
				g.Name + " AS t WHERE t." + g.Key + " = {row}." + j.Group + " AND " + mapping.Filled("{row}", []string{j.User}) + " AND " + mapping.Filled("t", mapping.Present(g.Tenant, g.Key)) + " AND " + enrolled(tenant),
			all: "SELECT " + tenant + " AS tenant, " + dialect.Quote(Membership) + " AS type, CAST(j." + j.Group + " AS text) AS id, CAST(j." + j.User + " AS text) AS member FROM " +
				j.Name + " AS j JOIN " + g.Name + " AS t ON t." + g.Key + " = j." + j.Group + " WHERE " + mapping.Filled("j", []string{j.User}) + " AND " + mapping.Filled("t", mapping.Present(g.Tenant, g.Key))})
	}
	return list
}

// entry is the part of {p}schema that says with which triggers the table is watched.
func (w *watched) entry() string { return "watch " + w.table + " " + w.what }
