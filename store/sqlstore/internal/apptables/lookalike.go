package apptables

import (
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
// compares as the application wants.
func (m *Table) readUnique(ctx context.Context) error {
	var unique []nameIndex
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.Path != namePath || c.ReadOnly {
			continue
		}
		all, err := uniqueIndexes(ctx, m.db, m.Name)
		if err != nil {
			return fmt.Errorf("sqlstore: table %s: unique indexes: %w", m.Name, err)
		}
		for _, x := range all {
			if x.isPlain() && !x.ofPartition && x.has(c.Name) {
				unique = append(unique, nameIndex{x, c})
			}
		}
	}
	m.unique.Store(&unique)
	return nil
}

// nameIndex is a unique index with the column of userName.
type nameIndex struct {
	uniqueIndex
	column *mapping.BoundColumn
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
	return m.Tenant != "" && slices.ContainsFunc(m.nameIndexes(), func(x nameIndex) bool { return !x.has(m.Tenant) })
}

// Namesakes are other rows that have a userName, as SCIM compares it.
type Namesakes struct {
	Keys []string // Keys are those of rows of other tenants.
	// Spellings are those of rows of the tenant that clients no longer see: Retire has kept
	// them.
	Spellings []string
}

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
// looks like that of r, which has just been written under key. The database compares most
// texts letter by letter, and would accept it. Rows that are not among the namesakes are found
// if their column is in lower case.
func (m *Table) checkLookAlikes(ctx context.Context, key string, before, r *scim.Resource, namesakes Namesakes) error {
	name := r.String(namePath)
	if before != nil && scim.Fold(before.String(namePath)) == scim.Fold(name) {
		return nil
	}
	for _, x := range m.nameIndexes() {
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
		switch found, err := m.hasRow(ctx, &x, key, slices.Compact(spellings), namesakes.Keys); {
		case err != nil:
			return fmt.Errorf("sqlstore: look-alikes in %s: %w", m.Name, err)
		case found:
			return scim.Conflict(namePath)
		}
	}
	return nil
}

// hasRow reports whether an index holds another row than that of key, with one of these
// spellings or keys, which the index would not let have the same userName.
func (m *Table) hasRow(ctx context.Context, x *nameIndex, key string, spellings, keys []string) (found bool, err error) {
	if len(spellings)+len(keys) == 0 {
		return false, nil
	}
	w := m.db.Arguments()
	var either []string
	if len(spellings) > 0 {
		either = append(either, "t."+x.column.Name+" IN ("+w.AddAll(spellings)+")")
	}
	if len(keys) > 0 {
		either = append(either, "t."+m.Key+" IN ("+w.AddAll(keys)+")")
	}
	text := "SELECT 1 FROM " + m.Name + " AS t WHERE (" + strings.Join(either, " OR ") + ") AND t." + m.Key + " <> " + w.Add(key)
	for _, k := range x.keys {
		if !isOf(k, x.column.Name) {
			text += " AND t." + k + " = (SELECT n." + k + " FROM " + m.Name + " AS n WHERE n." + m.Key + " = " + w.Add(key) + ")"
		}
	}
	if x.where != "" {
		text += " AND (" + x.where + ") AND EXISTS (SELECT 1 FROM " + m.Name + " AS t WHERE t." + m.Key + " = " + w.Add(key) + " AND (" + x.where + "))"
	}
	err = m.db.EachAppRow(ctx, w, text+" LIMIT 1", func(func(...any) error) error { found = true; return nil })
	return found, err
}
