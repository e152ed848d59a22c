package scenarios

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// Checks of the expected state.

func (w *world) diff(what string, want, got any) {
	w.t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		w.t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

// wantRoles checks the names of the roles that a user holds.
func (w *world) wantRoles(user string, names ...string) {
	w.t.Helper()
	slices.Sort(names)
	w.diff("roles of "+user, names, w.app.Of(user))
}

func (w *world) members(group string) []string {
	w.t.Helper()
	got := []string{}
	list, _ := w.do("GET", "/Groups/"+group, nil).body["members"].([]any)
	for _, m := range list {
		m := m.(map[string]any)
		id := m["value"].(string)
		if m["type"] != "User" {
			id = fmt.Sprint(m["type"], " ", id)
		}
		got = append(got, id)
	}
	slices.Sort(got)
	return got
}

// wantMembers checks the members that the answer to GET of a group lists.
func (w *world) wantMembers(group string, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.diff("members of "+group, want, w.members(group))
}

// entries lists a user's grants in the ledger as "R group:G", with the suffix " by hand" or
// " waiting".
func (w *world) entries(user string) []string {
	w.t.Helper()
	grants, err := w.ledger.Grants(context.Background(), []string{user})
	if err != nil {
		w.t.Fatalf("Grants: %v", err)
	}
	lines := []string{}
	for _, g := range grants {
		line := testhost.KeyOf(g.Scope, g.RoleID) + " " + string(g.Source)
		if g.ByHand {
			line += " by hand"
		}
		switch {
		case isRetained(g):
			line += " retained"
		case !isHeld(g):
			line += " waiting"
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

func (w *world) wantLedger(user string, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.diff("ledger of "+user, want, w.entries(user))
}

// linked lists the roles of a group, or of a value as "attr:path=value".
func (w *world) linked(of string) []scim.LinkedRole {
	w.t.Helper()
	source := scim.GroupSource(of)
	if strings.HasPrefix(of, "attr:") {
		source = scim.Source(of)
	}
	links, err := w.ledger.Links(context.Background(), []scim.Source{source})
	if err != nil {
		w.t.Fatalf("Links: %v", err)
	}
	if len(links) == 0 {
		return nil
	}
	return links[0].Roles
}

// link lists them as "R", or "R unconfirmed", with commas between them.
func (w *world) link(of string) string {
	w.t.Helper()
	var texts []string
	for _, r := range w.linked(of) {
		text := keyOf(r.Role)
		if !r.Confirmed {
			text += " unconfirmed"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func (w *world) wantLink(group, want string) {
	w.t.Helper()
	w.diff("link of "+group, want, w.link(group))
}

// mark forgets all events and changes so far.
func (w *world) mark() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = nil
	w.app.Changes()
}

// wantEvents checks the events since mark about roles, links, people and members, in any
// order: "role granted U R G", "member added G U", "group linked G R".
func (w *world) wantEvents(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	got := []string{}
	for _, e := range w.events {
		if e.Kind == scim.ToleranceUsed {
			continue
		}
		words := []string{string(e.Kind), e.Resource.ID}
		for _, s := range []string{e.Member.ID, keyOf(e.Role)} {
			if s != "" {
				words = append(words, s)
			}
		}
		from := slices.Sorted(slices.Values(e.Sources))
		for _, s := range from {
			words = append(words, strings.TrimPrefix(string(s), "group:"))
		}
		got = append(got, strings.Join(words, " "))
	}
	slices.Sort(got)
	slices.Sort(want)
	w.diff("events", want, got)
}

// wantChanges checks the calls of ChangeRoles since mark: "U +granted -revoked", with "=
// all roles in order" if there are any.
func (w *world) wantChanges(want ...string) {
	w.t.Helper()
	got := []string{}
	for _, c := range w.app.Changes() {
		words := []string{c.UserID}
		for _, r := range c.Grant {
			words = append(words, "+"+keyOf(r))
		}
		for _, r := range c.Revoke {
			words = append(words, "-"+keyOf(r))
		}
		if len(c.Roles) > 0 {
			words = append(words, "=")
		}
		for _, r := range c.Roles {
			words = append(words, keyOf(r))
		}
		got = append(got, strings.Join(words, " "))
	}
	w.diff("changes", want, got)
}

// explain lists a user's roles as Explain does: "R state source…".
func (w *world) explain(user string) []string {
	w.t.Helper()
	list, err := w.reconciler().Explain(context.Background(), user)
	if err != nil {
		w.t.Fatalf("Explain(%s): %v", user, err)
	}
	lines := []string{}
	for _, s := range list {
		if s.Reason == "" {
			w.t.Errorf("Explain(%s): no reason for %s", user, s.Role.ID)
		}
		words := []string{keyOf(s.Role), string(s.State)}
		for _, source := range slices.Sorted(slices.Values(s.Sources)) {
			words = append(words, string(source))
		}
		lines = append(lines, strings.Join(words, " "))
	}
	slices.Sort(lines)
	return lines
}

func (w *world) wantExplain(user string, want ...string) {
	w.t.Helper()
	slices.Sort(want)
	w.diff("Explain "+user, want, w.explain(user))
}

// checkSettled is S100: a second reconciliation finds nothing to do, and Explain agrees
// with the ledger and with the application's roles.
func (w *world) checkSettled() {
	w.t.Helper()
	if w.drift {
		w.all()
	}
	w.mark()
	w.all()
	var there []string
	for _, id := range w.ids {
		_, err := w.store.Get(context.Background(), scim.Ref{Type: "User", ID: id})
		switch {
		case err == nil:
			there = append(there, id)
		case !errors.Is(err, scim.ErrNotFound):
			w.t.Fatalf("Get: %v", err)
		default:
			w.wantRoles(id)
		}
	}
	w.reconcile(there...)
	w.wantNothingUnfinished()
	w.wantChanges()
	w.wantEvents()
	for _, id := range there {
		w.wantExplain(id, w.standings(id)...)
	}
}

// standings lists the expected result of Explain. It follows from the ledger, the held
// roles and the unconfirmed links.
func (w *world) standings(user string) []string {
	w.t.Helper()
	grants, err := w.ledger.Grants(context.Background(), []string{user})
	if err != nil {
		w.t.Fatalf("Grants: %v", err)
	}
	held := w.app.IDs(user)
	var lines []string
	body := w.do("GET", "/Users/"+user, nil).body
	for attr, source := range map[string]func(v string) (link, source string){
		"groups": func(v string) (string, string) { return v, "group:" + v },
		"roles":  func(v string) (string, string) { return "attr:roles=" + v, "attr:roles" },
	} {
		list, _ := body[attr].([]any)
		for _, e := range list {
			key, from := source(e.(map[string]any)["value"].(string))
			for _, r := range w.linked(key) {
				isDecided := slices.ContainsFunc(grants, func(g scim.Grant) bool {
					return testhost.KeyOf(g.Scope, g.RoleID) == keyOf(r.Role) && string(g.Source) == from
				})
				if !r.Confirmed && !isDecided { // else the application has decided about this user alone
					lines = append(lines, keyOf(r.Role)+" waiting "+from)
				}
			}
		}
	}
	of := map[string][]scim.Grant{}
	for _, g := range grants {
		of[testhost.KeyOf(g.Scope, g.RoleID)] = append(of[testhost.KeyOf(g.Scope, g.RoleID)], g)
	}
	for role := range held {
		if _, ok := of[role]; !ok {
			lines = append(lines, role+" by hand")
		}
	}
	for role, list := range of {
		words := []string{role, ""}
		for _, g := range list {
			switch {
			case !isHeld(g):
				words[1] = "waiting"
			case g.ByHand:
				words[1] = "both"
			case isRetained(g):
				words[1] = "retained"
			default:
				words[1] = "granted"
			}
			if words[1] != "waiting" && !held[role] {
				words[1] = "recorded and not held"
			}
			words = append(words, string(g.Source))
		}
		slices.Sort(words[2:])
		lines = append(lines, strings.Join(words, " "))
		if words[1] == "waiting" && held[role] {
			lines = append(lines, role+" by hand") // the grant waits, so the role is only by hand
		}
	}
	return lines
}

// isHeld reports whether the user holds the role because of the grant.
func isHeld(g scim.Grant) bool {
	return g.State == scim.GrantGiven || isRetained(g)
}

func keyOf(r scim.Role) string { return testhost.KeyOf(r.Scope, r.ID) }

// isRetained reports whether a guard keeps the role of a grant.
func isRetained(g scim.Grant) bool {
	return g.State == scim.GrantRetained || g.State == scim.GrantRetainedForPlace
}
