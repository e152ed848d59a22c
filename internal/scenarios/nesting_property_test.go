package scenarios

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/scimkit/scim"
)

// TestNestingProperty plays random histories of groups in groups and compares what users hold
// with the definition: a role of each group to which a user belongs. It also predicts which
// requests are refused.
func TestNestingProperty(t *testing.T) {
	everywhere(t, func(t *testing.T, in setting) {
		steps := 2000
		switch {
		case in.crawls:
			steps /= 100
		case in.slow:
			steps /= 20
		}
		playSteps(t, steps)
		rapid.Check(t, func(t *rapid.T) {
			h := newFamily(t, in)
			t.Repeat(map[string]func(*rapid.T){
				"":         h.check,
				"join":     h.join,
				"leave":    h.leave,
				"put":      h.put,
				"rename":   h.rename,
				"again":    h.again,
				"activate": h.activate,
				"switch":   h.toggle,
			})
			h.w.checkSettled()
		})
	})
}

// family is a history, with a model of it.
type family struct {
	w        *world
	nested   bool
	members  map[string]map[string]bool // by group: users "u…" and groups "g…"
	names    map[string]string          // by group; a name is that of a role, or "-"
	inactive map[string]bool
}

const familyDepth = 3

var (
	familyGroups = []string{"g0", "g1", "g2", "g3", "g4", "g5"}
	familyUsers  = []string{"u0", "u1", "u2"}
	familyNames  = []string{"R0", "R1", "R2", "-", "-"}
)

func newFamily(t *rapid.T, in setting) *family {
	h := &family{w: in.world(t, scim.Roles{}), nested: true, members: map[string]map[string]bool{}, names: map[string]string{}, inactive: map[string]bool{}}
	h.w.nest(familyDepth)
	for _, name := range familyNames[:3] {
		h.w.role(name)
	}
	h.w.user(familyUsers...)
	for i, g := range familyGroups {
		h.members[g], h.names[g] = map[string]bool{}, familyNames[i%len(familyNames)]
		h.w.group(g, h.names[g])
	}
	return h
}

func pickOne(t *rapid.T, list []string, label string) string {
	return rapid.SampledFrom(list).Draw(t, label)
}

func (h *family) anyone(t *rapid.T) string {
	return pickOne(t, slices.Concat(familyGroups, familyUsers), "member")
}

// named is a member as groupBody takes it.
func named(id string) string {
	if id[0] == 'g' {
		return "Group " + id
	}
	return id
}

// walk reports whether a walk up from a group takes these steps, and ends at to ("":
// anywhere). counts, if it is not nil, says which memberships count.
func (h *family) walk(from, to string, steps int, counts func(parent, child string) bool) bool {
	if steps == 0 {
		return to == "" || from == to
	}
	for parent, in := range h.members {
		if in[from] && (counts == nil || counts(parent, from)) && h.walk(parent, to, steps-1, counts) {
			return true
		}
	}
	return false
}

// isStraight reports whether a membership of a group in a group is no part of a circle.
func (h *family) isStraight(parent, child string) bool {
	for steps := range familyDepth + 1 {
		if h.walk(parent, child, steps, nil) {
			return false
		}
	}
	return true
}

// belongs lists the groups to which a user belongs.
func (h *family) belongs(user string) map[string]bool {
	all := map[string]bool{}
	var add func(group string)
	add = func(group string) {
		if all[group] {
			return
		}
		all[group] = true
		if !h.nested || h.walk(group, "", familyDepth+1, h.isStraight) {
			return // nothing passes a group that is too deep
		}
		for parent, in := range h.members {
			if in[group] && h.isStraight(parent, group) {
				add(parent)
			}
		}
	}
	for g, in := range h.members {
		if in[user] {
			add(g)
		}
	}
	return all
}

// isRefused reports whether a group cannot become a member of another one.
func (h *family) isRefused(parent, child string) bool {
	if !h.nested || child[0] != 'g' || h.members[parent][child] {
		return false
	}
	below, height := map[string]bool{child: true}, 0
	for level := []string{child}; len(level) > 0 && height <= familyDepth+1; height++ {
		var next []string
		for _, g := range level {
			for c := range h.members[g] {
				if c[0] == 'g' {
					below[c] = true
					next = append(next, c)
				}
			}
		}
		level = next
	}
	depth := 0
	for h.walk(parent, "", depth+1, h.isStraight) && depth <= familyDepth {
		depth++
	}
	return below[parent] || depth+height > familyDepth // height counts groups, not memberships
}

// join adds two members to a group with one request.
func (h *family) join(t *rapid.T) {
	g, m, n := pickOne(t, familyGroups, "group"), h.anyone(t), h.anyone(t)
	isRefused := h.isRefused(g, m) || h.isRefused(g, n)
	r := h.w.send("PATCH", "/Groups/"+g, patchBody(addOp(named(m), named(n))))
	if isRefused {
		h.w.wantRefused(r, 400, "invalidValue", "members")
		return
	}
	h.w.diff(fmt.Sprint(m, " and ", n, " into ", g, ": ", r.detail()), 204, r.status)
	h.members[g][m], h.members[g][n] = true, true
}

func (h *family) leave(t *rapid.T) {
	g, m := pickOne(t, familyGroups, "group"), h.anyone(t)
	h.w.remove(g, m)
	delete(h.members[g], m)
}

// put replaces the members of a group. If some leave, it leaves out what cannot join.
func (h *family) put(t *rapid.T) {
	g, now := pickOne(t, familyGroups, "group"), map[string]bool{}
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		now[h.anyone(t)] = true
	}
	removes, refused := false, []string{}
	for m := range h.members[g] {
		removes = removes || !now[m]
	}
	list := []string{}
	for _, m := range slices.Sorted(maps.Keys(now)) {
		list = append(list, named(m))
		if h.isRefused(g, m) {
			refused = append(refused, m)
		}
	}
	r := h.w.send("PUT", "/Groups/"+g, groupBody(h.names[g], list...))
	if len(refused) > 0 && !removes {
		h.w.wantRefused(r, 400, "invalidValue", "members")
		return
	}
	h.w.diff(fmt.Sprint("PUT ", g, " ", list, ": ", r.detail()), 200, r.status)
	for _, m := range refused {
		delete(now, m)
	}
	h.members[g] = now
}

func (h *family) rename(t *rapid.T) {
	g := pickOne(t, familyGroups, "group")
	h.names[g] = pickOne(t, familyNames, "name")
	h.w.rename(g, h.names[g])
}

// again deletes a group and creates it again, with members.
func (h *family) again(t *rapid.T) {
	g, m := pickOne(t, familyGroups, "group"), h.anyone(t)
	h.w.deleteGroup(g)
	for _, in := range h.members {
		delete(in, g)
	}
	h.members[g] = map[string]bool{}
	h.check(t)
	if m == g || h.isRefused(g, m) {
		h.w.group(g, h.names[g])
		return
	}
	h.w.group(g, h.names[g], named(m))
	h.members[g][m] = true
}

func (h *family) activate(t *rapid.T) {
	u := pickOne(t, familyUsers, "user")
	if h.inactive[u] = !h.inactive[u]; h.inactive[u] {
		h.w.deactivate(u)
	} else {
		h.w.activate(u)
	}
}

// toggle switches nesting off or on.
func (h *family) toggle(*rapid.T) {
	h.nested = !h.nested
	h.w.policy.Nested = h.nested
	h.w.restart()
	h.w.all()
}

func (h *family) check(t *rapid.T) {
	for _, u := range familyUsers {
		want := map[string]bool{}
		entries := []string{}
		if !h.inactive[u] {
			for g := range h.belongs(u) {
				if name := h.names[g]; name != "-" {
					want[name] = true
					entries = append(entries, name+" group:"+g)
				}
			}
		}
		h.w.diff("roles of "+u, slices.Sorted(maps.Keys(want)), h.w.app.Of(u))
		slices.Sort(entries)
		h.w.diff("ledger of "+u, entries, h.w.entries(u))
	}
}
