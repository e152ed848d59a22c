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
	roles   map[string]naiveRole  // by key
	values  map[string][]string   // user → values of the attribute
	links   map[string]naiveLink  // by value
	isShut  map[string]bool       // "user role source": the grant waits for the return
	grantAt map[string]int        // "user role source" → when the grant was made
	named   map[string]bool       // see turn
	doubts  map[string]naiveDoubt // by source
	keeps   map[string]bool       // "user role": the library says that the user keeps it as its last holder
	wasFate map[string]*naiveFate
}

// naiveRules are the configuration of a history.
type naiveRules struct {
	scopes             map[string]naivePolicy
	refuses            bool // Missing is RefuseGroup
	isSticky           bool // the resolver keeps the roles that a source is linked to
	hasValues          bool // an attribute names roles
	hasNoGroups        bool // groups give no roles
	keepsLast          bool // the last active holder keeps a protected role
	isNested, isPaused bool
	depth              int
}

// naiveDoubt says that the application distrusts a source, and since when.
type naiveDoubt struct {
	at    int
	keeps bool // users keep what they hold
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
	isPersonal bool     // something is decided about this user alone
	kept       []string // distrusted sources that go on giving what they gave before
}

// wants lists what sources give to a user, in order, and the unconfirmed roles as Explain
// does.
func (n *naive) wants(user string) (wants []naiveWant, unconfirmed []string) {
	add := func(l naiveLink, of, source string) {
		for _, key := range slices.Sorted(maps.Keys(l)) {
			// A grant from a link that is not confirmed comes from a decision about this user.
			at, isDecided := n.grantAt[fmt.Sprint(user, " ", key, " ", of)]
			isDecided = isDecided && at >= l[key].at && !n.isRetained(user, key, of) || n.named[fmt.Sprint(user, " ", key, " ", of)]
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
		now := n.fates()
		n.date(now)
		n.wasFate, n.named = now, nil
	}
}

// fates says what everybody should have. An active user keeps a protected role if nobody active
// would hold it. If several users lose it, it is the one who keeps it according to the ledger:
// that depends on the order of the library's work.
func (n *naive) fates() map[string]*naiveFate {
	keep := map[string][]string{}
	for {
		now := map[string]*naiveFate{}
		for u := range n.active {
			now[u] = n.fate(u, keep[u]...)
		}
		user, role := n.lastHolder(now)
		if role == "" {
			return now
		}
		keep[user] = append(keep[user], role)
	}
}

// lastHolder finds a user who must keep a role.
func (n *naive) lastHolder(now map[string]*naiveFate) (user, role string) {
	if !n.rules.keepsLast {
		return "", ""
	}
	isHeld := map[string]bool{}
	for u, f := range now {
		for _, role := range f.held {
			isHeld[role] = isHeld[role] || n.active[u]
		}
	}
	for _, u := range slices.Sorted(maps.Keys(n.active)) {
		for _, r := range slices.Sorted(maps.Keys(n.roles)) {
			isLast := n.active[u] && n.roles[r].protected && !isHeld[r] && len(n.wasFate[u].from(r)) > 0
			if isLast && (role == "" || r == role && n.keeps[u+" "+r]) {
				user, role = u, r
			}
		}
	}
	return user, role
}

// behind lists roles that a user gets after others because of their weights.
func (n *naive) behind() (roles []string) {
	for _, f := range n.wasFate {
		for i := 1; i < len(f.order); i++ {
			scope := n.roles[f.order[i]].scope
			if n.roles[f.order[i-1]].scope == scope && n.rules.scopes[scope].pick == "sorted" {
				roles = append(roles, f.order[i])
			}
		}
	}
	slices.Sort(roles)
	return slices.Compact(roles)
}

// given lists "user role source" for roles that sources give: those that users keep although the
// source is distrusted, if there are any.
func (n *naive) given() []string {
	var all, kept []string
	for u, f := range n.wasFate {
		for role, sources := range f.given {
			for _, s := range sources {
				all = append(all, u+" "+role+" "+s)
				if n.doubts[s].keeps && !f.settled[s] {
					kept = append(kept, u+" "+role+" "+s)
				}
			}
		}
	}
	if len(kept) > 0 {
		all = kept
	}
	slices.Sort(all)
	return all
}

// lose says that the application has taken a role from a user. A source that still gives a
// retained role waits for the place again, and what is decided about this user stays decided.
func (n *naive) lose(user, role string) {
	for _, s := range n.wasFate[user].retained[role] {
		if n.isRetained(user, role, s) {
			delete(n.grantAt, fmt.Sprint(user, " ", role, " ", s))
		}
	}
	delete(n.wasFate[user].retained, role)
	delete(n.wasFate[user].given, role)
}

// isRetained reports whether a user keeps the role of a source as its last holder, and the source
// no longer gives it.
func (n *naive) isRetained(user, role, source string) bool {
	was := n.wasFate[user]
	return was != nil && slices.Contains(was.retained[role], source) && !was.forPlace[role+" "+source]
}

// date says when the grants were made. A source that gives another role keeps its time.
func (n *naive) date(now map[string]*naiveFate) {
	at := map[string]int{}
	for u, f := range now {
		for _, line := range f.ledger {
			words := strings.Fields(line)
			role, source, waits := words[0], words[1], words[len(words)-1] == "waiting"
			doubt, isDoubted := n.doubts[source]
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
			switch { // the time says whether somebody named the user since the doubt
			case !isDoubted:
			case f.doubted[role+" "+source] && !n.isShut[grant] && was >= doubt.at:
				was = doubt.at - 1
			case f.settled[source] && (!slices.Contains(f.retained[role], source) || f.forPlace[role+" "+source]):
				was = max(was, doubt.at)
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
	retained  map[string][]string // role → sources that gave it before
	forPlace  map[string]bool     // "role source": it is retained, but the source still gives it
	doubted   map[string]bool     // "role source": the grant waits for trust
	settled   map[string]bool     // distrusted sources in which somebody has named the user since
}

// from lists the sources of a role that the user holds because of them.
func (f *naiveFate) from(role string) []string {
	if f == nil {
		return nil
	}
	return append(slices.Clone(f.given[role]), f.retained[role]...)
}

// fate says what a user should have now.
func (n *naive) fate(user string, keep ...string) *naiveFate {
	f := &naiveFate{given: map[string][]string{}, retained: map[string][]string{}, forPlace: map[string]bool{}, doubted: map[string]bool{}, settled: map[string]bool{}}
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
			n.choose(f, user, scope, n.trusted(f, user, some, n.slot(user, scope, keep)), keep)
			continue
		}
		for _, w := range some {
			if w.role.protected {
				f.wait(w)
			}
		}
	}
	held := maps.Clone(n.hand[user])
	for _, role := range keep {
		if f.given[role] == nil {
			held[role] = true
			f.retain(role, n.wasFate[user].from(role))
		}
	}
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

// waiting lists "user role" for active users and roles that wait for somebody who names the
// user: those for which another role of an exclusive scope would make place, if there are any.
func (n *naive) waiting() []string {
	var all, rivals []string
	for u, f := range n.wasFate {
		for _, line := range f.ledger {
			role, source, _ := strings.Cut(strings.TrimSuffix(line, " waiting"), " ")
			if !n.active[u] || !f.doubted[role+" "+source] && !n.isShut[u+" "+role+" "+source] {
				continue
			}
			all = append(all, u+" "+role)
			for other := range f.given {
				scope := n.roles[other].scope
				if scope == n.roles[role].scope && n.rules.scopes[scope].exclusive {
					rivals = append(rivals, u+" "+role)
				}
			}
		}
	}
	if len(rivals) > 0 {
		all = rivals
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// retain records a role that a user keeps as its last holder.
func (f *naiveFate) retain(role string, sources []string) {
	f.retained[role] = sources
	for _, s := range sources {
		isWaiting := func(line string) bool { return line == role+" "+s+" waiting" }
		f.forPlace[role+" "+s] = slices.ContainsFunc(f.ledger, isWaiting) && !f.doubted[role+" "+s]
		f.ledger = slices.DeleteFunc(f.ledger, isWaiting)
		f.ledger = append(f.ledger, role+" "+s+" retained")
	}
	f.explained = append(f.explained, role+" retained "+strings.Join(slices.Sorted(slices.Values(sources)), " "))
}

// trusted takes away what distrusted sources give to a user whom nobody has named in them
// since.
func (n *naive) trusted(f *naiveFate, user string, wants []naiveWant, slot string) (trusted []naiveWant) {
	for _, w := range wants {
		role, all := w.role.key(), w.sources
		w.sources = nil
		var doubted []string
		for _, s := range all {
			doubt, isDoubted := n.doubts[s]
			isDoubted = isDoubted && w.role.id != n.rules.scopes[w.role.scope].base // which everybody has
			isSettled := isDoubted && n.isSettled(user, s, doubt)
			isKept := doubt.keeps && (slot == "" || slot == role) && slices.Contains(n.wasFate[user].from(role), s)
			if isSettled {
				f.settled[s], w.isPersonal = true, true
			}
			if isDoubted && !isSettled && !isKept {
				doubted = append(doubted, s)
				f.doubted[role+" "+s] = true
			} else {
				w.sources = append(w.sources, s)
			}
			if isDoubted && !isSettled && isKept {
				w.kept = append(w.kept, s)
			}
		}
		if len(doubted) > 0 {
			f.wait(naiveWant{role: w.role, sources: doubted})
		}
		if len(w.sources) > 0 {
			trusted = append(trusted, w)
		}
	}
	return trusted
}

// isSettled reports whether somebody has named the user in a source since a doubt.
func (n *naive) isSettled(user, source string, doubt naiveDoubt) bool {
	for naming := range n.named {
		if strings.HasPrefix(naming, user+" ") && strings.HasSuffix(naming, " "+source) {
			return true
		}
	}
	for grant, at := range n.grantAt {
		words := strings.Fields(grant)
		was := n.wasFate[user]
		if words[0] == user && words[2] == source && at >= doubt.at && !n.isShut[grant] && was != nil && !was.doubted[words[1]+" "+source] {
			return true
		}
	}
	return false
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
func (n *naive) choose(f *naiveFate, user, scope string, wants []naiveWant, keep []string) {
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
			if len(n.wasFate[user].from(w.role.key())) > 0 || w.role.id == policy.base {
				candidates = append(candidates, w)
			} else {
				f.wait(w)
			}
		}
	}
	slot := n.slot(user, scope, keep)
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
	for _, w := range candidates {
		if isChosen[w.role.key()] || w.role.id == policy.base {
			continue
		}
		if len(w.kept) > 0 && !n.rules.isPaused {
			f.wait(naiveWant{role: w.role, sources: w.kept})
			w.sources = slices.DeleteFunc(slices.Clone(w.sources), func(s string) bool { return slices.Contains(w.kept, s) })
		}
		// What is decided about this user alone must not be forgotten. In a pause the rest waits too.
		if (w.isPersonal || n.rules.isPaused) && len(w.sources) > 0 {
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

// slot is the role that takes the only place of an exclusive scope.
func (n *naive) slot(user, scope string, keep []string) string {
	for _, role := range slices.Concat(slices.Sorted(maps.Keys(n.hand[user])), keep) {
		if n.rules.scopes[scope].exclusive && n.roles[role].scope == scope {
			return role
		}
	}
	return ""
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
