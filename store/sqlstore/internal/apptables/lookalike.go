package apptables

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// namePath is the attribute that must be unique as SCIM compares it.
const namePath = "userName"

// readUnique reads the unique indexes with the column of userName alone or beside others. It
// leaves out those that have it in an expression, such as lower(email): the database then
// compares as the application wants. In a shared table a userName is unique anyway: somebody
// logs in with it.
func (m *Table) readUnique(ctx context.Context) error {
	var unique []nameIndex
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.Path != namePath || c.ReadOnly {
			continue
		}
		at := placeOf(m, c)
		all, err := uniqueIndexes(ctx, m.db, at.table)
		if err != nil {
			return fmt.Errorf("sqlstore: table %s: unique indexes: %w", at.table, err)
		}
		if c.Beside > 0 && m.Beside[c.Beside-1].Shared {
			all = append(all, uniqueIndex{keys: mapping.NonEmpty(c.Name, at.tenant), isDeferred: true})
		}
		for _, x := range all {
			if x.isPlain() && !x.ofPartition && x.has(c.Name) {
				unique = append(unique, nameIndex{x, c, at})
			}
		}
	}
	m.unique.Store(&unique)
	return nil
}

// place is a table with columns of the type.
type place struct{ table, key, tenant string }

// placeOf returns the table of a column.
func placeOf(m *Table, c *mapping.BoundColumn) place {
	if c.Beside == 0 {
		return place{m.Name, m.Key, m.Tenant}
	}
	b := &m.Beside[c.Beside-1]
	return place{b.Name, b.Key, b.Tenant}
}

// nameIndex is a unique index with the column of userName.
type nameIndex struct {
	uniqueIndex
	column *mapping.BoundColumn
	at     place
}

// isPlain reports whether all keys are columns.
func (x *uniqueIndex) isPlain() bool {
	return !slices.ContainsFunc(x.keys, func(key string) bool { return !dialect.IsName(key) })
}

// nameIndexes returns what readUnique has found.
func (m *Table) nameIndexes() []nameIndex {
	if all := m.unique.Load(); all != nil {
		return *all
	}
	return nil
}

// HasNamesOfAll reports whether a unique index forbids two tenants to have one userName.
func (m *Table) HasNamesOfAll() bool {
	return m.Tenant != "" && slices.ContainsFunc(m.nameIndexes(), func(x nameIndex) bool { return x.at.tenant == "" || !x.has(x.at.tenant) })
}

// Namesakes are other rows that have a userName, as SCIM compares it.
type Namesakes struct {
	Elsewhere []Namesake // Elsewhere are rows of other tenants.
	// Spellings are those of rows of the tenant that clients no longer see: Retire has kept
	// them.
	Spellings []string
}

// Namesake is a row of another tenant.
type Namesake struct{ Tenant, Key string }

// Spelling returns the spelling of the userName in a row, "" if that is not the name.
func (m *Table) Spelling(row mapping.Seen, name string) (spelling string, err error) {
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.Path != namePath || row[c.SeenKey()] == nil {
			continue
		}
		var cell any
		if err := json.Unmarshal(row[c.SeenKey()], &cell); err != nil {
			return "", fmt.Errorf("column %s: %w", c.Name, err)
		}
		if text, ok := cell.(string); ok && scim.Fold(text) == scim.Fold(name) {
			return text, nil
		}
	}
	return "", nil
}

// checkLookAlikes returns a conflict if a unique index holds another row whose userName
// looks like that of r, which has just been written. The database compares most
// texts letter by letter, and would accept it. Rows that are not among the namesakes are found
// if their column is in lower case.
func (m *Table) checkLookAlikes(ctx context.Context, to *Written, before, r *scim.Resource, namesakes Namesakes) error {
	name := r.String(namePath)
	if before != nil && scim.Fold(before.String(namePath)) == scim.Fold(name) {
		return nil
	}
	for _, x := range m.nameIndexes() {
		key := to.Key
		if n := x.column.Beside; n > 0 {
			key = to.keys[n-1]
		}
		if to.IsKept(x.column) || key == "" { // The name is not written.
			continue
		}
		cell, err := x.column.Cell(name)
		if err != nil {
			return err
		}
		text, ok := cell.(string)
		if !ok {
			continue
		}
		spellings := append([]string{text, strings.ToLower(text), scim.Fold(text)}, namesakes.Spellings...)
		slices.Sort(spellings)
		if !x.isDeferred { // The database has looked for this spelling.
			spellings = slices.DeleteFunc(spellings, func(s string) bool { return s == text })
		}
		found, err := hasSpelling(ctx, m, &x, key, slices.Compact(spellings))
		if err == nil && !found {
			found, err = hasNamesake(ctx, m, &x, key, name, namesakes.Elsewhere)
		}
		if err != nil {
			return fmt.Errorf("sqlstore: look-alikes in %s: %w", x.at.table, err)
		}
		if found {
			return scim.Conflict(namePath)
		}
	}
	return nil
}

// hasSpelling reports whether an index holds another row than that of key, with one of these
// spellings, which the index would not let have the same userName.
func hasSpelling(ctx context.Context, m *Table, x *nameIndex, key string, spellings []string) (found bool, err error) {
	if len(spellings) == 0 {
		return false, nil
	}
	w := m.db.Arguments()
	text := "SELECT 1 FROM " + x.at.table + " AS t WHERE t." + x.column.Name + " IN (" + w.AddAll(spellings) + ")" + otherThan(m, w, x, key)
	err = m.db.EachAppRow(ctx, w, text+" LIMIT 1", func(func(...any) error) error { found = true; return nil })
	return found, err
}

// hasNamesake is hasSpelling for rows of other tenants, whose clients see name. Two tenants may
// have one key. In a table beside this one a tenant may see another name than the row has.
func hasNamesake(ctx context.Context, m *Table, x *nameIndex, key, name string, all []Namesake) (found bool, err error) {
	if len(all) == 0 || m.Tenant == "" {
		return false, nil
	}
	keys := make([]string, len(all))
	for i, n := range all {
		keys[i] = n.Key
	}
	w := m.db.Arguments()
	from, row := m.Name+" AS t", "t"
	if n := x.column.Beside; n > 0 {
		b := &m.Beside[n-1]
		from, row = m.Name+" AS o JOIN "+b.Name+" AS t ON t."+b.Key+" = o."+cmp.Or(b.Ref, m.Key), "o"
		if b.Tenant != "" {
			from += " AND t." + b.Tenant + " = o." + m.Tenant
		}
	}
	text := "SELECT " + m.db.Dialect.AsText(row+"."+m.Tenant) + ", " + m.db.Dialect.AsText(row+"."+m.Key) + ", t." + x.column.Name + " FROM " + from +
		" WHERE " + row + "." + m.Key + " IN (" + w.AddAll(dialect.Distinct(keys)) + ")" + otherThan(m, w, x, key)
	err = m.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var tenant *string // NULL: the row belongs to nobody
		var n Namesake
		var cell any
		if err := scan(&tenant, &n.Key, &cell); err != nil || tenant == nil {
			return err
		}
		n.Tenant = *tenant
		found = found || slices.Contains(all, n) && (x.column.Beside == 0 || x.column.Matches(name, mapping.PlainCell(cell)))
		return nil
	})
	return found, err
}

// otherThan is the condition that a row, as t, is another one than that of key, and that a unique
// index compares the two.
func otherThan(m *Table, w *dialect.Arguments, x *nameIndex, key string) string {
	own := func(row string) string {
		return row + "." + x.at.key + " = " + w.Add(key) + " AND " + OfTenant(m.db, w, row, x.at.tenant)
	}
	text := " AND NOT (" + own("t") + ")"
	for _, k := range x.keys {
		if !isOf(k, x.column.Name) {
			text += " AND t." + k + " = (SELECT n." + k + " FROM " + x.at.table + " AS n WHERE " + own("n") + ")"
		}
	}
	if x.where != "" {
		text += " AND (" + x.where + ") AND EXISTS (SELECT 1 FROM " + x.at.table + " AS t WHERE " + own("t") + " AND (" + x.where + "))"
	}
	return text
}
