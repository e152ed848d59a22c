package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// everything is a type with attributes of every kind in every place.
func everything(t testing.TB) *scim.ResourceType {
	t.Helper()
	simple := func(name string, multi bool) []schema.CoreAttribute {
		exact := schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: name + "Exact", CaseExact: true, MultiValued: multi}))
		return []schema.CoreAttribute{
			exact,
			schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: name + "Text", MultiValued: multi})),
			schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: name + "Int", Type: schema.AttributeTypeInteger(), MultiValued: multi})),
			schema.SimpleCoreAttribute(schema.SimpleNumberParams(schema.NumberParams{Name: name + "Real", Type: schema.AttributeTypeDecimal(), MultiValued: multi})),
			schema.SimpleCoreAttribute(schema.SimpleDateTimeParams(schema.DateTimeParams{Name: name + "Date", MultiValued: multi})),
			schema.SimpleCoreAttribute(schema.SimpleBinaryParams(schema.BinaryParams{Name: name + "Bytes", MultiValued: multi})),
			schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{Name: name + "Flag", MultiValued: multi})),
		}
	}
	part := func(name string, multi bool) schema.CoreAttribute {
		return schema.ComplexCoreAttribute(schema.ComplexParams{Name: name, MultiValued: multi, SubAttributes: []schema.SimpleParams{
			schema.SimpleStringParams(schema.StringParams{Name: "value"}),
			schema.SimpleStringParams(schema.StringParams{Name: "code", CaseExact: true}),
			schema.SimpleNumberParams(schema.NumberParams{Name: "size", Type: schema.AttributeTypeInteger()}),
			schema.SimpleDateTimeParams(schema.DateTimeParams{Name: "since"}),
			schema.SimpleStringParams(schema.StringParams{Name: "labels", MultiValued: true}),
			schema.SimpleBooleanParams(schema.BooleanParams{Name: "primary"}),
		}})
	}
	c := scim.UserConfig()
	c.Schema.Attributes = append(c.Schema.Attributes, simple("one", false)...)
	c.Schema.Attributes = append(c.Schema.Attributes, simple("many", true)...)
	c.Schema.Attributes = append(c.Schema.Attributes, part("thing", false), part("things", true))
	own := append(simple("ext", false), part("parts", true), part("piece", false))
	own = append(own, simple("exts", true)...)
	c.Extensions = append(c.Extensions, schema.Schema{ID: "urn:example:params:scim:2.0:Own", Name: optional.NewString("Own"), Attributes: own})
	typ, err := scim.NewResourceType(c)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// Texts that databases are known to treat in ways of their own.
var (
	texts = []string{"", "a", "A", "b", "ab", "ä", "Ä", "a\u0308", "é", "ſ", "s", "S", "ß", "ẞ", "ss", "İ", "i\u0307", "ı", "I", "Σ", "ς", "ﬁ", "ｂ",
		"a%b", "a_b", "%", "_", "*", `"`, `\`, "'", "''", `\u0041`, "null", "true", "1", "01", "1.0", " ", "a ", "\t", "\u0001", "a\u0001", "\u007f", "日本", "👩‍💻", "\uffff", "\U0010ffff", "~", "$1", "?", "{p}", "e1.value"}
	numbers = []string{"0", "-0", "1", "-1", "2", "0.5", "-0.5", "1e3", "9007199254740992", "9007199254740993", "-9007199254740993",
		"9223372036854775807", "9223372036854775806", "-9223372036854775808", "9223372036854775808", "1e300", "-1e300", "1e-300", "0.1", "0.30000000000000004"}
	dates = []string{"2024-02-29T23:59:59Z", "2024-03-01T00:59:59+01:00", "2024-02-29T23:59:59.000000001Z", "2024-02-29T23:59:59.5Z", "2024-02-29T23:59:59",
		"1969-12-31T23:59:59.999Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2024-03-10T12:00:00.123456Z"}
	bytesTexts = []string{"AAEC", "/+8=", "aaec", ""}
)

// texts of a literal that no value can have, or that are no UTF-8 in themselves.
var more = []string{"\u0000", "a\u0000", "a\u0000b", "\u0002", strings.Repeat("x", 2000)}

// value draws a value of a simple attribute, nil for absent.
func value(t *rapid.T, a scim.Attr) any {
	switch a.Type {
	case "boolean":
		return rapid.Bool().Draw(t, a.Path)
	case "integer":
		for {
			n, err := strconv.ParseInt(rapid.SampledFrom(numbers).Draw(t, a.Path), 10, 64)
			if err == nil {
				return n
			}
		}
	case "decimal":
		return number(rapid.SampledFrom(numbers).Draw(t, a.Path))
	case "dateTime":
		return rapid.SampledFrom(dates).Draw(t, a.Path)
	case "binary":
		return rapid.SampledFrom(bytesTexts).Draw(t, a.Path)
	default:
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			return strings.Repeat(rapid.SampledFrom(texts).Draw(t, a.Path), 1500)
		}
		return rapid.SampledFrom(texts).Draw(t, a.Path)
	}
}

// fill draws values for some attributes below parent.
func fill(t *rapid.T, all []scim.Attr, parent string, few int) map[string]any {
	v := make(map[string]any)
	for _, a := range all {
		up := ""
		if a.Parent != nil {
			up = a.Parent.Path
		}
		if up != parent || a.Path == "id" || a.Path == "schemas" || a.Path == "meta" || a.Path == "userName" || a.Path == "password" || a.Path == "groups" ||
			rapid.IntRange(0, few).Draw(t, "absent "+a.Path) > 0 {
			continue
		}
		name := strings.TrimLeft(strings.TrimPrefix(a.Path, parent), ".:")
		one := func() any {
			if a.Type == "complex" {
				return fill(t, all, a.Path, 1)
			}
			return value(t, a)
		}
		if !a.MultiValued {
			v[name] = one()
			continue
		}
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length of "+a.Path) {
			list = append(list, one())
		}
		v[name] = list
	}
	return v
}

// literal draws a literal for comparisons with a.
func literal(t *rapid.T, a scim.Attr) string {
	switch a.Type {
	case "boolean":
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "literal")
	case "integer", "decimal":
		return rapid.SampledFrom(numbers).Draw(t, "literal")
	case "dateTime":
		return rapid.SampledFrom([]string{strconv.Quote(rapid.SampledFrom(dates).Draw(t, "literal")), `"2024-0"`, `"Z"`, `"59:59"`}).Draw(t, "part")
	case "binary":
		return strconv.Quote(rapid.SampledFrom(bytesTexts).Draw(t, "literal"))
	default:
		return jsonString(rapid.SampledFrom(slices.Concat(texts, more, []string{"User", scim.UserConfig().Schema.ID})).Draw(t, "literal"))
	}
}

// filterText draws a filter, on the attributes of all that may stand in it.
func filterText(t *rapid.T, all []scim.Attr, inside string, depth int) string {
	switch k := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case depth > 0 && k < 2:
		return "(" + filterText(t, all, inside, depth-1) + rapid.SampledFrom([]string{" and ", " or "}).Draw(t, "op") + filterText(t, all, inside, depth-1) + ")"
	case depth > 0 && k == 2:
		return "not (" + filterText(t, all, inside, depth-1) + ")"
	case depth > 0 && k < 5 && inside == "":
		a := rapid.SampledFrom(all).Draw(t, "value path")
		if a.MultiValued || a.Type == "complex" {
			return a.Path + "[" + filterText(t, all, a.Path, depth-1) + "]"
		}
	}
	some := all
	if inside != "" {
		some = slices.DeleteFunc(slices.Clone(all), func(a scim.Attr) bool { return a.Parent == nil || a.Parent.Path != inside })
	}
	if len(some) == 0 { // elements are simple
		a := all[slices.IndexFunc(all, func(a scim.Attr) bool { return a.Path == inside })]
		return comparison(t, a, "value")
	}
	a := rapid.SampledFrom(some).Draw(t, "attribute")
	name := a.Path
	if inside != "" {
		name = strings.TrimLeft(strings.TrimPrefix(a.Path, inside), ".:")
	}
	return comparison(t, a, name)
}

func comparison(t *rapid.T, a scim.Attr, name string) string {
	switch op := rapid.SampledFrom([]string{"eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr", "eq null", "ne null", "eq", "eq"}).Draw(t, "operator"); op {
	case "pr", "eq null", "ne null":
		return name + " " + op
	default:
		return name + " " + op + " " + literal(t, a)
	}
}

// Every filter and order that can be asked for gives exactly what scim.Scan gives.
func TestEquivalence(t *testing.T) {
	typ := everything(t)
	all := slices.DeleteFunc(typ.Attrs(), func(a scim.Attr) bool { return a.Path == "password" })
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		// What is lost in a crash does not matter here.
		if d == sqlstore.SQLite {
			db = relaxed(t)
		}
		newStore(t, db, d, sqlstore.Options{})
		tenants := 0
		rapid.Check(t, func(t *rapid.T) {
			tenants++
			s, err := sqlstore.New(db, d, sqlstore.Options{Tenant: fmt.Sprint("t", tenants), Types: []*scim.ResourceType{typ}})
			if err != nil {
				t.Fatal(err)
			}
			resources := drawn(t, s, typ, all)
			for range 25 {
				text := filterText(t, all, "", 3)
				f, err := scim.ParseFilter(typ, text)
				if err != nil {
					continue // the operator is not for the type
				}
				q := &scim.Query{Filter: f, Limit: rapid.IntRange(1, 5).Draw(t, "limit"), Total: true, Offset: rapid.IntRange(0, 3).Draw(t, "offset")}
				if rapid.IntRange(0, 4).Draw(t, "by ids") == 0 {
					q.IDs = []string{"nobody"}
					for _, r := range resources {
						if rapid.Bool().Draw(t, "id") {
							q.IDs = append(q.IDs, r.ID(), r.ID())
						}
					}
				}
				same(t, s, typ, q, resources)
				q.Limit, q.Offset = 100, 0
				same(t, s, typ, q, resources)
			}
			for range 10 {
				q := &scim.Query{SortBy: rapid.SampledFrom(all).Draw(t, "sort by").Path, Descending: rapid.Bool().Draw(t, "descending"), Limit: 100}
				same(t, s, typ, q, resources)
				if len(resources) > 0 {
					q.After = scim.KeyOf(q, rapid.SampledFrom(resources).Draw(t, "after"))
					q.Limit = 3
					same(t, s, typ, q, resources)
				}
			}
		})
	})
}

// drawn stores some resources and returns them.
func drawn(t *rapid.T, s *sqlstore.Store, typ *scim.ResourceType, all []scim.Attr) []*scim.Resource {
	var stored []*scim.Resource
	err := s.InTx(context.Background(), func(ctx context.Context) error {
		for i := range rapid.IntRange(0, 8).Draw(t, "resources") {
			v := fill(t, all, "", 2)
			v["userName"] = fmt.Sprint(rapid.SampledFrom(texts).Draw(t, "userName"), i)
			instant := func(label string) time.Time {
				at, err := time.Parse(time.RFC3339, rapid.SampledFrom(dates).Draw(t, label))
				if err != nil {
					return time.Time{}
				}
				return at
			}
			m := scim.Meta{ID: uuid.NewString(), Version: rapid.SampledFrom([]string{"", "1", "v"}).Draw(t, "version"), Created: instant("created"), LastModified: instant("modified")}
			r, err := typ.Bind(m, nil, v)
			if err != nil {
				return err
			}
			made, err := s.Create(ctx, r)
			if err != nil {
				return fmt.Errorf("%w: %v", err, v)
			}
			if !made.Equal(r) {
				return fmt.Errorf("it is stored as something else")
			}
			stored = append(stored, made)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func same(t *rapid.T, s *sqlstore.Store, typ *scim.ResourceType, q *scim.Query, all []*scim.Resource) {
	want, err := scim.Scan(q, sequence(all))
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.List(context.Background(), typ, q)
	if err != nil {
		t.Fatalf("filter %s, sorted by %q: %v", q.Filter.Text(), q.SortBy, err)
	}
	show := func(p *scim.Page) []string {
		var lines []string
		for _, r := range p.Resources {
			raw, _ := r.MarshalJSON()
			lines = append(lines, string(raw))
		}
		return lines
	}
	if diff := cmp.Diff(show(want), show(got)); diff != "" || q.Total && want.Total != got.Total {
		t.Fatalf("filter %s, sorted by %q, descending %v, after %+v: total %d, want %d (-want +got):\n%s",
			q.Filter.Text(), q.SortBy, q.Descending, q.After, got.Total, want.Total, diff)
	}
}

func sequence(all []*scim.Resource) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		for _, r := range all {
			if !yield(r, nil) {
				return
			}
		}
	}
}
