package patch_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/patch"
)

// many is a JSON list of n e-mail addresses.
func many(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"value":"e%05d"}`, i)
	}
	return "[" + strings.Join(list, ",") + "]"
}

// TestRoom refuses an operation that makes a resource too large, though a later one would
// make it small again.
func TestRoom(t *testing.T) {
	typ := user(t)
	limits := doc.Limits{Text: 100, Name: 50, Values: 20, Size: 1000}
	long := `"` + strings.Repeat("x", 90) + `"`
	gone := `,{"op":"remove","path":"emails"}`
	for _, tt := range []struct{ name, before, ops, err string }{
		{"added", "", `{"op":"add","path":"emails","value":` + many(21) + `}` + gone, "emails: has 21 values; at most 20 are allowed"},
		{"replaced", "", `{"op":"replace","path":"emails","value":` + many(21) + `}` + gone, "emails: has 21 values; at most 20 are allowed"},
		{"added by a filter", `{"emails":` + many(20) + `}`, `{"op":"add","path":"emails[value eq \"x\"].type","value":"work"}` + gone, "emails: has 21 values; at most 20 are allowed"},
		{"as many as before", `{"emails":` + many(22) + `}`, `{"op":"replace","path":"emails","value":` + many(22) + `}`, ""},
		{"more than before", `{"emails":` + many(22) + `}`, `{"op":"add","path":"emails","value":[{"value":"x"}]}` + gone, "emails: has 23 values; at most 20 are allowed"},
		{"a text in all", `{"emails":` + many(20) + `}`, `{"op":"replace","path":"emails.display","value":` + long + `}` + gone, "emails: is too large; the whole resource has "},
		{"texts that come and go", "", strings.Repeat(`{"op":"replace","path":"emails","value":[{"value":`+long+`}]},{"op":"remove","path":"emails"},`, 30) + `{"op":"remove","path":"title"}`, ""},
		{"texts of a list in an extension", "", strings.Repeat(`{"op":"replace","path":"`+deskURN+`:tags","value":[`+long+`]},{"op":"remove","path":"`+deskURN+`"},`, 30) + `{"op":"remove","path":"title"}`, ""},
		{"texts that replace one another", "", strings.Repeat(`{"op":"replace","path":"title","value":`+long+`},`, 30) + `{"op":"replace","path":"name.givenName","value":"a"}`, ""},
		{"elements that are completed", "", strings.Repeat(`{"op":"add","path":"emails","value":[{"value":"a","display":`+long+`}]},`, 30) + `{"op":"remove","path":"emails[value eq \"a\"]"}`, ""},
		{"primary ones", `{"emails":` + many(20) + `}`, strings.Repeat(`{"op":"replace","path":"emails[value eq \"e00001\"].primary","value":true},{"op":"replace","path":"emails[value eq \"e00002\"].primary","value":true},`, 20) + `{"op":"remove","path":"title"}`, ""},
		{"removed by value", `{"emails":` + many(20) + `}`, strings.Repeat(`{"op":"remove","path":"emails","value":[{"value":"e00001"}]},{"op":"add","path":"emails","value":[{"value":"e00001"}]},`, 20) + `{"op":"remove","path":"title"}`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := patch.Parse(typ, message(tt.ops), patch.Options{Resource: limits})
			if err != nil {
				t.Fatal(err)
			}
			before := &doc.Document{Type: typ, Values: doc.Put(stored(t, typ, tt.before), doc.Simple(typ.Find("userName"), "ann"))}
			_, err = r.ApplyTo(patch.NewWork(t.Context()), before)
			var f *fault.Error
			switch {
			case err == nil && tt.err == "":
			case !errors.As(err, &f) || f.Status != 413 || !strings.HasPrefix(f.Detail, tt.err) || tt.err == "":
				t.Errorf("%v, want %q", err, tt.err)
			}
		})
	}
}

// TestApplyEndsWithItsContext ends operations that would look at many values.
func TestApplyEndsWithItsContext(t *testing.T) {
	typ := user(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, ops := range []string{
		strings.Repeat(`{"op":"remove","path":"emails[value co \"zz\"]"},`, 100),
		strings.Repeat(`{"op":"replace","path":"emails.type","value":"work"},`, 100),
		strings.Repeat(`{"op":"replace","path":"title","value":"t"},`, 9000),
		strings.Repeat(`{"op":"remove","path":"emails","value":[{"value":"zz"}]},`, 100),
	} {
		r, err := patch.Parse(typ, message(ops+`{"op":"remove","path":"title"}`), patch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		before := stored(t, typ, `{"emails":`+many(2000)+`}`)
		if _, err := r.Apply(patch.NewWork(ctx), before); !errors.Is(err, context.Canceled) {
			t.Errorf("%.60s: %v, want the error of the context", ops, err)
		}
	}
}

// TestApplyIsLimited refuses a request that compares too much, and says what is allowed.
func TestApplyIsLimited(t *testing.T) {
	typ := user(t)
	r, err := patch.Parse(typ, message(strings.Repeat(`{"op":"remove","path":"emails[value co \"zz\"]"},`, 5000)+`{"op":"remove","path":"title"}`), patch.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = r.Apply(patch.NewWork(t.Context()), stored(t, typ, `{"emails":`+many(2000)+`}`))
	var f *fault.Error
	if !errors.As(err, &f) || f.Status != 413 || f.Type != fault.TooMany || !strings.Contains(f.Detail, "about 100 MB") {
		t.Errorf("%v", err)
	}
}
