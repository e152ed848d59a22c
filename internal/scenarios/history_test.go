package scenarios

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// history is an application with handlers, and its model.
type history struct {
	w      *world
	n      *naive
	count  int
	turn   int
	steps  *int
	broken string // how the next call of ChangeRoles fails
	// told is the order of a user's roles that the application was told last.
	told map[string][]string
	// named are those whom this step names: see naive.turn.
	named map[string]bool
}

var names = []string{"R1", "R2", "R3"}

func newHistory(t *rapid.T, in setting, steps *int) *history {
	n := &naive{rules: drawRules(t, in.kind), clock: 1, active: map[string]bool{}, hand: map[string]map[string]bool{}, groups: map[string]*naiveGroup{},
		roles: map[string]naiveRole{}, values: map[string][]string{}, links: map[string]naiveLink{}, grantAt: map[string]int{}, doubts: map[string]naiveDoubt{}}
	h := &history{n: n, steps: steps, told: map[string][]string{}, named: map[string]bool{}}
	h.w = in.world(t, h.config())
	h.w.policy = scim.MemberPolicy{Nested: n.rules.isNested, MaxDepth: n.rules.depth}
	h.w.app.Resolve = h.resolve
	h.w.roles.Resolver = &rolesWithBase{h.w.app, h}
	h.restart()
	for range 3 {
		h.newUser()
	}
	for range 3 {
		h.newRole(t)
	}
	for range 3 {
		h.push(t)
		h.n.turn(h.named)
		h.named = map[string]bool{}
	}
	return h
}

// drawRules draws the configuration of a history.
func drawRules(t *rapid.T, kind string) naiveRules {
	picks := []string{"all", "heaviest", "heaviest", "sorted", "sorted", "licence", "first"}
	if kind == bare {
		picks = picks[:6] // the store does not know who joined first
	}
	policy := func() naivePolicy {
		p := naivePolicy{pick: sample(t, "pick", picks)}
		if (p.pick == "heaviest" || p.pick == "first") && sample(t, "exclusive", []bool{true, true, true, false}) {
			p.exclusive = true
		}
		return p
	}
	r := naiveRules{
		scopes:  map[string]naivePolicy{},
		refuses: rapid.Bool().Draw(t, "refuses"), isSticky: rapid.Bool().Draw(t, "sticky"),
		hasValues: sample(t, "attributes", []bool{false, true, true, true}),
		keepsLast: kind != bare && rapid.Bool().Draw(t, "last holder"),
		isNested:  rapid.Bool().Draw(t, "nested"), depth: sample(t, "depth", []int{1, 2, 3}),
	}
	if rapid.Bool().Draw(t, "one scope") {
		r.scopes[""] = policy()
		return r
	}
	for _, scope := range []string{"a", "b"} {
		p := policy()
		if p.exclusive {
			p.base = "r1"
		}
		r.scopes[scope] = p
	}
	return r
}

// config is the configuration that the rules of the model describe.
func (h *history) config() scim.Roles {
	rules := h.n.rules
	policies := map[string]scim.RolePolicy{}
	for scope, p := range rules.scopes {
		policies[scope] = scim.RolePolicy{Pick: map[string]func([]scim.Candidate) []scim.Role{
			"heaviest": scim.PickHeaviest, "first": pickFirst, "sorted": pickSorted, "licence": pickEven}[p.pick], Exclusive: p.exclusive, Base: p.base}
	}
	roles := scim.Roles{PolicyOf: func(scope string) scim.RolePolicy { return policies[scope] }}
	if p, ok := policies[""]; ok {
		roles = scim.Roles{Pick: p.Pick, Exclusive: p.Exclusive}
	}
	roles.KeepLastHolder = rules.keepsLast
	if rules.refuses {
		roles.Missing = scim.RefuseGroup
	}
	if rules.hasValues {
		roles.Attributes = []string{"roles"}
	}
	return roles
}

// pickSorted gives all roles, the heaviest first.
func pickSorted(all []scim.Candidate) (roles []scim.Role) {
	for _, c := range slices.SortedFunc(slices.Values(all), func(a, b scim.Candidate) int { return b.Weight - a.Weight }) {
		roles = append(roles, c.Role)
	}
	return roles
}

// pickEven gives the roles with even weights to those who also have one with an odd
// weight, which nobody gets.
func pickEven(all []scim.Candidate) []scim.Role {
	var even []scim.Role
	for _, c := range all {
		if c.Weight%2 == 0 {
			even = append(even, c.Role)
		}
	}
	if len(even) == len(all) {
		return nil
	}
	return even
}

// rolesWithBase are the roles of the application. Where a scope has a base role, users without
// another role of the scope have that.
type rolesWithBase struct {
	*testhost.Roles
	h *history
}

func (r *rolesWithBase) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	held, err := r.Roles.HeldRoles(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	for _, u := range userIDs {
		for scope, p := range r.h.n.rules.scopes {
			if p.base != "" && !slices.ContainsFunc(held[u], func(x scim.Role) bool { return x.Scope == scope }) {
				held[u] = append(held[u], scim.Role{Scope: scope, ID: p.base, Name: "base"})
			}
		}
	}
	return held, nil
}

func (h *history) resolve(src scim.RoleSource) ([]scim.Role, error) {
	linked := naiveLink{}
	for _, r := range src.Linked {
		linked[keyOf(r)] = naiveLinked{}
	}
	var all []scim.Role
	for _, r := range h.n.resolve(src.Name(), linked) {
		all = append(all, scim.Role{Scope: r.scope, ID: r.id, Name: r.name, Weight: r.weight, Protected: r.protected})
	}
	if len(all) == 0 {
		return nil, scim.ErrNoRole
	}
	return all, nil
}

// restart makes new handlers. A store without transactions allows only one process.
func (h *history) restart() {
	if h.w.kind == bare {
		h.w.restart()
		return
	}
	h.w.servers(2)
}

// admin is a reconciler of one of the handlers.
func (h *history) admin() *scim.Reconciler {
	h.turn++
	return testhost.Must(h.w.h[h.turn%len(h.w.h)].Reconciler(nil))
}

func (h *history) newUser() {
	id := h.id("u")
	h.w.user(id)
	h.n.active[id] = true
	h.n.hand[id] = map[string]bool{}
}

// newRole creates a role with the next id of its scope. So two scopes have the same ids.
func (h *history) newRole(t *rapid.T) {
	scope := sample(t, "scope", slices.Sorted(maps.Keys(h.n.rules.scopes)))
	h.count++
	r := naiveRole{scope: scope, name: sample(t, "name", names), weight: h.count}
	for i := 1; r.id == ""; i++ {
		id := fmt.Sprint("r", i)
		if _, isTaken := h.n.roles[testhost.KeyOf(scope, id)]; !isTaken {
			r.id = id
		}
	}
	r.protected = !h.isBase(r) && rapid.Bool().Draw(t, "protected")
	h.putRole(r)
}

func (h *history) isBase(r naiveRole) bool { return h.n.rules.scopes[r.scope].base == r.id }

func (h *history) putRole(r naiveRole) {
	h.w.app.Put(scim.Role{Scope: r.scope, ID: r.id, Name: r.name, Weight: r.weight, Protected: r.protected})
	h.n.roles[r.key()] = r
}

func (h *history) id(kind string) string {
	h.count++
	return fmt.Sprint(kind, h.count)
}

// sample draws an element. All are equally frequent: rapid.SampledFrom prefers the first ones.
func sample[V any](t *rapid.T, what string, from []V) V {
	return rapid.Custom(func(t *rapid.T) V {
		i := 0
		for range 12 {
			if i *= 2; rapid.Bool().Draw(t, "bit") {
				i++
			}
		}
		return from[i%len(from)]
	}).Draw(t, what)
}

func pick[V any](t *rapid.T, what string, from map[string]V) string {
	if len(from) == 0 {
		t.Skip("none")
	}
	return sample(t, what, slices.Sorted(maps.Keys(from)))
}

func (h *history) some(t *rapid.T) []string {
	var users []string
	for _, u := range slices.Sorted(maps.Keys(h.n.active)) {
		if sample(t, u, []bool{false, true, true}) {
			users = append(users, u)
		}
	}
	return users
}

// name names users as members of a group, and of the groups above it.
func (h *history) name(n *naive, group string, users ...string) {
	for id := range n.groups {
		for _, u := range users {
			if id == group || n.rules.isNested && n.isAbove(id, group) {
				h.named[fmt.Sprint(u, " * group:", id)] = true
			}
		}
	}
}

// call is a request. id is the id of a new resource.
type call struct {
	method, path string
	body         any
	id           string
}

// send sends a request, and compares with its preview.
func (h *history) send(c call) reply {
	if h.w.kind == bare { // nothing can be rolled back
		return h.play(c)
	}
	body, err := json.Marshal(c.body)
	h.w.must(err)
	if c.body == nil {
		body = nil
	}
	h.w.nextID = c.id
	f, err := h.admin().PreviewRequest(ctx(), scim.Request{Method: c.method, Path: c.path, Body: body,
		Header: http.Header{"Content-Type": {"application/scim+json"}}}, "", 0)
	h.w.must(err)
	r := h.play(c)
	if f.Status != r.status {
		h.w.t.Errorf("%s %s: %d %s, foreseen %d %s", c.method, c.path, r.status, r.detail(), f.Status, f.Detail)
	}
	h.compare(c.method+" "+c.path, f.Changes)
	return r
}

func (h *history) play(c call) reply {
	h.w.nextID = c.id
	return h.w.send(c.method, c.path, c.body)
}

// compare compares what a preview says with the changes since the last step. A report goes
// through the sources one after the other. So no call lists a role that the user holds by hand
// and that only a later source gives too, and only what is granted and revoked is compared.
func (h *history) compare(what string, foreseen []scim.RoleChange) {
	before, after := net(foreseen), net(h.changes())
	if strings.Contains(what, "report") {
		before, after = withoutOrder(before), withoutOrder(after)
		if h.n.rules.keepsLast && h.differInLastHolder(before, after) {
			return
		}
	}
	h.w.diff(what+" (-foreseen +done)", before, after)
}

// differInLastHolder reports whether two lists of changes differ only in who keeps a protected
// role. A preview judges users in order of id, and a report in order of their sources. So
// another one of those who lose the role can be its last holder.
func (h *history) differInLastHolder(foreseen, done []string) bool {
	losses := func(lines []string) map[string]string {
		byUser := map[string]string{}
		for _, line := range lines {
			words := strings.Fields(line)
			for _, word := range words[1:] {
				if role, isLost := strings.CutPrefix(word, "-"); isLost && h.n.roles[role].protected {
					byUser[words[0]] += word
				}
			}
		}
		return byUser
	}
	before, after := losses(foreseen), losses(done)
	for _, line := range slices.Concat(foreseen, done) {
		user, _, _ := strings.Cut(line, " ")
		isSame := slices.Contains(foreseen, line) && slices.Contains(done, line)
		if !isSame && before[user] == after[user] {
			return false
		}
	}
	return true
}

// withoutOrder leaves out the order of roles from lines of net.
func withoutOrder(lines []string) []string {
	var short []string
	for _, line := range lines {
		if line, _, _ = strings.Cut(line, " ="); strings.ContainsAny(line, "+-") {
			short = append(short, line)
		}
	}
	return short
}

// changes lists the changes since the last call, and remembers the order of roles.
func (h *history) changes() []scim.RoleChange {
	all := h.w.app.Changes()
	for _, c := range all {
		h.told[c.UserID] = nil
		for _, r := range c.Roles {
			h.told[c.UserID] = append(h.told[c.UserID], keyOf(r))
		}
	}
	return all
}

// net sums up changes: "U +granted -revoked = roles in order".
func net(changes []scim.RoleChange) (lines []string) {
	sum, last, times := map[string]map[string]int{}, map[string]string{}, map[string]int{}
	for _, c := range changes {
		if sum[c.UserID] == nil {
			sum[c.UserID] = map[string]int{}
		}
		times[c.UserID]++
		last[c.UserID] = " ="
		for _, r := range c.Grant {
			sum[c.UserID][" +"+keyOf(r)]++
			sum[c.UserID][" -"+keyOf(r)]--
		}
		for _, r := range c.Revoke {
			sum[c.UserID][" +"+keyOf(r)]--
			sum[c.UserID][" -"+keyOf(r)]++
		}
		for _, r := range c.Roles {
			last[c.UserID] += " " + keyOf(r)
		}
	}
	for u, of := range sum {
		maps.DeleteFunc(of, func(_ string, n int) bool { return n <= 0 })
		if len(of) > 0 || times[u] == 1 {
			lines = append(lines, u+strings.Join(slices.Sorted(maps.Keys(of)), "")+last[u])
		}
	}
	slices.Sort(lines)
	return lines
}

// request sends a request that turns the model into next. If it fails, stored says whether
// the store has the write. Then new processes reconcile everybody.
func (h *history) request(t *rapid.T, next *naive, stored func() bool, c call) {
	if h.broken == "" {
		if r := h.send(c); r.status/100 != 2 {
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
	r := h.play(c)
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
		h.restart()
		h.w.all()
		h.forgetNames()
	}
}

// forgetNames forgets those named in this step whose grants still wait: the request failed
// before anybody took notice.
func (h *history) forgetNames() {
	for user := range h.n.active {
		for _, g := range testhost.Must(h.w.ledger.Grants(ctx(), []string{user})) {
			if g.State == scim.GrantWaitsForReturn {
				delete(h.named, fmt.Sprint(user, " * ", g.Source))
			}
		}
	}
}

// breakNext makes the next request fail at the application.
func (h *history) breakNext(t *rapid.T) {
	if h.n.rules.isPaused || h.n.rules.keepsLast || len(h.n.doubts) > 0 {
		t.Skip("what is revoked does not come back")
	}
	h.broken = sample(t, "how", []string{"error", "change", "changed"})
}

// check compares the application with the model.
func (h *history) check(t *rapid.T) {
	h.w.t = t
	*h.steps++
	h.n.keeps = map[string]bool{}
	for u := range h.n.active {
		for _, g := range testhost.Must(h.w.ledger.Grants(ctx(), []string{u})) {
			if isRetained(g) {
				h.n.keeps[u+" "+testhost.KeyOf(g.Scope, g.RoleID)] = true
			}
		}
	}
	h.n.turn(h.named)
	h.named = map[string]bool{}
	for id, g := range h.n.groups {
		h.w.wantMembers(id, g.all()...)
		h.w.diff("link of "+id, g.link.String(), h.w.link(id))
	}
	users := slices.Sorted(maps.Keys(h.n.active))
	for _, u := range users {
		f := h.n.wasFate[u]
		h.w.diff("roles of "+u, f.held, slices.Sorted(maps.Keys(h.w.app.IDs(u))))
		h.w.diff("ledger of "+u, f.ledger, h.w.entries(u))
		h.w.diff("Explain "+u, f.explained, h.explain(u))
	}
	for _, u := range h.w.ids {
		if _, ok := h.n.active[u]; !ok {
			h.w.wantRoles(u)
			h.w.wantLedger(u)
		}
	}
	h.checkOrder()
	// S100
	h.w.mark()
	h.w.must(h.admin().Users(ctx(), users...))
	h.w.wantChanges()
	h.w.wantEvents()
	for _, u := range users {
		h.w.diff("Explain again "+u, h.n.wasFate[u].explained, h.explain(u))
	}
}

// checkOrder checks that the application knows in which order the sources give roles.
func (h *history) checkOrder() {
	h.changes()
	if h.w.kind == bare {
		return // the store does not know who joined first
	}
	for u, f := range h.n.wasFate {
		both := func(a, b []string) []string {
			return slices.DeleteFunc(slices.Clone(a), func(role string) bool { return !slices.Contains(b, role) })
		}
		h.w.diff("order of "+u, both(f.order, h.told[u]), both(h.told[u], f.order))
		h.told[u] = both(h.told[u], f.order) // a role that comes back, and is held anyhow, is not told
	}
}

func (g *naiveGroup) all() []string {
	all := slices.Collect(maps.Keys(g.members))
	for id := range g.groups {
		all = append(all, "Group "+id)
	}
	return all
}

func (h *history) explain(user string) (lines []string) {
	for _, s := range testhost.Must(h.admin().Explain(ctx(), user)) {
		if s.Reason == "" {
			h.w.t.Errorf("Explain(%s): no reason for %s", user, s.Role.ID)
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
