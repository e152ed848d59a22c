package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
)

// pendingOf returns the ledger as a PendingLedger. It skips the step if it is none.
func (l ledgerSubject) pendingOf(t *probe) scim.PendingLedger {
	return capability[scim.PendingLedger](t, l.ledger, "the Ledger is no PendingLedger: it cannot list what is pending, and unfinished changes do not outlive a process")
}

func setNote(t *probe, p scim.PendingLedger, n scim.Note) {
	if err := p.SetNote(t.ctx, n); err != nil {
		t.Fatalf("SetNote of %q: %v", n.Key, err)
	}
}

// expectPages requires that a list has these elements, in order, in pages of several sizes.
// read reads a page behind the element after.
func expectPages[T any](t *probe, what string, want []T, read func(ctx context.Context, after T, limit int) ([]T, error)) {
	for _, limit := range []int{1, 2, 1000} {
		got := []T{}
		var after T
		for len(got) <= len(want) {
			page, err := read(t.ctx, after, limit)
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			if len(page) > limit {
				t.Errorf("%s: a page of %d, more than %d", what, len(page), limit)
			}
			if len(page) == 0 {
				break
			}
			got, after = append(got, page...), page[len(page)-1]
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Comparer(sameInstant)); diff != "" {
			t.Errorf("%s in pages of %d (-want +got):\n%s", what, limit, diff)
		}
	}
}

func expectNotes(t *probe, p scim.PendingLedger, kind string, want ...scim.Note) {
	expectPages(t, "Notes of "+kind, want, func(ctx context.Context, after scim.Note, limit int) ([]scim.Note, error) {
		return p.Notes(ctx, kind, after.Key, limit)
	})
}

func expectOpen(t *probe, p scim.PendingLedger, want ...scim.Grant) {
	expectPages(t, "OpenGrants", want, p.OpenGrants)
}

func expectLinks(t *probe, p scim.PendingLedger, want ...scim.Link) {
	expectPages(t, "AllLinks", want, func(ctx context.Context, after scim.Link, limit int) ([]scim.Link, error) {
		return p.AllLinks(ctx, after.Source, limit)
	})
}

// pendingSteps are the steps of a PendingLedger.
func pendingSteps() []step[ledgerSubject] {
	return []step[ledgerSubject]{
		{"all links", "AllLinks lists every link in ascending order of Source, in pages. A deleted link is not listed.", func(t *probe, l ledgerSubject) {
			p := l.pendingOf(t)
			expectLinks(t, p)
			var want []scim.Link
			for i := range 5 {
				source := scim.GroupSource(l.group(t))
				if i == 4 {
					source = scim.AttributeSource("roles", "Ä admin")
				}
				link := scim.Link{Source: source, Name: fmt.Sprint("name ", i), At: instant, Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r"}, Confirmed: i%2 == 0}}}
				l.setLink(t, link)
				want = append(want, link)
			}
			slices.SortFunc(want, func(a, b scim.Link) int { return strings.Compare(string(a.Source), string(b.Source)) })
			expectLinks(t, p, want...)
			l.setLink(t, scim.Link{Source: want[1].Source})
			expectLinks(t, p, slices.Delete(want, 1, 2)...)
		}},
		{"open grants", "OpenGrants lists the grants whose State is not GrantGiven, in ascending order of UserID, Scope, RoleID and Source, in pages.", func(t *probe, l ledgerSubject) {
			p := l.pendingOf(t)
			expectOpen(t, p)
			users, sources := []string{l.user(t), l.user(t)}, []scim.Source{scim.GroupSource(l.group(t)), scim.GroupSource(l.group(t))}
			slices.Sort(users)
			slices.Sort(sources)
			states := []scim.GrantState{scim.GrantWaitsForPlace, scim.GrantWaitsForReturn, scim.GrantWaitsForTrust, scim.GrantDeclined, scim.GrantRetained, scim.GrantRetainedForPlace}
			var want, put []scim.Grant
			for _, user := range users {
				for _, scope := range []string{"", "a"} {
					for _, role := range []string{"Z", "a"} {
						for _, source := range sources {
							g := scim.Grant{UserID: user, Scope: scope, RoleID: role, Source: source, At: instant, State: states[len(want)%len(states)], Rank: len(want)}
							want = append(want, g)
							g.State, g.RoleID = scim.GrantGiven, role+" given"
							put = append(put, g)
						}
					}
				}
			}
			for _, g := range slices.Backward(want) {
				put = append(put, g)
			}
			l.record(t, put, nil)
			expectOpen(t, p, want...)
			given := want[2]
			given.State = scim.GrantGiven
			l.record(t, []scim.Grant{given}, []scim.Grant{want[5]})
			expectOpen(t, p, slices.Concat(want[:2], want[3:5], want[6:])...)
		}},
		{"notes", "SetNote stores and replaces a note by Kind and Key, and deletes it if Text is empty. Notes lists those of one kind in ascending order of Key, in pages.", func(t *probe, l ledgerSubject) {
			p := l.pendingOf(t)
			expectNotes(t, p, "a")
			note := func(kind, key, text string) scim.Note {
				return scim.Note{Kind: kind, Key: key, At: instant, Text: text}
			}
			want := []scim.Note{note("a", "#1", "x"), note("a", "B", `{"ö": "<&>"}`), note("a", "a", "x"), note("a", "a b", "x"), note("a", "é", "x")}
			for _, n := range slices.Backward(want) {
				setNote(t, p, n)
			}
			other := note("b", "B", "other")
			setNote(t, p, other)
			expectNotes(t, p, "a", want...)
			want[1].Text, want[1].At = "new", instant.Add(time.Hour)
			setNote(t, p, want[1])
			for range 2 { // the second time there is nothing to delete
				setNote(t, p, note("a", "a", ""))
			}
			want = slices.Delete(want, 2, 3)
			expectNotes(t, p, "a", want...)
			setNote(t, p, note("b", "a", "")) // not that of the other kind
			expectNotes(t, p, "a", want...)
			expectNotes(t, p, "b", other)
			expectNotes(t, p, "c")
		}},
	}
}
