package storetest

import (
	"slices"

	"github.com/scimkit/scim"
)

// tenantLedgerSteps are about a scim.TenantLedger.
func tenantLedgerSteps() []step[ledgerSubject] {
	return []step[ledgerSubject]{
		{"users in pages", "UsersWithGrants lists each user with a grant once, in order of id, behind a place.", func(t *probe, l ledgerSubject) {
			c := tenantLedger(t, l)
			users := []string{l.user(t), l.user(t), l.user(t)}
			slices.Sort(users)
			for _, u := range users {
				l.record(t, []scim.Grant{{UserID: u, RoleID: "a", Source: scim.GroupSource("g"), At: instant},
					{UserID: u, RoleID: "b", Source: scim.GroupSource("g"), At: instant, State: scim.GrantPaused}}, nil)
			}
			for _, page := range []struct {
				after string
				want  []string
			}{{"", users[:2]}, {users[1], users[2:]}, {users[2], nil}} {
				got, err := c.UsersWithGrants(t.ctx, page.after, 2)
				if err != nil || !slices.Equal(got, page.want) {
					t.Errorf("UsersWithGrants after %q: %q, error %v, want %q", page.after, got, err, page.want)
				}
			}
		}},
		{"forget", "Forget deletes links and notes in steps. It keeps the link that it is told to keep, and all grants.", func(t *probe, l ledgerSubject) {
			c := tenantLedger(t, l)
			g := scim.Grant{UserID: l.user(t), RoleID: "a", Source: scim.GroupSource("g"), At: instant}
			l.record(t, []scim.Grant{g}, nil)
			sources := []scim.Source{"group:1", "group:2", "group:3", "tenant:"}
			for _, source := range sources {
				l.setLink(t, scim.Link{Source: source, At: instant, Roles: []scim.LinkedRole{{Role: scim.Role{ID: "a", Name: "A"}, Confirmed: true}}})
			}
			p, hasNotes := l.ledger.(scim.PendingLedger)
			for _, key := range []string{"a", "b"} {
				if !hasNotes {
					break
				}
				if err := p.SetNote(t.ctx, scim.Note{Kind: "k", Key: key, At: instant, Text: "text"}); err != nil {
					t.Fatalf("SetNote: %v", err)
				}
			}
			if err := c.Fence(t.ctx); err != nil {
				t.Errorf("Fence without a transaction: %v", err)
			}
			steps := 0
			for isLeft := true; isLeft && steps < 20; steps++ {
				var err error
				if isLeft, err = c.Forget(t.ctx, "tenant:", 2); err != nil {
					t.Fatalf("Forget: %v", err)
				}
			}
			if steps < 2 || steps == 20 {
				t.Errorf("Forget took %d steps for 3 links, at most 2 in a step", steps)
			}
			links, err := l.ledger.Links(t.ctx, sources)
			if err != nil || len(links) != 1 || links[0].Source != "tenant:" {
				t.Errorf("links after Forget: %v, error %v, want that of %q", links, err, "tenant:")
			}
			if hasNotes {
				if notes, err := p.Notes(t.ctx, "k", "", 10); err != nil || len(notes) > 0 {
					t.Errorf("notes after Forget: %v, error %v, want none", notes, err)
				}
			}
			l.grants(t, []string{g.UserID}, g)
		}},
	}
}

// tenantLedger is the Ledger as a TenantLedger. It skips the step if it is none.
func tenantLedger(t *probe, l ledgerSubject) scim.TenantLedger {
	c, ok := l.ledger.(scim.TenantLedger)
	if !ok {
		t.Skipf("the Ledger is no TenantLedger: scim.Reconciler.End needs one")
	}
	return c
}
