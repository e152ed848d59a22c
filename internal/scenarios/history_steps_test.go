package scenarios

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// The steps of histories.

// joined says that members of a group joined it now, except those who were there before.
func (n *naive) joined(ids []string, before map[string]int) map[string]int {
	m := map[string]int{}
	for _, id := range ids {
		if m[id] = n.clock; before[id] != 0 {
			m[id] = before[id]
		}
	}
	return m
}

func (h *history) push(t *rapid.T) {
	if len(h.n.groups) == 5 {
		t.Skip("enough")
	}
	id, name, members := h.id("g"), sample(t, "name", names), h.some(t)
	next := h.n.clone()
	roles := next.resolve(name, nil)
	if h.n.rules.hasNoGroups {
		roles = nil
	}
	g := &naiveGroup{name: name, link: next.linkTo(nil, roles), linked: name, members: next.joined(members, nil), groups: map[string]int{}}
	next.groups[id] = g
	if len(h.n.groups) > 0 && rapid.Bool().Draw(t, "with a group") {
		g.groups[pick(t, "group", h.n.groups)] = next.clock
	}
	if !h.n.rules.isNested && next.height(id) > next.rules.depth {
		g.groups = map[string]int{} // it would be too deep if nesting were on
	}
	body := groupBody(name, g.all()...)
	switch {
	case h.n.rules.isNested && next.height(id) > next.rules.depth:
		h.w.wantRefused(h.send(call{"POST", "/Groups", body, id}), 400, "invalidValue", "at most")
		return
	case h.n.rules.refuses && len(roles) == 0 && !h.n.rules.hasNoGroups:
		h.w.wantRefused(h.send(call{"POST", "/Groups", body, id}), 400, "invalidValue", name)
		return
	}
	h.name(next, id, members...)
	confirms := h.broken == "" && rapid.Bool().Draw(t, "confirmed")
	h.request(t, next, func() bool { return h.isThere("/Groups/" + id) },
		call{"POST", "/Groups", body, id})
	if !confirms {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(g.link)) {
		linked := g.link[key]
		if linked.confirmed {
			continue
		}
		h.w.must(h.admin().Confirm(ctx(), id, testhost.RoleOf(key)))
		linked.confirmed = true
		g.link[key] = linked
		break // a second one could take the place of this one, whose last holder keeps it
	}
	h.changes()
}

func (h *history) isThere(path string) bool { return h.w.send("GET", path, nil).status == 200 }

// changeGroup sends a request that leaves a group as next has it.
func (h *history) changeGroup(t *rapid.T, next *naive, id string, c call) {
	state := func(g *naiveGroup) string {
		all := g.all()
		slices.Sort(all)
		return fmt.Sprint(g.name, all, g.link.String())
	}
	h.request(t, next, func() bool {
		now := fmt.Sprint(h.w.do("GET", "/Groups/"+id, nil).body["displayName"], h.w.members(id), h.w.link(id))
		return now != state(h.n.groups[id]) && now == state(next.groups[id])
	}, c)
}

func (h *history) put(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	name, members := sample(t, "name", append(names, h.n.groups[id].name)), h.some(t)
	next := h.n.clone()
	g := next.groups[id]
	takes := false
	for m := range g.members {
		takes = takes || !slices.Contains(members, m)
	}
	g.members = next.joined(members, g.members)
	if rapid.Bool().Draw(t, "without groups") {
		takes = takes || len(g.groups) > 0
		g.groups = map[string]int{}
	}
	next.write(id, name, takes)
	h.name(next, id, members...)
	h.changeGroup(t, next, id, call{"PUT", "/Groups/" + id, groupBody(name, g.all()...), ""})
}

func (h *history) rename(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	name := sample(t, "name", names)
	next := h.n.clone()
	next.write(id, name, false)
	h.changeGroup(t, next, id, call{"PATCH", "/Groups/" + id, renameBody(name), ""})
}

func (h *history) add(t *rapid.T) {
	id, who := pick(t, "group", h.n.groups), pick(t, "user", h.n.active)
	next := h.n.clone()
	g := next.groups[id]
	g.members = next.joined(append(slices.Collect(maps.Keys(g.members)), who), g.members)
	next.write(id, g.name, false)
	h.name(next, id, who)
	h.changeGroup(t, next, id, call{"PATCH", "/Groups/" + id, patchBody(addOp(who)), ""})
}

func (h *history) remove(t *rapid.T) {
	id, who := pick(t, "group", h.n.groups), pick(t, "user", h.n.active)
	if members := h.n.groups[id].members; len(members) > 0 && rapid.Bool().Draw(t, "a member") {
		who = pick(t, "member", members)
	}
	next := h.n.clone()
	delete(next.groups[id].members, who)
	next.write(id, next.groups[id].name, true)
	h.changeGroup(t, next, id, call{"PATCH", "/Groups/" + id, patchBody(removeOp(who)), ""})
}

// nest puts a group into another one.
func (h *history) nest(t *rapid.T) {
	id, sub := pick(t, "group", h.n.groups), pick(t, "member", h.n.groups)
	body := patchBody(addOp("Group " + sub))
	next := h.n.clone()
	g := next.groups[id]
	closes := h.n.isAbove(sub, id)
	if !closes {
		g.groups = next.joined(append(slices.Collect(maps.Keys(g.groups)), sub), g.groups)
	}
	isTooDeep := false
	for other := range next.groups {
		isTooDeep = isTooDeep || next.height(other) > next.rules.depth
	}
	switch {
	case !closes && !isTooDeep:
	case !h.n.rules.isNested:
		t.Skip("it would be refused if nesting were on")
	case closes:
		h.w.wantRefused(h.send(call{"PATCH", "/Groups/" + id, body, ""}), 400, "invalidValue")
		return
	default:
		h.w.wantRefused(h.send(call{"PATCH", "/Groups/" + id, body, ""}), 400, "invalidValue", "at most")
		return
	}
	next.write(id, g.name, false)
	h.changeGroup(t, next, id, call{"PATCH", "/Groups/" + id, body, ""})
}

// unnest takes a group out of another one.
func (h *history) unnest(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	sub := pick(t, "member", h.n.groups[id].groups)
	next := h.n.clone()
	delete(next.groups[id].groups, sub)
	next.write(id, next.groups[id].name, true)
	h.changeGroup(t, next, id, call{"PATCH", "/Groups/" + id, patchBody(removeOp(sub)), ""})
}

func (h *history) delete(t *rapid.T) {
	id := pick(t, "group", h.n.groups)
	next := h.n.clone()
	delete(next.groups, id)
	for _, g := range next.groups {
		delete(g.groups, id)
	}
	h.request(t, next, func() bool { return !h.isThere("/Groups/" + id) },
		call{"DELETE", "/Groups/" + id, nil, ""})
}

func (h *history) active(t *rapid.T) {
	who := pick(t, "user", h.n.active)
	gone := slices.DeleteFunc(slices.Sorted(maps.Keys(h.n.active)), func(u string) bool { return h.n.active[u] })
	if len(gone) > 0 && rapid.Bool().Draw(t, "return") {
		who = gone[0]
	}
	to := !h.n.active[who]
	next := h.n.clone()
	next.active[who] = to
	h.request(t, next, func() bool { return h.w.do("GET", "/Users/"+who, nil).body["active"] == to },
		call{"PATCH", "/Users/" + who, activeBody(to), ""})
	if to && h.n.rules.keepsLast {
		h.w.all() // the user may hold by hand what somebody keeps as its last holder
	}
	if h.w.kind == bare && !to && h.n != next {
		h.shut(who)
	}
}

// shut adopts grants that wait for a user's return. A process that dies ahead of a
// deactivation leaves them, and the user stays active.
func (h *history) shut(user string) {
	for _, g := range testhost.Must(h.w.ledger.Grants(ctx(), []string{user})) {
		if g.State == scim.GrantWaitsForReturn {
			h.n.isShut[fmt.Sprint(user, " ", testhost.KeyOf(g.Scope, g.RoleID), " ", g.Source)] = true
		}
	}
}

// assign sets the attribute that names roles, sometimes to a name without a role. The
// server does not look up a value again that the user already has. For an inactive user it
// does not look up a value that anybody has and that has a link.
func (h *history) assign(t *rapid.T) {
	if !h.n.rules.hasValues {
		t.Skip("no attribute names roles")
	}
	who := pick(t, "user", h.n.active)
	values := sample(t, "values", [][]string{{}, {"R1"}, {"R2"}, {"R3"}, {"R1", "R2"}, {"R2", "R1"}, {"R1", "R3"}, {"R3", "R2"}})
	c := call{"PATCH", "/Users/" + who, patchBody(rolesOp("replace", values...)), ""}
	next := h.n.clone()
	for _, v := range slices.Sorted(slices.Values(values)) {
		inactive := !h.n.active[who]
		if slices.Contains(h.n.values[who], v) || inactive && len(next.links[v]) > 0 && h.n.isUsed(v) {
			continue
		}
		roles := next.resolve(v, nil)
		link := next.linkTo(next.links[v], roles)
		if len(link) > 0 && len(next.links[v]) > 0 && h.n.isUsed(v) && !maps.EqualFunc(link, next.links[v], func(a, b naiveLinked) bool { return true }) {
			t.Skip("those who have the value keep its roles, and only this user gets the newer ones: see S109")
		}
		if next.links[v] = link; len(roles) > 0 {
			continue
		}
		if !inactive {
			h.w.wantRefused(h.send(c), 400, "invalidValue", "roles", v)
		} else if r := h.send(c); r.status != 200 { // the attribute keeps its values
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
	}, c)
	for v, link := range next.links { // the link may exist before a user has the value
		if h.w.kind == bare && h.w.link("attr:roles="+v) == link.String() {
			h.n.links[v] = link
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
	gone := func() bool { return !h.isThere("/Users/" + who) }
	h.request(t, next, gone, call{"DELETE", "/Users/" + who, nil, ""})
	if !gone() {
		// A failed deletion may have revoked roles, which do not return. The client repeats
		// the deletion.
		h.w.do("DELETE", "/Users/"+who, nil)
		h.n = next
	}
	h.newUser()
}

// give gives a role in the application. If it does not report this, nobody can see that it
// gave a role again.
func (h *history) give(t *rapid.T) {
	who, role := pick(t, "user", h.n.active), pick(t, "role", h.n.roles)
	if waiting := h.n.waiting(); len(waiting) > 0 && sample(t, "that waits", []bool{true, true, true, false}) {
		who, role, _ = strings.Cut(sample(t, "role", waiting), " ")
	}
	if h.isBase(h.n.roles[role]) {
		t.Skip("everybody has it")
	}
	isNew := !slices.Contains(h.n.wasFate[who].held, role)
	if rapid.Bool().Draw(t, "in one step") {
		h.w.must(h.admin().GiveByHand(ctx(), who, testhost.RoleOf(role), func(ctx context.Context) error {
			return h.w.app.Rows.Change(ctx, []scim.RoleChange{{UserID: who, Grant: []scim.Role{testhost.RoleOf(role)}}})
		}))
		h.n.hand[who][role] = true
		return
	}
	h.w.app.Give(who, role)
	if isNew {
		h.n.hand[who][role] = true
	}
	h.reconcile(who)
	if h.n.rules.keepsLast {
		h.w.all() // nobody has told the library that somebody else holds the role
	}
}

// take takes a role in the application. If a source gives it, the user keeps it.
func (h *history) take(t *rapid.T) {
	who, role := pick(t, "user", h.n.active), pick(t, "role", h.n.roles)
	if given := h.n.given(); len(given) > 0 && sample(t, "that a source gives", []bool{true, true, true, false}) {
		words := strings.Fields(sample(t, "role", given))
		who, role = words[0], words[1]
	}
	delete(h.n.hand[who], role)
	if !sample(t, "in one step", []bool{true, false, false}) {
		h.n.lose(who, role)
		h.w.app.Take(who, role)
		h.reconcile(who)
		return
	}
	still, err := h.admin().TakeByHand(ctx(), who, testhost.RoleOf(role), func(ctx context.Context) error {
		return h.w.app.Rows.Change(ctx, []scim.RoleChange{{UserID: who, Revoke: []scim.Role{testhost.RoleOf(role)}}})
	})
	h.w.must(err)
	var want []scim.Source
	for _, s := range h.n.fate(who).given[role] {
		want = append(want, scim.Source(s))
	}
	if len(want) == 0 {
		h.n.lose(who, role)
	}
	slices.Sort(still)
	slices.Sort(want)
	h.w.diff("sources that still give the role", want, still)
}

// reconcile reconciles a user, and compares with what Explain said before.
func (h *history) reconcile(who string) {
	h.w.must(h.admin().Users(ctx(), who))
}

// role creates, renames, changes or deletes a role in the application, and reports this.
func (h *history) role(t *rapid.T) {
	what := sample(t, "what", []string{"create", "rename", "delete", "weigh", "protect"})
	if what == "create" {
		if len(h.n.roles) == 5 {
			t.Skip("enough")
		}
		h.newRole(t)
	} else {
		r := h.n.roles[pick(t, "role", h.n.roles)]
		switch what {
		case "rename":
			if h.n.rules.isPaused {
				t.Skip("a role that moves from one source to another is lost in between")
			}
			r.name = sample(t, "name", names)
		case "weigh":
			h.count++
			r.weight = h.count
		case "protect":
			r.protected = !r.protected && !h.isBase(r)
		}
		switch {
		case what != "delete":
			h.putRole(r)
		case h.n.rules.hasNoGroups:
			t.Skip("a group that gives nothing keeps its link, unless a value has the role too")
		default:
			h.drop(r.key())
		}
	}
	h.report(scim.WhatIf{}, func() {}, h.n.rules.keepsLast || rapid.Bool().Draw(t, "all"))
}

// weigh makes a role that users get after others the heaviest one.
func (h *history) weigh(t *rapid.T) {
	behind := h.n.behind()
	if len(behind) == 0 {
		t.Skip("there is none")
	}
	r := h.n.roles[sample(t, "role", behind)]
	h.count++
	r.weight = h.count
	h.putRole(r)
	h.report(scim.WhatIf{}, func() {}, rapid.Bool().Draw(t, "all"))
}

// report reports what changes in the application, and compares with its preview. The
// application reconciles everybody after a change of the configuration.
func (h *history) report(what scim.WhatIf, change func(), all bool) {
	var foreseen []scim.RoleChange
	for next := ""; ; {
		some, last, err := h.admin().Preview(ctx(), what, next)
		h.w.must(err)
		foreseen = append(foreseen, some...)
		if next = last; next == "" {
			break
		}
	}
	change()
	h.w.must(h.admin().RolesChanged(ctx()))
	if all {
		h.w.all()
	}
	h.n.report()
	h.compare("changes after a report", foreseen)
}

func (h *history) drop(role string) {
	h.w.app.Drop(role)
	delete(h.n.roles, role)
	for _, of := range h.n.hand {
		delete(of, role)
	}
	for _, f := range h.n.wasFate {
		delete(f.given, role)
		delete(f.retained, role)
	}
}

// confirm confirms a role of a source, or the waiting roles of a user.
func (h *history) confirm(t *rapid.T) {
	sources := map[string]naiveLink{}
	for id, g := range h.n.groups {
		if !h.n.rules.hasNoGroups {
			sources["group:"+id] = g.link
		}
	}
	for v, l := range h.n.links {
		if h.n.rules.hasValues && h.n.isUsed(v) {
			sources["attr:roles="+v] = l
		}
	}
	if rapid.Bool().Draw(t, "unconfirmed") {
		maps.DeleteFunc(sources, func(_ string, l naiveLink) bool { return !strings.Contains(l.String(), " unconfirmed") })
	}
	source := pick(t, "source", sources)
	key := pick(t, "role", sources[source])
	linked := sources[source][key]
	var users []string
	if rapid.Bool().Draw(t, "one user") {
		users = []string{pick(t, "user", h.n.active)}
	} else {
		linked.confirmed = true
		sources[source][key] = linked
	}
	role := testhost.RoleOf(key)
	if id, ok := scim.Source(source).Group(); ok {
		h.w.must(h.admin().Confirm(ctx(), id, role, users...))
	} else {
		_, v, _ := scim.Source(source).Attribute()
		h.w.must(h.admin().ConfirmValue(ctx(), "roles", v, role, users...))
	}
	for u := range h.n.active {
		if len(users) == 0 || users[0] == u {
			h.nameFor(u, key, source)
		}
	}
}

// nameFor says that the application confirms a role of a source for a user.
func (h *history) nameFor(user, role, source string) {
	for _, v := range h.n.values[user] {
		if source == "attr:roles="+v {
			h.named[fmt.Sprint(user, " ", role, " attr:roles")] = true
		}
	}
	h.named[fmt.Sprint(user, " ", role, " ", source)] = true
}

// pause makes sources give nothing for a time, or ends that.
func (h *history) pause(*rapid.T) {
	h.broken = ""
	roles := h.w.roles
	roles.Paused = !roles.Paused
	h.report(scim.WhatIf{Roles: &roles}, func() {
		h.n.rules.isPaused, h.w.roles.Paused = roles.Paused, roles.Paused
		h.restart()
	}, true)
}

// distrust distrusts a group.
func (h *history) distrust(t *rapid.T) {
	if h.w.kind == bare {
		t.Skip("the ledger has no list")
	}
	id := pick(t, "group", h.n.groups)
	how := sample(t, "how", []scim.DistrustHow{scim.DistrustKeep, scim.DistrustRevoke})
	if given := h.n.given(); len(given) > 0 && sample(t, "that gives a role", []bool{true, true, true, false}) {
		if group, ok := strings.CutPrefix(strings.Fields(sample(t, "source", given))[2], "group:"); ok {
			id = group
		}
	}
	h.broken = ""
	h.w.must(h.admin().Distrust(ctx(), how, id))
	h.n.doubts["group:"+id] = naiveDoubt{h.n.clock + 1, how == scim.DistrustKeep}
}

// trust trusts a group again, or all.
func (h *history) trust(t *rapid.T) {
	source := pick(t, "source", h.n.doubts)
	if rapid.Bool().Draw(t, "all") {
		h.n.doubts = map[string]naiveDoubt{}
		h.w.must(h.admin().Trust(ctx()))
		return
	}
	delete(h.n.doubts, source)
	h.w.must(h.admin().Trust(ctx(), strings.TrimPrefix(source, "group:")))
}

// off lists the steps that end a state in which groups give nothing. They are frequent, because
// little happens in such a state.
func (h *history) off() (steps []func(*rapid.T)) {
	if h.n.rules.isPaused {
		steps = append(steps, h.pause)
	}
	if h.n.rules.hasNoGroups {
		steps = append(steps, h.toggleGroups)
	}
	return steps
}

// toggleNesting switches nesting on or off.
func (h *history) toggleNesting(*rapid.T) {
	policy := h.w.policy
	policy.Nested = !policy.Nested
	h.report(scim.WhatIf{Members: &policy}, func() {
		h.n.rules.isNested, h.w.policy = policy.Nested, policy
		h.restart()
	}, true)
}

// toggleAttributes switches the attribute that names roles on or off.
func (h *history) toggleAttributes(*rapid.T) {
	h.broken = ""
	roles := h.w.roles
	roles.Attributes = nil
	if !h.n.rules.hasValues {
		roles.Attributes = []string{"roles"}
	}
	h.report(scim.WhatIf{Roles: &roles}, func() {
		h.n.rules.hasValues, h.w.roles.Attributes = !h.n.rules.hasValues, roles.Attributes
		h.restart()
	}, true)
}

// toggleGroups switches on or off that groups give roles.
func (h *history) toggleGroups(*rapid.T) {
	h.broken = ""
	roles := h.w.roles
	roles.WithoutGroups = !roles.WithoutGroups
	h.report(scim.WhatIf{Roles: &roles}, func() {
		h.n.rules.hasNoGroups, h.w.roles.WithoutGroups = roles.WithoutGroups, roles.WithoutGroups
		if roles.WithoutGroups {
			h.n.endGroups()
		}
		h.restart()
	}, true)
}

// end ends SCIM for the tenant.
func (h *history) end(t *rapid.T) {
	how := sample(t, "end", []scim.EndHow{scim.EndKeep, scim.EndRevoke})
	h.w.end(how)
	h.w.wantNothingLeft()
	if how == scim.EndRevoke {
		h.n.groups, h.n.values, h.n.rules.isPaused = map[string]*naiveGroup{}, map[string][]string{}, false
		h.n.wasFate = h.n.fates()
	}
	for u, f := range h.n.wasFate {
		want := f.held
		h.w.diff(fmt.Sprint("roles of ", u, " after the end: ", how), want, slices.Sorted(maps.Keys(h.w.app.IDs(u))))
	}
}
