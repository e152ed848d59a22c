package mapping

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Row is a row of the application, with the rows of its children.
type Row struct {
	Visible  bool
	Created  time.Time
	Beside   []Other // Beside are the rows in the tables beside it, in the order of Mapping.Beside.
	Cells    []any   // Cells are in the order of Mapping.Columns.
	Children [][]any // Children are in the order of Mapping.Children, each with its cells row after row.
	Seen     Seen
}

// Other is the row of a resource in a table beside that of its type.
type Other struct {
	Key    string // Key is its key, or empty if the resource's row refers to none.
	Exists bool
}

// PlainCell returns a cell as a value that JSON can hold.
func PlainCell(v any) any {
	switch v := v.(type) {
	case []byte:
		return string(v)
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano)
	case uint64:
		if v <= math.MaxInt64 {
			return int64(v)
		}
		return strconv.FormatUint(v, 10)
	case float32: // MariaDB's float
		f, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), 'g', -1, 32), 64)
		if err == nil {
			return f
		}
	}
	return v
}

// Encode returns the JSON of cells.
func Encode(v any) json.RawMessage {
	switch v := v.(type) { // Most cells are such values.
	case nil:
		return json.RawMessage("null")
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case []any:
		if v == nil {
			return json.RawMessage("null")
		}
	case string:
		if dialect.IsPlain(v) {
			return dialect.AppendText(make([]byte, 0, len(v)+2), v)
		}
	}
	b, err := json.Marshal(v)
	if err != nil { // It is a float that is no number.
		return json.RawMessage(`"` + fmt.Sprint(v) + `"`)
	}
	return b
}

// ParseInstant returns the time in a cell, or the zero time.
func ParseInstant(v any) time.Time {
	switch v := v.(type) {
	case time.Time:
		return v
	case []byte:
		return ParseInstant(string(v))
	case string:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05"} {
			if t, err := time.Parse(layout, v); err == nil {
				return t
			}
		}
	}
	return time.Time{}
}

// value returns the attribute's value that a cell stands for, or nil if it is absent.
func (c *BoundColumn) value(cell any) (any, error) {
	if (cell == nil || cell == "") && !c.TakesNull || c.Empty != nil && c.From == nil && cell == PlainCell(c.Empty) {
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
		return nil, fmt.Errorf("column %s: %T does not fit %s of type %s: convert it with From", c.Name, cell, c.attr.Path, c.attr.Type)
	}
	return v, nil
}

// convert returns a value in the Go type of an attribute's type.
func convert(typ scim.AttributeType, v any) (any, bool) {
	switch x := v.(type) {
	case nil, bool:
		return v, v == nil || typ == "boolean"
	case int64:
		switch typ {
		case scim.TypeBoolean:
			return x != 0, x == 0 || x == 1
		case scim.TypeString, scim.TypeReference:
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
		case scim.TypeBoolean:
			b, err := strconv.ParseBool(x)
			return b, err == nil
		case scim.TypeInteger:
			n, err := strconv.ParseInt(x, 10, 64)
			return n, err == nil
		case scim.TypeDecimal:
			f, err := strconv.ParseFloat(x, 64)
			return f, err == nil
		case scim.TypeDateTime:
			t := ParseInstant(x)
			return t, !t.IsZero()
		}
		return x, true
	}
	return nil, false
}

// Cell returns what to write for an attribute's value.
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
	if b, ok := v.(bool); ok { // PostgreSQL stores it in a boolean column only.
		switch {
		case strings.HasPrefix(c.DatabaseType, "INT"), c.DatabaseType == "NUMERIC":
			return int64(dialect.Bit(b)), nil
		case c.DatabaseType == "TEXT", c.DatabaseType == "VARCHAR", c.DatabaseType == "BPCHAR", c.DatabaseType == "CHAR":
			return strconv.FormatBool(b), nil
		}
	}
	if t, ok := v.(time.Time); ok && IsText(c.DatabaseType) {
		return TextOf(t), nil
	}
	return v, nil
}

// IsText reports whether columns of a type of the database hold texts.
func IsText(databaseType string) bool {
	return slices.ContainsFunc([]string{"TEXT", "VARCHAR", "CHAR", "BPCHAR", "CITEXT"}, func(name string) bool { return strings.HasPrefix(databaseType, name) })
}

// TextOf returns a time as a column of texts holds it: in UTC, as the databases write times. Such
// texts are in the order of the times.
func TextOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000000") }

// Matches reports whether a cell, read after v was written, stands for v. Otherwise a
// trigger of the application has changed it.
func (c *BoundColumn) Matches(v, cell any) bool {
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

// matches reports whether the rows of a child table are those that were written.
func (c *BoundChild) matches(want [][]Setting, cells []any) bool {
	if len(want)*len(c.Columns) != len(cells) {
		return false
	}
	for cells := range slices.Chunk(cells, len(c.Columns)) {
		if !slices.ContainsFunc(want, func(r []Setting) bool { return IsSameRow(r, cells) }) {
			return false
		}
	}
	return true
}

// same compares a value that is written with one that is read, which may have another Go
// type.
func same(written, read any) bool {
	written = PlainCell(written)
	if b, ok := written.(bool); ok {
		if n, ok := read.(int64); ok {
			return b == (n == 1) && n>>1 == 0
		}
	}
	if x, ok := written.(string); ok {
		if y, ok := read.(string); ok && x != y { // SQLite returns times as texts.
			s, t := ParseInstant(x), ParseInstant(y)
			return !s.IsZero() && s.Equal(t)
		}
	}
	return written == read
}
