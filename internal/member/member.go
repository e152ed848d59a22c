// Package member reads the elements of a group's "members". It folds the operations on them
// into one change, so that no request rewrites a group to change one member.
package member

import (
	"strings"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Ref names a member: the resource type's name and the id. Both together are the identity,
// because an application may count users and groups separately.
type Ref struct{ Type, ID string }

// Read reads the reference in an element of "members". A member is a Group only if its type
// or $ref says so: clients leave out the type of users. Read drops a display name, because
// the server computes it.
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

// HasType reports whether an element of "members" itself says that it is a user or a group.
func HasType(e doc.Value) bool {
	typ := e.Field(e.Attr.Lookup("type")).Text
	if strings.EqualFold(typ, "User") || strings.EqualFold(typ, "Group") {
		return true
	}
	segments := strings.Split(strings.TrimRight(e.Field(e.Attr.Lookup("$ref")).Text, "/"), "/")
	if len(segments) < 2 {
		return false
	}
	kind := segments[len(segments)-2]
	return strings.EqualFold(kind, "Users") || strings.EqualFold(kind, "Groups")
}

// ReadAll reads a whole list, which replaces the members of a group.
func ReadAll(v doc.Value) (*Delta, error) {
	d := &Delta{All: true}
	for _, e := range v.Kids() {
		if err := d.JoinValue(e); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Value is the stored form of members in a group without a MemberStore. It has a type only
// for members that are not users.
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

// Delta is the change that a request makes to the members of a group. If All is set, it
// removes everybody who is not in Add. Otherwise it removes the members in Remove. A
// reference is never in both lists. The zero Delta changes nothing.
type Delta struct {
	All         bool
	add, remove []Ref
	guess       []bool      // by position in add: a user only because the client named no type
	at          map[Ref]int // the position of a reference: i+1 in add, -(i+1) in remove
}

// Touched reports whether any operation named members.
func (d *Delta) Touched() bool { return d != nil && (d.All || len(d.at) > 0) }

// Add lists the members to add, in the client's order.
func (d *Delta) Add() []Ref { return live(d.add) }

// Remove lists the members to remove. It is empty if All is set.
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

// IsGuess reports whether a reference to add is a user only because the client named no
// type.
func (d *Delta) IsGuess(r Ref) bool { i := d.at[r]; return i > 0 && d.guess[i-1] }

// JoinValue adds the member in an element of "members" to the group.
func (d *Delta) JoinValue(e doc.Value) error {
	r, err := Read(e)
	if err != nil {
		return err
	}
	known := d.at[r] > 0
	d.Join(r)
	if i := d.at[r] - 1; r.Type == "User" {
		d.guess[i] = (!known || d.guess[i]) && !HasType(e)
	}
	return nil
}

// Join adds r to the group. It cancels an earlier Leave.
func (d *Delta) Join(r Ref) {
	i := d.at[r]
	if i > 0 {
		return
	}
	if i < 0 {
		d.remove[-i-1] = Ref{}
	}
	d.add, d.guess = append(d.add, r), append(d.guess, false)
	d.note(r, len(d.add))
}

// Leave removes r from the group. It cancels an earlier Join.
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

// Clear removes everybody, and cancels every earlier Join.
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
		// The server validated the stored members, so it ignores one that it cannot read.
		if m, err := Read(e); err == nil {
			out = append(out, m)
		}
	}
	return out
}

// Apply returns the group with d applied to the members that it carries.
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
