package scim

import (
	"github.com/scimkit/scim/internal/doc"
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
	req, err := patch.Parse(t.m, body, patch.Options{Doc: doc.Options{KeepUnknown: t.c.KeepUnknown}})
	if err != nil {
		return nil, outward(err)
	}
	return &Patch{t, req}, nil
}

// Apply applies all operations, in order, or none. It returns r itself if they
// change nothing. The members of a group are changed in the list that the resource
// carries. A password in the request is left out: see Password.
func (p *Patch) Apply(r *Resource) (*Resource, error) {
	after, err := p.req.ApplyTo(&r.d)
	if err != nil {
		return nil, outward(err)
	}
	if d := p.req.Members(); d.Touched() {
		after = d.Apply(after)
	}
	if after.Equal(&r.d) {
		return r, nil
	}
	return resource(after), nil
}

// Password returns the password that the request sets, if it does.
func (p *Patch) Password() (password string, ok bool) { return p.req.Password() }

// Members returns what the request does to a group's members: if all is set,
// everybody who is not in add leaves; otherwise those in remove do.
func (p *Patch) Members() (add, remove []Ref, all bool) {
	d := p.req.Members()
	return convert(d.Add(), refOut), convert(d.Remove(), refOut), d.All
}
