package crashtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
)

// worker makes load. Only it changes its users and groups, so it knows their state after
// each request.
type worker struct {
	d      *database
	c      *client
	rnd    *rand.Rand
	prefix string
	shared string // id of the group that all workers put users into
	n      int    // the number of names so far

	now   world             // the acknowledged state
	ids   map[string]string // by externalId
	doubt *request          // the request without an answer, nil if there is none

	acknowledged    atomic.Int64
	doubts, carried int // the number of requests without an answer, and of those that the server carried out
}

func newWorker(d *database, c *client, rnd *rand.Rand, n int, shared string) *worker {
	return &worker{d: d, c: c, rnd: rnd, prefix: fmt.Sprintf("w%d-", n), shared: shared,
		now: world{map[string]person{}, map[string]team{}, map[string]bool{}}, ids: map[string]string{}}
}

// request is a request and the world after it.
type request struct {
	method, path string
	body         any
	header       []string
	want         int // status
	after        world
	key          string // the externalId of the resource that it creates
}

// step sends one request. It reports whether its outcome is known.
func (w *worker) step() bool {
	r := w.choose()
	if r.after.Users == nil {
		r.after = w.now // the server refuses the request, or it only reads
	}
	a := w.c.do(r.method, r.path, r.body, r.header...)
	if a.doubtful() {
		w.doubt = &r
		return false
	}
	if a.status != r.want {
		w.c.t.Errorf("%s %s %v: %d %s, want %d", r.method, r.path, r.body, a.status, a.body, r.want)
		return false
	}
	w.now = r.after
	if r.key != "" {
		w.ids[r.key] = a.id()
	}
	w.acknowledged.Add(1)
	return true
}

type object = map[string]any

func (w *worker) name() string {
	w.n++
	return fmt.Sprint(w.prefix, w.n)
}

// role is a name for a group, mostly of a role.
func (w *worker) role() string {
	return append([]string{"Nobody"}, roleNames...)[w.rnd.IntN(len(roleNames)+1)]
}

// refs are members as a client writes them.
func (w *worker) refs(users []string) []object {
	all := []object{}
	for _, u := range users {
		all = append(all, object{"value": w.ids[u]})
	}
	return all
}

// members is a PATCH of a group's members.
func (w *worker) members(add, remove []string) object {
	ops := []object{}
	for _, u := range remove {
		ops = append(ops, object{"op": "remove", "path": `members[value eq "` + w.ids[u] + `"]`})
	}
	if len(add) > 0 {
		ops = append(ops, object{"op": "add", "path": "members", "value": w.refs(add)})
	}
	return object{"Operations": ops}
}

func replace(values object) object {
	return object{"Operations": []object{{"op": "replace", "value": values}}}
}

func body(key string, p person) object {
	return object{"externalId": key, "userName": p.UserName, "title": p.Title, "active": p.Active,
		"emails": []object{{"value": p.Email, "type": "work"}}}
}

// choose picks the next request.
func (w *worker) choose() request {
	if len(w.now.Users) < 4 {
		return w.createUser()
	}
	user := w.some(1, w.now.users())[0]
	if len(w.now.Groups) == 0 {
		return w.createGroup()
	}
	groups := make(map[string]bool)
	for k := range w.now.Groups {
		groups[k] = true
	}
	group := w.some(1, groups)[0]
	switch w.rnd.IntN(14) {
	case 0:
		if len(w.now.Users) < 20 {
			return w.createUser()
		}
		return w.delete("Users", user, func(next *world) { next.leave(user) })
	case 1:
		if len(w.now.Groups) < 6 {
			return w.createGroup()
		}
		return w.delete("Groups", group, func(next *world) { delete(next.Groups, group) })
	case 2:
		return w.delete("Users", user, func(next *world) { next.leave(user) })
	case 3:
		return w.delete("Groups", group, func(next *world) { delete(next.Groups, group) })
	case 4, 5, 6:
		return w.changeUser(user)
	case 7, 8:
		return w.changeMembers(group)
	case 9:
		return w.replaceGroup(group)
	case 10:
		g := w.now.Groups[group]
		g.Name = w.role()
		return request{method: http.MethodPatch, path: w.path("Groups", group), body: replace(object{"displayName": g.Name}),
			want: http.StatusNoContent, after: w.now.with(func(next *world) { next.Groups[group] = g })}
	case 11:
		return w.changeShared()
	case 12:
		p := w.now.Users[user]
		if p.Hand == "" {
			p.Hand = roleNames[w.rnd.IntN(len(roleNames))]
		}
		return request{method: http.MethodPost, path: "/give?" + url.Values{"user": {w.ids[user]}, "role": {p.Hand}}.Encode(),
			want: http.StatusOK, after: w.now.with(func(next *world) { next.Users[user] = p })}
	default:
		return w.badRequest(user, group)
	}
}

func (w *worker) path(endpoint, key string) string { return "/scim/" + endpoint + "/" + w.ids[key] }

func (w *worker) createUser() request {
	key := w.name()
	p := person{UserName: key, Title: "1", Email: key + "@example.com", Active: true}
	return request{method: http.MethodPost, path: "/scim/Users", body: body(key, p), want: http.StatusCreated, key: key,
		after: w.now.with(func(next *world) { next.Users[key] = p })}
}

func (w *worker) createGroup() request {
	key := w.name()
	g := team{w.role(), map[string]bool{}}.join(w.some(5, w.now.users()), nil)
	return request{method: http.MethodPost, path: "/scim/Groups", want: http.StatusCreated, key: key,
		body:  object{"externalId": key, "displayName": g.Name, "members": w.refs(w.some(len(g.Members), g.Members))},
		after: w.now.with(func(next *world) { next.Groups[key] = g })}
}

func (w *worker) delete(endpoint, key string, change func(*world)) request {
	return request{method: http.MethodDelete, path: w.path(endpoint, key), want: http.StatusNoContent, after: w.now.with(change)}
}

func (w *worker) changeUser(user string) request {
	p := w.now.Users[user]
	r := request{method: http.MethodPatch, path: w.path("Users", user), want: http.StatusOK}
	switch w.rnd.IntN(3) {
	case 0:
		p.Active = !p.Active
		r.body = replace(object{"active": p.Active})
	case 1:
		w.n++
		p.Title, p.Email = fmt.Sprint(w.n), fmt.Sprint(w.n, "@example.com")
		r.body = replace(object{"title": p.Title, "emails": []object{{"value": p.Email, "type": "work"}}})
	default:
		p.UserName, p.Title, p.Active = w.name(), fmt.Sprint(w.n), w.rnd.IntN(4) > 0
		r.method, r.body = http.MethodPut, body(user, p)
	}
	r.after = w.now.with(func(next *world) { next.Users[user] = p })
	return r
}

// changeMembers adds and removes several members in one request.
func (w *worker) changeMembers(group string) request {
	add, remove := w.pickMembers(w.now.Groups[group].Members)
	return request{method: http.MethodPatch, path: w.path("Groups", group), body: w.members(add, remove), want: http.StatusNoContent,
		after: w.now.with(func(next *world) { next.Groups[group] = next.Groups[group].join(add, remove) })}
}

// changeShared is changeMembers for the group of all workers.
func (w *worker) changeShared() request {
	add, remove := w.pickMembers(w.now.Shared)
	return request{method: http.MethodPatch, path: "/scim/Groups/" + w.shared, body: w.members(add, remove), want: http.StatusNoContent,
		after: w.now.with(func(next *world) { next.Shared = joined(next.Shared, add, remove) })}
}

// pickMembers picks users to add and members to remove.
func (w *worker) pickMembers(members map[string]bool) (add, remove []string) {
	remove = w.some(w.rnd.IntN(4), members)
	add = slices.DeleteFunc(w.some(6, w.now.users()), func(u string) bool { return members[u] })
	if len(add)+len(remove) == 0 {
		add = w.some(1, w.now.users())
	}
	return add, remove
}

func (w *worker) replaceGroup(group string) request {
	g := team{w.role(), map[string]bool{}}.join(w.some(w.rnd.IntN(8), w.now.users()), nil)
	return request{method: http.MethodPut, path: w.path("Groups", group), want: http.StatusOK,
		body:  object{"externalId": group, "displayName": g.Name, "members": w.refs(w.some(len(g.Members), g.Members))},
		after: w.now.with(func(next *world) { next.Groups[group] = g })}
}

// badRequest is a request that the server must refuse completely.
func (w *worker) badRequest(user, group string) request {
	switch w.rnd.IntN(5) {
	case 0:
		return request{method: http.MethodPost, path: "/scim/Users", want: http.StatusConflict,
			body: body(w.name(), person{UserName: strings.ToUpper(w.now.Users[user].UserName), Email: "x@example.com", Active: true})}
	case 1:
		return request{method: http.MethodPatch, path: w.path("Users", user), want: http.StatusPreconditionFailed,
			header: []string{"If-Match", `W/"another"`}, body: replace(object{"title": "refused"})}
	case 2:
		return request{method: http.MethodPatch, path: w.path("Users", user), want: http.StatusBadRequest,
			body: object{"Operations": []object{{"op": "replace", "path": "title", "value": "refused"},
				{"op": "replace", "path": "active", "value": "maybe"}}}}
	case 3:
		w.ids["nobody"] = "nobody"
		return request{method: http.MethodPatch, path: w.path("Groups", group), want: http.StatusBadRequest,
			body: w.members([]string{user, "nobody"}, nil)}
	default:
		return request{method: http.MethodGet, path: w.path("Users", user), want: http.StatusOK}
	}
}
