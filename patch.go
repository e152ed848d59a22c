package scim

import (
	"context"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/patch"
)

// Patch is a parsed PATCH request (RFC 7644, Section 3.5.2) for one resource type. It is
// immutable.
type Patch struct {
	t   *ResourceType
	req *patch.Request
}

// ParsePatch parses the body of a PATCH for resources of type t. All tolerances are on. The
// default Limits hold for the result. Its error is an *Error that names the operation or
// the attribute.
func ParsePatch(t *ResourceType, body []byte) (*Patch, error) {
	limits := host.Limits(Limits{}.withDefaults())
	req, err := patch.Parse(t.m, body, patch.Options{Doc: doc.Options{KeepUnknown: t.c.KeepUnknown}, Resource: limits.Resource()})
	if err != nil {
		return nil, outward(err)
	}
	return &Patch{t, req}, nil
}

// Apply applies all operations in order and returns the result. If one of them fails, it
// applies none and returns an *Error. If they change nothing, it returns r itself.
//
// For a group, Apply changes the members that r contains. It ignores a password: see
// Password.
func (p *Patch) Apply(r *Resource) (*Resource, error) {
	after, err := p.req.ApplyTo(patch.NewWork(context.Background()), &r.d)
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

// Password returns the password that the request sets. ok is false if it sets none.
func (p *Patch) Password() (password string, ok bool) { return p.req.Password() }

// Members returns what the request does to the members of a group. If all is true, add
// lists the only members that the group has afterwards. Otherwise the members in add join
// and those in remove leave.
func (p *Patch) Members() (add, remove []Ref, all bool) {
	d := p.req.Members()
	return convert(d.Add(), refOut), convert(d.Remove(), refOut), d.All
}
