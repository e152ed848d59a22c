package scenarios

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/scimkit/scim"
)

// TestRolesProperty plays random histories against the handler and against naive, a simple
// model of the rules. After each step it compares the held roles, the ledger and the links.
func TestRolesProperty(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		switch {
		case in.crawls:
			fewer(t, 100)
		case in.slow:
			fewer(t, 20)
		}
		for name, roles := range map[string]scim.Roles{
			"all, link later":  {Attributes: []string{"roles"}},
			"heaviest, refuse": {Attributes: []string{"roles"}, Missing: scim.RefuseGroup, Pick: scim.PickHeaviest},
		} {
			t.Run(name, func(t *testing.T) {
				rapid.Check(t, func(t *rapid.T) {
					h := newHistory(t, in, roles)
					t.Repeat(map[string]func(*rapid.T){
						"":       h.check,
						"push":   h.push,
						"put":    h.put,
						"rename": h.rename,
						"add":    h.add,
						"remove": h.remove,
						"delete": h.delete,
						"active": h.active,
						"assign": h.assign,
						"leave":  h.leave,
						"give":   h.give,
						"take":   h.take,
						"role":   h.role,
						"break":  h.breakNext,
					})
				})
			})
		}
	})
}

// fewer makes rapid run one n-th of its checks in a test.
func fewer(t *testing.T, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks").Value
	all := checks.String()
	many, err := strconv.Atoi(all)
	if err == nil {
		err = checks.Set(strconv.Itoa(max(many/n, 1)))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { checks.Set(all) }) //nolint:errcheck // rapid has accepted this value before
}

// naive is a model of the expected state.
type naive struct {
	active map[string]bool            // whether each existing user is active
	hand   map[string]map[string]bool // user → ids of the roles given by hand
	groups map[string]*naiveGroup
	roles  map[string]string   // id → name
	weight map[string]int      // by id, all different; nil if users hold all given roles
	values map[string][]string // user → values of the attribute
	links  map[string]string   // value → role id
}

type naiveGroup struct {
	name, link string
	members    map[string]bool
}

func (n *naive) clone() *naive {
	c := &naive{maps.Clone(n.active), map[string]map[string]bool{}, map[string]*naiveGroup{}, maps.Clone(n.roles), maps.Clone(n.weight), maps.Clone(n.values), maps.Clone(n.links)}
	for u, of := range n.hand {
		c.hand[u] = maps.Clone(of)
	}
	for id, g := range n.groups {
		c.groups[id] = &naiveGroup{g.name, g.link, maps.Clone(g.members)}
	}
	return c
}

// roleNamed is the id of the role with a name. Names are unique here.
func (n *naive) roleNamed(name string) string {
	for id, s := range n.roles {
		if s == name {
			return id
		}
	}
	return ""
}

// rolesOf lists the roles that attributes and groups give to an active user, with their
// sources.
func (n *naive) rolesOf(user string) map[string][]string {
	given, heaviest := map[string][]string{}, ""
	give := func(role, source string) {
		if !n.active[user] || role == "" || slices.Contains(given[role], source) {
			return
		}
		given[role] = append(given[role], source)
		if n.weight[role] > n.weight[heaviest] {
			heaviest = role
		}
	}
	for _, v := range n.values[user] {
		give(n.links[v], "attr:roles")
	}
	for id, g := range n.groups {
		if g.members[user] {
			give(g.link, "group:"+id)
		}
	}
	if heaviest != "" {
		return map[string][]string{heaviest: given[heaviest]}
	}
	return given
}

// entries is the expected ledger of a user.
func (n *naive) entries(user string) []string {
	lines := []string{}
	for role, sources := range n.rolesOf(user) {
		for _, source := range sources {
			line := role + " " + source
			if n.hand[user][role] {
				line += " by hand"
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines
}

// held lists the roles that sources give and those given by hand.
func (n *naive) held(user string) []string {
	held := map[string]bool{}
	for id := range n.hand[user] {
		held[n.roles[id]] = true
	}
	for id := range n.rolesOf(user) {
		held[n.roles[id]] = true
	}
	return slices.Sorted(maps.Keys(held))
}

// isUsed reports whether a user has a value.
func (n *naive) isUsed(v string) bool {
	for _, values := range n.values {
		if slices.Contains(values, v) {
			return true
		}
	}
	return false
}

// relink changes the link of a group as every write of it does. A write that takes members
// from a group looks up its role only if it also changes its name.
func (n *naive) relink(id, name string, takes bool) {
	g := n.groups[id]
	if g.name != name || g.link == "" && !takes {
		g.name, g.link = name, n.roleNamed(name)
	}
}

// history is a handler and its model.
type history struct {
	w       *world
	n       *naive
	missing scim.MissingRole
	count   int
	broken  string // how the next call of ChangeRoles fails
}

var names = []string{"R1", "R2", "R3"}

func newHistory(t *rapid.T, in setting, roles scim.Roles) *history {
	h := &history{w: in.world(t, roles), missing: roles.Missing, n: &naive{active: map[string]bool{},
		hand: map[string]map[string]bool{}, groups: map[string]*naiveGroup{}, roles: map[string]string{},
		values: map[string][]string{}, links: map[string]string{}}}
	if roles.Pick != nil {
		h.n.weight = map[string]int{}
	}
	for range 3 {
		h.newUser()
	}
	for _, name := range names[:2] {
		h.newRole(name)
	}
	return h
}

func (h *history) newUser() {
	id := h.id("u")
	h.w.user(id)
	h.n.active[id] = true
	h.n.hand[id] = map[string]bool{}
}

func (h *history) newRole(name string) {
	id := h.id("r")
	h.w.app.Put(scim.Role{ID: id, Name: name, Weight: h.count})
	h.n.roles[id] = name
	if h.n.weight != nil {
		h.n.weight[id] = h.count
	}
}

func (h *history) id(kind string) string {
	h.count++
	return fmt.Sprint(kind, h.count)
}

func pick[V any](t *rapid.T, what string, from map[string]V) string {
	if len(from) == 0 {
		t.Skip("none")
	}
	return rapid.SampledFrom(slices.Sorted(maps.Keys(from))).Draw(t, what)
}

func (h *history) some(t *rapid.T) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(slices.Sorted(maps.Keys(h.n.active))), 0, 3, rapid.ID[string]).Draw(t, "members")
}

func set(ids []string) map[string]bool {
	m := map[string]bool{}
	for _, id := range ids {
		m[id] = true
	}
	return m
}

// request sends a request that turns the model into next. If it fails, stored says whether
// the store has the write. Then a new process reconciles everybody.
func (h *history) request(t *rapid.T, next *naive, stored func() bool, send func() reply) {
	if h.broken == "" {
		if r := send(); r.status/100 != 2 {
			t.Fatalf("%d %s", r.status, r.detail())
		}
		h.n = next
		return
	}
	how, hit := h.broken, false
	h.broken = ""
	change := func(op string) {
		switch {
		case hit && how != "error":
			panic("the process is dead")
		case hit || op != how && (op != "change" || how != "error"):
			return
		}
		hit = true
		if how != "error" { // the store returns this error below, and later calls succeed
			panic("the process dies")
		}
	}
	h.w.step = change
	usual := h.w.app.Fail
	h.w.app.Fail = func(op string) error {
		was := hit
		h.w.at(op)
		if how == "error" && hit && !was {
			return errors.New("down")
		}
		return nil
	}
	r := send()
	h.w.step, h.w.app.Fail = nil, usual
	ok := r.status/100 == 2
	switch {
	case ok || h.w.kind != joint && stored():
		h.n = next
	case h.w.kind == joint && stored():
		t.Fatalf("%d, and yet it is stored", r.status)
	}
	if ok && hit && how != "error" {
		t.Fatalf("the process died and answered %d", r.status)
	}
	if hit {
		h.w.restart()
		h.w.all()
	}
}

// breakNext makes the next request fail at the application.
func (h *history) breakNext(t *rapid.T) {
	h.broken = rapid.SampledFrom([]string{"error", "change", "changed"}).Draw(t, "how")
}

func (h *history) push(t *rapid.T) {
	if len(h.n.groups) == 3 {
		t.Skip("enough")
	}
	id, name, members := h.id("g"), rapid.SampledFrom(names).Draw(t, "name"), h.some(t)
	if h.missing == scim.RefuseGroup && h.n.roleNamed(name) == "" {
		h.w.wantRefused(h.w.sendPost("/Groups", id, groupBody(name, members...)), 400, "invalidValue", name)
		return
	}
	next := h.n.clone()
	next.groups[id] = &naiveGroup{name, next.roleNamed(name), set(members)}
	h.request(t, next, func() bool { return h.there("/Groups/" + id) },
		func() reply { return h.w.sendPost("/Groups", id, groupBody(name, members...)) })
}

func (h *history) there(path string) bool { return h.w.send("GET", path, nil).status == 200 }

// changeGroup sends a request that leaves a group with this name and these members.
func (h *history) changeGroup(t *rapid.T, id, name string, members []string, takes bool, send func() reply) {
	next := h.n.clone()
	next.relink(id, name, takes)
	next.groups[id].members = set(members)
	h.request(t, next, func() bool {
		now := &naiveGroup{h.w.do("GET", "/Groups/"+id, nil).body["displayName"].(string), h.w.link(id), set(h.w.members(id))}
		return !reflect.DeepEqual(now, h.n.groups[id]) && reflect.DeepEqual(now, next.groups[id])
	}, send)
}

func (h *history) put(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	name, members := rapid.SampledFrom(append(names, h.n.groups[id].name)).Draw(t, "name"), h.some(t)
	takes := false
	for m := range h.n.groups[id].members {
		takes = takes || !slices.Contains(members, m)
	}
	h.changeGroup(t, id, name, members, takes, func() reply { return h.w.send("PUT", "/Groups/"+id, groupBody(name, members...)) })
}

func (h *history) rename(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	name := rapid.SampledFrom(names).Draw(t, "name")
	h.changeGroup(t, id, name, slices.Collect(maps.Keys(h.n.groups[id].members)), false,
		func() reply { return h.w.send("PATCH", "/Groups/"+id, renameBody(name)) })
}

func (h *history) add(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	who := pick(t, "user", h.n.active)
	members := maps.Clone(h.n.groups[id].members)
	members[who] = true
	h.changeGroup(t, id, h.n.groups[id].name, slices.Collect(maps.Keys(members)), false,
		func() reply { return h.w.send("PATCH", "/Groups/"+id, patchBody(addOp(who))) })
}

func (h *history) remove(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	who := pick(t, "user", h.n.active)
	members := maps.Clone(h.n.groups[id].members)
	delete(members, who)
	h.changeGroup(t, id, h.n.groups[id].name, slices.Collect(maps.Keys(members)), true,
		func() reply { return h.w.send("PATCH", "/Groups/"+id, patchBody(removeOp(who))) })
}

func (h *history) delete(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	next := h.n.clone()
	delete(next.groups, id)
	h.request(t, next, func() bool { return !h.there("/Groups/" + id) },
		func() reply { return h.w.send("DELETE", "/Groups/"+id, nil) })
}

func (h *history) active(t *rapid.T) {
	who := pick(t, "user", h.n.active)
	to := !h.n.active[who]
	next := h.n.clone()
	next.active[who] = to
	h.request(t, next, func() bool { return h.w.do("GET", "/Users/"+who, nil).body["active"] == to },
		func() reply { return h.w.send("PATCH", "/Users/"+who, activeBody(to)) })
}

// assign sets the attribute that names roles, sometimes to a name without a role. The
// server does not look up a value again that the user already has. For an inactive user it
// does not look up a value that anybody has and that has a link.
func (h *history) assign(t *rapid.T) {
	who := pick(t, "user", h.n.active)
	values := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 2, rapid.ID[string]).Draw(t, "values")
	send := func() reply { return h.w.send("PATCH", "/Users/"+who, patchBody(rolesOp("replace", values...))) }
	next := h.n.clone()
	for _, v := range slices.Sorted(slices.Values(values)) {
		inactive := !h.n.active[who]
		if slices.Contains(h.n.values[who], v) || inactive && next.links[v] != "" && h.n.isUsed(v) {
			continue
		}
		if next.links[v] = next.roleNamed(v); next.links[v] != "" {
			continue
		}
		if !inactive {
			h.w.wantRefused(send(), 400, "invalidValue", "roles", v)
		} else if r := send(); r.status != 200 { // the attribute keeps its values
			t.Fatalf("%d %s", r.status, r.detail())
		}
		return
	}
	next.values[who] = values
	h.request(t, next, func() bool {
		now := []string{}
		list, _ := h.w.do("GET", "/Users/"+who, nil).body["roles"].([]any)
		for _, e := range list {
			now = append(now, e.(map[string]any)["value"].(string))
		}
		return slices.Equal(now, values)
	}, send)
	for v, role := range next.links { // the link may exist before a user has the value
		if h.w.kind == bare && h.w.link("attr:roles="+v) == role {
			h.n.links[v] = role
		}
	}
}

// leave deletes a user and creates another one.
func (h *history) leave(t *rapid.T) {
	who := pick(t, "user", h.n.active)
	next := h.n.clone()
	delete(next.active, who)
	delete(next.hand, who)
	delete(next.values, who)
	for _, g := range next.groups {
		delete(g.members, who)
	}
	gone := func() bool { return !h.there("/Users/" + who) }
	h.request(t, next, gone, func() reply { return h.w.send("DELETE", "/Users/"+who, nil) })
	if !gone() {
		// A failed deletion may have revoked roles, which do not return. The client repeats
		// the deletion.
		h.w.do("DELETE", "/Users/"+who, nil)
		h.n = next
	}
	h.newUser()
}

func (h *history) give(t *rapid.T) {
	who, role := pick(t, "user", h.n.active), pick(t, "role", h.n.roles)
	if rapid.Bool().Draw(t, "reported") {
		h.w.byHand(who, role)
		h.n.hand[who][role] = true
		return
	}
	if !slices.Contains(h.n.held(who), h.n.roles[role]) {
		h.n.hand[who][role] = true // otherwise nobody can see that the administrator gave it again
	}
	h.w.app.Give(who, role)
}

func (h *history) take(t *rapid.T) {
	who, role := pick(t, "user", h.n.active), pick(t, "role", h.n.roles)
	h.w.app.Take(who, role)
	delete(h.n.hand[who], role)
	h.w.reconcile(who)
}

// role creates, renames or deletes a role in the application, and reports this.
func (h *history) role(t *rapid.T) {
	name := rapid.SampledFrom(names).Draw(t, "name")
	id := h.n.roleNamed(name)
	free := slices.DeleteFunc(slices.Clone(names), func(s string) bool { return h.n.roleNamed(s) != "" })
	switch {
	case id == "":
		h.newRole(name)
	case len(free) > 0 && rapid.Bool().Draw(t, "rename"):
		h.w.app.Put(scim.Role{ID: id, Name: free[0], Weight: h.n.weight[id]})
		h.n.roles[id] = free[0]
	default:
		h.w.app.Drop(id)
		delete(h.n.roles, id)
		for _, of := range h.n.hand {
			delete(of, id)
		}
	}
	h.w.reportChange()
	for _, g := range h.n.groups {
		switch _, ok := h.n.roles[g.link]; {
		case g.link != "" && !ok: // deleted; a renamed role may have its name now
			g.link = h.n.roleNamed(g.name)
		case g.link == "" && h.missing == scim.LinkLater:
			g.link = h.n.roleNamed(g.name)
		}
	}
	for _, values := range h.n.values {
		for _, v := range values {
			if _, ok := h.n.roles[h.n.links[v]]; !ok {
				h.n.links[v] = h.n.roleNamed(v)
			}
		}
	}
}

func (h *history) check(t *rapid.T) {
	h.w.t = t
	users := slices.Sorted(maps.Keys(h.n.active))
	for id, g := range h.n.groups {
		h.w.wantMembers(id, slices.Collect(maps.Keys(g.members))...)
		h.w.wantLink(id, g.link)
	}
	for _, u := range users {
		h.w.wantRoles(u, h.n.held(u)...)
		h.w.wantLedger(u, h.n.entries(u)...)
	}
	for _, u := range h.w.ids {
		if _, ok := h.n.active[u]; !ok {
			h.w.wantRoles(u)
		}
	}
	// S100
	h.w.mark()
	if err := h.w.reconciler().Users(context.Background(), users...); err != nil {
		t.Fatal(err)
	}
	h.w.wantChanges()
	h.w.wantEvents()
	for _, u := range users {
		h.w.wantExplain(u, h.w.standings(u)...)
	}
}
