package mapping

import (
	"slices"
	"strconv"
	"strings"

	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// seenPart is a member of what was seen of a row: a column, or the rows of a child table.
type seenPart struct {
	key   string // key is its SeenKey.
	name  []byte // name is the key as JSON, with the colon.
	child int    // child is its index among the children, or -1.
	index int    // index is that among the columns.
}

// seenParts returns the parts of what is seen of a row, in the order in which they are written. If
// two have one key, the last one is written.
func seenParts(m *Mapping) (all []seenPart) {
	add := func(key string, child, index int) {
		all = slices.DeleteFunc(all, func(p seenPart) bool { return p.key == key })
		all = append(all, seenPart{key: key, name: append(dialect.AppendText(nil, key), ':'), child: child, index: index})
	}
	for i := range m.Columns {
		add(m.Columns[i].SeenKey(), -1, i)
	}
	for i := range m.Children {
		add(m.Children[i].SeenKey(), i, 0)
	}
	slices.SortFunc(all, func(a, b seenPart) int { return strings.Compare(a.key, b.key) })
	return all
}

// See returns what is seen of a row.
func See(m *Mapping, row *Row) Seen {
	seen := make(Seen, len(m.parts))
	for _, p := range m.parts {
		seen[p.key] = p.append(nil, row)
	}
	return seen
}

// AppendSeen appends the JSON of what is seen of a row. It is what package encoding/json makes of See.
func AppendSeen(dst []byte, m *Mapping, row *Row) []byte {
	dst = append(dst, '{')
	for i, p := range m.parts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = p.append(append(dst, p.name...), row)
	}
	return append(dst, '}')
}

// append appends the JSON of the part of a row.
func (p *seenPart) append(dst []byte, row *Row) []byte {
	if p.child >= 0 {
		return append(dst, Encode(row.Children[p.child])...)
	}
	switch v := row.Cells[p.index].(type) { // Most cells are such values.
	case nil:
		return append(dst, "null"...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case string:
		return dialect.AppendText(dst, v)
	default:
		return append(dst, Encode(v)...)
	}
}
