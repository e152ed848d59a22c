package mapping

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Bind checks the tables and memberships that the application declares and binds them to
// the attributes of types. The result is by type. The error lists every mistake.
func Bind(types map[string]search.Type, tables []Table, members *Join, tenant string) (map[string]*Mapping, error) {
	b := &binder{types: types, tenant: tenant, bound: make(map[string]*Mapping)}
	for _, t := range tables {
		b.bindTable(t)
	}
	if members != nil {
		b.checkJoin(members)
	}
	return b.bound, b.err
}

// binder binds tables to attributes and collects mistakes.
type binder struct {
	types  map[string]search.Type
	tenant string
	bound  map[string]*Mapping
	err    error
}

// fail adds a mistake.
func (b *binder) fail(format string, args ...any) {
	b.err = errors.Join(b.err, fmt.Errorf("sqlstore: "+format, args...))
}

// checkName checks the name of a table or a column. If it is not needed, it may be empty.
func (b *binder) checkName(what, name string, needed bool) {
	if needed && name == "" || name != "" && !dialect.IsName(name) {
		b.fail("%s %q: needs the name of a table or column", what, name)
	}
}

// bindTable binds the table of a type.
func (b *binder) bindTable(table Table) {
	t, ok := b.types[table.Type]
	if !ok || b.bound[table.Type] != nil {
		b.fail("Tables: %q is no type of Options.Types, or it has two Tables", table.Type)
		return
	}
	m := &Mapping{Table: table, ResourceType: t.ResourceType}
	b.bound[table.Type] = m
	b.checkName("table", m.Name, true)
	b.checkName(m.Name+": Key", m.Key, true)
	b.checkName(m.Name+": Tenant", m.Tenant, false)
	b.checkName(m.Name+": Created", m.Created, false)
	b.checkName(m.Name+": Updated", m.Updated, false)
	if m.Tenant == "" && b.tenant != "" {
		b.fail("%s: without a column for the Tenant its rows would be those of every tenant", m.Name)
	}
	if m.Tenant != "" && b.tenant == "" {
		b.fail("%s: Tenant is the column %s, and Options.Tenant is empty: without a tenant clients see only rows where the column is empty", m.Name, m.Tenant)
	}
	if dialect.HasPlaceholder(m.Visible) {
		b.fail("%s: Visible takes no arguments", m.Name)
	}
	if m.Unclaimed < search.ListUnclaimed || m.Unclaimed > search.HideUnclaimed {
		b.fail("%s: Unclaimed is %d: use ListUnclaimed, FindUnclaimed or HideUnclaimed", m.Name, m.Unclaimed)
	}
	if m.Revive != nil && m.Retire == nil {
		b.fail("%s: Revive undoes Retire, and there is no Retire: a deleted row is erased", m.Name)
	}
	if dialect.HasPlaceholder(m.Exempt) {
		b.fail("%s: Exempt takes no arguments", m.Name)
	}
	if m.Exempt != "" && table.Type != search.UserType {
		b.fail("%s: Exempt is for users, and the type is %s", m.Name, table.Type)
	}
	b.bindColumns(m, 0, m.Name, table.Columns)
	for i := range table.Beside {
		b.bindBeside(m, i+1, &table.Beside[i])
	}
	for _, c := range table.Children {
		b.bindChild(m, c)
	}
	m.parts = seenParts(m)
	if table.Type == search.UserType && !slices.ContainsFunc(m.Columns, func(c BoundColumn) bool { return c.Path == "userName" }) {
		b.fail("%s: a table of users needs a column for userName", m.Name)
	}
}

// bindColumns binds the columns of a table: see BoundColumn.Beside for n.
func (b *binder) bindColumns(m *Mapping, n int, table string, columns []Column) {
	for _, c := range columns {
		bound := b.bindColumn(table, m.ResourceType, "", c)
		bound.Beside, bound.table = n, table
		bound.seenKey = bound.SeenKey()
		if i := slices.IndexFunc(m.Columns, func(o BoundColumn) bool { return o.Beside == n && o.Name == c.Name }); i >= 0 {
			b.fail("%s: column %s stands for %s and for %s: map it to one attribute; this package keeps attributes without a column", table, c.Name, m.Columns[i].Path, c.Path)
		}
		if n == 0 && c.Name == m.Key && !c.ReadOnly && !c.SetOnce {
			b.fail("%s: column %s is the Key, which must not change: set SetOnce if clients give it, otherwise ReadOnly", table, c.Name)
		}
		if last := len(c.Values) - 1; last > 0 && c.Values[0] == c.Values[last] {
			b.fail("%s: column %s: ActiveWhen has one value for active and inactive users, %v: give two", table, c.Name, c.Values[0])
		}
		bound.IsCopy = slices.ContainsFunc(m.Columns, func(o BoundColumn) bool { return o.Path == c.Path && o.Of == c.Of })
		m.Columns = append(m.Columns, bound)
	}
}

// bindBeside binds the n-th table beside that of a type.
func (b *binder) bindBeside(m *Mapping, n int, t *Beside) {
	b.checkName("table", t.Name, true)
	b.checkName(t.Name+": Key", t.Key, true)
	b.checkName(t.Name+": Ref", t.Ref, false)
	b.checkTenant(t.Name, t.Tenant, m.Tenant)
	isTwice := func(o Beside) bool { return o.Name == t.Name }
	switch {
	case t.Name == m.Name || slices.ContainsFunc(m.Beside[:n-1], isTwice):
		b.fail("%s: Beside: the type %s has this table twice", t.Name, m.Type)
	case t.Shared && (t.Ref == "" || t.IsWatched()):
		b.fail("%s: Shared: needs a Ref and Columns", t.Name)
	case slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == t.Key && !c.ReadOnly }):
		b.fail("%s: column %s is the Key: set ReadOnly", t.Name, t.Key)
	case t.Ref == "" && t.Tenant == "" && SharesKeys(&m.Table) && !t.IsWatched():
		b.fail("%s: Tenant: is needed, because rows of two tenants may have one Key: otherwise a tenant changes the rows of another one", t.Name)
	case t.Find != nil && !t.Shared:
		b.fail("%s: Find: needs Shared", t.Name)
	case t.Insert != nil && t.IsWatched():
		b.fail("%s: Insert: needs Columns: without them the table is only watched", t.Name)
	}
	for _, c := range t.Columns {
		if t.Shared && c.Path == "active" && !c.ReadOnly {
			b.fail("%s: column %s: active in a shared table would lock somebody out of other tenants: map a column of %s, or set ReadOnly", t.Name, c.Name, m.Name)
		}
	}
	b.bindColumns(m, n, t.Name, t.Columns)
}

// bindChild binds the table of a multi-valued attribute.
func (b *binder) bindChild(m *Mapping, c Child) {
	b.checkName("table", c.Name, true)
	b.checkName(c.Name+": Parent", c.Parent, true)
	b.checkName(c.Name+": Order", c.Order, false)
	b.checkTenant(c.Name, c.Tenant, m.Tenant)
	a, ok := m.ResourceType.Attribute(c.Path)
	if !ok || !a.MultiValued || a.Type != scim.TypeComplex || a.Parent != nil || len(c.Columns) == 0 || c.Path == "members" {
		b.fail("%s: Path %q: needs a multi-valued attribute with parts, and Columns for them", c.Name, c.Path)
		return
	}
	if c.Tenant == "" && SharesKeys(&m.Table) {
		b.fail("%s: Tenant: is needed, because rows of two tenants may have one Key: otherwise a tenant changes the rows of another one", c.Name)
	}
	child := BoundChild{Child: c}
	for _, column := range c.Columns {
		child.Columns = append(child.Columns, b.bindColumn(c.Name, m.ResourceType, a.Path, column))
	}
	m.Children = append(m.Children, child)
}

// bindColumn binds a column of a table. list is the multi-valued attribute that a Child
// stands for, or an empty text.
func (b *binder) bindColumn(table string, t *scim.ResourceType, list string, c Column) BoundColumn {
	b.checkName(table+": column", c.Name, true)
	bound, err := bindColumn(t, list, c)
	if err != nil {
		b.fail("%s: %w", table, err)
	}
	return bound
}

// checkJoin checks the table of memberships.
func (b *binder) checkJoin(j *Join) {
	b.checkName("table", j.Name, true)
	b.checkName(j.Name+": Group", j.Group, true)
	b.checkName(j.Name+": User", j.User, true)
	b.checkName(j.Name+": Since", j.Since, false)
	if strings.EqualFold(j.Group, j.User) {
		b.fail("%s: Group and User are the same column", j.Name)
	}
	groups := b.bound[search.GroupType]
	if b.bound[search.UserType] == nil || groups == nil {
		b.fail("Members: needs a Table for User and one for Group")
		return
	}
	b.checkTenant(j.Name, j.Tenant, groups.Tenant)
}

// checkTenant checks the Tenant of a table that belongs to another one, whose Tenant is of.
func (b *binder) checkTenant(table, tenant, of string) {
	b.checkName(table+": Tenant", tenant, false)
	if tenant != "" && of == "" {
		b.fail("%s: Tenant: the Table has no Tenant", table)
	}
}

// bindColumn finds the attribute of a column. list is the multi-valued attribute that a
// Child stands for, or an empty text.
func bindColumn(t *scim.ResourceType, list string, c Column) (BoundColumn, error) {
	path := c.Path
	if list != "" {
		path = list + "." + path
	}
	a, ok := t.Attribute(path)
	b := BoundColumn{Column: c, attr: a}
	switch {
	case ok && a.Path == "password":
		return b, fmt.Errorf("column %s: a password is no attribute that the Store keeps: leave the column out, and see PasswordSetter", c.Name)
	case !ok || a.MultiValued || a.Type == scim.TypeComplex || a.Path == "id" || a.Path == "schemas":
		return b, fmt.Errorf("column %s: Path %q: needs an attribute with one simple value%s", c.Name, c.Path, meant(t, path))
	case a.Path != path:
		return b, fmt.Errorf("column %s: Path %q: write %q", c.Name, c.Path, strings.TrimPrefix(a.Path, list+"."))
	case a.Parent == nil:
	case a.Parent.Path == "meta" || a.Parent.Path == "members" || a.Parent.Path == "groups":
		return b, fmt.Errorf("column %s: Path %q cannot have a column", c.Name, c.Path)
	case a.Parent.MultiValued && list == "":
		b.list = a.Parent.Path
	}
	if c.Of != "" && b.list == "" {
		return b, fmt.Errorf("column %s: Of is for a part of a multi-valued attribute", c.Name)
	}
	return b, nil
}

// meant says which attributes an unknown path may mean: those with the same letters, also as a part
// of another attribute, or of a list with this name.
func meant(t *scim.ResourceType, path string) string {
	letters := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(s))
	}
	var all []string
	for _, a := range t.Attributes() {
		name := a.Path[strings.LastIndexAny(a.Path, ".:")+1:]
		isList := a.MultiValued && letters(name) == letters(path)+"s"
		if isList || a.MultiValued && a.Path == path {
			if part, ok := t.Attribute(a.Path + ".value"); ok {
				all = append(all, part.Path)
			}
		} else if a.Type != scim.TypeComplex && letters(name) == letters(path[strings.LastIndexAny(path, ".:")+1:]) {
			all = append(all, a.Path)
		}
	}
	if len(all) == 0 || len(all) > 3 {
		return ""
	}
	return "; do you mean " + strings.Join(all, " or ") + "?"
}
