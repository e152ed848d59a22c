package match_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

func TestSortKey(t *testing.T) {
	user, lab := userType(t), labType(t)
	d := newDoc(user, "u1", obj{
		"userName": "Ann", "password": "x",
		"name": obj{"givenName": "Ann"},
		"emails": []obj{
			{"value": "first", "type": "home", "primary": "false"}, {"value": "main", "type": "work", "primary": "true"},
		},
		"phoneNumbers": []obj{{"value": "1"}, {"value": "2"}},
		"photos":       []obj{{"type": "photo"}, {"value": "2"}},
		enterpriseURN:  obj{"department": "Sales", "manager": obj{"value": "m1"}},
	})
	d.Version, d.Created, d.Modified = "v1", mustTime("2024-02-29T13:00:00+01:00"), mustTime("2024-03-01T00:00:00.5Z")
	l := newDoc(lab, "l1", obj{"many-age": []string{"7", "5"}, "secret": "x", "vault": []obj{{"value": "x"}}, "cellar": obj{"value": "x"}, "deep": []obj{{"text": []string{"b", "a"}}}})
	for _, row := range []struct {
		doc          *doc.Document
		path, want   string
		reason       string
		attr         string
		wantsNothing bool
	}{
		{d, "userName", "Ann", "a simple one", "userName", false},
		{d, "name.givenName", "Ann", "a sub-attribute", "name.givenName", false},
		{d, "name", "", "a complex one without a value", "", true},
		{d, "title", "", "absent", "", true},
		{d, "addresses.locality", "", "absent with its parent", "", true},
		{d, "emails", "main", "the primary element", "emails.value", false},
		{d, "emails.type", "work", "of the primary element", "emails.type", false},
		{d, "phoneNumbers", "1", "else the first", "phoneNumbers.value", false},
		{d, "photos", "", "the first has no value", "", true},
		{d, enterpriseURN + ":department", "Sales", "of an extension", enterpriseURN + ":department", false},
		{d, enterpriseURN + ":manager", "m1", "its value", enterpriseURN + ":manager.value", false},
		{d, enterpriseURN, "", "an extension is no value", "", true},
		{d, "id", "u1", "kept beside", "id", false},
		{d, "schemas", userURN, "the core schema", "schemas", false},
		{d, "meta.resourceType", "User", "the type", "meta.resourceType", false},
		{d, "meta.version", "v1", "the version", "meta.version", false},
		{d, "meta.created", "2024-02-29T12:00:00Z", "in UTC", "meta.created", false},
		{d, "meta.lastModified", "2024-03-01T00:00:00.5Z", "in UTC", "meta.lastModified", false},
		{d, "meta.location", "", "not known here", "", true},
		{d, "password", "", "order would tell what it is", "", true},
		{l, "many-age", "7", "the first", "many-age", false},
		{l, "deep.text", "b", "the first of the first", "deep.text", false},
		{l, "secret", "", "order would tell what it is", "", true},
		{l, "vault", "", "order would tell what it is", "", true},
		{l, "cellar.value", "", "order would tell what it is", "", true},
		{l, "meta.created", "", "not kept", "", true},
	} {
		t.Run(row.path, func(t *testing.T) {
			a := row.doc.Type.Find(row.path)
			got := match.SortKey(row.doc, a)
			if row.wantsNothing {
				if got.Attr != nil {
					t.Errorf("%s: got %v", row.reason, got)
				}
				return
			}
			if got.Attr == nil || got.Text != row.want || got.Attr.Path != row.attr {
				t.Errorf("%s: got %+v", row.reason, got)
			}
		})
	}
}

func TestCompare(t *testing.T) {
	user, lab := userType(t), labType(t)
	for _, row := range []struct {
		name, reason string
		attr         *model.Attribute
		ranks        [][]string // equal texts share a rank
	}{
		{"folded", "case and width do not order", user.Find("userName"), [][]string{{""}, {"ann", "ANN", "ＡＮＮ"}, {"anna"}, {"Bob"}, {"zoe"}, {"Émile", "émile", "E\u0301mile"}}},
		{"exact", "capitals come first", user.Find("externalId"), [][]string{{""}, {"ANN"}, {"Ann"}, {"ann"}, {"ann1"}}},
		{"boolean", "false before true", user.Find("active"), [][]string{{"false"}, {"true"}}},
		{"integer", "as numbers", lab.Find("age"), [][]string{{"-10"}, {"-9"}, {"0"}, {"9"}, {"10"}, {"9007199254740992"}, {"9007199254740993"}, {"!"}, {"nonsense"}}},
		{"decimal", "as numbers, integers beside fractions", lab.Find("score"), [][]string{{"-1e400"}, {"-1.5"}, {"-1"}, {"0.5", "5e-1"}, {"10", "10.0", "1e1"}, {"9223372036854775807"}, {"9223372036854775808"}}},
		{"date", "as instants", lab.Find("at"), [][]string{{"2024-02-29T23:00:00Z"}, {"2024-03-01T00:00:00+00:30", "2024-02-29T23:30:00"}, {"2024-03-01T00:00:00Z", "2024-02-29T24:00:00Z"}, {"2024-03-01T00:00:00.1Z"}, {"!"}, {"nonsense"}}},
		{"complex", "by its value", user.Find("emails"), [][]string{{"a"}, {"B"}, {"c"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := row.attr
			if a.Kind == model.Complex {
				a = a.Lookup("value")
			}
			type ranked struct {
				v    doc.Value
				rank int
			}
			var list []ranked
			for i, texts := range row.ranks {
				for _, text := range texts {
					list = append(list, ranked{doc.Simple(a, text), i})
				}
			}
			list = append(list, ranked{doc.Value{}, len(row.ranks)}, ranked{doc.Value{}, len(row.ranks)})
			for _, x := range list {
				for _, y := range list {
					got, want := match.Compare(row.attr, x.v, y.v), x.rank-y.rank
					if (got < 0) != (want < 0) || (got > 0) != (want > 0) {
						t.Errorf("%s: Compare(%q, %q) = %d", row.reason, x.v.Text, y.v.Text, got)
					}
				}
			}
		})
	}
}

func TestSorting(t *testing.T) {
	typ := userType(t)
	ids := func(path string) (out []string) {
		a := typ.Find(path)
		var docs []*doc.Document
		for _, p := range people {
			docs = append(docs, p.document(typ))
		}
		slices.SortStableFunc(docs, func(x, y *doc.Document) int {
			return match.Compare(a, match.SortKey(x, a), match.SortKey(y, a))
		})
		for _, d := range docs {
			out = append(out, d.ID)
		}
		return out
	}
	for path, want := range map[string][]string{
		"userName":     {"Ann-1", "Bob-2", "ann-1", "d4", "true"},
		"id":           {"Ann-1", "Bob-2", "ann-1", "d4", "true"},
		"emails":       {"d4", "Ann-1", "Bob-2", "true", "ann-1"},
		"active":       {"Bob-2", "Ann-1", "ann-1", "d4", "true"},
		"meta.created": {"Ann-1", "Bob-2", "ann-1", "d4", "true"},
		"externalId":   {"true", "Ann-1", "ann-1", "Bob-2", "d4"},
	} {
		if diff := cmp.Diff(want, ids(path)); diff != "" {
			t.Errorf("by %s (-want +got)\n%s", path, diff)
		}
	}
}
