package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// dice draws resources, filters and queries at random. One seed decides everything, so a
// failure can be repeated.
type dice struct {
	*rand.Rand
	typ   *scim.ResourceType
	attrs []scim.Attribute    // those that get values and stand in filters
	wild  bool                // also values for which an application's columns need not be made
	seen  map[string][]string // by path: values that were drawn, so that filters find them
}

func newDice(seed uint64, typ *scim.ResourceType, wild bool) *dice {
	d := &dice{Rand: rand.New(rand.NewPCG(seed, 0)), typ: typ, wild: wild, seen: make(map[string][]string)}
	for _, a := range typ.Attributes() {
		// No resource contains a password. A store may keep the others apart.
		switch top, _, _ := strings.Cut(a.Path, "."); top {
		case "password", "groups", "members":
		default:
			d.attrs = append(d.attrs, a)
		}
	}
	return d
}

// givenSeed is the seed in the environment variable SCIM_SEED, else a new one.
func givenSeed() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("SCIM_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(rand.Uint32())
}

func pick[T any](d *dice, list []T) T { return list[d.IntN(len(list))] }

// once returns true one time in n.
func (d *dice) once(n int) bool { return d.IntN(n) == 0 }

// Values that databases are known to treat in ways of their own.
func texts() []string {
	return []string{"", "a", "A", "b", "ab", "ä", "Ä", "a\u0308", "A\u0308", "é", "ſ", "s", "S", "ß", "ẞ", "ss", "SS", "İ", "i\u0307", "ı", "I", "i",
		"Σ", "σ", "ς", "ﬁ", "fi", "ｂ", "Ｂ", "Ⅻ", "\u00b5", "\u03bc", "K", "k", "a%b", "a_b", "axb", "%", "_", "*", `"`, `\`, `\\`, "'", "''", `\u0041`, "null",
		"true", "1", "01", "1.0", " ", "a ", " a", "日本", "👩‍💻", "~", "$1", "?", "{p}", "e1.value", "]", "and", "\u0301"}
}

func wildTexts() []string {
	return []string{"\t", "\u0001", "a\u0001", "\u007f", "\uffff", "\U0010ffff", strings.Repeat("ä", 1500), strings.Repeat("ab", 1500)}
}

// onlyLiterals lists texts that filters may contain, but that are no possible values, or
// that no database can keep.
func onlyLiterals() []string {
	return []string{"\u0000", "a\u0000", "a\u0000b", "\u0002", strings.Repeat("x", 2000), "User", "urn:ietf:params:scim:schemas:core:2.0:User"}
}

func numbers() []string {
	return []string{"0", "-0", "-0.0", "1", "1.0", "-1", "2", "10", "0.5", "-0.5", "1e3", "9007199254740992", "9007199254740993", "-9007199254740993",
		"9223372036854775807", "9223372036854775806", "-9223372036854775808", "9223372036854775808", "1e300", "-1e300", "1e-300", "0.1", "0.30000000000000004"}
}

func dates() []string {
	return []string{"2024-02-29T23:59:59Z", "2024-03-01T00:59:59+01:00", "2024-02-29T23:59:59.000000001Z", "2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59",
		"1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-03-10T12:00:00.123456Z"}
}

func base64s() []string { return []string{"AAEC", "/+8=", "aaec", ""} }

// value draws a value of a simple attribute.
func (d *dice) value(a scim.Attribute) any {
	text, value := "", any(nil)
	switch a.Type {
	case scim.TypeBoolean:
		return d.once(2)
	case scim.TypeInteger:
		for {
			text = pick(d, numbers())
			if n, err := strconv.ParseInt(text, 10, 64); err == nil {
				value = n
				break
			}
		}
	case scim.TypeDecimal:
		text = pick(d, numbers())
		value = json.Number(text)
	case scim.TypeDateTime:
		text = pick(d, dates())
	case scim.TypeBinary:
		text = pick(d, base64s())
	default:
		text = d.text()
	}
	d.seen[a.Path] = append(d.seen[a.Path], text)
	if value == nil {
		value = text
	}
	return value
}

func (d *dice) text() string {
	switch {
	case d.wild && d.once(10):
		return pick(d, wildTexts())
	case d.once(5):
		return pick(d, texts()) + pick(d, texts()) + pick(d, texts())
	}
	return pick(d, texts())
}

// fill draws values for about one in few of the attributes below parent. parent is "" for
// the resource.
func (d *dice) fill(parent string, few int) values {
	v := values{}
	for _, a := range d.attrs {
		up := ""
		if a.Parent != nil {
			up = a.Parent.Path
		}
		if up != parent || a.Path == "id" || a.Path == "schemas" || a.Path == "meta" || a.Path == "userName" || !d.once(few) {
			continue
		}
		one := func() any {
			if a.Type == scim.TypeComplex {
				return d.fill(a.Path, 2)
			}
			return d.value(a)
		}
		name := below(parent, a.Path)
		if !a.MultiValued {
			v[name] = one()
			continue
		}
		list := []any{}
		for range d.IntN(4) {
			list = append(list, one())
		}
		v[name] = list
	}
	return v
}

// below returns path relative to parent.
func below(parent, path string) string {
	if parent == "" {
		return path
	}
	return path[len(parent)+1:]
}

// resource draws a resource that is not stored yet, the i-th of its kind.
func (d *dice) resource(t *probe, i int) *scim.Resource {
	v := d.fill("", 3)
	name := "displayName" // of groups: an application may need one, and different ones
	if _, ok := d.typ.Attribute("userName"); ok {
		name = "userName"
	}
	text := fmt.Sprintf("%s-%d", d.text(), i)
	v[name], d.seen[name] = text, append(d.seen[name], text)
	m := t.meta()
	m.ID = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", d.Uint32(), d.IntN(1<<16), d.IntN(1<<12), d.IntN(1<<12), d.Uint64N(1<<48))
	if d.wild {
		m.Version = pick(d, []string{"", "1", "v"})
		m.Created, m.LastModified = d.instant(), d.instant()
	}
	return t.bind(d.typ, m, v)
}

func (d *dice) instant() time.Time {
	at, err := time.Parse(time.RFC3339, pick(d, dates()))
	if err != nil { // one without a zone
		return time.Time{}
	}
	return at
}

// look remembers the ids and times of stored resources, so that filters ask for them.
func (d *dice) look(all []*scim.Resource) {
	for _, r := range all {
		m := r.Meta()
		d.seen["id"] = append(d.seen["id"], m.ID)
		for path, at := range map[string]time.Time{"meta.created": m.Created, "meta.lastModified": m.LastModified} {
			d.seen[path] = append(d.seen[path], at.UTC().Format(time.RFC3339Nano), at.In(time.FixedZone("", -7*3600)).Format(time.RFC3339Nano))
		}
	}
}

// query draws an order and a page for a filter over all.
func (d *dice) query(f *scim.Filter, all []*scim.Resource) *scim.Query {
	q := &scim.Query{Filter: f, Limit: d.IntN(6), Total: d.once(2), Descending: d.once(2)}
	if d.once(2) {
		sortable := slices.DeleteFunc(slices.Clone(d.attrs), func(a scim.Attribute) bool {
			_, ok := d.typ.Attribute(a.Path + ".value")
			return a.Type == scim.TypeComplex && !ok
		})
		q.SortBy = pick(d, sortable).Path
	}
	if d.once(3) {
		q.After = scim.KeyOf(q, pick(d, all))
	} else {
		q.Offset = d.IntN(4)
	}
	if d.once(5) {
		q.IDs = []string{nobody}
		for _, r := range all {
			if d.once(2) {
				q.IDs = append(q.IDs, r.ID(), r.ID())
			}
		}
	}
	return q
}
