package memory

import (
	"cmp"
	"maps"
	"slices"

	"github.com/scimkit/scim"
)

// noteKey identifies a note.
type noteKey struct{ kind, key string }

// allLinks lists links in order of source.
func (l ledger) allLinks(after scim.Source, limit int) []scim.Link {
	var list []scim.Link
	for _, source := range first(slices.Sorted(maps.Keys(l.links)), after, limit, cmp.Compare[scim.Source]) {
		list = append(list, l.links[source])
	}
	return list
}

// openGrants lists the grants whose state is not GrantGiven, in order of their keys.
func (l ledger) openGrants(after scim.Grant, limit int) []scim.Grant {
	var list []scim.Grant
	for _, k := range first(slices.SortedFunc(maps.Keys(l.open), grantKey.compare), keyOf(after), limit, grantKey.compare) {
		of := l.grants[k.user]
		i, _ := slices.BinarySearchFunc(of, k, func(g scim.Grant, k grantKey) int { return keyOf(g).compare(k) })
		list = append(list, of[i])
	}
	return list
}

// notesOf lists the notes of a kind, in order of key.
func (l ledger) notesOf(kind, after string, limit int) []scim.Note {
	var keys []string
	for k := range l.notes {
		if k.kind == kind {
			keys = append(keys, k.key)
		}
	}
	slices.Sort(keys)
	var list []scim.Note
	for _, key := range first(keys, after, limit, cmp.Compare[string]) {
		list = append(list, l.notes[noteKey{kind, key}])
	}
	return list
}

// first returns at most limit elements of a sorted list that are greater than after.
func first[T any](sorted []T, after T, limit int, compare func(a, b T) int) []T {
	i, found := slices.BinarySearchFunc(sorted, after, compare)
	if found {
		i++
	}
	return sorted[i:min(i+limit, len(sorted))]
}

// setNote sets or deletes a note. undo reverses that.
func (l ledger) setNote(n scim.Note) (undo func()) {
	key := noteKey{n.Kind, n.Key}
	old, had := l.notes[key]
	if n.Text == "" {
		delete(l.notes, key)
	} else {
		l.notes[key] = n
	}
	return func() {
		if had {
			l.notes[key] = old
		} else {
			delete(l.notes, key)
		}
	}
}

// usersWithGrants lists users who have a grant, in order of id.
func (l ledger) usersWithGrants(after string, limit int) []string {
	return slices.Clone(first(slices.Sorted(maps.Keys(l.grants)), after, limit, cmp.Compare[string]))
}

// forget deletes links other than that of keep, and notes, at most limit of each. undo
// reverses that.
func (l ledger) forget(keep scim.Source, limit int) (isLeft bool, undo func()) {
	var undos []func()
	for source := range l.links {
		if source == keep {
			continue
		}
		if isLeft = len(undos) == limit; isLeft {
			break
		}
		undos = append(undos, l.setLink(scim.Link{Source: source}))
	}
	links := len(undos)
	for k := range l.notes {
		if len(undos) == links+limit {
			isLeft = true
			break
		}
		undos = append(undos, l.setNote(scim.Note{Kind: k.kind, Key: k.key}))
	}
	return isLeft, func() {
		for _, undo := range undos {
			undo()
		}
	}
}
