package scim

import (
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/patch"
)

// Patch is a PATCH request (RFC 7644, Section 3.5.2), parsed and resolved against a
// resource type once. It is immutable.
type Patch struct {
	t   *ResourceType
	req *patch.Request
}

// ParsePatch parses the body of a PATCH for resources of type t, with all
// tolerances. Its error is an *Error that names the operation or attribute.
func ParsePatch(t *ResourceType, body []byte) (*Patch, error) {
	return parsePatch(t, body, patch.Options{Doc: doc.Options{KeepUnknown: t.c.KeepUnknown}})
}

func parsePatch(t *ResourceType, body []byte, o patch.Options) (*Patch, error) {
	req, err := patch.Parse(t.m, body, o)
	if err != nil {
		return nil, toError(err)
	}
	return &Patch{t, req}, nil
}

// Apply applies all operations, in order, or none. It returns r itself if they
// change nothing. The members of a group are changed in the list that the resource
// carries. A password in the request is left out: see Password.
func (p *Patch) Apply(r *Resource) (*Resource, error) {
	after, err := p.apply(r)
	if err != nil {
		return nil, err
	}
	if d := p.req.Members(); d.Touched() {
		after = after.withMembers(d)
	}
	if after.Equal(r) {
		return r, nil
	}
	return after, nil
}

// apply is Apply without the members.
func (p *Patch) apply(r *Resource) (*Resource, error) {
	values, err := p.req.Apply(r.d.Values)
	if err != nil {
		return nil, toError(err)
	}
	if err := doc.CheckKept(p.t.m, r.d.Values, values); err != nil {
		return nil, toError(err)
	}
	if err := validate(p.t, r, values); err != nil {
		return nil, err
	}
	return r.with(values), nil
}

// validate judges a resource as a whole after a change; before is nil for a new one.
func validate(t *ResourceType, before *Resource, values []doc.Value) error {
	if err := doc.CheckRequired(t.m, values); err != nil {
		return toError(err)
	}
	var stored []doc.Value
	if before != nil {
		stored = before.d.Values
		if err := doc.CheckImmutable(t.m, stored, values); err != nil {
			return toError(err)
		}
	}
	for _, a := range t.m.Enumerated {
		if err := doc.CheckEnumerated(a, stored, values); err != nil {
			return toError(err)
		}
	}
	return nil
}

// Password returns the password that the request sets, if it does.
func (p *Patch) Password() (password string, ok bool) { return p.req.Password() }

// Members returns what the request does to a group's members: if all is set,
// everybody who is not in add leaves; otherwise those in remove do.
func (p *Patch) Members() (add, remove []Ref, all bool) {
	d := p.req.Members()
	return refs(d.Add()), refs(d.Remove()), d.All
}

func refs(list []member.Ref) []Ref {
	out := make([]Ref, len(list))
	for i, r := range list {
		out[i] = Ref(r)
	}
	return out
}

func memberRefs(list []Ref) []member.Ref {
	out := make([]member.Ref, len(list))
	for i, r := range list {
		out[i] = member.Ref(r)
	}
	return out
}

// withMembers applies d to the list of members that the group itself carries.
func (r *Resource) withMembers(d *member.Delta) *Resource {
	var now []Ref
	if !d.All {
		now = r.memberRefs()
	}
	gone := make(map[Ref]bool)
	for _, m := range d.Remove() {
		gone[Ref(m)] = true
	}
	seen := make(map[Ref]bool, len(now))
	var list []member.Ref
	for _, m := range append(now, refs(d.Add())...) {
		if !gone[m] && !seen[m] {
			seen[m] = true
			list = append(list, member.Ref(m))
		}
	}
	return r.with(doc.Put(r.d.Values, member.Value(r.t.m.Members, list)))
}

// memberRefs lists the members that the group itself carries.
func (r *Resource) memberRefs() []Ref {
	elems := r.members()
	out := make([]Ref, 0, len(elems))
	for _, e := range elems {
		// What is stored was validated: a reference that cannot be read is not there.
		if m, err := member.Read(e); err == nil {
			out = append(out, Ref(m))
		}
	}
	return out
}
