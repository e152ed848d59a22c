// Package patch parses and applies PATCH requests (RFC 7644, Section 3.5.2).
//
// Parse parses a request once and resolves it against the resource type. Apply makes new
// values from old ones, and may run any number of times. The values never contain group
// members or the password: Members and Password return them.
package patch

import (
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Options configure how a request is read.
type Options struct {
	Doc      doc.Options       // how to decode values, and the tolerances
	Resource doc.Limits        // what the resource may hold after the request
	MaxOps   int               // the most operations in one request; 0 means 10,000
	Limits   filterlang.Limits // the limits of each path
	MaxDepth int               // the most levels of nested JSON; 0 means 32
	// MaxMembers is how many members all operations together may name; 0 means any number.
	MaxMembers int
	// IsBlind says that the client may not read the resource. Whether a filter in a path
	// matches must not show in the answer.
	IsBlind bool
	// Hidden are attributes that the client may neither know nor change. Operations on them do
	// nothing, and Request.Hidden names one. Apply does not read them.
	Hidden []*model.Attribute
}

// Request is a parsed PATCH. It never changes after Parse. It is not safe for concurrent
// use, because Apply records the tolerances that it uses.
type Request struct {
	// Hidden is an attribute of Options.Hidden that an operation names. It is nil if there is none.
	Hidden *model.Attribute

	t        *model.Type
	o        Options
	tol      *tolerance.Use
	changes  []change
	members  member.Delta
	password *string
	ops      int
	ignored  []string
	named    int // the number of members that operations name
	kept     int // the number of operations on attributes that no schema has
}

// maxIgnored bounds the list of Ignored, because people read it.
const maxIgnored = 20

// Parse reads the body of a PATCH request for a resource of type t. It resolves every
// operation and decodes its value. Apply does only what depends on the resource itself. An
// error is a *fault.Error, and the Request is then nil.
func Parse(t *model.Type, body []byte, o Options) (*Request, error) {
	if o.MaxOps == 0 {
		o.MaxOps = 10_000
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = 32
	}
	r := &Request{t: t, o: o, tol: o.Doc.Tol}
	ops, err := envelope(body, o)
	if err != nil {
		return nil, err
	}
	r.ops = len(ops)
	for i := range ops {
		if err := r.compile(&ops[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Apply returns values after all operations, in order. It does not change its argument. On
// an error it applies no operation (RFC 7644, Section 3.5.2). The caller must check
// required and immutable attributes on the result, and its limits. Apply itself refuses an
// operation that makes too many values, or too large a resource. It ends if w does.
func (r *Request) Apply(w *match.Work, values []doc.Value) ([]doc.Value, error) {
	s := state{r: r, root: r.t.Root, lists: map[*model.Attribute]*list{}, work: w, room: room{limits: r.o.Resource}}
	err := s.measure(values)
	if s.limits.Size > 0 {
		s.most = max(s.limits.Size, s.size)
	}
	for i := 0; err == nil && i < len(r.changes); i++ {
		values, err = s.apply(values, &r.changes[i], true)
	}
	if err != nil {
		return nil, err
	}
	return s.close(values), nil
}

// ApplyTo is Apply to a whole resource, and checks the result.
func (r *Request) ApplyTo(w *match.Work, before *doc.Document) (*doc.Document, error) {
	shown := before.Hide(r.o.Hidden)
	values, err := r.Apply(w, shown.Values)
	if err != nil {
		return nil, err
	}
	// The limits would otherwise tell how long a hidden value is.
	if err := doc.CheckLimits(r.o.Resource, r.t, shown.Values, values); err != nil {
		return nil, err
	}
	if err := doc.CheckKept(r.t, shown.Values, values); err != nil {
		return nil, err
	}
	after := before.Replace(values, r.o.Hidden)
	return after, doc.Validate(before, r.t, after.Values)
}

// Members returns the operations on the type's Members, folded into one change. Apply does
// not apply it. It is not Touched if there were none.
func (r *Request) Members() *member.Delta { return &r.members }

// ChangesOnly reports whether no operation of a request changes anything of the resource but an attribute.
// Nil: none changes anything but the members.
func ChangesOnly(r *Request, a *model.Attribute) bool {
	if r.password != nil || a != nil && r.members.Touched() {
		return false
	}
	return !slices.ContainsFunc(r.changes, func(c change) bool { return c.attr != a || a == nil })
}

// Password returns the last password that the request sets.
func (r *Request) Password() (string, bool) {
	if r.password == nil {
		return "", false
	}
	return *r.password, true
}

// Named returns how many members the operations name.
func (r *Request) Named() int { return r.named }

// Ops returns the number of operations.
func (r *Request) Ops() int { return r.ops }

// Ignored lists the paths that Parse ignored because no schema has them or because they are
// read-only. It has each path once, and at most twenty.
func (r *Request) Ignored() []string { return slices.Clone(r.ignored) }

func (r *Request) ignore(path string) {
	path = fault.ClipTo(120, path)
	if len(r.ignored) < maxIgnored && !slices.Contains(r.ignored, path) {
		r.ignored = append(r.ignored, path)
	}
}

// unknown handles a path that no schema has. It ignores the path unless the application is
// strict: an error would keep the client from ever updating the rest of the resource.
func (r *Request) unknown(path string) error {
	if !r.tol.Allow(tolerance.UnknownAttribute, path) {
		return fault.New(fault.InvalidPath, "%s: the resource type %s has no such attribute", fault.Clip(path), r.t.Name)
	}
	r.ignore(path)
	return nil
}

// readOnly handles a read-only attribute inside a value: clients send back what they have
// read. It does not report attributes that every client sends.
func (r *Request) readOnly(a *model.Attribute, path string) error {
	if !r.tol.Allow(tolerance.ReadOnlyInValue, path) {
		return notWritable(path)
	}
	if !a.Meta && a.Path != "groups" {
		r.ignore(path)
	}
	return nil
}

func notWritable(path string) error {
	return fault.New(fault.Mutability, "%s: is read-only; the server sets it", fault.Clip(path))
}
