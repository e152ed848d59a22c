package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// mine is the condition that a row of m, as t, is one of the tenant's. Every statement
// on the table has it.
func (s *Store) mine(w *words, m *mapping) string {
	if m.Tenant == "" {
		return "1 = 1" // New has seen that there is one tenant
	}
	return "t." + m.Tenant + " = " + w.arg(s.tenant)
}

// appRow is a row of the application with its children.
type appRow struct {
	visible  bool
	created  time.Time
	cells    []any   // of mapping.columns
	children [][]any // of mapping.children: cells, row after row
	seen     map[string]json.RawMessage
}

// Locks on rows, in PostgreSQL: against other writers, and also against who makes rows
// that refer to them.
const (
	unlocked   = ""
	toUpdate   = " FOR NO KEY UPDATE"
	toBeErased = " FOR UPDATE"
)

// appRows reads the rows of m with these keys.
func (s *Store) appRows(ctx context.Context, m *mapping, keys []string, lock string) (map[string]*appRow, error) {
	rows := make(map[string]*appRow, len(keys))
	for len(keys) > 0 {
		n := min(len(keys), chunk)
		if err := s.appChunk(ctx, m, keys[:n], lock, rows); err != nil {
			return nil, fmt.Errorf("sqlstore: rows of %s: %w", m.Name, err)
		}
		keys = keys[n:]
	}
	return rows, nil
}

func (s *Store) appChunk(ctx context.Context, m *mapping, keys []string, lock string, rows map[string]*appRow) error {
	visible, created := "1", "NULL"
	if m.Visible != "" {
		visible = "CASE WHEN (" + m.Visible + ") THEN 1 ELSE 0 END"
	}
	if m.Created != "" {
		created = "t." + m.Created
	}
	text := "SELECT CAST(t." + m.Key + " AS text), " + visible + ", " + created
	for _, c := range m.columns {
		text += ", t." + c.Name
	}
	w := &words{d: s.d}
	text += " FROM " + m.Name + " AS t WHERE " + s.mine(w, m) + " AND t." + m.Key + " IN (" + w.list(keys) + ")"
	if s.d == Postgres {
		text += lock
	}
	err := s.eachApp(ctx, w, text, func(scan func(...any) error) error {
		r := &appRow{cells: make([]any, len(m.columns)), children: make([][]any, len(m.children)), seen: map[string]json.RawMessage{}}
		var key string
		var at any
		dest := []any{&key, &r.visible, &at}
		for i := range r.cells {
			dest = append(dest, &r.cells[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		r.created = instant(at)
		for i := range m.columns {
			r.cells[i] = plainCell(r.cells[i])
			r.seen[m.columns[i].seen()] = raw(r.cells[i])
		}
		rows[key] = r
		return nil
	})
	if err != nil {
		return err
	}
	for i := range m.children {
		if err := s.appChildren(ctx, m, i, keys, rows); err != nil {
			return fmt.Errorf("%s: %w", m.children[i].Name, err)
		}
	}
	return nil
}

// appChildren reads the elements of an attribute that has a table of its own.
func (s *Store) appChildren(ctx context.Context, m *mapping, i int, keys []string, rows map[string]*appRow) error {
	c := m.children[i]
	text := "SELECT CAST(c." + c.Parent + " AS text)"
	for _, column := range c.columns {
		text += ", c." + column.Name
	}
	order := c.Order
	if order == "" {
		order = c.columns[0].Name
	}
	w := &words{d: s.d}
	text += " FROM " + c.Name + " AS c WHERE c." + c.Parent + " IN (" + w.list(keys) + ") ORDER BY c." + c.Parent + ", c." + order
	err := s.eachApp(ctx, w, text, func(scan func(...any) error) error {
		cells := make([]any, len(c.columns))
		var key string
		dest := []any{&key}
		for i := range cells {
			dest = append(dest, &cells[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		for i := range cells {
			cells[i] = plainCell(cells[i])
		}
		if r := rows[key]; r != nil {
			r.children[i] = append(r.children[i], cells...)
		}
		return nil
	})
	for _, r := range rows {
		r.seen[c.seen()] = raw(r.children[i])
	}
	return err
}

// plainCell is a column's value as one that JSON can hold.
func plainCell(v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return v
}

func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // a float that is no number
		return json.RawMessage(`"` + fmt.Sprint(v) + `"`)
	}
	return b
}

// instant is a time that a database gave, zero if it is none.
func instant(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case []byte:
		return instant(string(v))
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05"} {
			if t, err := time.Parse(layout, v); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// value is what a cell says of the attribute, nil if it is absent.
func (c *boundColumn) value(cell any) (any, error) {
	if (cell == nil || cell == "") && !c.null || c.Empty != nil && c.From == nil && cell == plainCell(c.Empty) {
		return nil, nil
	}
	var err error
	if c.From != nil {
		if cell, err = c.From(cell); err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
	}
	v, ok := convert(c.attr.Type, cell)
	if !ok {
		return nil, fmt.Errorf("column %s: %T is not for %s, of type %s: say how with From", c.Name, cell, c.attr.Path, c.attr.Type)
	}
	return v, nil
}

// convert brings a value into the Go type of an attribute's type.
func convert(typ string, v any) (any, bool) {
	switch x := v.(type) {
	case nil, bool:
		return v, v == nil || typ == "boolean"
	case int64:
		switch typ {
		case "boolean":
			return x != 0, x == 0 || x == 1
		case "string", "reference":
			return strconv.FormatInt(x, 10), true
		}
		return x, typ == "integer" || typ == "decimal"
	case int:
		return convert(typ, int64(x))
	case float64:
		return x, typ == "decimal"
	case time.Time:
		return x, typ == "dateTime"
	case string:
		switch typ {
		case "boolean":
			b, err := strconv.ParseBool(x)
			return b, err == nil
		case "integer":
			n, err := strconv.ParseInt(x, 10, 64)
			return n, err == nil
		case "decimal":
			f, err := strconv.ParseFloat(x, 64)
			return f, err == nil
		case "dateTime":
			t := instant(x)
			return t, !t.IsZero()
		}
		return x, true
	}
	return nil, false
}

// cell is what to write for an attribute's value.
func (c *boundColumn) cell(v any) (any, error) {
	if v == nil {
		return c.Empty, nil
	}
	if c.To != nil {
		var err error
		if v, err = c.To(v); err != nil {
			return nil, fmt.Errorf("sqlstore: %s: column %s: %w", c.Path, c.Name, err)
		}
	}
	if b, ok := v.(bool); ok { // which PostgreSQL takes for a boolean only
		switch {
		case strings.HasPrefix(c.typ, "INT"), c.typ == "NUMERIC":
			return int64(bit(b)), nil
		case c.typ == "TEXT", c.typ == "VARCHAR", c.typ == "BPCHAR":
			return strconv.FormatBool(b), nil
		}
	}
	return v, nil
}

// took reports whether a cell, as it was read after a value was written, is what was
// written. Otherwise a trigger of the application's has had its say.
func (c *boundColumn) took(v, cell any) bool {
	if sent, err := c.cell(v); err == nil && same(sent, cell) {
		return true
	}
	is, err := c.value(cell)
	if err != nil {
		return false
	}
	x, text := v.(string)
	y, both := is.(string)
	if text && both && !c.attr.CaseExact {
		return scim.Fold(x) == scim.Fold(y)
	}
	return reflect.DeepEqual(v, is)
}

// took reports whether the rows of a child table are what was written.
func (c *boundChild) took(want [][]setting, cells []any) bool {
	if len(want)*len(c.columns) != len(cells) {
		return false
	}
	for cells := range slices.Chunk(cells, len(c.columns)) {
		if !slices.ContainsFunc(want, func(r []setting) bool { return rowSays(r, cells) }) {
			return false
		}
	}
	return true
}

// same compares what is written with what is read, which may be of another Go type.
func same(written, read any) bool {
	written = plainCell(written)
	if b, ok := written.(bool); ok {
		if n, ok := read.(int64); ok {
			return b == (n == 1) && n>>1 == 0
		}
	}
	if x, ok := written.(string); ok {
		if y, ok := read.(string); ok && x != y { // SQLite has times as texts
			s, t := instant(x), instant(y)
			return !s.IsZero() && s.Equal(t)
		}
	}
	return written == read
}

// of is the attribute's value in a resource.
func (c *boundColumn) of(r *scim.Resource) any {
	if c.list == "" {
		return r.Get(c.Path)
	}
	list, _ := r.Get(c.list).([]any)
	i := c.element(list)
	if i < 0 {
		return nil
	}
	m, _ := list[i].(map[string]any)
	return m[below(c.list, c.Path)]
}

// element is the place of the element that a column is about, -1 if there is none.
func (c *boundColumn) element(list []any) int {
	first := -1
	for i, e := range list {
		m, _ := e.(map[string]any)
		typ, _ := m["type"].(string)
		switch {
		case c.Of != "" && scim.Fold(typ) == scim.Fold(c.Of), c.Of == "" && m["primary"] == true:
			return i
		case c.Of == "" && first < 0:
			first = i
		}
	}
	return first
}

// put is r with another value of the attribute.
func (c *boundColumn) put(r *scim.Resource, v any) (*scim.Resource, error) {
	if c.list == "" {
		return r.With(map[string]any{c.Path: v})
	}
	was, _ := r.Get(c.list).([]any)
	list := append([]any(nil), was...)
	part := below(c.list, c.Path)
	switch i := c.element(list); {
	case i < 0 && v == nil:
		return r, nil
	case i < 0:
		e := map[string]any{part: v}
		if c.Of != "" {
			e["type"] = c.Of
		} else if _, ok := r.Type().Attr(c.list + ".primary"); ok {
			e["primary"] = true
		}
		list = append(list, e)
	case v == nil && part == "value":
		list = append(list[:i], list[i+1:]...)
	default:
		e := map[string]any{}
		for k, x := range list[i].(map[string]any) {
			e[k] = x
		}
		e[part] = v
		list[i] = e
	}
	return r.With(map[string]any{c.list: list})
}

// elements are the elements that the rows of a child table say.
func (c *boundChild) elements(cells []any) ([]any, error) {
	list := []any{}
	for ; len(cells) >= len(c.columns) && len(cells) > 0; cells = cells[len(c.columns):] {
		e := map[string]any{}
		for i := range c.columns {
			v, err := c.columns[i].value(cells[i])
			if err != nil {
				return nil, err
			}
			if v != nil {
				e[c.columns[i].Path] = v
			}
		}
		if len(e) > 0 {
			list = append(list, e)
		}
	}
	return list, nil
}

// says is r as the application's row says it: where a column is no longer what it was
// when it was seen, it wins. What no attribute can hold is left out, and told.
func (s *Store) says(ctx context.Context, m *mapping, r *scim.Resource, was map[string]json.RawMessage, row *appRow) *scim.Resource {
	// stays is asked about a column that was not seen before.
	change := func(name string, stays func() bool, with func() (*scim.Resource, error)) {
		if before, ok := was[name]; ok && string(before) == string(row.seen[name]) || !ok && was != nil && stays() {
			return
		}
		next, err := with()
		if err != nil {
			s.log.WarnContext(ctx, "sqlstore: a row of the application has a value that its attribute cannot have; it is left out",
				"table", m.Name, "key", r.ID(), "error", err)
			return
		}
		r = next
	}
	for i := range m.columns {
		c := &m.columns[i]
		if c.copy {
			continue
		}
		change(c.seen(), func() bool {
			v, cell := c.of(r), row.cells[i]
			// Where others were seen, the column is new to the mapping: it takes nothing away
			// that a client has written, and makes nobody active.
			return v != nil && (c.took(v, cell) || len(was) > 0 && (cell == nil || cell == "" || c.Path == "active" && v == false))
		}, func() (*scim.Resource, error) {
			v, err := c.value(row.cells[i])
			if err != nil {
				return nil, err
			}
			return c.put(r, v)
		})
	}
	for i := range m.children {
		c := &m.children[i]
		change(c.seen(), func() bool {
			want, err := c.rows(r)
			return err == nil && len(want) > 0 && (c.took(want, row.children[i]) || len(was) > 0 && len(row.children[i]) == 0)
		}, func() (*scim.Resource, error) {
			list, err := c.elements(row.children[i])
			if err != nil {
				return nil, err
			}
			return r.With(map[string]any{c.Path: list})
		})
	}
	return r
}
