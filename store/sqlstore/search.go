package sqlstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/doc"
)

// The search form of a resource is a flat JSON object of texts that compare, byte by
// byte, as the values do:
//
//	{"userName": "ann", "name": "", "name.familyName": "lee",
//	 "emails": [{"#": "", "value": "ann@example.com", "primary": "true"}]}
//
// Members are named by path from the resource or, in an element of a multi-valued
// attribute, from there. A complex value that holds something has a member for
// itself, in elements "#". Of a multi-valued attribute the primary element comes
// first, because it is the one to sort by.

// attr is an attribute with its sub-attributes.
type attr struct {
	scim.Attr
	name string // its last part
	sub  []*attr
}

// tree arranges the attributes of t.
func tree(t *scim.ResourceType) []*attr {
	var root []*attr
	byPath := make(map[string]*attr)
	for _, a := range t.Attrs() {
		n := &attr{Attr: a, name: a.Path}
		byPath[a.Path] = n
		if a.Parent == nil {
			root = append(root, n)
			continue
		}
		n.name = below(a.Parent.Path, a.Path)
		p := byPath[a.Parent.Path]
		p.sub = append(p.sub, n)
	}
	return root
}

// below is path as it is written from base on, which is "" for the resource.
func below(base, path string) string {
	if base == "" {
		return path
	}
	return path[len(base)+1:]
}

// searchForm makes the search form of r, whose stored form is raw.
func searchForm(root []*attr, r *scim.Resource, raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber() // 64 bits do not fit a float
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		return nil, err
	}
	delete(values, "id") // a column
	m := r.Meta()
	values["meta"] = map[string]any{
		"resourceType": r.Type().Name(), "version": m.Version,
		"created": dateTime(m.Created), "lastModified": dateTime(m.LastModified),
	}
	form := make(map[string]any)
	fill(form, "", root, values)
	return form, nil
}

// dateTime is a time as clients see it, nil if there is none.
func dateTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// fill puts values of attributes into form, named from base on.
func fill(form map[string]any, base string, attrs []*attr, values map[string]any) {
	for _, a := range attrs {
		v, key := values[a.name], below(base, a.Path)
		switch list, isList := v.([]any); {
		case v == nil, v == "" && a.Parent != nil && a.Parent.Path == "meta":
		case isList && a.MultiValued:
			if elements := a.elements(list); len(elements) > 0 {
				form[key] = elements
			}
		case a.MultiValued:
		case a.Type == "complex":
			if m, ok := v.(map[string]any); ok && len(m) > 0 {
				form[key] = ""
				fill(form, base, a.sub, m)
			}
		default:
			if k, ok := keyOf(a.Attr, plain(v)); ok {
				form[key] = k
			}
		}
	}
}

func (a *attr) elements(list []any) []any {
	out := make([]any, 0, len(list))
	first := -1
	for i, v := range list {
		if a.Type != "complex" {
			if k, ok := keyOf(a.Attr, plain(v)); ok {
				out = append(out, k)
			}
			continue
		}
		e, m := make(map[string]any), map[string]any(nil)
		if m, _ = v.(map[string]any); len(m) > 0 {
			e["#"] = ""
			fill(e, a.Path, a.sub, m)
		}
		if first < 0 && m["primary"] == true {
			first = i
		}
		out = append(out, e)
	}
	if first > 0 {
		chosen := out[first]
		out = slices.Insert(slices.Delete(out, first, first+1), 0, chosen)
	}
	return out
}

// plain is a simple JSON value as a text.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// instantLen is the length of the key of an instant. The text of the date follows it.
const instantLen = 24

// keyOf is the text that stands for a value of a, given as a text, in the search
// form. ok is false for what is no value of a.
func keyOf(a scim.Attr, text string) (key string, ok bool) {
	switch a.Type {
	case "dateTime":
		t, ok := doc.ParseTime(text)
		return instantKey(t) + text, ok
	case "integer", "decimal":
		return numberKey(text)
	case "string", "reference":
		if !a.CaseExact {
			return scim.Fold(text), true
		}
	}
	return text, true
}

func instantKey(t time.Time) string {
	return fmt.Sprintf("%016x%08x", uint64(t.Unix())^1<<63, t.Nanosecond())
}

// numberKey orders numbers exactly, integers beyond 2^53 too: the nearest float, and
// then what it lacks.
func numberKey(text string) (string, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return intKey(n), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return "", false
	}
	return floatKey(f, 0), true
}

func intKey(n int64) string {
	f := float64(n)
	if f >= math.MaxInt64 { // 2^63, to which the largest ones are rounded
		return floatKey(f, int(n-math.MaxInt64)-1)
	}
	return floatKey(f, int(n-int64(f)))
}

func floatKey(f float64, rest int) string {
	if f == 0 {
		f = 0 // not -0
	}
	bits := math.Float64bits(f)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x%03x", bits, rest+1024)
}

// longest is how many bytes of a key are kept in indexed columns: PostgreSQL has no
// room for more than 2,700 in an index.
const longest = 1024

// indexed is a key as it is kept in indexed columns, which are only compared for
// equality.
func indexed(key string) string {
	if len(key) <= longest {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return strings.ToValidUTF8(key[:longest], "") + "\x01" + hex.EncodeToString(sum[:])
}
