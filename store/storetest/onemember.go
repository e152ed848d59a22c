package storetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim"
)

// oneMemberSteps check that a MemberChanger does what the calls do that it stands for.
func oneMemberSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"change", "ChangeMember adds a member or takes one out, and stores the group if that changes the memberships: filters find it by its new version and time. It says who has joined or left, and whether the member to add exists.", changeOne},
		{"commit", "ChangeMember commits and rolls back with the transaction.", func(t *probe, s scim.Store) {
			c := changerOf(t, s)
			u, g := t.create(s, t.user("ann@example.com", nil)).Ref(), c.group("Engineers")
			rollBack(t, s, func(ctx context.Context) error {
				c.change(ctx, g, "2", false, false, u)
				return nil
			})
			c.m.expect(g)
			t.exactly("the group after a rollback", g, t.get(s, g.Ref()))
			c.inTx(func(ctx context.Context) { c.change(ctx, g, "2", false, false, u) })
			c.m.expect(g, u)
		}},
		{"locks", "A member that ChangeMember has added cannot be deleted until the transaction ends. Grants after it locks the member and shares the fence, as always.", changeOneLocks},
	}
}

// changer is a MemberChanger as a step uses it.
type changer struct {
	t     *probe
	s     scim.Store
	m     members
	store scim.MemberChanger
}

// changerOf returns s as a MemberChanger. It skips the step if s is none.
func changerOf(t *probe, s scim.Store) changer {
	return changer{t, s, membersOf(t, s), capability[scim.MemberChanger](t, s, "the Store is no MemberChanger: a change of one member is made by several calls")}
}

// group creates a group that has version 1.
func (c changer) group(name string) *scim.Resource {
	g := c.t.group(name)
	m := g.Meta()
	m.Version = "1"
	return c.t.create(c.s, g.WithMeta(m))
}

func (c changer) inTx(fn func(ctx context.Context)) {
	err := c.store.InTx(c.t.ctx, func(ctx context.Context) error {
		fn(ctx)
		return nil
	})
	if err != nil {
		c.t.Fatalf("InTx: %v", err)
	}
}

// change locks a group and changes a member. It skips the step if the store does not do so.
func (c changer) change(ctx context.Context, group *scim.Resource, version string, remove, reads bool, member ...scim.Ref) scim.MemberChanged {
	before, err := c.s.Update(ctx, group.Ref(), keep)
	if err != nil {
		c.t.Fatalf("Update: %v", err)
	}
	m := before.Meta()
	m.Version, m.LastModified = version, m.LastModified.Add(time.Hour)
	done, err := c.store.ChangeMember(ctx, scim.MemberChange{Group: before.WithMeta(m), Version: before.Meta().Version, Members: member, Remove: remove, ReadsGrants: reads})
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		c.t.Skipf("the Store leaves changes of one member to other calls")
	case err != nil:
		c.t.Fatalf("ChangeMember: %v", err)
	}
	if remove {
		return done
	}
	// A member that joins is known.
	if len(done.Changed) > 0 && !done.IsKnown {
		c.t.Errorf("ChangeMember has added %v, but says that it does not exist", member)
	}
	return done
}

func changeOne(t *probe, s scim.Store) {
	c := changerOf(t, s)
	u, v := t.create(s, t.user("ann@example.com", nil)).Ref(), t.create(s, t.user("bob@example.com", nil)).Ref()
	g, other := c.group("Engineers"), c.group("Others")
	c.m.change(other, []scim.Ref{u, v}, nil, []scim.Ref{u, v}, nil)
	either := func(r scim.Ref) []scim.Ref { return []scim.Ref{{Type: "Group", ID: r.ID}, r} }
	strange := strangeIDs()
	for _, tt := range []struct {
		what    string
		member  []scim.Ref
		remove  bool
		changed []scim.Ref
		known   bool
		want    []scim.Ref
	}{
		{"one joins", []scim.Ref{u}, false, []scim.Ref{u}, true, []scim.Ref{u}},
		{"a member joins again", []scim.Ref{u}, false, nil, true, []scim.Ref{u}},
		{"nobody joins", []scim.Ref{{Type: "User", ID: nobody}}, false, nil, false, []scim.Ref{u}},
		{"a group that is a user joins", []scim.Ref{{Type: "Group", ID: v.ID}}, false, nil, false, []scim.Ref{u}},
		{"a group joins", []scim.Ref{other.Ref()}, false, []scim.Ref{other.Ref()}, true, []scim.Ref{u, other.Ref()}},
		{"another one joins", []scim.Ref{v}, false, []scim.Ref{v}, true, []scim.Ref{u, v, other.Ref()}},
		{"one of either type leaves", either(u), true, []scim.Ref{u}, false, []scim.Ref{v, other.Ref()}},
		{"one who is no member leaves", either(u), true, nil, false, []scim.Ref{v, other.Ref()}},
		{"nobody leaves", either(scim.Ref{Type: "User", ID: nobody}), true, nil, false, []scim.Ref{v, other.Ref()}},
		{"a strange id leaves", either(scim.Ref{Type: "User", ID: strange[len(strange)-1]}), true, nil, false, []scim.Ref{v, other.Ref()}},
		{"a user with the id of a group leaves", []scim.Ref{{Type: "User", ID: other.ID()}}, true, nil, false, []scim.Ref{v, other.Ref()}},
		{"one leaves", []scim.Ref{v}, true, []scim.Ref{v}, false, []scim.Ref{other.Ref()}},
	} {
		before := t.get(s, g.Ref())
		version := before.Meta().Version + "+"
		c.inTx(func(ctx context.Context) {
			done := c.change(ctx, g, version, tt.remove, false, tt.member...)
			sameRefs(t, tt.what+": changed", tt.changed, done.Changed)
			if !tt.remove && done.IsKnown != tt.known {
				t.Errorf("%s: IsKnown is %v", tt.what, done.IsKnown)
			}
			if done.Group == nil {
				t.Fatalf("%s: no group", tt.what)
			}
			t.exactly(tt.what+": the group that ChangeMember returns", t.with(ctx).get(s, g.Ref()), done.Group)
		})
		c.m.expect(g, tt.want...)
		c.m.expect(other, u, v)
		after := t.get(s, g.Ref())
		switch isNew := after.Meta().Version == version; {
		case isNew != (len(tt.changed) > 0):
			t.Errorf("%s: the group has version %q", tt.what, after.Meta().Version)
		case !isNew:
			t.exactly(tt.what+": the group", before, after)
		case !after.Meta().LastModified.Equal(before.Meta().LastModified.Add(time.Hour)):
			t.Errorf("%s: the group was modified at %v", tt.what, after.Meta().LastModified)
		}
		c.finds(tt.what, g.ID(), after.Meta())
	}
}

// finds requires that filters compare a group with what it says of itself.
func (c changer) finds(what, id string, m scim.Meta) {
	for filter, want := range map[string]int{
		fmt.Sprintf("meta.version eq %q", m.Version):                                                               1,
		fmt.Sprintf("meta.lastModified ge %q", m.LastModified.Format(time.RFC3339Nano)):                            1,
		fmt.Sprintf("meta.lastModified lt %q", m.LastModified.Truncate(time.Millisecond).Format(time.RFC3339Nano)): 0,
	} {
		f, err := scim.ParseFilter(scim.GroupType(), filter)
		if err != nil {
			c.t.Fatalf("storetest makes a filter: %v", err)
		}
		if page := c.t.list(c.s, scim.GroupType(), &scim.Query{IDs: []string{id}, Filter: f, Limit: 1}); len(page.Resources) != want {
			c.t.Errorf("%s: List of %s finds %d groups, want %d", what, filter, len(page.Resources), want)
		}
	}
}

// changeOneLocks requires the locks of a change of one member.
func changeOneLocks(t *probe, s scim.Store) {
	c, l := changerOf(t, s), ledgerOf(t, s)
	first := c.group("First")
	c.inTx(func(ctx context.Context) { c.change(ctx, first, "2", true, false, scim.Ref{Type: "User", ID: nobody}) }) // or the step is skipped
	const n = 6
	hasLink := func(i int) bool { return i%2 == 0 } // Without one, Grants alone locks.
	for _, remove := range []bool{false, true} {
		u := t.create(s, t.user(fmt.Sprintf("u%v@example.com", remove), nil)).Ref()
		var groups []*scim.Resource
		for i := range n {
			g := c.group("Role")
			groups = append(groups, g)
			if hasLink(i) {
				l.setLink(t, scim.Link{Source: scim.GroupSource(g.ID()), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r", Name: "R"}, Confirmed: true}}})
			}
			if remove {
				c.m.change(g, []scim.Ref{u}, nil, []scim.Ref{u}, nil)
			}
		}
		t.parallel(n, func(i int) {
			source := scim.GroupSource(groups[i].ID())
			err := c.store.InTx(t.ctx, func(ctx context.Context) error {
				c.change(ctx, groups[i], "2", remove, true, u)
				links, err := l.ledger.Links(ctx, []scim.Source{source})
				if err != nil || (len(links) == 1) != hasLink(i) {
					t.Errorf("Links after ChangeMember: %v, error %v", links, err)
				}
				have, err := l.ledger.Grants(ctx, []string{u.ID})
				if err != nil {
					return err
				}
				time.Sleep(time.Millisecond)
				return l.ledger.Record(ctx, []scim.Grant{{UserID: u.ID, RoleID: fmt.Sprint("role", len(have)), Source: source, At: instant}}, nil)
			})
			if err != nil {
				t.Errorf("InTx at once: %v", err)
			}
		})
		if got, err := l.ledger.Grants(t.ctx, []string{u.ID}); err != nil || !hasRoles(got, n) {
			t.Errorf("%d transactions each put an entry beside those they saw. There are %v, error %v", n, got, err)
		}
	}
	u, g := t.create(s, t.user("leaves@example.com", nil)).Ref(), c.group("Left")
	deleted := make(chan error, 1)
	c.inTx(func(ctx context.Context) {
		c.change(ctx, g, "2", false, false, u)
		go func() { deleted <- s.Delete(t.ctx, u, allow) }()
		select {
		case err := <-deleted:
			t.Errorf("a member was deleted before the transaction that adds it ended, error %v", err)
			deleted <- err
		case <-time.After(50 * time.Millisecond):
		}
	})
	if err := <-deleted; err != nil {
		t.Errorf("Delete: %v", err)
	}
	c.m.expectGroups([]scim.Ref{u}, nil)
	changeOneFence(c, l, first)
}

// changeOneFence requires that Fence waits for a transaction that has changed a member and read the
// member's grants, as it waits for Grants.
func changeOneFence(c changer, l ledgerSubject, g *scim.Resource) {
	t := c.t
	tenant, ok := l.ledger.(scim.TenantLedger)
	if !ok {
		return
	}
	u := t.create(c.s, t.user("fenced@example.com", nil)).Ref()
	l.setLink(t, scim.Link{Source: scim.GroupSource(g.ID()), Roles: []scim.LinkedRole{{Role: scim.Role{ID: "r", Name: "R"}, Confirmed: true}}})
	for _, remove := range []bool{false, true} {
		fenced := make(chan error, 1)
		c.inTx(func(ctx context.Context) {
			c.change(ctx, g, fmt.Sprint("fenced ", remove), remove, true, u)
			if _, err := l.ledger.Grants(ctx, []string{u.ID}); err != nil {
				t.Errorf("Grants: %v", err)
			}
			go func() { fenced <- c.store.InTx(t.ctx, tenant.Fence) }()
			select {
			case err := <-fenced:
				t.Errorf("Fence did not wait for a transaction that has read grants, error %v", err)
				fenced <- err
			case <-time.After(50 * time.Millisecond):
			}
		})
		if err := <-fenced; err != nil {
			t.Errorf("Fence: %v", err)
		}
	}
	// Nobody reads grants while another transaction is behind the fence, not even those of somebody unknown.
	read := make(chan error, 1)
	c.inTx(func(ctx context.Context) {
		if err := tenant.Fence(ctx); err != nil {
			t.Errorf("Fence: %v", err)
		}
		go func() {
			read <- c.store.InTx(t.ctx, func(ctx context.Context) error {
				c.change(ctx, g, "unknown", true, true, scim.Ref{Type: "User", ID: nobody})
				_, err := l.ledger.Grants(ctx, []string{nobody})
				return err
			})
		}()
		select {
		case err := <-read:
			t.Errorf("Grants did not wait for the fence, error %v", err)
			read <- err
		case <-time.After(50 * time.Millisecond):
		}
	})
	if err := <-read; err != nil {
		t.Errorf("Grants behind the fence: %v", err)
	}
}

// hasRoles reports whether there are grants of role0, role1 and so on, each once.
func hasRoles(all []scim.Grant, n int) bool {
	roles := map[string]bool{}
	for _, g := range all {
		roles[g.RoleID] = true
	}
	for i := range n {
		if !roles[fmt.Sprint("role", i)] {
			return false
		}
	}
	return len(all) == n
}
