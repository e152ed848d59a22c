// Package member reads the elements of a group's "members" and folds the
// operations on them into one change, so that a group is never rewritten for the
// sake of one member.
package member

import (
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Ref names a member: the resource type's name and the id. The two together are
// the identity, because an application may count users and groups separately.
type Ref struct{ Type, ID string }

// Read takes the reference out of an element of "members". A member is a Group
// only if its type or $ref says so; clients leave the type of users out. A
// display name is the server's to compute and is dropped.
func Read(v doc.Value) (Ref, error) {
	text := func(name string) string { return v.Field(v.Attr.Lookup(name)).Text }
	id, typ, ref := text("value"), text("type"), text("$ref")
	r := Ref{Type: "User", ID: id}
	segments := strings.Split(strings.TrimRight(ref, "/"), "/")
	if len(segments) >= 2 && strings.EqualFold(segments[len(segments)-2], "Groups") {
		r.Type = "Group"
	}
	if r.ID == "" && len(segments) >= 2 {
		r.ID = segments[len(segments)-1]
	}
	switch {
	case strings.EqualFold(typ, "Group"):
		r.Type = "Group"
	case strings.EqualFold(typ, "User"):
		r.Type = "User"
	}
	if r.ID == "" {
		return Ref{}, fault.New(fault.InvalidValue, "members: each member needs a value, the id of a user or group")
	}
	return r, nil
}

// ReadAll reads a whole list, each reference once, in order.
func ReadAll(v doc.Value) ([]Ref, error) {
	refs := make([]Ref, 0, len(v.Kids()))
	seen := make(map[Ref]bool, len(v.Kids()))
	for _, e := range v.Kids() {
		r, err := Read(e)
		if err != nil {
			return nil, err
		}
		if !seen[r] {
			seen[r] = true
			refs = append(refs, r)
		}
	}
	return refs, nil
}

// Value is the form in which a group without a member store keeps its members:
// the type is written only where it is not User.
func Value(members *model.Attribute, refs []Ref) doc.Value {
	value, typ := members.Lookup("value"), members.Lookup("type")
	elems := make([]doc.Value, len(refs))
	for i, r := range refs {
		if r.Type == "User" || typ == nil {
			elems[i] = doc.Composite(members, doc.Simple(value, r.ID))
		} else {
			elems[i] = doc.Composite(members, doc.Simple(value, r.ID), doc.Simple(typ, r.Type))
		}
	}
	return doc.Composite(members, elems...)
}

// Delta is what a request does to the members of a group: if All is set,
// everybody who is not in Add goes; otherwise those of Remove go. A reference is
// never in both lists. The zero Delta changes nothing.
type Delta struct {
	All         bool
	add, remove []Ref
	at          map[Ref]int // i+1 in add, -(i+1) in remove
}

// Touched reports whether any operation named members.
func (d *Delta) Touched() bool { return d != nil && (d.All || len(d.at) > 0) }

// Add lists who joins, in the order in which the client named them.
func (d *Delta) Add() []Ref { return live(d.add) }

// Remove lists who leaves. It is empty if All is set.
func (d *Delta) Remove() []Ref { return live(d.remove) }

func live(list []Ref) []Ref {
	out := make([]Ref, 0, len(list))
	for _, r := range list {
		if r != (Ref{}) {
			out = append(out, r)
		}
	}
	return out
}

// Join puts r into the group; it takes back an earlier Leave.
func (d *Delta) Join(r Ref) {
	i := d.at[r]
	if i > 0 {
		return
	}
	if i < 0 {
		d.remove[-i-1] = Ref{}
	}
	d.add = append(d.add, r)
	d.note(r, len(d.add))
}

// Leave takes r out of the group; it takes back an earlier Join.
func (d *Delta) Leave(r Ref) {
	i := d.at[r]
	if i < 0 {
		return
	}
	if i > 0 {
		d.add[i-1] = Ref{}
	}
	if d.All {
		delete(d.at, r)
		return
	}
	d.remove = append(d.remove, r)
	d.note(r, -len(d.remove))
}

// Clear takes everybody out, those of earlier operations included.
func (d *Delta) Clear() { *d = Delta{All: true} }

func (d *Delta) note(r Ref, i int) {
	if d.at == nil {
		d.at = map[Ref]int{}
	}
	d.at[r] = i
}

// Of lists the members that the group itself carries.
func Of(group *doc.Document) []Ref {
	if group.Type.Members == nil {
		return nil
	}
	elems := group.Find(group.Type.Members).Kids()
	out := make([]Ref, 0, len(elems))
	for _, e := range elems {
		// What is stored was validated: a reference that cannot be read is not there.
		if m, err := Read(e); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// Apply is the group with d applied to the list of members that it carries.
func (d *Delta) Apply(group *doc.Document) *doc.Document {
	var now []Ref
	if !d.All {
		now = Of(group)
	}
	gone := make(map[Ref]bool)
	for _, m := range d.Remove() {
		gone[m] = true
	}
	seen := make(map[Ref]bool, len(now))
	var list []Ref
	for _, m := range append(now, d.Add()...) {
		if !gone[m] && !seen[m] {
			seen[m] = true
			list = append(list, m)
		}
	}
	return group.With(doc.Put(group.Values, Value(group.Type.Members, list)))
}
