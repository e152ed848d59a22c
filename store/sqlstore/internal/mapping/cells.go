package mapping

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Row is a row of the application with its children.
type Row struct {
	Visible  bool
	Created  time.Time
	Cells    []any   // of mapping.columns
	Children [][]any // of mapping.children: cells, row after row
	Seen     map[string]json.RawMessage
}

// PlainCell is a column's value as one that JSON can hold.
func PlainCell(v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	}
	return v
}

func Encode(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // a float that is no number
		return json.RawMessage(`"` + fmt.Sprint(v) + `"`)
	}
	return b
}

// Instant is a time that a database gave, zero if it is none.
func Instant(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case []byte:
		return Instant(string(v))
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
func (c *BoundColumn) value(cell any) (any, error) {
	if (cell == nil || cell == "") && !c.Null || c.Empty != nil && c.From == nil && cell == PlainCell(c.Empty) {
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
			t := Instant(x)
			return t, !t.IsZero()
		}
		return x, true
	}
	return nil, false
}

// Cell is what to write for an attribute's value.
func (c *BoundColumn) Cell(v any) (any, error) {
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
		case strings.HasPrefix(c.DatabaseType, "INT"), c.DatabaseType == "NUMERIC":
			return int64(dialect.Bit(b)), nil
		case c.DatabaseType == "TEXT", c.DatabaseType == "VARCHAR", c.DatabaseType == "BPCHAR":
			return strconv.FormatBool(b), nil
		}
	}
	return v, nil
}

// Took reports whether a cell, as it was read after a value was written, is what was
// written. Otherwise a trigger of the application's has had its say.
func (c *BoundColumn) Took(v, cell any) bool {
	if sent, err := c.Cell(v); err == nil && same(sent, cell) {
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
func (c *BoundChild) took(want [][]Setting, cells []any) bool {
	if len(want)*len(c.Columns) != len(cells) {
		return false
	}
	for cells := range slices.Chunk(cells, len(c.Columns)) {
		if !slices.ContainsFunc(want, func(r []Setting) bool { return RowSays(r, cells) }) {
			return false
		}
	}
	return true
}

// same compares what is written with what is read, which may be of another Go type.
func same(written, read any) bool {
	written = PlainCell(written)
	if b, ok := written.(bool); ok {
		if n, ok := read.(int64); ok {
			return b == (n == 1) && n>>1 == 0
		}
	}
	if x, ok := written.(string); ok {
		if y, ok := read.(string); ok && x != y { // SQLite has times as texts
			s, t := Instant(x), Instant(y)
			return !s.IsZero() && s.Equal(t)
		}
	}
	return written == read
}
