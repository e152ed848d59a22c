package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/scimkit/scim"
)

// Application is a Store that is a scim.Claimer, with what the suite needs to act as the
// application. Store, AddUser and AddGroup are required. Without Join the suite skips the
// steps about members.
type Application struct {
	Store scim.Store
	// AddUser and AddGroup add a row to the application's tables and return the id of the
	// resource.
	AddUser  func(ctx context.Context, userName string) (id string, err error)
	AddGroup func(ctx context.Context, displayName string) (id string, err error)
	// Join puts a user into a group in the application's tables.
	Join func(ctx context.Context, groupID, userID string) error
	// SetExempt makes a user exempt, or not, in the application. Nil: the suite skips the
	// steps about a scim.Exempter.
	SetExempt func(ctx context.Context, userID string, exempt bool) error
}

// RunClaims checks a scim.Claimer. It calls newApplication for each step. newApplication
// returns an application with an empty store. Run Run as well.
func RunClaims(t *testing.T, newApplication func(t *testing.T) Application) {
	group[Application]{"claims", claimSteps()}.run(t, func(t *testing.T) Application {
		a := newApplication(t)
		if _, ok := a.Store.(scim.Claimer); !ok || a.AddUser == nil || a.AddGroup == nil {
			t.Fatal("storetest.Application needs a Store that is a scim.Claimer, AddUser and AddGroup")
		}
		return a
	})
}

func (a Application) user(t *probe, userName string) scim.Ref {
	return a.add(t, scim.UserType(), userName, a.AddUser)
}

func (a Application) group(t *probe, displayName string) scim.Ref {
	return a.add(t, scim.GroupType(), displayName, a.AddGroup)
}

// add adds a row and requires that it is an unclaimed resource.
func (a Application) add(t *probe, typ *scim.ResourceType, name string, add func(context.Context, string) (string, error)) scim.Ref {
	id, err := add(t.ctx, name)
	if err != nil || id == "" {
		t.Fatalf("the application's new %s: id %q, error %v", typ.Name(), id, err)
	}
	ref := scim.Ref{Type: typ.Name(), ID: id}
	t.get(a.Store, ref)
	a.expect(t, ref, false, "a row that the application has added")
	return ref
}

// join puts users into a group in the application's tables.
func (a Application) join(t *probe, group scim.Ref, users ...scim.Ref) {
	if a.Join == nil {
		t.Skipf("Application has no Join")
	}
	for _, u := range users {
		if err := a.Join(t.ctx, group.ID, u.ID); err != nil {
			t.Fatalf("Join: %v", err)
		}
	}
	membersOf(t, a.Store).expectRefs(group, users...)
}

// expectRefs requires these members, in any order.
func (m members) expectRefs(group scim.Ref, want ...scim.Ref) {
	got, err := m.store.Members(m.t.ctx, group.ID, scim.Ref{}, len(want)+1)
	if err != nil {
		m.t.Fatalf("Members: %v", err)
	}
	sameRefs(m.t, "members", want, refsOf(got))
}

// expect requires that a resource is claimed, or that it is not.
func (a Application) expect(t *probe, ref scim.Ref, want bool, after string) {
	got, err := a.Store.(scim.Claimer).IsClaimed(t.ctx, ref)
	if err != nil {
		t.Fatalf("IsClaimed after %s: %v", after, err)
	}
	if got != want {
		t.Errorf("after %s IsClaimed of the %s is %v, want %v", after, ref.Type, got, want)
	}
}

// unclaimed lists the unclaimed members of a group, in pages of two.
func (a Application) unclaimed(t *probe, group scim.Ref) []scim.Ref {
	var all []scim.Ref
	for after := (scim.Ref{}); ; after = all[len(all)-1] {
		page, err := a.Store.(scim.Claimer).UnclaimedMembers(t.ctx, group.ID, after, 2)
		if err != nil {
			t.Fatalf("UnclaimedMembers: %v", err)
		}
		if len(page) > 2 {
			t.Fatalf("UnclaimedMembers returned %d members, the limit is 2", len(page))
		}
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		if len(all) > 100 {
			t.Fatalf("UnclaimedMembers never ends: after %v it returns %v", after, page)
		}
	}
}

// changeMembers changes the members of a group as a client does.
func (a Application) changeMembers(t *probe, group scim.Ref, add, remove []scim.Ref) {
	if _, _, err := membersOf(t, a.Store).store.ChangeMembers(t.ctx, group.ID, add, remove); err != nil {
		t.Fatalf("ChangeMembers: %v", err)
	}
}

func claimSteps() []step[Application] {
	return []step[Application]{
		{"create", "A resource that Create stored is claimed.", claimByCreate},
		{"no change", "An Update that changes nothing claims nothing, and neither does a refused one.", claimNothing},
		{"active", "An Update of active alone claims nothing.", claimByActive},
		{"deactivation", "An Update that deactivates a user claims nothing, unless it sets externalId.", claimByDeactivation},
		{"attribute", "An Update of any attribute but active claims the resource for good.", claimByAttribute},
		{"claim", "Claim claims a resource. Claim of an unknown resource is ErrNotFound or no error.", claimByName},
		{"group", "ChangeMembers claims the group if it adds a member, and not if it only removes some.", claimGroup},
		{"members", "UnclaimedMembers lists those members that the application added and that no ChangeMembers has named, in order.", claimMembers},
		{"members of clients", "A member that ChangeMembers added is claimed.", claimByMember},
		{"exempt", "Exempt returns those of the users who are exempt now, and nobody else.", exemptUsers},
		{"exempt unknown", "Exempt takes any text as an id, and 1,000 ids at a time.", exemptUnknown},
		{"transaction", "A claim commits with its transaction, or not at all.", claimInTx},
	}
}

func claimByCreate(t *probe, a Application) {
	a.expect(t, t.create(a.Store, t.user("ann@example.com", nil)).Ref(), true, "Create")
	a.expect(t, t.create(a.Store, t.group("Sales")).Ref(), true, "Create")
}

func claimNothing(t *probe, a Application) {
	for _, ref := range []scim.Ref{a.user(t, "ann@example.com"), a.group(t, "Sales")} {
		_, err := a.Store.Update(t.ctx, ref, func(before *scim.Resource) (*scim.Resource, error) { return before, nil })
		if err != nil {
			t.Fatalf("Update: %v", err)
		}
		a.expect(t, ref, false, "an Update that changed nothing")
		stop := errors.New("refused")
		if _, err := a.Store.Update(t.ctx, ref, func(*scim.Resource) (*scim.Resource, error) { return nil, stop }); !errors.Is(err, stop) {
			t.Errorf("Update: error %v, want that of fn", err)
		}
		a.expect(t, ref, false, "an Update that fn refused")
	}
}

func claimByActive(t *probe, a Application) {
	ref := a.user(t, "ann@example.com")
	for _, active := range []bool{false, true, false} {
		t.put(a.Store, ref, values{"active": active})
		a.expect(t, ref, false, "an Update of active")
	}
}

func claimByDeactivation(t *probe, a Application) {
	ref := a.user(t, "ann@example.com")
	t.put(a.Store, ref, values{"active": true})
	t.put(a.Store, ref, values{"active": false, "title": "left"})
	a.expect(t, ref, false, "an Update that deactivated the user and changed title")
	other := a.user(t, "bob@example.com")
	t.put(a.Store, other, values{"active": true})
	t.put(a.Store, other, values{"active": false, "externalId": "e1"})
	a.expect(t, other, true, "an Update that deactivated the user and set externalId")
}

func claimByAttribute(t *probe, a Application) {
	for name, v := range map[string]values{"externalId": {"externalId": "e1"}, "title": {"title": "Chief"}, "userName": {"userName": "new@example.com"}} {
		ref := a.user(t, name+"@example.com")
		t.put(a.Store, ref, v)
		a.expect(t, ref, true, "an Update of "+name)
		t.put(a.Store, ref, values{"active": false})
		a.expect(t, ref, true, "a deactivation that followed")
	}
	group := a.group(t, "Sales")
	t.put(a.Store, group, values{"displayName": "Sellers"})
	a.expect(t, group, true, "an Update of displayName")
}

func claimByName(t *probe, a Application) {
	c := a.Store.(scim.Claimer)
	for _, ref := range []scim.Ref{a.user(t, "ann@example.com"), a.group(t, "Sales")} {
		if err := c.Claim(t.ctx, ref); err != nil {
			t.Fatalf("Claim: %v", err)
		}
		a.expect(t, ref, true, "Claim")
		if err := c.Claim(t.ctx, ref); err != nil {
			t.Errorf("Claim of what is claimed: %v", err)
		}
		unknown := scim.Ref{Type: ref.Type, ID: nobody}
		if err := c.Claim(t.ctx, unknown); err != nil && !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("Claim of an unknown %s: %v", ref.Type, err)
		}
		if _, err := c.IsClaimed(t.ctx, unknown); err != nil {
			t.Errorf("IsClaimed of an unknown %s: %v", ref.Type, err)
		}
	}
}

func claimGroup(t *probe, a Application) {
	ann, bob, group := a.user(t, "ann@example.com"), a.user(t, "bob@example.com"), a.group(t, "Sales")
	a.join(t, group, ann)
	a.changeMembers(t, group, nil, []scim.Ref{ann})
	a.expect(t, group, false, "the removal of a member")
	a.changeMembers(t, group, []scim.Ref{bob}, nil)
	a.expect(t, group, true, "the addition of a member")
	a.expect(t, bob, false, "joining a group")
}

func claimMembers(t *probe, a Application) {
	group := a.group(t, "Sales")
	var users []scim.Ref
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		users = append(users, a.user(t, name+"@example.com"))
	}
	slices.SortFunc(users, compareRefs)
	a.join(t, group, users...)
	if got := a.unclaimed(t, group); !slices.Equal(got, users) {
		t.Errorf("unclaimed members are %v, want %v in this order", got, users)
	}
	a.changeMembers(t, group, users[1:2], nil)
	want := slices.Concat(users[:1], users[2:])
	if got := a.unclaimed(t, group); !slices.Equal(got, want) {
		t.Errorf("after a client named one of them, unclaimed members are %v, want %v", got, want)
	}
	membersOf(t, a.Store).expectRefs(group, users...)
	a.changeMembers(t, group, users[:1], users[2:])
	if got := a.unclaimed(t, group); len(got) != 0 {
		t.Errorf("after a client named or removed all, unclaimed members are %v", got)
	}
}

func claimByMember(t *probe, a Application) {
	ann, group := a.user(t, "ann@example.com"), a.group(t, "Sales")
	m := membersOf(t, a.Store)
	a.changeMembers(t, group, []scim.Ref{ann}, nil)
	m.expectRefs(group, ann)
	if got := a.unclaimed(t, group); len(got) != 0 {
		t.Errorf("unclaimed members are %v, but a client added them", got)
	}
}

// exempt requires that these, and no others of the ids, are exempt.
func (a Application) exempt(t *probe, ids []string, want ...string) {
	e := capability[scim.Exempter](t, a.Store, "the Store is no Exempter")
	got, err := e.Exempt(t.ctx, ids)
	if err != nil {
		t.Fatalf("Exempt of %d users: %v", len(ids), err)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("Exempt returned %v, want %v", got, want)
	}
}

func (a Application) setExempt(t *probe, user scim.Ref, exempt bool) {
	if a.SetExempt == nil {
		t.Skipf("Application has no SetExempt")
	}
	if err := a.SetExempt(t.ctx, user.ID, exempt); err != nil {
		t.Fatalf("SetExempt: %v", err)
	}
}

func exemptUsers(t *probe, a Application) {
	ann, bob, cy := a.user(t, "ann@example.com"), a.user(t, "bob@example.com"), a.user(t, "cy@example.com")
	a.setExempt(t, ann, true)
	a.setExempt(t, cy, true)
	a.exempt(t, []string{ann.ID, bob.ID}, ann.ID)
	a.exempt(t, []string{bob.ID})
	a.setExempt(t, ann, false)
	a.exempt(t, []string{ann.ID, bob.ID, cy.ID}, cy.ID)
}

func exemptUnknown(t *probe, a Application) {
	ann := a.user(t, "ann@example.com")
	a.setExempt(t, ann, true)
	ids := []string{ann.ID, nobody, "", "no id at all", "'", "99999999999999999999"}
	for i := len(ids); i < 1000; i++ {
		ids = append(ids, fmt.Sprint("unknown", i))
	}
	a.exempt(t, ids, ann.ID)
}

func claimInTx(t *probe, a Application) {
	tx := capability[scim.Transactor](t, a.Store, "the Store is no Transactor")
	ann, group := a.user(t, "ann@example.com"), a.group(t, "Sales")
	a.join(t, group, ann)
	stop := errors.New("refused")
	err := tx.InTx(t.ctx, func(ctx context.Context) error {
		in := t.with(ctx)
		in.put(a.Store, ann, values{"title": "Chief"})
		a.changeMembers(in, group, []scim.Ref{ann}, nil)
		a.expect(in, ann, true, "an Update in the transaction")
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("InTx: error %v, want that of fn", err)
	}
	a.expect(t, ann, false, "a transaction that was rolled back")
	a.expect(t, group, false, "a transaction that was rolled back")
	if got := a.unclaimed(t, group); !slices.Equal(got, []scim.Ref{ann}) {
		t.Errorf("after a transaction that was rolled back, unclaimed members are %v, want %v", got, ann)
	}
}
