package memory

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/scimkit/scim"
)

func TestLedger(t *testing.T) {
	entry := func(user, role, source string) scim.Grant {
		return scim.Grant{UserID: user, RoleID: role, Source: scim.GroupSource(source)}
	}
	waiting := entry("1", "r", "a")
	waiting.State = scim.GrantWaitsForReturn
	tests := []struct {
		name, reason string
		put, drop    []scim.Grant
		want         []scim.Grant // of users 1 and 2
	}{
		{"nothing", "", nil, nil, []scim.Grant{entry("1", "r", "a"), entry("1", "r", "b"), entry("2", "r", "a")}},
		{"replace", "user, role and source are the identity", []scim.Grant{waiting}, nil,
			[]scim.Grant{waiting, entry("1", "r", "b"), entry("2", "r", "a")}},
		{"drop", "only the identity counts", nil, []scim.Grant{waiting}, []scim.Grant{entry("1", "r", "b"), entry("2", "r", "a")}},
		{"drop and put", "what is in both is there afterwards", []scim.Grant{waiting}, []scim.Grant{waiting},
			[]scim.Grant{waiting, entry("1", "r", "b"), entry("2", "r", "a")}},
		{"drop the unknown", "that is no error", nil, []scim.Grant{entry("1", "r", "z"), entry("9", "r", "a")},
			[]scim.Grant{entry("1", "r", "a"), entry("1", "r", "b"), entry("2", "r", "a")}},
		{"other role", "one more entry", []scim.Grant{entry("2", "q", "a")}, nil,
			[]scim.Grant{entry("1", "r", "a"), entry("1", "r", "b"), entry("2", "q", "a"), entry("2", "r", "a")}},
		{"drop all of one", "", nil, []scim.Grant{entry("2", "r", "a")}, []scim.Grant{entry("1", "r", "a"), entry("1", "r", "b")}},
	}
	for _, test := range tests {
		for name, l := range map[string]scim.Ledger{"Store": New(), "Ledger": NewLedger()} {
			t.Run(test.name+"/"+name, func(t *testing.T) {
				ctx := t.Context()
				seed := []scim.Grant{entry("1", "r", "b"), entry("1", "r", "a"), entry("2", "r", "a"), entry("3", "r", "a")}
				if err := l.Record(ctx, seed, nil); err != nil {
					t.Fatal(err)
				}
				if err := l.Record(ctx, test.put, test.drop); err != nil {
					t.Fatal(err)
				}
				got, err := l.Grants(ctx, []string{"2", "1", "1", "nobody"})
				if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
					t.Errorf("%s: %v (-want +got):\n%s", test.reason, err, diff)
				}
				// What was handed out is the caller's.
				for i := range got {
					got[i].RoleID = "scribbled"
				}
				again, err := l.Grants(ctx, []string{"1", "2"})
				if diff := cmp.Diff(test.want, again, cmpopts.EquateEmpty()); diff != "" || err != nil {
					t.Errorf("a caller changed the ledger: %v (-want +got):\n%s", err, diff)
				}
			})
		}
	}
}

func TestLinks(t *testing.T) {
	for name, l := range map[string]scim.Ledger{"Store": New(), "Ledger": NewLedger()} {
		t.Run(name, func(t *testing.T) {
			set := func(link scim.Link) {
				t.Helper()
				if err := l.SetLink(t.Context(), link); err != nil {
					t.Fatal(err)
				}
			}
			set(scim.Link{Source: scim.GroupSource("a"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r", Name: "Role"}}}})
			set(scim.Link{Source: scim.GroupSource("a"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "q", Protected: true}, Confirmed: true}}})
			set(scim.Link{Source: scim.GroupSource("b"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}})
			set(scim.Link{Source: scim.GroupSource("b")})
			set(scim.Link{Source: scim.GroupSource("c")}) // there was none
			set(scim.Link{Source: scim.GroupSource("d"), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}}}})
			got, err := l.Links(t.Context(), []scim.Source{"group:a", "group:b", "group:c", "group:a", "group:z"})
			want := []scim.Link{{Source: "group:a", Roles: []scim.LinkedRole{{Role: scim.Role{ID: "q", Protected: true}, Confirmed: true}}}}
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}
