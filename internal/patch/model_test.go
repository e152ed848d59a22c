package patch_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/patch"
)

// step is an operation in the terms of the naive model.
type step struct {
	Op     string
	Attr   string // title, nickName, name, emails; department, tags in their extensions
	Filter string // a type of e-mail, or a tag
	Sub    string
	Value  any
}

type object = map[string]any

func (s step) path() string {
	p := s.Attr
	switch s.Attr {
	case "department":
		p = enterpriseURN + ":" + p
	case "tags":
		p = deskURN + ":" + p
	}
	if s.Filter != "" {
		by := map[string]string{"emails": "type", "tags": "value"}[s.Attr]
		p += `[` + by + ` eq "` + s.Filter + `"]`
	}
	if s.Sub != "" {
		p += "." + s.Sub
	}
	return p
}

// text is the step as one operation; pathless says to send it without a path, as
// far as that can say the same.
func (s step) text(t *rapid.T, pathless bool) string {
	op := object{"op": s.Op}
	switch {
	case s.Op == "remove":
		op["path"] = s.path()
	case pathless:
		op["value"] = object{s.path(): s.Value}
	default:
		op["path"], op["value"] = s.path(), s.Value
	}
	b, err := json.Marshal(op)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func drawStep(t *rapid.T, attrs []string) step {
	word := rapid.SampledFrom([]any{"a", "b", "c"})
	orNull := rapid.SampledFrom([]any{"a", "b", "", nil})
	types := rapid.SampledFrom([]any{"work", "home", "other"})
	draw := func(null bool) object {
		o := object{}
		put := func(name string, g *rapid.Generator[any]) {
			switch rapid.IntRange(0, 3).Draw(t, name) {
			case 0, 1:
				o[name] = g.Draw(t, name)
			case 2:
				if null {
					o[name] = nil
				}
			}
		}
		put("type", types)
		put("value", rapid.SampledFrom([]any{"a", "b", ""}))
		put("display", word)
		put("primary", rapid.SampledFrom([]any{true, true, false}))
		return o
	}
	list := func() any {
		out := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			if o := draw(false); len(o) > 0 {
				out = append(out, o)
			}
		}
		return out
	}
	s := step{
		Op:   rapid.SampledFrom([]string{"add", "replace", "remove"}).Draw(t, "op"),
		Attr: rapid.SampledFrom(attrs).Draw(t, "attr"),
	}
	null := func(v any) any {
		if rapid.IntRange(0, 7).Draw(t, "null") == 0 {
			return nil
		}
		return v
	}
	switch s.Attr {
	case "name":
		if rapid.Bool().Draw(t, "sub") {
			s.Sub = rapid.SampledFrom([]string{"givenName", "familyName"}).Draw(t, "name")
			s.Value = orNull.Draw(t, "value")
			break
		}
		o := object{}
		for _, sub := range []string{"givenName", "familyName"} {
			if rapid.Bool().Draw(t, "given") {
				o[sub] = orNull.Draw(t, "value")
			}
		}
		s.Value = null(o)
	case "emails":
		if rapid.Bool().Draw(t, "filter") {
			s.Filter = types.Draw(t, "type").(string)
		}
		switch sub := rapid.SampledFrom([]string{"", "", "value", "display", "primary"}).Draw(t, "sub"); {
		case sub == "primary":
			s.Sub, s.Value = sub, null(rapid.Bool().Draw(t, "primary"))
		case sub != "":
			s.Sub, s.Value = sub, orNull.Draw(t, "value")
		case s.Filter != "":
			s.Value = null(draw(true))
		default:
			s.Value = null(list())
		}
	case "tags":
		if rapid.Bool().Draw(t, "filter") {
			s.Filter = word.Draw(t, "tag").(string)
			s.Value = null(word.Draw(t, "tag"))
			break
		}
		s.Value = null(rapid.SliceOfN(word, 0, 3).Draw(t, "tags"))
	default:
		s.Value = orNull.Draw(t, "value")
	}
	return s
}

// apply is the naive model: no schema, no sharing, one attribute after the other.
func (s step) apply(m object) {
	switch s.Attr {
	case "name":
		name, _ := m["name"].(object)
		if name == nil {
			name = object{}
		}
		switch v := s.Value.(type) {
		case object:
			if s.Op != "remove" {
				merge(name, v)
				break
			}
			clear(name)
		default:
			if s.Sub == "" {
				clear(name)
			} else if s.Op == "remove" {
				delete(name, s.Sub)
			} else {
				merge(name, object{s.Sub: v})
			}
		}
		set(m, "name", name, len(name))
	case "emails":
		list, _ := m["emails"].([]any)
		list = s.emails(list)
		set(m, "emails", list, len(list))
	case "tags":
		list, _ := m["tags"].([]any)
		list = s.tags(list)
		set(m, "tags", list, len(list))
	default:
		if s.Op == "remove" || s.Value == nil {
			delete(m, s.Attr)
		} else {
			m[s.Attr] = s.Value
		}
	}
}

func set(m object, name string, v any, n int) {
	if m[name] = v; n == 0 {
		delete(m, name)
	}
}

// merge sets what from gives and removes what it gives as null.
func merge(into, from object) {
	for k, v := range from {
		if into[k] = v; v == nil {
			delete(into, k)
		}
	}
}

func (s step) emails(list []any) []any {
	var primaries []object // elements that this step made primary
	join := func(e object) {
		at := slices.IndexFunc(list, func(o any) bool { return sameEmail(o.(object), e) })
		if at < 0 {
			at = len(list)
			list = append(list, object{})
		}
		merge(list[at].(object), e)
		if e["primary"] == true {
			primaries = append(primaries, list[at].(object))
		}
	}
	change, isObject := s.Value.(object)
	if s.Sub != "" {
		change, isObject = object{s.Sub: s.Value}, true
	}
	gone := s.Op == "remove" || s.Value == nil
	switch {
	case s.Filter == "" && s.Sub == "" && gone:
		if s.Op != "add" {
			list = nil
		}
	case s.Filter == "" && s.Sub == "":
		if s.Op == "add" {
			for _, e := range s.Value.([]any) {
				join(e.(object))
			}
			break
		}
		list = nil
		for _, e := range s.Value.([]any) {
			list = append(list, maps.Clone(e.(object)))
		}
		list = uniteEmails(list)
		for _, e := range list {
			if e.(object)["primary"] == true {
				primaries = append(primaries, e.(object))
			}
		}
	case !isObject && s.Op == "add": // null
	case s.Op != "remove" && isObject && len(change) == 0: // {}
	default:
		found := false
		for _, o := range list {
			e := o.(object)
			if s.Filter != "" && e["type"] != s.Filter {
				continue
			}
			found = true
			switch {
			case s.Sub == "" && gone:
				clear(e)
			case gone:
				delete(e, s.Sub)
			default:
				merge(e, change)
				if change["primary"] == true {
					primaries = append(primaries, e)
				}
			}
		}
		if !found && !gone {
			e := object{}
			if s.Filter != "" {
				e["type"] = s.Filter
			}
			if merge(e, change); len(e) > 0 {
				join(e)
			}
		}
	}
	if n := len(primaries); n > 0 {
		for _, o := range list {
			e := o.(object)
			if e["primary"] == true && reflect.ValueOf(e).Pointer() != reflect.ValueOf(primaries[n-1]).Pointer() {
				delete(e, "primary")
			}
		}
	}
	return uniteEmails(slices.DeleteFunc(list, func(o any) bool { return len(o.(object)) == 0 }))
}

// uniteEmails makes those one that are the same. The first keeps its place.
func uniteEmails(list []any) (once []any) {
	for _, o := range list {
		if at := slices.IndexFunc(once, func(before any) bool { return sameEmail(before.(object), o.(object)) }); at >= 0 {
			merge(once[at].(object), o.(object))
		} else {
			once = append(once, o)
		}
	}
	return once
}

func sameEmail(a, b object) bool {
	text := func(o object, name string) string { s, _ := o[name].(string); return s }
	if text(a, "value") != "" {
		return text(a, "value") == text(b, "value") && text(a, "type") == text(b, "type")
	}
	a, b = maps.Clone(a), maps.Clone(b)
	delete(a, "primary")
	delete(b, "primary")
	return reflect.DeepEqual(a, b)
}

func (s step) tags(list []any) (once []any) {
	for _, v := range s.everyTag(list) {
		if !slices.Contains(once, v) {
			once = append(once, v)
		}
	}
	return once
}

func (s step) everyTag(list []any) []any {
	gone := s.Op == "remove" || s.Value == nil
	switch {
	case s.Filter == "" && gone:
		if s.Op != "add" {
			return nil
		}
	case s.Filter == "" && s.Op == "replace":
		return slices.Clone(s.Value.([]any))
	case s.Filter == "":
		for _, v := range s.Value.([]any) {
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	case s.Op == "add" && gone:
	case gone:
		return slices.DeleteFunc(list, func(v any) bool { return v == s.Filter })
	case slices.Contains(list, any(s.Filter)):
		for i := range list {
			if list[i] == s.Filter {
				list[i] = s.Value
			}
		}
	default:
		if !slices.Contains(list, s.Value) {
			list = append(list, s.Value)
		}
	}
	return list
}

// nested puts the extensions' attributes where they stand in a resource.
func nested(t testing.TB, m object) any {
	out := maps.Clone(m)
	for name, urn := range map[string]string{"department": enterpriseURN, "tags": deskURN} {
		if v, ok := out[name]; ok {
			delete(out, name)
			out[urn] = object{name: v}
		}
	}
	b, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return generic(t, string(b))
}

// TestModel runs random operations one by one and all in one request, and compares
// both with the naive model. A failure prints the seed, for -rapid.seed.
func TestModel(t *testing.T) {
	typ := user(t)
	rapid.Check(t, func(rt *rapid.T) {
		var values []doc.Value
		var ops []string
		m := object{}
		attrs := rapid.SampledFrom([][]string{{"emails"}, {"tags"}, {"title", "nickName", "name", "emails", "department", "tags"}}).Draw(rt, "attrs")
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			s := drawStep(rt, attrs)
			op := s.text(rt, rapid.Bool().Draw(rt, "pathless"))
			ops = append(ops, op)
			var err error
			if values, err = run(typ, values, message(op), patch.Options{}); err != nil {
				rt.Fatalf("%s: %v", op, err)
			}
			s.apply(m)
			if diff := cmp.Diff(nested(t, m), plain(t, values)); diff != "" {
				rt.Fatalf("after %s (-model +patch):\n%s", strings.Join(ops, "\n"), diff)
			}
		}
		got, err := run(typ, nil, message(strings.Join(ops, ",")), patch.Options{})
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(plain(t, values), plain(t, got)); diff != "" {
			rt.Fatalf("in one request (-one by one +together):\n%s", diff)
		}
	})
}
