package journal_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
)

// fillValue sets everything in a value, and gives each text another one.
func fillValue(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d \"\\\u2028\n\x7f<é\U0001F600", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillValue(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillValue(t, v.Index(i), n)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(int64(*n), 0).UTC()))
			return
		}
		for i := range v.NumField() {
			fillValue(t, v.Field(i), n)
		}
	default:
		t.Fatalf("a Detail has a %v: fill it here", v.Type())
	}
}

// A Detail is written by hand: a field that is forgotten is lost.
func TestDetailIsWritten(t *testing.T) {
	var full journal.Detail
	fillValue(t, reflect.ValueOf(&full).Elem(), new(int))
	for name, want := range map[string]journal.Detail{
		"everything":      full,
		"nothing":         {},
		"an empty gap":    {Gap: &journal.Missing{}},
		"an empty answer": {Failure: &journal.Failure{}},
		"empty elements":  {Touched: make([]journal.Touched, 2), Changes: make([]journal.Change, 1), Events: make([]journal.Event, 1), Operations: make([]journal.FailedOperation, 1)},
	} {
		var got journal.Detail
		text := journal.AppendDetail(nil, &want)
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if got := string(journal.AppendDetail([]byte("before"), &journal.Detail{Client: "a\xffb"})); got != "before{\"client\":\"a\uFFFDb\"}" {
		t.Errorf("what is no UTF-8: %q", got)
	}
}

func TestMAC(t *testing.T) {
	key := []byte(strings.Repeat("k", 32))
	for n := range 400 {
		text := strings.Repeat("t", n)
		want := hmac.New(sha256.New, key)
		want.Write([]byte(text))
		if got := journal.MAC(key, text); !hmac.Equal(got[:], want.Sum(nil)) {
			t.Fatalf("%d bytes: not HMAC-SHA-256", n)
		}
	}
}

func TestKeyOf(t *testing.T) {
	for _, tt := range []struct{ name, want, reason string }{
		{"userName", "userName", "as it is usually written"},
		{"USERNAME", "userName", "names have no case (RFC 7643, Section 2.1)"},
		{"resourceType", "resourceType", "the longest"},
		{"lastModified", "", "as long as the longest"},
		{"resourceTypes", "", "longer than the longest"},
		{"$REF", "$ref", "with another letter"},
		{"name.userName", "", "a path begins with its attribute"},
		{"emails[type eq \"work\"].value", "emails", "a path with a filter"},
		{"urn:ietf:params:scim:schemas:core:2.0:User:userName", "userName", "a path with a URN"},
		{"bul\u212aId", "bulkId", "the Kelvin sign is a K in another way"},
		{"", "", "no name"},
	} {
		if got := journal.KeyOf(tt.name); got != tt.want {
			t.Errorf("%s: %q is %q, want %q", tt.reason, tt.name, got, tt.want)
		}
	}
}

func TestTypeIn(t *testing.T) {
	for _, tt := range []struct{ path, name, id, reason string }{
		{"/scim/v2/Users/17", "User", "17", "a resource"},
		{"/scim/v2/users/17/", "User", "17", "clients write it so"},
		{"//scim//Groups//a%20b", "Group", "a b", "empty parts, and an escape"},
		{"/Users", "User", "", "a list"},
		{"/scim/Users/.search", "User", "", "a search"},
		{"/Users/Groups", "User", "Groups", "an id that is an endpoint"},
		{"Users/17", "User", "17", "without a slash"},
		{"/Users/17/members", "", "", "something else"},
		{"/", "", "", "nothing"},
		{"", "", "", "nothing at all"},
	} {
		if name, id := journal.TypeIn(tt.path); name != tt.name || id != tt.id {
			t.Errorf("%s: %q is %q %q, want %q %q", tt.reason, tt.path, name, id, tt.name, tt.id)
		}
	}
}

// Few and many names are merged in two ways, which do the same.
func TestMerge(t *testing.T) {
	few := []journal.Touched{{Type: "User", ID: "1", Names: []string{"a", ""}}, {Type: "Group", ID: "1"}, {Type: "User", Names: []string{"a"}}, {Type: "User", ID: "1", Names: []string{"b", "a"}}}
	want := []journal.Touched{{Type: "User", ID: "1", Names: []string{"a", "b"}}, {Type: "Group", ID: "1"}, {Type: "User", Names: []string{"a"}}}
	if diff := cmp.Diff(want, journal.Merge(few)); diff != "" {
		t.Errorf("few (-want +got):\n%s", diff)
	}
	many := few
	for range 10 {
		many = append(many, few...)
	}
	if diff := cmp.Diff(want, journal.Merge(many)); diff != "" {
		t.Errorf("many (-want +got):\n%s", diff)
	}
	if got := journal.Merge(nil); got != nil {
		t.Errorf("nothing: %v", got)
	}
}
