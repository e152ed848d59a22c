package crashtest

import (
	"net/http"
	"os"
	"strconv"
	"testing"
)

// races is how often each race is run: SCIM_RACES, or a few times.
func races(t *testing.T) int {
	s := os.Getenv("SCIM_RACES")
	if s == "" {
		return 15
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("SCIM_RACES: %v", err)
	}
	return n
}

// TestNestingRaces has three processes over one database that put groups into groups at the
// same time. No circle closes, and no user has a role that nothing gives, or lacks one.
func TestNestingRaces(t *testing.T) {
	databases(t, func(t *testing.T, d *database) {
		n := &nesting{t: t, d: d, c: newClient(t, d.start(t), d.start(t), d.start(t))}
		n.f = &four{t: t, d: d, c: n.c}
		times := races(t)
		for _, race := range []struct {
			name string
			run  func(round int)
		}{
			{"S86 a circle", n.circle}, {"S88 too deep", n.deep}, {"S83 a member joins", n.join}, {"S84 a member stays", n.leave},
		} {
			for round := 0; round < times && !t.Failed(); round++ {
				race.run(round)
			}
			if t.Failed() {
				t.Fatal(race.name)
			}
		}
		if busy := n.c.tally[http.StatusServiceUnavailable] + n.c.tally[0]; busy > 0 {
			t.Errorf("%v", n.c.tally)
		}
		if d.postgres {
			d.noDeadlock(t)
		}
		t.Logf("%d times each: %v", times, n.c.tally)
	})
}

// nesting has what the races share.
type nesting struct {
	t *testing.T
	d *database
	c *client
	f *four
}

// groups creates n groups without members. The first one gives the role Editor.
func (n *nesting) groups(count int) []string {
	ids := make([]string, count)
	for i := range ids {
		name := "nobody"
		if i == 0 {
			name = "Editor"
		}
		ids[i] = n.f.create("Groups", object{"displayName": name})
	}
	return ids
}

// put puts a group into another one, and returns the status.
func (n *nesting) put(parent, child string) int {
	return n.change(parent, object{"op": "add", "path": "members", "value": []object{{"value": child, "type": "Group"}}})
}

func (n *nesting) change(group string, op object) int {
	return n.c.do(http.MethodPatch, "/scim/Groups/"+group, object{"Operations": []object{op}}).status
}

func (n *nesting) remove(groups ...string) {
	for _, id := range groups {
		n.c.do(http.MethodDelete, "/scim/Groups/"+id, nil)
	}
}

// wantOne requires that exactly one request was refused.
func (n *nesting) wantOne(what string, status []int) {
	refused := 0
	for _, s := range status {
		if s == http.StatusBadRequest {
			refused++
		} else if s != http.StatusNoContent {
			n.t.Errorf("%s: status %d", what, s)
		}
	}
	if refused != 1 {
		n.t.Errorf("%s: %d of %d requests were refused, want 1: %v", what, refused, len(status), status)
	}
}

// wantRole requires that a user holds the role Editor, or does not.
func (n *nesting) wantRole(what, user string, want bool) {
	if got := n.f.d.holders(n.f.t, "Editor")[user]; got != want {
		n.t.Errorf("%s: the role is held: %t, want %t", what, got, want)
	}
}

// circle closes a circle of two to five groups with as many requests.
func (n *nesting) circle(round int) {
	ids := n.groups(2 + round%4)
	status := make([]int, len(ids))
	atOnce(len(ids), func(i int) { status[i] = n.put(ids[i], ids[(i+1)%len(ids)]) })
	n.wantOne("a circle", status)
	n.remove(ids...)
}

// deep joins chains of groups that together are one too deep. Any two of the three steps fit.
func (n *nesting) deep(int) {
	ids := n.groups(12)
	for i := range ids[1:] {
		if i != 3 && i != 7 {
			n.put(ids[i], ids[i+1])
		}
	}
	status := make([]int, 2)
	atOnce(2, func(i int) { status[i] = n.put(ids[3+4*i], ids[4+4*i]) })
	n.wantOne("eleven levels", status)
	n.remove(ids...)
}

// join adds a user to a group while a group above it joins the one with the role.
func (n *nesting) join(round int) {
	ids := n.groups(3)
	user := n.f.create("Users", object{"userName": "join" + strconv.Itoa(round) + "@example.com"})
	n.put(ids[1], ids[2])
	atOnce(2, func(i int) {
		if i == 0 {
			n.f.member("add", ids[2], user)
		} else if s := n.put(ids[0], ids[1]); s != http.StatusNoContent {
			n.t.Errorf("status %d", s)
		}
	})
	n.wantRole("in a group that joined", user, true)
	n.remove(ids...)
	n.wantRole("no group is left", user, false)
}

// leave adds a user to a group while a group above it leaves the one with the role, is
// deleted, or that one is renamed.
func (n *nesting) leave(round int) {
	ids := n.groups(3)
	user := n.f.create("Users", object{"userName": "leave" + strconv.Itoa(round) + "@example.com"})
	n.put(ids[1], ids[2])
	n.put(ids[0], ids[1])
	ends := []func(){
		func() { n.change(ids[0], object{"op": "remove", "path": "members"}) },
		func() { n.remove(ids[1]) },
		func() { n.change(ids[0], object{"op": "replace", "path": "displayName", "value": "nobody"}) },
		func() { n.change(ids[1], object{"op": "remove", "path": `members[value eq "` + ids[2] + `"]`}) },
	}
	atOnce(2, func(i int) {
		if i == 0 {
			n.f.member("add", ids[2], user)
		} else {
			ends[round%len(ends)]()
		}
	})
	n.wantRole("in a group that left", user, false)
	n.remove(ids...)
}
