package doc_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

func decoded(t testing.TB, typ *model.Type, body string, o doc.Options) []doc.Value {
	t.Helper()
	b, err := doc.Decode(typ, []byte(body), o)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return b.Values
}

func TestAppend(t *testing.T) {
	user, probe := users(t), probes(t)
	at := time.Date(2026, 1, 31, 14, 0, 0, 123456789, time.FixedZone("", 7200))
	tests := []struct {
		name, reason string
		d            doc.Document
		body         string
		o            doc.Encode
		want         string
	}{
		{name: "everything", reason: "schemas, id, schema order, extensions, meta; times in UTC to the microsecond; the version a weak ETag",
			d:    doc.Document{Type: user, ID: "7", Version: `a"b`, Created: at, Modified: at.Add(time.Hour)},
			body: `{"` + entURN + `":{"department":"D"},"emails":[{"primary":true,"value":"a"},{"value":"b"}],"active":true,"userName":"jo","externalId":"e"}`,
			o:    doc.Encode{Location: "https://h/Users/7"},
			want: `{"schemas":["` + userURN + `","` + entURN + `"],"id":"7","externalId":"e","userName":"jo","active":true,"emails":[{"value":"a","primary":true},{"value":"b"}],"` +
				entURN + `":{"department":"D"},"meta":{"resourceType":"User","created":"2026-01-31T12:00:00.123456Z","lastModified":"2026-01-31T13:00:00.123456Z","location":"https://h/Users/7","version":"W/\"a\"b\""}}`},
		{name: "what is not known", reason: "no times, version or location, so none are written", d: doc.Document{Type: user, ID: "7"}, body: `{}`,
			want: `{"schemas":["` + userURN + `"],"id":"7","meta":{"resourceType":"User"}}`},
		{name: "escapes", reason: "only what JSON requires (RFC 8259, 7): this is not HTML", d: doc.Document{Type: user, ID: "7"},
			body: `{"title":"<&>\"\\\/\b\f\n\r\t\u0001\u007f\u2028é😀"}`,
			want: `{"schemas":["` + userURN + `"],"id":"7","title":"<&>\"\\/\u0008\u000c\n\r\t\u0001` + "\x7f\u2028é😀" + `","meta":{"resourceType":"User"}}`},
		{name: "every kind", reason: "numbers and booleans without quotes, as they were sent", d: doc.Document{Type: probe, ID: "7"},
			body: `{"flag":"True","count":"1e2","rate":-1.50,"when":"2026-01-31T12:00:00","blob":"_-8","link":"../x","list":["a","b"]}`,
			want: `{"schemas":["` + probeURN + `"],"id":"7","list":["a","b"],"flag":true,"count":100,"rate":-1.50,"when":"2026-01-31T12:00:00","blob":"_-8","link":"../x","meta":{"resourceType":"Probe"}}`},
		{name: "hidden", reason: "writeOnly and never returned values do not leave, and what they alone make up is empty; request is not asked for", d: doc.Document{Type: probe, ID: "7"},
			body: `{"secret":"s","onRequest":"r","box":{"secret":"s","onRequest":"r"},"plain":{"a":"1","secret":"s"}}`,
			want: `{"schemas":["` + probeURN + `"],"id":"7","plain":{"a":"1"},"meta":{"resourceType":"Probe"}}`},
		{name: "stored", reason: "everything, and no location", d: doc.Document{Type: probe, ID: "7", Version: "1"}, o: doc.Encode{Stored: true, Location: "https://h", Select: doc.Select(probe, []string{"text"}, nil)},
			body: `{"secret":"s","onRequest":"r","box":{"secret":"s"}}`,
			want: `{"schemas":["` + probeURN + `"],"id":"7","secret":"s","onRequest":"r","box":{"secret":"s"},"meta":{"resourceType":"Probe","version":"W/\"1\""}}`},
		{name: "Q27 unknown attributes", reason: "they come back as raw JSON under their own name", d: doc.Document{Type: user, ID: "7"},
			body: `{"cost \"Centre":{"a":[1.0, "x"]},"userName":"jo"}`,
			want: `{"schemas":["` + userURN + `"],"id":"7","userName":"jo","cost \"Centre":{"a":[1.0,"x"]},"meta":{"resourceType":"User"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.d.Values = decoded(t, tt.d.Type, tt.body, doc.Options{KeepUnknown: true})
			got := string(doc.Append([]byte("before "), &tt.d, tt.o))
			if diff := cmp.Diff("before "+tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
	t.Run("the password", func(t *testing.T) {
		v := []doc.Value{doc.Simple(user.Password, "hunter2")}
		if got := string(doc.Append(nil, &doc.Document{Type: user, Values: v}, doc.Encode{Stored: true})); strings.Contains(got, "hunter2") {
			t.Errorf("even if somebody puts it among the values it must not be written: %s", got)
		}
	})
}

func TestSelection(t *testing.T) {
	user, probe := users(t), probes(t)
	const person = `{"externalId":"e","userName":"jo","name":{"givenName":"Jo","familyName":"Oh"},"emails":[{"value":"a","type":"work"},{"type":"home"}],"costCentre":9,"` + entURN + `":{"department":"D","manager":{"value":"m"}}}`
	const thing = `{"text":"t","secret":"s","onRequest":"r","must":"m","box":{"value":"v","secret":"s","kept":"k","onRequest":"r"},"parts":[{"value":"p","kept":"k"},{"value":"q"}],"` + probeURN + `Extension":{"text":"x","kept":"k"}}`
	ext := probeURN + "Extension"
	tests := []struct {
		name, reason         string
		typ                  *model.Type
		attributes, excluded string
		want                 string // as JSON without schemas, id
	}{
		{"default", "nothing was said", user, "", "", strings.TrimSuffix(person, "}") + `,"meta":{"resourceType":"User"}}`},
		{"one", "id and schemas are always there", user, "userName", "", `{"userName":"jo"}`},
		{"any case and the URN", "names match as everywhere", user, "USERNAME," + userURN + ":externalid", "", `{"externalId":"e","userName":"jo"}`},
		{"a part", "of a complex attribute", user, "name.givenName", "", `{"name":{"givenName":"Jo"}}`},
		{"a part of a list", "elements without it go", user, "emails.value", "", `{"emails":[{"value":"a"}]}`},
		{"two parts", "in schema order", user, "name.givenName,name.familyName", "", `{"name":{"familyName":"Oh","givenName":"Jo"}}`},
		{"a part and the whole", "the whole is more", user, "name.givenName,name", "", `{"name":{"familyName":"Oh","givenName":"Jo"}}`},
		{"the whole and a part", "the whole is more", user, "name,name.givenName", "", `{"name":{"familyName":"Oh","givenName":"Jo"}}`},
		{"an extension", "by its URN", user, entURN, "", `{"` + entURN + `":{"department":"D","manager":{"value":"m"}}}`},
		{"a part of an extension", "URN-qualified", user, entURN + ":department", "", `{"` + entURN + `":{"department":"D"}}`},
		{"a deep part of an extension", "URN-qualified", user, entURN + ":manager.value", "", `{"` + entURN + `":{"manager":{"value":"m"}}}`},
		{"unknown", "ignored", user, "shoe", "", `{}`},
		{"Q27 kept ones", "they are attributes like others", user, "COSTCENTRE", "", `{"costCentre":9}`},
		{"meta", "selectable", user, "meta", "", `{"meta":{"resourceType":"User"}}`},
		{"a part of meta that is not known", "then there is no meta", user, "meta.version", "", `{}`},
		{"excluded", "the rest stays", user, "", "name,emails," + entURN + ",meta,costcentre", `{"externalId":"e","userName":"jo"}`},
		{"excluded parts", "the rest stays", user, "", "name.givenName,emails.type,externalId,costCentre,meta," + entURN + ":manager.value", `{"userName":"jo","name":{"familyName":"Oh"},"emails":[{"value":"a"}],"` + entURN + `":{"department":"D"}}`},
		{"excluded id", "always means always (RFC 7643, 7)", user, "", "id,schemas,externalId,name,emails,meta,costCentre," + entURN, `{"userName":"jo"}`},
		{"both", "what is excluded of what is asked for", user, "name,userName", "name.givenName", `{"userName":"jo","name":{"familyName":"Oh"}}`},
		{"hidden", "asking does not help", probe, "secret,box.secret", "", `{"box":{"kept":"k"},"` + ext + `":{"kept":"k"}}`},
		{"on request", "asked for", probe, "onRequest,box.onRequest", "", `{"onRequest":"r","box":{"kept":"k","onRequest":"r"},"` + ext + `":{"kept":"k"}}`},
		{"the whole and a part on request", "both were asked for", probe, "box,box.onRequest", "", `{"box":{"value":"v","kept":"k","onRequest":"r"},"` + ext + `":{"kept":"k"}}`},
		{"a part returned always", "with what it is part of", probe, "", "box.kept,box.value,parts,text,must,meta," + ext + ":kept," + ext + ":text", `{"box":{"kept":"k"},"` + ext + `":{"kept":"k"}}`},
		{"Q43 a list with a part returned always", "excluding the list takes it all", probe, "", "parts,box,text,must,meta," + ext, `{"` + ext + `":{"kept":"k"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			body := person
			if tt.typ == probe {
				body = thing
			}
			d := &doc.Document{Type: tt.typ, ID: "7", Values: decoded(t, tt.typ, body, doc.Options{KeepUnknown: true})}
			split := func(s string) []string {
				if s == "" {
					return nil
				}
				return strings.Split(s, ",")
			}
			got := tree(t, doc.Append(nil, d, doc.Encode{Select: doc.Select(tt.typ, split(tt.attributes), split(tt.excluded))}))
			wantSchemas := []any{tt.typ.URN}
			want := tree(t, []byte(tt.want))
			for _, name := range []string{entURN, ext} {
				if want[name] != nil {
					wantSchemas = append(wantSchemas, name)
				}
			}
			want["id"], want["schemas"] = "7", wantSchemas
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		})
	}
}

func tree(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	return m
}

func TestWants(t *testing.T) {
	group, user, probe := groups(t), users(t), probes(t)
	tests := []struct {
		name                 string
		typ                  *model.Type
		attributes, excluded []string
		path                 string
		want                 bool
	}{
		{"default", group, nil, nil, "members", true},
		{"Q43 excluded", group, nil, []string{"members"}, "members", false},
		{"Q43 a part of what is excluded", group, nil, []string{"members"}, "members.value", false},
		{"another excluded", group, nil, []string{"displayName"}, "members", true},
		{"asked for", group, []string{"members"}, nil, "members", true},
		{"a part asked for", group, []string{"members.value"}, nil, "members", true},
		{"another part asked for", group, []string{"members.value"}, nil, "members.display", false},
		{"another asked for", group, []string{"displayName"}, nil, "members", false},
		{"id", user, []string{"displayName"}, []string{"id"}, "id", true},
		{"on request", probe, nil, nil, "onRequest", false},
		{"on request, asked for", probe, []string{"onRequest"}, nil, "onRequest", true},
		{"never", probe, []string{"secret"}, nil, "secret", false},
		{"never by default", probe, nil, nil, "box.secret", false},
		{"inside an extension", user, []string{entURN + ":manager"}, nil, entURN + ":manager.value", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := doc.Select(tt.typ, tt.attributes, tt.excluded).Wants(tt.typ.Find(tt.path)); got != tt.want {
				t.Errorf("Wants(%s) = %v", tt.path, got)
			}
		})
	}
	s := doc.Select(user, []string{"shoe"}, nil)
	if !s.Wants(doc.Unknown(user, "SHOE")) || s.Wants(doc.Unknown(user, "hat")) {
		t.Error("unknown attributes are chosen by name")
	}
}
