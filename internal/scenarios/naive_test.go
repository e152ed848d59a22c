package scenarios

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// naive is a model of the rules. It keeps what histories do and computes everything else
// from it again after each step. It shares no code with the library.
type naive struct {
	rules   naiveRules
	clock   int
	active  map[string]bool            // whether each existing user is active
	hand    map[string]map[string]bool // user → keys of the roles given by hand
	groups  map[string]*naiveGroup
	roles   map[string]naiveRole // by key
	values  map[string][]string  // user → values of the attribute
	links   map[string]naiveLink // by value
	isShut  map[string]bool      // "user role source": the grant waits for the return
	grantAt map[string]int       // "user role source" → when the grant was made
	named   map[string]bool      // see turn
	wasFate map[string]*naiveFate
}

// naiveRules are the configuration of a history.
type naiveRules struct {
	scopes             map[string]naivePolicy
	refuses            bool // Missing is RefuseGroup
	isSticky           bool // the resolver keeps the roles that a source is linked to
	hasValues          bool // an attribute names roles
	hasNoGroups        bool // groups give no roles
	isNested, isPaused bool
	depth              int
}

type naivePolicy struct {
	pick      string // all, heaviest, first, sorted or licence
	exclusive bool
	base      string
}

// naiveRole is a role. Its key is "id", or "scope/id".
type naiveRole struct {
	scope, id, name string
	weight          int
	protected       bool
}

func (r naiveRole) key() string {
	if r.scope == "" {
		return r.id
	}
	return r.scope + "/" + r.id
}

// naiveLink are the roles of a source, by key.
type naiveLink map[string]naiveLinked

type naiveLinked struct {
	role      naiveRole
	confirmed bool
	at        int // when the source got these roles; the same for all roles of a link
}

func (l naiveLink) String() string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(l)) {
		if !l[key].confirmed {
			key += " unconfirmed"
		}
		all = append(all, key)
	}
	return strings.Join(all, ", ")
}

type naiveGroup struct {
	name    string
	link    naiveLink
	linked  string         // the name for which the link was made
	members map[string]int // when each user joined
	groups  map[string]int // when each group joined
}

func (n *naive) clone() *naive {
	c := *n
	c.active, c.roles, c.values, c.links = maps.Clone(n.active), maps.Clone(n.roles), maps.Clone(n.values), maps.Clone(n.links)
	c.hand, c.groups = map[string]map[string]bool{}, map[string]*naiveGroup{}
	for u, of := range n.hand {
		c.hand[u] = maps.Clone(of)
	}
	for id, g := range n.groups {
		c.groups[id] = &naiveGroup{g.name, maps.Clone(g.link), g.linked, maps.Clone(g.members), maps.Clone(g.groups)}
	}
	return &c
}

// resolve is what the resolver of histories answers about a name, or about a source that is
// linked to roles.
func (n *naive) resolve(name string, linked naiveLink) (all []naiveRole) {
	for _, key := range slices.Sorted(maps.Keys(n.roles)) {
		if _, ok := linked[key]; ok && n.rules.isSticky {
			all = append(all, n.roles[key])
		}
	}
	if len(all) > 0 {
		return all
	}
	for _, key := range slices.Sorted(maps.Keys(n.roles)) {
		if n.roles[key].name == name {
			all = append(all, n.roles[key])
		}
	}
	return all
}

// linkTo is a link to roles. A role that was linked before keeps its confirmation. If one that
// is not confirmed stays, the link is as old as before.
func (n *naive) linkTo(was naiveLink, roles []naiveRole) naiveLink {
	l, at, isOpen := naiveLink{}, n.clock+1, false
	for _, r := range roles {
		old, ok := was[r.key()]
		next := naiveLinked{r, !r.protected || old.confirmed, 0}
		isOpen = isOpen || ok && !old.confirmed && !next.confirmed
		l[r.key()] = next
	}
	isSame := slices.Equal(slices.Sorted(maps.Keys(was)), slices.Sorted(maps.Keys(l)))
	for _, old := range was {
		if isOpen || isSame {
			at = old.at
		}
	}
	for key, r := range l {
		r.at = at
		l[key] = r
	}
	return l
}

// write changes the name and the link of a group as every write of it does. A write that takes
// members from a group looks up its roles only if it also changes its name.
func (n *naive) write(id, name string, takes bool) {
	g := n.groups[id]
	isRenamed := g.name != name
	g.name = name
	if !n.rules.hasNoGroups && (isRenamed || len(g.link) == 0 && !takes) {
		g.link, g.linked = n.linkTo(g.link, n.resolve(name, nil)), name
	}
}

// report looks up all roles again, as a report of the application does.
func (n *naive) report() {
	for _, g := range n.groups {
		if n.rules.hasNoGroups || len(g.link) == 0 && n.rules.refuses {
			continue
		}
		known := g.link
		if g.linked != g.name {
			known = nil // as if the client renamed it now
		}
		g.link, g.linked = n.linkTo(g.link, n.resolve(g.name, known)), g.name
	}
	if !n.rules.hasValues {
		n.links = map[string]naiveLink{}
		return
	}
	isSeen := map[string]bool{}
	for _, values := range n.values {
		for _, v := range values {
			if !isSeen[v] {
				isSeen[v] = true
				n.links[v] = n.linkTo(n.links[v], n.resolve(v, n.links[v]))
			}
		}
	}
}

// endGroups is what remains of the links of groups that give no roles any more.
func (n *naive) endGroups() {
	for _, g := range n.groups {
		for key, r := range g.link {
			r.confirmed = false
			g.link[key] = r
		}
	}
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

// naivePath is a way from a user to a group.
type naivePath struct {
	group           string
	distance, since int
}

// groupsOf lists the groups of a user: the nearest first, then the oldest.
func (n *naive) groupsOf(user string) []naivePath {
	best := map[string]naivePath{}
	compare := func(a, b naivePath) int {
		return cmp.Or(a.distance-b.distance, a.since-b.since, strings.Compare(a.group, b.group))
	}
	var visit func(p naivePath)
	visit = func(p naivePath) {
		if was, ok := best[p.group]; !ok || compare(p, was) < 0 {
			best[p.group] = p
		}
		for id, g := range n.groups {
			if at, ok := g.groups[p.group]; ok && n.rules.isNested {
				visit(naivePath{id, p.distance + 1, max(p.since, at)})
			}
		}
	}
	for id, g := range n.groups {
		if at, ok := g.members[user]; ok {
			visit(naivePath{id, 0, at})
		}
	}
	return slices.SortedFunc(maps.Values(best), compare)
}

// isAbove reports whether a group is another one, or contains it through groups.
func (n *naive) isAbove(group, other string) bool {
	if group == other {
		return true
	}
	for sub := range n.groups[group].groups {
		if n.isAbove(sub, other) {
			return true
		}
	}
	return false
}

// height is the number of groups below a group, one in the other.
func (n *naive) height(group string) int {
	most := 0
	for sub := range n.groups[group].groups {
		most = max(most, n.height(sub)+1)
	}
	return most
}

// naiveWant is a role with the sources that give it to a user.
type naiveWant struct {
	role       naiveRole
	sources    []string
	isPersonal bool // the application confirmed it for this user alone
}

// wants lists what sources give to a user, in order, and the unconfirmed roles as Explain
// does.
func (n *naive) wants(user string) (wants []naiveWant, unconfirmed []string) {
	add := func(l naiveLink, of, source string) {
		for _, key := range slices.Sorted(maps.Keys(l)) {
			// A grant from a link that is not confirmed comes from a decision about this user.
			at, isDecided := n.grantAt[fmt.Sprint(user, " ", key, " ", of)]
			isDecided = isDecided && at >= l[key].at || n.named[fmt.Sprint(user, " ", key, " ", of)]
			if !l[key].confirmed && !isDecided {
				unconfirmed = append(unconfirmed, key+" waiting "+source)
				continue
			}
			from := source
			if !l[key].confirmed {
				from = of
			}
			i := slices.IndexFunc(wants, func(w naiveWant) bool { return w.role.key() == key })
			if i < 0 {
				i, wants = len(wants), append(wants, naiveWant{role: l[key].role})
			}
			wants[i].isPersonal = wants[i].isPersonal || !l[key].confirmed
			if !slices.Contains(wants[i].sources, from) {
				wants[i].sources = append(wants[i].sources, from)
			}
		}
	}
	if n.rules.hasValues {
		for _, v := range n.values[user] {
			add(n.links[v], "attr:roles="+v, "attr:roles")
		}
	}
	for _, p := range n.groupsOf(user) {
		if n.rules.hasNoGroups {
			break
		}
		add(n.groups[p.group].link, "group:"+p.group, "group:"+p.group)
	}
	return wants, unconfirmed
}

// turn ends a step. named has "user role source", or "user * source", of those whom somebody
// has just named.
func (n *naive) turn(named map[string]bool) {
	n.clock++
	n.named = named
	shut := map[string]bool{}
	for u, isActive := range n.active {
		wants, _ := n.wants(u)
		for _, w := range wants {
			for _, s := range w.sources {
				grant := fmt.Sprint(u, " ", w.role.key(), " ", s)
				isNamed := named[grant] || named[fmt.Sprint(u, " * ", s)]
				if w.role.protected && (!isActive || n.isShut[grant] && !isNamed) {
					shut[grant] = true
				}
			}
		}
	}
	n.isShut = shut
	for range 3 { // a pause does not give back what it ended, and so on
		now := map[string]*naiveFate{}
		for u := range n.active {
			now[u] = n.fate(u)
		}
		n.date(now)
		n.wasFate, n.named = now, nil
	}
}

// date says when the grants were made. A source that gives another role keeps its time.
func (n *naive) date(now map[string]*naiveFate) {
	at := map[string]int{}
	for u, f := range now {
		for _, line := range f.ledger {
			words := strings.Fields(line)
			role, source, waits := words[0], words[1], words[len(words)-1] == "waiting"
			grant := fmt.Sprint(u, " ", role, " ", source)
			was, ok := n.grantAt[grant]
			isNew := !waits && n.named[grant] && (!ok || n.wasFate[u] == nil || !slices.Contains(n.wasFate[u].given[role], source))
			if !ok || isNew {
				was = n.clock
			}
			for other, then := range n.grantAt {
				if !ok && !isNew && !waits && strings.HasPrefix(other, u+" ") && strings.HasSuffix(other, " "+source) {
					was = min(was, then)
				}
			}
			at[grant] = was
		}
	}
	n.grantAt = at
}

// naiveFate is what a user should have.
type naiveFate struct {
	given     map[string][]string // role → sources
	order     []string            // the given roles; those of one scope follow one another
	held      []string
	ledger    []string
	explained []string
}

// fate says what a user should have now.
func (n *naive) fate(user string) *naiveFate {
	f := &naiveFate{given: map[string][]string{}}
	wants, unconfirmed := n.wants(user)
	f.explained = unconfirmed
	for _, scope := range slices.Sorted(maps.Keys(n.rules.scopes)) {
		var some []naiveWant
		for _, w := range wants {
			if w.role.scope == scope {
				some = append(some, w)
			}
		}
		if n.active[user] {
			n.choose(f, user, scope, some)
			continue
		}
		for _, w := range some {
			if w.role.protected {
				f.wait(w)
			}
		}
	}
	held := maps.Clone(n.hand[user])
	for role, sources := range f.given {
		held[role] = true
		state, mark := "granted", ""
		if n.hand[user][role] {
			state, mark = "both", " by hand"
		}
		for _, s := range sources {
			f.ledger = append(f.ledger, role+" "+s+mark)
		}
		f.explained = append(f.explained, role+" "+state+" "+strings.Join(slices.Sorted(slices.Values(sources)), " "))
	}
	for role := range n.hand[user] {
		if f.given[role] == nil {
			f.explained = append(f.explained, role+" by hand")
		}
	}
	f.held = slices.Sorted(maps.Keys(held))
	slices.Sort(f.ledger)
	slices.Sort(f.explained)
	return f
}

// wait records a role that a user does not get yet.
func (f *naiveFate) wait(w naiveWant) {
	for _, s := range w.sources {
		f.ledger = append(f.ledger, w.role.key()+" "+s+" waiting")
	}
	f.explain(w)
}

func (f *naiveFate) explain(w naiveWant) {
	f.explained = append(f.explained, w.role.key()+" waiting "+strings.Join(slices.Sorted(slices.Values(w.sources)), " "))
}

// choose says what an active user should have of one scope.
func (n *naive) choose(f *naiveFate, user, scope string, wants []naiveWant) {
	policy := n.rules.scopes[scope]
	wants = slices.DeleteFunc(slices.Clone(wants), func(w naiveWant) bool { // a role that waits is no candidate
		isOpen := slices.ContainsFunc(w.sources, func(s string) bool { return !n.isShut[fmt.Sprint(user, " ", w.role.key(), " ", s)] })
		if isOpen || w.role.id == policy.base {
			return false
		}
		f.wait(w)
		return true
	})
	candidates := wants
	if n.rules.isPaused {
		candidates = nil
		for _, w := range wants {
			was := n.wasFate[user]
			if was != nil && was.given[w.role.key()] != nil || w.role.id == policy.base {
				candidates = append(candidates, w)
			} else {
				f.wait(w)
			}
		}
	}
	slot := ""
	for _, role := range slices.Sorted(maps.Keys(n.hand[user])) {
		if slot == "" && policy.exclusive && n.roles[role].scope == scope {
			slot = role
		}
	}
	isShut := func(w naiveWant) bool {
		return !slices.ContainsFunc(w.sources, func(s string) bool { return !n.isShut[fmt.Sprint(user, " ", w.role.key(), " ", s)] })
	}
	choice := func(some []naiveWant) []naiveWant {
		if policy.pick == "all" {
			return some
		}
		open, shut := divide(some, func(w naiveWant) bool { return !isShut(w) })
		return append(choose(policy.pick, open), shut...)
	}
	chosen := choice(candidates)
	if n.rules.isPaused { // what a role outside the candidates decides stays decided
		has := func(some []naiveWant) func(w naiveWant) bool {
			return func(w naiveWant) bool {
				return slices.ContainsFunc(some, func(x naiveWant) bool { return x.role.key() == w.role.key() })
			}
		}
		decided, _ := divide(choice(wants), has(candidates))
		_, more := divide(chosen, has(decided))
		chosen = append(decided, more...)
	}
	isChosen := map[string]bool{}
	for _, w := range chosen {
		key := w.role.key()
		isChosen[key] = true
		if w.role.id == policy.base {
			continue
		}
		if slot != "" && slot != key {
			f.wait(w)
			continue
		}
		var gives, waits []string
		for _, s := range w.sources {
			if n.isShut[fmt.Sprint(user, " ", key, " ", s)] {
				waits = append(waits, s)
			} else {
				gives = append(gives, s)
			}
		}
		if len(gives) == 0 {
			f.wait(w)
			continue
		}
		f.given[key] = gives
		f.order = append(f.order, key)
		for _, s := range waits {
			f.ledger = append(f.ledger, key+" "+s+" waiting")
		}
	}
	for _, w := range candidates { // what is decided about this user alone must not be forgotten
		if w.isPersonal && !isChosen[w.role.key()] && w.role.id != policy.base {
			f.wait(w)
		}
	}
	for _, w := range wants {
		for _, s := range w.sources {
			line := w.role.key() + " " + s + " waiting"
			if !isChosen[w.role.key()] && !slices.Contains(f.ledger, line) && n.isShut[fmt.Sprint(user, " ", w.role.key(), " ", s)] {
				f.ledger = append(f.ledger, line)
			}
		}
	}
}

// divide divides wants by a condition.
func divide(wants []naiveWant, is func(w naiveWant) bool) (yes, no []naiveWant) {
	for _, w := range wants {
		if is(w) {
			yes = append(yes, w)
		} else {
			no = append(no, w)
		}
	}
	return yes, no
}

// choose is Pick.
func choose(pick string, wants []naiveWant) []naiveWant {
	if len(wants) == 0 || pick == "all" {
		return wants
	}
	switch pick {
	case "first":
		return wants[:1]
	case "sorted":
		return slices.SortedStableFunc(slices.Values(wants), func(a, b naiveWant) int { return b.role.weight - a.role.weight })
	case "heaviest":
		heaviest := wants[0]
		for _, w := range wants {
			if w.role.weight > heaviest.role.weight {
				heaviest = w
			}
		}
		return []naiveWant{heaviest}
	}
	// The roles with even weights need one with an odd weight, which nobody gets.
	var even []naiveWant
	for _, w := range wants {
		if w.role.weight%2 == 0 {
			even = append(even, w)
		}
	}
	if len(even) == len(wants) {
		return nil
	}
	return even
}
