package trial

import (
	"errors"
	"time"
)

// users lets each side see what the other one writes.
func (r *trial) users() {
	r.t.Helper()
	began := time.Now().Add(-2 * time.Second) // some columns have seconds
	old, err := r.app.Add(r.t.Context(), "old@example.com", "Old Hand")
	r.is(err, "add a user")
	found := r.find("OLD@example.com")
	if found == nil {
		r.t.Fatal("a client does not find a user that the application has added")
	}
	want(r, "the id", old, found["id"].(string))
	want(r, "the name", "Old Hand", found["displayName"].(string))
	want(r, "active", true, found["active"].(bool))
	created, err := time.Parse(time.RFC3339Nano, found["meta"].(map[string]any)["created"].(string))
	r.is(err, "meta.created")
	if d := created.Sub(r.read(old).CreatedAt).Abs(); d > time.Microsecond {
		r.t.Errorf("the time of creation differs by %v", d)
	}

	ann := r.create("ann@example.com", "Ann Lee")
	u := r.read(ann)
	want(r, "e-mail address", "ann@example.com", u.Email)
	want(r, "name", "Ann Lee", u.Name)
	want(r, "active", true, u.IsActive)
	want(r, "deleted", false, u.IsDeleted)
	want(r, "role", Member, u.Role)
	want(r, "the team that new users join", Everyone, r.teams(ann))
	if now := time.Now().Add(time.Second); u.CreatedAt.Before(began) || u.CreatedAt.After(now) || u.Updated.Before(began) || u.Updated.After(now) {
		r.t.Errorf("created %v, updated %v, and it is %v", u.CreatedAt, u.Updated, now)
	}

	r.is(r.app.Rename(r.t.Context(), ann, "Ann Ray"), "rename")
	want(r, "the new name", "Ann Ray", r.find("ann@example.com")["displayName"].(string))
	before := r.read(ann).Updated
	time.Sleep(1100 * time.Millisecond)
	r.set(ann, "active", "false")
	u = r.read(ann)
	want(r, "active", false, u.IsActive)
	want(r, "the name stays", "Ann Ray", u.Name)
	if !u.Updated.After(before) {
		r.t.Errorf("updated %v, before the deactivation %v", u.Updated, before)
	}
	r.set(ann, "active", "true")
	want(r, "active", true, r.read(ann).IsActive)

	apollo := r.group("Apollo", old, ann)
	want(r, "teams", "Apollo Everyone", r.teams(ann))
	r.leave(apollo, ann)
	want(r, "teams", Everyone, r.teams(ann))
}

// isRolledBack lets OnWrite fail after it has put the user into a team.
func (r *trial) isRolledBack() {
	r.t.Helper()
	r.do(400, "POST", "/Users", `{"userName":"eve@refused.example"}`)
	if r.find("eve@refused.example") != nil {
		r.t.Error("the refused user is there")
	}
	id := r.create("bob@example.com", "Bob")
	want(r, "the team that new users join", Everyone, r.teams(id))
}

// deleted deletes users on both sides. The rows stay, and roles end.
func (r *trial) deleted() {
	r.t.Helper()
	id := r.create("dan@example.com", "Dan")
	viewers := r.group("viewer", id)
	want(r, "the group gives the role", "viewer", r.read(id).Role)
	r.do(204, "DELETE", "/Users/"+id, "")
	want(r, "deleted by a client", true, r.read(id).IsDeleted)
	want(r, "deleted by a client, role", Member, r.read(id).Role)
	want(r, "who comes back has the row", id, r.create("dan@example.com", "Daniel"))
	u := r.read(id)
	want(r, "deleted", false, u.IsDeleted)
	want(r, "name", "Daniel", u.Name)

	r.do(204, "PATCH", "/Groups/"+viewers, `{"Operations":[{"op":"add","path":"members","value":[{"value":"`+id+`"}]}]}`)
	want(r, "the group gives the role", "viewer", r.read(id).Role)
	r.is(r.app.Delete(r.t.Context(), id), "delete")
	want(r, "deleted by the application", true, r.read(id).IsDeleted)
	r.do(404, "GET", "/Users/"+id, "")
	_, roles := r.app.SCIM()
	r.is(roles.Users(r.t.Context(), id), "reconcile")
	want(r, "deleted by the application, role", Member, r.read(id).Role)
	r.do(204, "DELETE", "/Groups/"+viewers, "")
}

// roles lets a group give a role.
func (r *trial) roles() {
	r.t.Helper()
	cy := r.create("cy@example.com", "Cy")
	editors := r.group("editor", cy)
	want(r, "the group gives the role", "editor", r.read(cy).Role)
	r.set(cy, "active", "false")
	want(r, "inactive", Member, r.read(cy).Role)
	r.set(cy, "active", "true")
	want(r, "active again", "editor", r.read(cy).Role)
	want(r, "explained", "editor granted", r.explained(cy))
	r.leave(editors, cy)
	want(r, "the group lets go", Member, r.read(cy).Role)
	r.do(204, "DELETE", "/Groups/"+editors, "")
}

// byHand gives a role in the application's own transaction.
func (r *trial) byHand() {
	r.t.Helper()
	cy := r.find("cy@example.com")["id"].(string)
	fail := errors.New("the application changes its mind")
	if err := r.app.Give(r.t.Context(), cy, "viewer", fail); !errors.Is(err, fail) {
		r.t.Fatalf("give: %v, want %v", err, fail)
	}
	want(r, "rolled back", Member, r.read(cy).Role)
	want(r, "rolled back, explained", "", r.explained(cy))
	r.is(r.app.Give(r.t.Context(), cy, "viewer", nil), "give")
	want(r, "given by hand", "viewer", r.read(cy).Role)
	want(r, "by hand, explained", "viewer by hand", r.explained(cy))
	want(r, "the name that the transaction wrote", "Cy the viewer", r.find("cy@example.com")["displayName"].(string))

	viewers := r.group("viewer", cy)
	want(r, "both", "viewer both", r.explained(cy))
	r.leave(viewers, cy)
	want(r, "the group lets go", "viewer", r.read(cy).Role)
}

// again looks at everything after the application has started again.
func (r *trial) again() {
	r.t.Helper()
	ann := r.find("ann@example.com")["id"].(string)
	want(r, "the name", "Ann Ray", r.read(ann).Name)
	r.is(r.app.Rename(r.t.Context(), ann, "Ann Kay"), "rename")
	want(r, "the new name", "Ann Kay", r.find("ann@example.com")["displayName"].(string))
	r.set(ann, "displayName", `"Ann Day"`)
	want(r, "the new name", "Ann Day", r.read(ann).Name)
	if _, err := r.app.Add(r.t.Context(), "flo@example.com", "Flo"); err != nil {
		r.t.Fatal(err)
	}
	if r.find("flo@example.com") == nil {
		r.t.Error("a client does not find a user that was added after the start")
	}
	cy := r.find("cy@example.com")["id"].(string)
	want(r, "by hand, explained", "viewer by hand", r.explained(cy))
}
