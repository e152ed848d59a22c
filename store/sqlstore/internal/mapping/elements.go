package mapping

import (
	"context"
	"log/slog"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// ValueIn returns the attribute's value in a resource.
func (c *BoundColumn) ValueIn(r *scim.Resource) any {
	if c.list == "" {
		return r.Get(c.Path)
	}
	list, _ := r.Get(c.list).([]any)
	i := c.element(list)
	if i < 0 {
		return nil
	}
	m, _ := list[i].(map[string]any)
	return m[search.Below(c.list, c.Path)]
}

// element returns the index of the element that a column is about, or -1.
func (c *BoundColumn) element(list []any) int {
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

// put returns r with another value of the attribute.
func (c *BoundColumn) put(r *scim.Resource, v any) (*scim.Resource, error) {
	if c.list == "" {
		return r.With(map[string]any{c.Path: v})
	}
	was, _ := r.Get(c.list).([]any)
	list := append([]any(nil), was...)
	part := search.Below(c.list, c.Path)
	switch i := c.element(list); {
	case i < 0 && v == nil:
		return r, nil
	case i < 0:
		e := map[string]any{part: v}
		if c.Of != "" {
			e["type"] = c.Of
		} else if _, ok := r.Type().Attribute(c.list + ".primary"); ok {
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

// elements returns the elements that the rows of a child table stand for.
func (c *BoundChild) elements(cells []any) ([]any, error) {
	list := []any{}
	for ; len(cells) >= len(c.Columns) && len(cells) > 0; cells = cells[len(c.Columns):] {
		e := map[string]any{}
		for i := range c.Columns {
			v, err := c.Columns[i].value(cells[i])
			if err != nil {
				return nil, err
			}
			if v != nil {
				e[c.Columns[i].Path] = v
			}
		}
		if len(e) > 0 {
			list = append(list, e)
		}
	}
	return list, nil
}

// Merge returns r with the values of the application's row. A column wins if it is no
// longer what was seen of it. A value that no attribute can hold is left out and logged. If all is read
// again, only a value stays that was kept for this tenant, and that is not written into a shared row.
func (m *Mapping) Merge(ctx context.Context, log *slog.Logger, r *scim.Resource, was Seen, row *Row) *scim.Resource {
	if was == nil {
		if fresh, err := fillRow(m, r, row); err == nil {
			return fresh
		}
	}
	// stays says whether a value stays whose column was not seen before.
	change := func(key string, isKept bool, stays func() bool, with func() (*scim.Resource, error)) {
		_, ok := was[key]
		if ok = ok && (isKept || !was.isAgain()); ok && was.IsSame(row.Seen, key) || !ok && was != nil && stays() {
			return
		}
		next, err := with()
		if err != nil {
			log.WarnContext(ctx, "sqlstore: a row of the application has a value that its attribute cannot have; the value is left out",
				"table", m.Name, "key", r.ID(), "error", err)
			return
		}
		r = next
	}
	hasOthers := len(was) > 0 && !was.isAgain()
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.IsCopy {
			continue
		}
		// From cannot have changed where there is none.
		isKept := c.Beside > 0 && m.Beside[c.Beside-1].Shared && c.From == nil
		change(c.SeenKey(), isKept, func() bool {
			v, cell := c.ValueIn(r), row.Cells[i]
			// If other columns were seen, this one is new to the mapping. Then it erases nothing
			// that a client has written, and activates nobody.
			return v != nil && (c.Matches(v, cell) || hasOthers && (cell == nil || cell == "" || c.Path == "active" && v == false))
		}, func() (*scim.Resource, error) {
			v, err := c.value(row.Cells[i])
			if err != nil {
				return nil, err
			}
			return c.put(r, v)
		})
	}
	for i := range m.Children {
		c := &m.Children[i]
		change(c.SeenKey(), false, func() bool {
			want, err := c.Rows(r)
			return err == nil && len(want) > 0 && (c.matches(want, row.Children[i]) || hasOthers && len(row.Children[i]) == 0)
		}, func() (*scim.Resource, error) {
			list, err := c.elements(row.Children[i])
			if err != nil {
				return nil, err
			}
			return r.With(map[string]any{c.Path: list})
		})
	}
	return r
}

// fillRow returns r with all values of a row of which nothing was seen. It does at once what Merge does
// column by column, and fails if there is a value to leave out.
func fillRow(m *Mapping, r *scim.Resource, row *Row) (*scim.Resource, error) {
	values := make(map[string]any, len(m.Columns))
	parts := make([]any, len(m.Columns))
	for i := range m.Columns {
		c := &m.Columns[i]
		if c.IsCopy {
			continue
		}
		v, err := c.value(row.Cells[i])
		if err != nil {
			return nil, err
		}
		if c.list != "" {
			parts[i] = v
		} else {
			values[c.Path] = v
		}
	}
	r, err := r.With(values)
	if err != nil {
		return nil, err
	}
	for i := range m.Columns {
		if c := &m.Columns[i]; !c.IsCopy && c.list != "" {
			if r, err = c.put(r, parts[i]); err != nil {
				return nil, err
			}
		}
	}
	for i := range m.Children {
		c := &m.Children[i]
		list, err := c.elements(row.Children[i])
		if err != nil {
			return nil, err
		}
		if len(list) == 0 && r.Get(c.Path) == nil {
			continue
		}
		if r, err = r.With(map[string]any{c.Path: list}); err != nil {
			return nil, err
		}
	}
	return r, nil
}
