package memory

import (
	"cmp"
	"slices"

	"github.com/scimkit/scim"
)

// ledger is the data of a scim.Ledger, in a Store and in a Ledger. It does not lock.
type ledger struct {
	grants map[string][]scim.Grant // by user, ordered by role and source
	open   map[grantKey]struct{}   // the grants whose state is not GrantGiven
	links  map[scim.Source]scim.Link
	notes  map[noteKey]scim.Note
}

func newLedger() ledger {
	return ledger{make(map[string][]scim.Grant), make(map[grantKey]struct{}), make(map[scim.Source]scim.Link), make(map[noteKey]scim.Note)}
}

// grantKey identifies a grant.
type grantKey struct {
	user, scope, role string
	source            scim.Source
}

func keyOf(g scim.Grant) grantKey { return grantKey{g.UserID, g.Scope, g.RoleID, g.Source} }

func (k grantKey) compare(o grantKey) int {
	return cmp.Or(cmp.Compare(k.user, o.user), cmp.Compare(k.scope, o.scope), cmp.Compare(k.role, o.role), cmp.Compare(k.source, o.source))
}

// compareGrants compares grants by user, role and source.
func compareGrants(a, b scim.Grant) int { return keyOf(a).compare(keyOf(b)) }

// put stores g and returns the grant that it replaced.
func (l ledger) put(g scim.Grant) (old scim.Grant, replaced bool) {
	if g.State == scim.GrantGiven {
		delete(l.open, keyOf(g))
	} else {
		l.open[keyOf(g)] = struct{}{}
	}
	list := l.grants[g.UserID]
	i, found := slices.BinarySearchFunc(list, g, compareGrants)
	if found {
		old, list[i] = list[i], g
		return old, true
	}
	l.grants[g.UserID] = slices.Insert(list, i, g)
	return old, false
}

// drop deletes the grant with the identity of g and returns it.
func (l ledger) drop(g scim.Grant) (old scim.Grant, found bool) {
	list := l.grants[g.UserID]
	i, found := slices.BinarySearchFunc(list, g, compareGrants)
	if !found {
		return old, false
	}
	old = list[i]
	delete(l.open, keyOf(g))
	if list = slices.Delete(list, i, i+1); len(list) == 0 {
		delete(l.grants, g.UserID)
	} else {
		l.grants[g.UserID] = list
	}
	return old, true
}

// record deletes the grants in drop, then stores those in put. undo reverses that.
func (l ledger) record(put, drop []scim.Grant) (undo func()) {
	var dropped, replaced []scim.Grant
	for _, g := range drop {
		if old, found := l.drop(g); found {
			dropped = append(dropped, old)
		}
	}
	var added []scim.Grant
	for _, g := range put {
		if old, found := l.put(g); found {
			replaced = append(replaced, old)
		} else {
			added = append(added, g)
		}
	}
	return func() {
		// If put contained one grant twice, restore the first grant that it replaced. Delete
		// added grants, whatever replaced them.
		for _, g := range slices.Backward(replaced) {
			l.put(g)
		}
		for _, g := range added {
			l.drop(g)
		}
		for _, g := range dropped {
			l.put(g)
		}
	}
}

// setLink sets or deletes a link. undo reverses that.
func (l ledger) setLink(link scim.Link) (undo func()) {
	old, had := l.links[link.Source]
	if len(link.Roles) == 0 {
		delete(l.links, link.Source)
	} else {
		link.Roles = slices.Clone(link.Roles)
		l.links[link.Source] = link
	}
	return func() {
		if had {
			l.links[link.Source] = old
		} else {
			delete(l.links, link.Source)
		}
	}
}

func (l ledger) grantsOf(userIDs []string) []scim.Grant {
	var list []scim.Grant
	for _, id := range distinct(userIDs) {
		list = append(list, l.grants[id]...)
	}
	return list
}

func (l ledger) linksOf(sources []scim.Source) []scim.Link {
	var list []scim.Link
	for _, id := range distinct(sources) {
		if link, ok := l.links[id]; ok {
			list = append(list, link)
		}
	}
	return list
}

// distinct returns a sorted copy without repetition.
func distinct[T ~string](ids []T) []T {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}
