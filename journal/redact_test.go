package journal_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/journal"
)

func TestRedactBody(t *testing.T) {
	for _, tt := range []struct{ name, body, want, reason string }{
		{"nothing", ` {"a": [1, "b", {"c":null}]}`, ` {"a": [1, "b", {"c":null}]}`, "a body without secrets stays as it came, with its spaces"},
		{"password", `{"userName":"ann","password":"hunter2","x":1}`, `{"userName":"ann","password":"[redacted]","x":1}`, "the attribute of RFC 7643"},
		{"other letters", `{"PassWord": {"a":"hunter2"}}`, `{"PassWord": "[redacted]"}`, "names are case-insensitive; the value may be of any kind"},
		{"escapes", `{"p\u0061ssword":"hunter2"}`, `{"p\u0061ssword":"[redacted]"}`, "JSON may spell the name with escapes"},
		{"look-alikes", `{"pa\u017fſword":"hunter2"}`, `{"pa\u017fſword":"[redacted]"}`, "a letter that folds to s"},
		{"URN", `{"urn:ietf:params:scim:schemas:core:2.0:User:password":"hunter2"}`, `{"urn:ietf:params:scim:schemas:core:2.0:User:password":"[redacted]"}`, "Entra writes names behind a URN"},
		{"operation", `{"Operations":[{"op":"replace","path":"password","value":"hunter2"}]}`, `{"Operations":[{"op":"replace","path":"password","value":"[redacted]"}]}`, "a PATCH"},
		{"value first", `{"Operations":[{"value":{"x":"hunter2","password":"hunter2"},"PATH":"password"}]}`, `{"Operations":[{"value":"[redacted]","PATH":"password"}]}`, "the path may come later, and cuts overlap"},
		{"value object", `{"value":{"password":"hunter2","title":"Dr"}}`, `{"value":{"password":"[redacted]","title":"Dr"}}`, "a PATCH without a path"},
		{"filter in a path", `{"path":"emails[password eq \"hunter2\"]","value":"hunter3"}`, `{"path":"[redacted]","value":"[redacted]"}`, "a path with a value"},
		{"bulk", `{"Operations":[{"method":"POST","data":{"password":"hunter2"}}]}`, `{"Operations":[{"method":"POST","data":{"password":"[redacted]"}}]}`, "at any depth"},
		{"filter of .search", `{"filter":"password eq \"hunter2\""}`, `{"filter":"[redacted]"}`, "a text with a value"},
		{"names alone", `{"attributes":["password","userName"]}`, `{"attributes":["password","userName"]}`, "a name alone has no value"},
		{"JSON in a text", `{"value":"{\"password\":\"hunter2\"}"}`, `{"value":"[redacted]"}`, "some clients send objects as text"},
		{"escaped JSON in a text", `{"value":"{\"p\\u0061ssword\":\"hunter2\"}"}`, `{"value":"[redacted]"}`, "its escapes hide the name"},
		{"percent", `{"x":"?p%61ssword=hunter2"}`, `{"x":"[redacted]"}`, "an address in a text"},
		{"another name for path", `{"Operations":[{"op":"replace","value":"hunter2","attribute":"password"}]}`, `{"Operations":[{"op":"replace","value":"[redacted]","attribute":"password"}]}`, "a client that knows SCIM badly"},
		{"named by the application", `{"ssn":"hunter2","a":{"SSN":["hunter2"]},"ssnx":1}`, `{"ssn":"[redacted]","a":{"SSN":"[redacted]"},"ssnx":1}`, "Options.Redact; only whole words"},
		{"path of the application", `{"path":"urn:x:User:ssn","value":"hunter2"}`, `{"path":"urn:x:User:ssn","value":"[redacted]"}`, "Options.Redact"},
		{"text of the application", `{"detail":"ssn: hunter2 is wrong"}`, `{"detail":"[redacted]"}`, "an error that repeats it"},
		{"dotted", `{"a.ssn":"hunter2"}`, `{"[redacted]":"[redacted]"}`, "the last part of a path"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, err := journal.Read([]string{"ssn"}, tt.body, false, false)
			if err != nil || got != tt.want {
				t.Errorf("got %s, %v\nwant %s: %s", got, err, tt.want, tt.reason)
			}
		})
	}
	if got, _, _ := journal.Read(nil, `{"detail":"hunter2 is wrong","status":"400"}`, false, true); got != `{"detail":"[redacted]","status":"400"}` {
		t.Errorf("the error of a request that has put a password where none belongs: %s", got)
	}
	for _, body := range []string{``, `{`, `{"a":1,}`, `{"a":1}{`, `{"path":"title","path":"password","value":"hunter2"}`, "{\"a\":\"\xff\"}", `password=hunter2`, `{"a":1} x`} {
		if text, _, err := journal.Read(nil, body, false, false); err == nil {
			t.Errorf("%s is kept, as %s", body, text)
		}
	}
}

func TestRedactCutBody(t *testing.T) {
	whole := `{"Operations":[{"op":"add","path":"members","value":[{"value":"u1"},{"value":"u2"}]},{"value":{"title":"hunter2","value":"hunter2","type":"User"},"path":"password"}],"password":"hunter2","x":"hunter2`
	for n := 1; n < len(whole); n++ {
		got, touched, err := journal.Read(nil, whole[:n], true, false)
		if err != nil {
			t.Fatalf("%s: %v", whole[:n], err)
		}
		if strings.Contains(got, "hunter2") || strings.Contains(fmt.Sprint(touched), "hunter2") {
			t.Errorf("%s\nbecomes %s, %v", whole[:n], got, touched)
		}
	}
	if got, _, _ := journal.Read(nil, whole[:77], true, false); got != `{"Operations":[{"op":"add","path":"members","value":[{"value":"u1"},{"value":"u2"` {
		if !strings.Contains(got, "u1") {
			t.Errorf("members are gone: %s", got)
		}
	}
}

func TestRedactURL(t *testing.T) {
	for _, tt := range []struct {
		path, query, want string
		found             bool
	}{
		{"/Users", "", "/Users", false},
		{"/Users", "filter=userName+eq+%22ann%22&count=2", "/Users?filter=userName+eq+%22ann%22&count=2", false},
		{"/Users", "aadOptscim062020&count=2", "/Users?aadOptscim062020&count=2", false},
		{"/Users", "filter=password+eq+%22hunter2%22", "/Users?filter=[redacted]", true},
		{"/Users", "filter=p%61ssword+eq+%22hunter2%22", "/Users?filter=[redacted]", true},
		{"/Users", "filter=p%2561ssword+eq+%22hunter2%22&startIndex=1", "/Users?filter=[redacted]&startIndex=1", true},
		{"/Users", "filter=ssn+eq+%22hunter2%22", "/Users?filter=[redacted]", true},
		{"/Users", "filter=emails%5Bssn+eq+1%5D", "/Users?filter=[redacted]", true},
		{"/Users", "access_token=hunter2", "/Users?[not shown]=[not shown]", false},
		{"/Users", "hunter2", "/Users?[not shown]", false},
		{"/Users", "count=1;access_token=hunter2", "/Users?count=[not shown]", false},
		{"/Users", "filter=title+eq+%22a%3Bb%22", "/Users?filter=title+eq+%22a%3Bb%22", false},
		{"/Users", "filter=%zz", "/Users?filter=[redacted]", true},
		{"/Users/password=hunter2", "", "/[redacted]", true},
	} {
		got, found := journal.URL([]string{"ssn"}, tt.path, tt.query)
		if got != tt.want || found != tt.found {
			t.Errorf("%s?%s: got %s, %v, want %s, %v", tt.path, tt.query, got, found, tt.want, tt.found)
		}
	}
}

func TestNames(t *testing.T) {
	user := func(id string, names ...string) journal.Touched {
		return journal.Touched{Type: "User", ID: id, Names: names}
	}
	for _, tt := range []struct {
		name, body string
		want       []journal.Touched
	}{
		{"a user", `{"meta":{"resourceType":"User"},"id":"1","userName":"ann","groups":[{"value":"g","display":"Admins"}]}`,
			[]journal.Touched{user("1", "ann"), {Type: "Group", ID: "g", Names: []string{"Admins"}}}},
		{"a list", `{"Resources":[{"id":"1","userName":"a","meta":{"resourceType":"User"}},{"id":"2","displayName":"b","meta":{"resourceType":"Group"}}]}`,
			[]journal.Touched{user("1", "a"), {Type: "Group", ID: "2", Names: []string{"b"}}}},
		{"members", `{"displayName":"g","members":[{"value":"1","display":"Ann"},{"value":"2","type":"Group"},{"value":"3","$ref":"https://x/Groups/3"}]}`,
			[]journal.Touched{{Names: []string{"g"}}, user("1", "Ann"), {Type: "Group", ID: "2"}, {Type: "Group", ID: "3"}}},
		{"members by PATCH", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1"},{"value":"2"}]},{"op":"remove","path":"members[value eq \"3\"]"},{"value":"4","path":"members"}]}`,
			[]journal.Touched{user("1"), user("2"), user("3"), user("4")}},
		{"members with names by PATCH", `{"Operations":[{"op":"add","path":"members","value":[{"value":"1","display":"Ann"},{"value":"2","display":"Devs","type":"Group"}]}]}`,
			[]journal.Touched{user("1", "Ann"), {Type: "Group", ID: "2", Names: []string{"Devs"}}}},
		{"members whose path comes last", `{"Operations":[{"op":"add","value":[{"value":"1","display":"Ann"}],"path":"members"}]}`, []journal.Touched{user("1", "Ann")}},
		{"groups by PATCH", `{"Operations":[{"op":"add","path":"groups","value":[{"value":"g","display":"Admins"}]}]}`,
			[]journal.Touched{{Type: "Group", ID: "g", Names: []string{"Admins"}}}},
		{"addresses by PATCH", `{"Operations":[{"op":"add","path":"emails","value":[{"value":"a@x","type":"work"}]}]}`, []journal.Touched{{Names: []string{"a@x"}}}},
		{"an attribute that names nobody", `{"Operations":[{"op":"add","path":"roles","value":[{"value":"admin"}]}]}`, nil},
		{"a name by PATCH", `{"Operations":[{"op":"replace","path":"userName","value":"ann"},{"op":"add","path":"title","value":"Dr"}]}`,
			[]journal.Touched{{Names: []string{"ann"}}}},
		{"names by PATCH without a path", `{"Operations":[{"op":"replace","value":{"username":"ann","emails":[{"value":"a@x"}]}}]}`,
			[]journal.Touched{{Names: []string{"ann", "a@x"}}}},
		{"bulk", `{"Operations":[{"method":"PUT","path":"/Users/1","data":{"userName":"ann"}},{"method":"DELETE","path":"/Groups/2"}]}`,
			[]journal.Touched{user("", "ann"), user("1"), {Type: "Group", ID: "2"}}},
		{"a secret", `{"Operations":[{"op":"add","value":[{"value":"hunter2","display":"hunter2","type":"User"}],"path":"password"}]}`, nil},
		{"a manager", `{"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"manager":{"value":"9","displayName":"Boss"}}}`, []journal.Touched{user("9", "Boss")}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, got, err := journal.Read(nil, tt.body, false, false)
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A filter names people and groups by the attribute that it compares.
func TestNamesInFilters(t *testing.T) {
	user, group := func(id string, names ...string) journal.Touched {
		return journal.Touched{Type: "User", ID: id, Names: names}
	}, func(id string, names ...string) journal.Touched {
		return journal.Touched{Type: "Group", ID: id, Names: names}
	}
	for _, tt := range []struct {
		kind, filter string
		want         []journal.Touched
		reason       string
	}{
		{"User", `userName eq "ann"`, []journal.Touched{user("", "ann")}, "a name"},
		{"User", `id eq "1"`, []journal.Touched{user("1")}, "an id"},
		{"User", `groups eq "g"`, []journal.Touched{group("g")}, "the id of a group"},
		{"User", `groups.value eq "g" or not (groups[display eq "Devs"])`, []journal.Touched{group("g"), group("", "Devs")}, "parts of a group"},
		{"User", `manager.value eq "2" and active eq true`, []journal.Touched{user("2")}, "a manager"},
		{"User", `urn:ietf:params:scim:schemas:core:2.0:User:emails[type eq "work" and value eq "a@x"]`, []journal.Touched{user("", "work"), user("", "a@x")}, "a URN"},
		{"Group", `displayName eq "Devs" and members[value eq "1"]`, []journal.Touched{group("", "Devs"), user("1")}, "a member"},
		{"Group", `members eq "1" and`, []journal.Touched{user("1")}, "what ends too early"},
		{"User", `("ann" x "b\"en`, []journal.Touched{user("", "ann")}, "no filter at all"},
	} {
		got := journal.NamesInFilter(tt.kind, tt.filter)
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", tt.reason, tt.filter, diff)
		}
	}
}

// forms are the ways in which a text may be written.
func forms(s string) (all []string) {
	escaped, percent := "", ""
	for _, c := range []byte(s) {
		escaped += fmt.Sprintf(`\u%04x`, c)
		percent += fmt.Sprintf("%%%02X", c)
	}
	for i := range 3 { // a base64 text depends on what stands before
		b := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + s))
		if b = b[4 : len(b)-4]; len(b) >= 8 { // a shorter one comes by chance
			all = append(all, b)
		}
	}
	return append(all, s, escaped, strings.ToLower(escaped), percent, strings.ToLower(percent))
}

// A store has no text of a client outside of the closed list, in any form.
func TestSealed(t *testing.T) {
	store := &spy{Store: journal.NewMemory(64 << 20)}
	a := newAppOver(t, store, journal.Options{}, nil)
	id := a.create("/Users", strings.Replace(ann, `"active"`, `"password":"hunter2-secret","active"`, 1))
	a.send("GET", "/Users/"+id, "")
	a.send("GET", "/Users?filter=userName+eq+%22Ann%40example.com%22", "")
	a.send("POST", "/Users", ann)
	a.sendAs("hunter2-secret", "GET", "/Users", "")
	a.find(journal.Query{})
	text, err := json.Marshal(store.seen)
	if err != nil || len(store.seen) != 5 {
		t.Fatal(err, len(store.seen))
	}
	if !strings.Contains(string(text), "user provisioned") {
		t.Error("the spy has seen no events")
	}
	for _, secret := range []string{"hunter2-secret", "Ann@example.com", "ann@example.com", "ann.b@example.com", "Ann B", id, "okta", "192.0.2.1", "/Users"} {
		for _, form := range forms(secret) {
			if len(form) > 3 && strings.Contains(string(text), form) {
				t.Errorf("the store has %q, as %q", secret, form)
			}
		}
	}
	for _, e := range a.find(journal.Query{}) {
		whole, err := a.j.Get(t.Context(), "", e.ID)
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := json.Marshal(whole); err != nil || strings.Contains(string(plain), "hunter2-secret") {
			t.Errorf("an entry has the password: %s", plain)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"password":"§","Operations":[{"value":"x","path":"password"}]}`, 0)
	f.Add(`{"value":"{\"pa\u0073sword\":\"§\"}"}`, 12)
	f.Add(`{"path":"members[value eq \"1\"]","value":{"ssn":{"a":["§"]}}}`, 40)
	f.Fuzz(func(t *testing.T, body string, cut int) {
		text, _, err := journal.Read([]string{"ssn"}, body, false, false)
		if err == nil {
			if !json.Valid([]byte(text)) {
				t.Fatalf("%q becomes %q, which is not JSON", body, text)
			}
			again, _, err := journal.Read([]string{"ssn"}, text, false, false)
			if err != nil || again != text {
				t.Fatalf("%q becomes %q, and then %q, %v", body, text, again, err)
			}
			var v any
			if json.Unmarshal([]byte(text), &v) == nil {
				requireRedacted(t, v)
			}
		}
		if cut >= 0 && cut < len(body) {
			journal.Read([]string{"ssn"}, body[:cut], true, false) //nolint:errcheck // it must not panic
		}
	})
}

// requireRedacted fails if an attribute of a secret name has another value.
func requireRedacted(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			requireRedacted(t, e)
		}
	case map[string]any:
		for k, e := range v {
			if (strings.EqualFold(k, "ssn") || strings.Contains(strings.ToLower(k), "password")) && e != "[redacted]" {
				t.Fatalf("%q has the value %v", k, e)
			}
			requireRedacted(t, e)
		}
	}
}

// Of most headers there is the name only, whatever the application names.
func TestHeaders(t *testing.T) {
	a := newApp(t, journal.Options{Headers: []string{"x-region", "Authorization", "Cookie"}}, nil)
	r := httptest.NewRequest("GET", "/Users", nil)
	for name, value := range map[string]string{"Authorization": "Bearer good", "Cookie": "hunter2", "X-Region": "eu", "X-Api-Key": "hunter2", "User-Agent": "password=hunter2", "Accept": "*/*"} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	a.h.ServeHTTP(w, r)
	w.Header().Set("Content-Type", "changed") // by middleware, after the handler
	d := a.last().Detail
	want := []journal.Field{{Name: "Accept", Value: "*/*"}, {Name: "Authorization", Value: "[not shown]"}, {Name: "Cookie", Value: "[not shown]"},
		{Name: "User-Agent", Value: "[redacted]"}, {Name: "X-Api-Key", Value: "[not shown]"}, {Name: "X-Region", Value: "eu"}}
	if diff := cmp.Diff(want, d.RequestHeader); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(d.ResponseHeader, func(f journal.Field) bool { return f.Value == "changed" }) {
		t.Error("the entry shares the header of the answer")
	}
}
