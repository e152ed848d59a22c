package structs

import (
	"strings"
	"testing"
	"time"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/model"
)

// find resolves the paths of the core User.
func find(t *testing.T) func(string) *model.Attribute {
	t.Helper()
	m, err := model.Compile("User", schema.CoreUserSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.Find
}

type title string

type phone struct {
	Number string `scim:"VALUE"`
	Kind   string `scim:"type"`
}

type person struct {
	Name    string     `scim:"userName"`
	Title   title      `scim:"title"`
	Nick    *string    `scim:"nickName"`
	Active  bool       `scim:"active"`
	Level   int8       `scim:"displayName"` // nothing checks kinds before there are values
	Share   float64    `scim:"userType"`
	Created time.Time  `scim:"meta.created"`
	Changed *time.Time `scim:"meta.lastModified"`
	Emails  []string   `scim:"emails.value"`
	Phones  []phone    `scim:"phoneNumbers"`
	Own     int        // no tag
}

func TestDecode(t *testing.T) {
	at, nick := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "an"
	values := map[string]any{
		"userName": "ann", "title": "boss", "nickName": nick, "active": true, "displayName": int64(-7), "userType": int64(3),
		"meta.created": at, "meta.lastModified": at.Format(time.RFC3339), "emails.value": []any{"a", "b"},
		"phoneNumbers": []any{map[string]any{"value": "1", "type": "work"}, map[string]any{"value": "2"}},
	}
	var b Bindings
	for range 2 { // the second time from what was checked before
		got := person{Own: 5}
		if err := b.Decode(&got, find(t), func(path string) any { return values[path] }); err != nil {
			t.Fatal(err)
		}
		want := person{Name: "ann", Title: "boss", Nick: &nick, Active: true, Level: -7, Share: 3, Created: at, Changed: &at,
			Emails: []string{"a", "b"}, Phones: []phone{{"1", "work"}, {Number: "2"}}, Own: 5}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := b.Decode(&got, find(t), func(string) any { return nil }); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(person{Own: 5}, got); diff != "" {
			t.Errorf("absent values: %s", diff)
		}
	}
}

func TestDecodeUnfit(t *testing.T) {
	for name, value := range map[string]any{"displayName": int64(128), "active": "true", "meta.lastModified": "yesterday",
		"phoneNumbers": []any{"1"}, "title": true, "userName": int64(65)} {
		var b Bindings
		err := b.Decode(&person{}, find(t), func(path string) any {
			if path == name {
				return value
			}
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s = %v: error %v", name, value, err)
		}
	}
}

func TestRead(t *testing.T) {
	at, nick := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), ""
	read := func(v any) map[string]any {
		t.Helper()
		var b Bindings
		got := map[string]any{}
		if err := b.Read(v, find(t), func(path string, x any) { got[path] = x }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	want := map[string]any{"userName": "ann", "title": "boss", "active": true, "displayName": int8(1), "userType": 0.5,
		"meta.created": at, "emails.value": []any{"a"}, "phoneNumbers": []any{map[string]any{"VALUE": "1"}}}
	got := read(&person{Name: "ann", Title: "boss", Nick: &nick, Active: true, Level: 1, Share: 0.5, Created: at,
		Emails: []string{"a"}, Phones: []phone{{Number: "1"}}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = map[string]any{"active": false, "displayName": int8(0), "userType": 0.0}
	if diff := cmp.Diff(want, read(person{})); diff != "" {
		t.Errorf("empty fields: %s", diff)
	}
}

func TestMistakes(t *testing.T) {
	var b Bindings
	var none *person
	for want, v := range map[string]any{
		"pointer to a struct": person{}, "needs a pointer": none, "Decode needs": nil,
		`no attribute "nope"`: &struct {
			X string `scim:"nope"`
		}{},
		`no attribute "deep"`: &struct {
			X []*struct {
				Y string `scim:"deep"`
			} `scim:"emails"`
		}{},
		"password": &struct {
			X string `scim:"password"`
		}{},
		"not exported": &struct {
			x string `scim:"userName"`
		}{},
	} {
		if err := b.Decode(v, find(t), func(string) any { return nil }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%T: error %v, want %s", v, err, want)
		}
	}
	if err := b.Read(5, find(t), nil); err == nil {
		t.Error("a number is read as a struct")
	}
}
