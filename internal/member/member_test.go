package member

import (
	"testing"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

func members(t *testing.T) *model.Attribute {
	t.Helper()
	m, err := model.Compile("Group", schema.CoreGroupSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.Members
}

func TestRead(t *testing.T) {
	tests := []struct {
		name   string
		fields map[string]string
		want   Ref
		bad    bool
		reason string
	}{
		{"value alone", map[string]string{"value": "5"}, Ref{"User", "5"}, false, "clients leave the type of users out"},
		{"type", map[string]string{"value": "5", "type": "Group"}, Ref{"Group", "5"}, false, ""},
		{"type in lower case", map[string]string{"value": "5", "type": "group"}, Ref{"Group", "5"}, false, ""},
		{"absolute reference", map[string]string{"value": "5", "$ref": "https://h.test/scim/v2/Groups/5"}, Ref{"Group", "5"}, false, ""},
		{"relative reference", map[string]string{"value": "5", "$ref": "Users/5"}, Ref{"User", "5"}, false, "Keycloak"},
		{"type before reference", map[string]string{"value": "5", "$ref": "../Groups/5", "type": "User"}, Ref{"User", "5"}, false, "the type is explicit"},
		{"other type", map[string]string{"value": "5", "type": "direct_member"}, Ref{"User", "5"}, false, "never a guess that gives more"},
		{"reference alone", map[string]string{"$ref": "../Users/7"}, Ref{"User", "7"}, false, "RFC 7643, Section 2.4: $ref is enough"},
		{"display is not kept", map[string]string{"value": "5", "display": "Mallory"}, Ref{"User", "5"}, false, "a name is not the sender's to choose"},
		{"nothing", map[string]string{"display": "x"}, Ref{}, true, "a member needs an id"},
	}
	a := members(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var fields []doc.Value
			for name, text := range tt.fields {
				fields = append(fields, doc.Simple(a.Lookup(name), text))
			}
			got, err := Read(doc.Composite(a, fields...))
			if got != tt.want || (err != nil) != tt.bad {
				t.Errorf("Read = %v, %v; want %v: %s", got, err, tt.want, tt.reason)
			}
		})
	}
}

func TestValueIsReadBack(t *testing.T) {
	a := members(t)
	want := []Ref{{"User", "1"}, {"Group", "1"}, {"User", "2"}}
	got, err := ReadAll(Value(a, append(want, want[0])))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.Add()); diff != "" {
		t.Errorf("each member once, in order (-want +got):\n%s", diff)
	}
}

func TestIsGuess(t *testing.T) {
	a := members(t)
	field := func(name, text string) doc.Value { return doc.Simple(a.Lookup(name), text) }
	plain := doc.Composite(a, field("value", "1"))
	typed := doc.Composite(a, field("value", "1"), field("type", "user"))
	other := doc.Composite(a, field("value", "1"), field("type", "direct_member"))
	group := doc.Composite(a, field("value", "1"), field("$ref", "../Groups/1"))
	user := Ref{"User", "1"}
	tests := []struct {
		name string
		list []doc.Value
		want bool
	}{
		{"no type", []doc.Value{plain}, true},
		{"another type", []doc.Value{other}, true},
		{"type", []doc.Value{typed}, false},
		{"no type, then type", []doc.Value{plain, typed}, false},
		{"type, then no type", []doc.Value{typed, plain}, false},
		{"no type, and a group", []doc.Value{plain, group}, true},
		{"a group", []doc.Value{group}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &Delta{}
			for _, e := range tt.list {
				if err := d.JoinValue(e); err != nil {
					t.Fatal(err)
				}
			}
			if d.IsGuess(user) != tt.want || d.IsGuess(Ref{"Group", "1"}) {
				t.Errorf("the user is a guess: %v, want %v", d.IsGuess(user), tt.want)
			}
			d.Leave(user)
			if d.IsGuess(user) {
				t.Error("a guess has left")
			}
		})
	}
}

// A Delta applied to any group gives what its operations give one by one.
func TestDeltaAgainstSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		refs := rapid.SampledFrom([]Ref{{"User", "1"}, {"User", "2"}, {"User", "3"}, {"Group", "1"}})
		start := map[Ref]bool{}
		for _, r := range rapid.SliceOf(refs).Draw(t, "start") {
			start[r] = true
		}
		naive := map[Ref]bool{}
		for r := range start {
			naive[r] = true
		}
		d := &Delta{}
		touched := false
		for range rapid.IntRange(0, 12).Draw(t, "ops") {
			touched = true
			switch r := refs.Draw(t, "ref"); rapid.IntRange(0, 5).Draw(t, "op") {
			case 0:
				d.Clear()
				clear(naive)
			case 1, 2:
				d.Leave(r)
				delete(naive, r)
			default:
				d.Join(r)
				naive[r] = true
			}
		}
		got := map[Ref]bool{}
		if !d.All {
			for r := range start {
				got[r] = true
			}
		}
		for _, r := range d.Remove() {
			if d.All {
				t.Fatalf("%v is to leave although all do", r)
			}
			delete(got, r)
		}
		seen := map[Ref]bool{}
		for _, r := range d.Add() {
			if seen[r] {
				t.Fatalf("%v joins twice", r)
			}
			seen[r], got[r] = true, true
		}
		if diff := cmp.Diff(naive, got); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
		if touched && !d.Touched() {
			t.Fatal("operations were made, but the delta is untouched")
		}
	})
}
