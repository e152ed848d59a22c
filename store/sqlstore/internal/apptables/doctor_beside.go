package apptables

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// checkBeside looks at the i-th table beside that of a type. sample is a resource without values.
func checkBeside(ctx context.Context, m *Table, i int, sample *scim.Resource) (err error) {
	b, columns := &m.Beside[i], m.ColumnsOf(i+1)
	names := mapping.NonEmpty(b.Key, b.Tenant)
	for _, c := range columns {
		names = append(names, c.Name)
	}
	var gives map[string]any
	if b.Insert != nil {
		gives, err = given(b.Name, "Insert", func() map[string]any { return b.Insert(ctx, sample) })
	}
	missing := CheckNames(ctx, m.db, b.Name, "", slices.AppendSeq(names, maps.Keys(gives))...)
	if missing != nil || b.IsWatched() {
		return errors.Join(err, missing)
	}
	err = errors.Join(err, diagnoseBeside(ctx, m, b, columns, gives), readTypes(ctx, m.db, b.Name, columns))
	if err == nil {
		err = checkValues(ctx, m.db, b.Name, columns)
	}
	return err
}

// diagnoseBeside looks at a table beside that of a type, whose names are checked.
func diagnoseBeside(ctx context.Context, m *Table, b *mapping.Beside, columns []mapping.BoundColumn, gives map[string]any) error {
	all, err := columnsOf(ctx, m.db, b.Name)
	if err != nil {
		return fmt.Errorf("sqlstore: table %s: %w", b.Name, err)
	}
	err = checkGiven(ctx, m.db, b.Name, all, "Insert", gives)
	written := slices.AppendSeq(mapping.NonEmpty(b.Tenant), maps.Keys(gives))
	for i := range columns {
		if !columns[i].ReadOnly {
			written = append(written, columns[i].Name)
		}
		err = errors.Join(err, checkKind(b.Name, &columns[i], find(all, columns[i].Name)))
	}
	isGiven := b.Ref == "" || m.KeepID && b.Ref == m.Key || slices.ContainsFunc(written, func(name string) bool { return isOf(name, b.Key) })
	if key := find(all, b.Key); !isGiven && key != nil && key.fill == mandatory {
		err = errors.Join(err, finding(b.Name, "the database does not give the key %s: give the column a default, or a value with Insert of the Beside", b.Key))
	}
	return errors.Join(err, checkFilled(b.Name, all, append(written, b.Key), "a value with Insert of the Beside, or map it to an attribute"))
}

// checkView looks whether the table is a view, and whether triggers note its changes. written are
// the columns of new rows.
func checkView(ctx context.Context, m *Table, written []string) (err error) {
	m.IsView, err = isView(ctx, m.db, m.Name)
	if err != nil || !m.IsView {
		return err
	}
	if len(m.Beside) == 0 {
		err = finding(m.Name, "it is a view, and no trigger can note its changes: name the tables that it reads in Beside")
	}
	if m.db.Dialect == dialect.SQLite && !slices.ContainsFunc(append(written, refsOf(m)...), func(name string) bool { return isOf(name, m.Key) }) {
		err = errors.Join(err, finding(m.Name, "a view of SQLite does not return the key of a new row: set KeepID, or give %s a value with Insert", m.Key))
	}
	return err
}

// isView reports whether a table is a view.
func isView(ctx context.Context, db *database.DB, table string) (yes bool, err error) {
	w := db.Arguments()
	text := "SELECT 1 FROM pg_class c WHERE c.oid = CAST(CAST(" + w.Add(table) + " AS text) AS regclass) AND c.relkind IN ('v', 'm')"
	switch db.Dialect {
	case dialect.MariaDB:
		w = db.Arguments()
		text = "SELECT 1 FROM information_schema.views v WHERE " + ofTable(w, "v.table_schema", "v.table_name", table)
	case dialect.SQLite:
		w = db.Arguments()
		text = "SELECT 1 FROM sqlite_master m WHERE m.type = 'view' AND lower(m.name) = lower(" + w.Add(unquoted(table)) + ")"
	}
	err = db.EachAppRow(ctx, w, text, func(func(...any) error) error { yes = true; return nil })
	return yes, err
}

// isUnique reports whether a column, with the tenant's if there is one, tells rows of a table apart.
func isUnique(ctx context.Context, db *database.DB, table, column, tenant string) (bool, error) {
	all, err := uniqueIndexes(ctx, db, table)
	if err != nil {
		return false, err
	}
	for _, x := range all {
		isOther := func(key string) bool { return !isOf(key, column) && (tenant == "" || !isOf(key, tenant)) }
		if x.where == "" && x.has(column) && !slices.ContainsFunc(x.keys, isOther) {
			return true, nil
		}
	}
	if db.Dialect != dialect.SQLite {
		return false, nil
	}
	w, isKey := db.Arguments(), false // A primary key of type INTEGER has no index.
	err = db.EachAppRow(ctx, w, "SELECT c.name FROM pragma_table_info("+w.Add(unquoted(table))+") c WHERE c.pk > 0", func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		isKey = isOf(`"`+name+`"`, column)
		return err
	})
	return isKey, err
}

// isIndexed reports whether an index begins with a column, or may do so.
func isIndexed(ctx context.Context, db *database.DB, table, column string) (yes bool, err error) {
	w := db.Arguments()
	text := `SELECT pg_get_indexdef(i.indexrelid, 1, true) FROM pg_index i WHERE i.indpred IS NULL AND i.indrelid = CAST(CAST(` + w.Add(table) + ` AS text) AS regclass)`
	switch db.Dialect {
	case dialect.MariaDB:
		w = db.Arguments()
		text = "SELECT concat('`', s.column_name, '`') FROM information_schema.statistics s WHERE s.seq_in_index = 1 AND " + ofTable(w, "s.table_schema", "s.table_name", table)
	case dialect.SQLite: // A primary key of one column is the row's number, or has an index.
		w = db.Arguments()
		name := w.Add(unquoted(table))
		text = `SELECT coalesce('"' || k.name || '"', '') FROM pragma_index_list(` + name + `) l JOIN pragma_index_info(l.name) k WHERE k.seqno = 0 AND l.partial = 0
			UNION ALL SELECT '"' || c.name || '"' FROM pragma_table_info(` + name + `) c WHERE c.pk = 1`
	}
	err = db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		yes = yes || isOf(key, column)
		return err
	})
	return yes, err
}

// doubtBeside returns what is doubtful about the tables beside that of a type.
func doubtBeside(ctx context.Context, m *Table) (all []error, err error) {
	for i := range m.Beside {
		b := &m.Beside[i]
		indexed, err := isIndexed(ctx, m.db, m.Name, b.Ref)
		if err != nil {
			return nil, fmt.Errorf("sqlstore: table %s: indexes: %w", m.Name, err)
		}
		if b.Ref != "" && !m.IsView && !indexed {
			all = append(all, finding(m.Name, "no index begins with column %s, so each write of %s reads the whole table: create one", b.Ref, b.Name))
		}
		if b.IsWatched() {
			continue
		}
		unique, err := isUnique(ctx, m.db, b.Name, b.Key, b.Tenant)
		if err != nil {
			return nil, fmt.Errorf("sqlstore: table %s: unique indexes: %w", b.Name, err)
		}
		if !unique {
			all = append(all, finding(b.Name, "column %s is not unique, so a resource may have several rows, and clients see one of them: create a unique index", b.Key))
		}
		if b.Shared && b.Find == nil && m.Revive == nil {
			all = append(all, finding(b.Name, "a deleted user cannot come back, because the shared row keeps the userName: set Retire and Revive and use Store.Adopt, or let Find return the row"))
		}
	}
	return all, nil
}
