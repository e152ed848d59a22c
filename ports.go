package scim

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
)

// This file adapts what the application supplies to what internal packages call. Each port
// passes the application's errors through inward, and turns its panics into errors. Each
// call-back of the application passes internal errors through outward.

// port is a part of the application. Its panics become errors.
type port[T any] struct {
	app T
	host.Guard
}

// inward converts an error of the application to one that internal packages understand.
func inward(err error) error {
	if err == nil {
		return nil // before anything is allocated for the search of the chain
	}
	var f *fault.Error
	var s scimerrors.ScimError
	e := meaning(err)
	switch {
	case e == nil:
		if errors.As(err, &s) {
			return &foreign{err, &fault.Error{Status: s.Status, Type: string(s.ScimType), Detail: s.Detail}}
		}
		return err
	case err == error(e):
		return (*fault.Error)(e)
	case errors.As(err, &f) && (*Error)(f) == e:
		return err
	}
	return &translated{err, e}
}

// failed is inward for a call that refuses nothing. Its error means that the application could
// not do something, whatever it wraps: an answer of another service, or one of this package's
// errors. Only an answer of 500 and above stays, such as 503 with RetryAfter.
func failed(err error) error {
	switch e := meaning(err); {
	case err == nil, e != nil && e.Status >= http.StatusInternalServerError:
		return inward(err)
	case e == nil && (errors.Is(err, host.ErrStale) || errors.Is(err, context.DeadlineExceeded)):
		return inward(err) // the server is busy
	}
	return &translated{err, &Error{Status: http.StatusInternalServerError, Detail: "the server could not do this", Err: err}}
}

// outward converts an internal error to one that the application understands.
func outward(err error) error {
	if err == nil {
		return nil
	}
	var is *Error
	e := meaning(err)
	switch {
	case e == nil || errors.As(err, &is) && is == e:
		return err
	case err == error((*fault.Error)(e)):
		return e
	}
	return &translated{err, e}
}

// meaning finds the outermost error with a status in the chain of err, in the order of
// errors.As. An application may wrap an error of ours in an *Error of its own. It then
// means its own.
func meaning(err error) *Error {
	for err != nil {
		switch e := err.(type) {
		case *Error:
			return e
		case *fault.Error:
			return (*Error)(e)
		case interface{ As(target any) bool }:
			var as *Error
			if e.As(&as) {
				return as
			}
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, one := range e.Unwrap() {
				if m := meaning(one); m != nil {
					return m
				}
			}
			return nil
		default:
			return nil
		}
	}
	return nil
}

// translated is an error with one meaning, which both sides find first.
type translated struct {
	err error
	as  *Error
}

func (t *translated) Error() string { return t.err.Error() }

func (t *translated) Unwrap() error { return t.err }

// As implements the method that errors.As looks for.
func (t *translated) As(target any) bool {
	switch to := target.(type) {
	case **Error:
		*to = t.as
	case **fault.Error:
		*to = (*fault.Error)(t.as)
	default:
		return false
	}
	return true
}

// foreign is an error of another SCIM library. It answers a request that fails with it,
// and means nothing else: it may come from a request of the application's own.
type foreign struct {
	error
	as *fault.Error
}

func (f *foreign) Unwrap() error { return f.error }

// Answer implements host.Answerer.
func (f *foreign) Answer() *fault.Error { return f.as }

// document returns the internal form of a resource. It is a part of r, so the pointer is
// the same each time.
func document(r *Resource) *doc.Document {
	if r == nil {
		return nil
	}
	return &r.d
}

// resource returns the public form of a document.
func resource(d *doc.Document) *Resource {
	if d == nil {
		return nil
	}
	return &Resource{t: d.Type.Owner.(*ResourceType), d: *d}
}

// convert returns list with each element converted. A nil list stays nil.
func convert[To, From any](list []From, one func(From) To) []To {
	if list == nil {
		return nil
	}
	out := make([]To, len(list))
	for i, e := range list {
		out[i] = one(e)
	}
	return out
}

func refIn(r Ref) host.Ref  { return host.Ref(r) }
func refOut(r host.Ref) Ref { return Ref(r) }

type storePort port[Store]

func (p storePort) Create(ctx context.Context, d *doc.Document) (_ *doc.Document, err error) {
	defer p.Catch(&err)
	r, err := p.app.Create(ctx, resource(d))
	return document(r), inward(err)
}

func (p storePort) Get(ctx context.Context, ref host.Ref) (_ *doc.Document, err error) {
	defer p.Catch(&err)
	r, err := p.app.Get(ctx, Ref(ref))
	return document(r), inward(err)
}

func (p storePort) List(ctx context.Context, t *model.Type, q *host.Query) (_ *host.Page, err error) {
	defer p.Catch(&err)
	page, err := p.app.List(ctx, t.Owner.(*ResourceType), queryOut(q))
	if err != nil {
		return nil, inward(err)
	}
	return &host.Page{Resources: convert(page.Resources, document), Total: page.Total, Cut: page.Cut, Groups: convert(page.Groups, membershipIn)}, nil
}

func (p storePort) Update(ctx context.Context, ref host.Ref, fn func(*doc.Document) (*doc.Document, error)) (_ *doc.Document, err error) {
	defer p.Catch(&err)
	r, err := p.app.Update(ctx, Ref(ref), func(before *Resource) (*Resource, error) {
		after, err := fn(&before.d)
		switch {
		case err != nil:
			return nil, outward(err)
		case after == &before.d: // nothing is written
			return before, nil
		}
		return resource(after), nil
	})
	return document(r), inward(err)
}

func (p storePort) Delete(ctx context.Context, ref host.Ref, check func(*doc.Document) error) (err error) {
	defer p.Catch(&err)
	return inward(p.app.Delete(ctx, Ref(ref), func(before *Resource) error { return outward(check(&before.d)) }))
}

func queryOut(q *host.Query) *Query {
	return &Query{Filter: filterOut(q.Filter), IDs: q.IDs, SortBy: q.SortBy, Descending: q.Descending,
		Offset: q.Offset, After: (*PageKey)(q.After), Limit: q.Limit, Total: q.Total, MaxBytes: q.MaxBytes, WithoutAttributes: q.WithoutAttributes, WithGroups: q.WithGroups,
		ForClient: q.ForClient, MaxComparisons: q.MaxComparisons, work: q.Work}
}

func filterOut(m *match.Filter) *Filter {
	if m == nil {
		return nil
	}
	return &Filter{m}
}

type txPort port[Transactor]

func (p txPort) InTx(ctx context.Context, fn func(ctx context.Context) error) (err error) {
	defer p.Catch(&err)
	return inward(p.app.InTx(ctx, func(ctx context.Context) error { return outward(fn(ctx)) }))
}

type membersPort port[MemberStore]

func (p membersPort) Members(ctx context.Context, groupID string, after host.Ref, limit int) (_ []host.Member, err error) {
	defer p.Catch(&err)
	list, err := p.app.Members(ctx, groupID, Ref(after), limit)
	return convert(list, func(m Member) host.Member {
		return host.Member{Ref: host.Ref(m.Ref), Display: m.Display}
	}), inward(err)
}

func (p membersPort) GroupsOf(ctx context.Context, members []host.Ref) (_ []host.Membership, err error) {
	defer p.Catch(&err)
	list, err := p.app.GroupsOf(ctx, convert(members, refOut))
	return convert(list, membershipIn), inward(err)
}

func membershipIn(m Membership) host.Membership {
	return host.Membership{GroupID: m.GroupID, Member: host.Ref(m.Member), Since: m.Since, Display: m.Display}
}

func (p membersPort) ChangeMembers(ctx context.Context, groupID string, add, remove []host.Ref) (added, removed []host.Ref, err error) {
	defer p.Catch(&err)
	a, r, err := p.app.ChangeMembers(ctx, groupID, convert(add, refOut), convert(remove, refOut))
	return convert(a, refIn), convert(r, refIn), inward(err)
}

type passwordPort port[PasswordSetter]

func (p passwordPort) SetPassword(ctx context.Context, userID, password string) (err error) {
	defer p.Catch(&err)
	return inward(p.app.SetPassword(ctx, userID, password))
}

type deactivatorPort port[Deactivator]

func (p deactivatorPort) Deactivate(ctx context.Context, user *doc.Document) (err error) {
	defer p.Catch(&err)
	return inward(p.app.Deactivate(ctx, resource(user)))
}

type claimerPort port[Claimer]

func (p claimerPort) IsClaimed(ctx context.Context, ref host.Ref) (_ bool, err error) {
	defer p.Catch(&err)
	yes, err := p.app.IsClaimed(ctx, Ref(ref))
	return yes, inward(err)
}

func (p claimerPort) Claim(ctx context.Context, ref host.Ref) (err error) {
	defer p.Catch(&err)
	return inward(p.app.Claim(ctx, Ref(ref)))
}

func (p claimerPort) UnclaimedMembers(ctx context.Context, groupID string, after host.Ref, limit int) (_ []host.Ref, err error) {
	defer p.Catch(&err)
	list, err := p.app.UnclaimedMembers(ctx, groupID, Ref(after), limit)
	return convert(list, refIn), inward(err)
}

type exempterPort port[Exempter]

func (p exempterPort) Exempt(ctx context.Context, userIDs []string) (_ []string, err error) {
	defer p.Catch(&err)
	exempt, err := p.app.Exempt(ctx, userIDs)
	return exempt, inward(err)
}

// rulesPort returns a function that runs the tenant's rules over a change.
func rulesPort(c *Tenant, types *host.Types, g host.Guard) func(context.Context, *host.Change) error {
	if len(c.Rules) == 0 {
		return nil
	}
	return func(ctx context.Context, in *host.Change) (err error) {
		defer g.Catch(&err)
		out := &Change{Op: Op(in.Op), Before: resource(in.Before), After: resource(in.After), Add: convert(in.Add, refOut),
			Remove: convert(in.Remove, refOut), Principal: Principal(in.Principal), Tenant: c, SetsPassword: in.SetsPassword}
		for _, rule := range c.Rules {
			if err := rule(ctx, out); err != nil {
				return inward(err)
			}
			if out.Op != OpDelete && (out.After == nil || in.Before != nil && out.After.ID() != in.Before.ID || types.Named(out.After.t.Name()) != out.After.t.m) {
				return errors.New("scim: a rule replaced Change.After by another resource")
			}
		}
		in.After, in.Adopt, in.Add = document(out.After), out.Adopt, convert(out.Add, refIn)
		in.SetsPassword, in.Reconcile, in.Left = out.SetsPassword, out.Reconcile, out.Left
		return nil
	}
}

// writtenPort returns a function that tells the application of a write.
func writtenPort(c *Tenant, g host.Guard) func(context.Context, *host.Written) error {
	if c.OnWrite == nil {
		return nil
	}
	return func(ctx context.Context, w *host.Written) (err error) {
		defer g.Catch(&err)
		return inward(c.OnWrite(ctx, &Written{Op: Op(w.Op), Before: resource(w.Before), After: resource(w.After), Adopted: w.IsAdopted,
			Add: convert(w.Add, refOut), Remove: convert(w.Remove, refOut), Principal: Principal(w.Principal), Tenant: c}))
	}
}

// allowPort returns a function that asks the application whether it allows an operation.
func allowPort(allow func(context.Context, Access) error, g host.Guard) func(context.Context, host.Access) error {
	if allow == nil {
		return nil
	}
	return func(ctx context.Context, a host.Access) (err error) {
		defer g.Catch(&err)
		out := Access{Op: Op(a.Op), Type: a.Type, ID: a.ID, Principal: Principal(a.Principal)}
		if a.Query != nil {
			out.Query = queryOut(a.Query)
		}
		return inward(allow(ctx, out))
	}
}

func selfPort(m *SelfService) *host.Self {
	if m == nil {
		return nil
	}
	return &host.Self{Writable: m.Writable, UserOf: func(ctx context.Context, p host.Principal) (string, error) {
		id, err := m.UserOf(ctx, Principal(p))
		return id, inward(err)
	}}
}

// eventPort returns a function that passes events to the application. A panic there loses
// one event and nothing else.
func eventPort(receive func(context.Context, Event), g host.Guard) func(context.Context, host.Event) {
	if receive == nil {
		return nil
	}
	return func(ctx context.Context, e host.Event) {
		var lost error
		defer g.Catch(&lost)
		receive(ctx, eventOut(e))
	}
}

func eventOut(e host.Event) Event {
	return Event{Kind: EventKind(e.Kind), Tenant: e.Tenant, Principal: e.Principal, Resource: Ref(e.Resource), Member: Ref(e.Member),
		Role: Role(e.Role), Sources: convert(e.Sources, sourceOut), Reason: e.Reason, Tolerance: Tolerance(e.Tolerance), Path: e.Path, At: e.At}
}

type authPort struct{ Authenticator }

func (p authPort) Authenticate(r *http.Request) (host.Principal, error) {
	who, err := p.Authenticator.Authenticate(r)
	return host.Principal(who), inward(err)
}

func (p authPort) Challenge() string {
	if c, ok := p.Authenticator.(Challenger); ok {
		return c.Challenge()
	}
	return "Bearer"
}

func (p authPort) Schemes() []discovery.Scheme {
	if s, ok := p.Authenticator.(SchemeLister); ok {
		return convert(s.Schemes(), func(a AuthScheme) discovery.Scheme { return discovery.Scheme(a) })
	}
	return nil
}

// tenantPort returns a function that finds the tenant of a request. If find is nil, it
// returns single.
func tenantPort(find func(context.Context, Principal) (*Tenant, error), single *host.Tenant, g host.Guard, calls host.Calls) func(context.Context, host.Principal) (*host.Tenant, error) {
	if find == nil {
		return func(context.Context, host.Principal) (*host.Tenant, error) { return single, nil }
	}
	return func(ctx context.Context, who host.Principal) (*host.Tenant, error) {
		t, err := find(ctx, Principal(who))
		switch {
		case err != nil:
			return nil, inward(err)
		case t == nil:
			return nil, errors.New("scim: TenantFor returned no tenant and no error")
		}
		b, err := bindTenant(t, g, calls)
		if err != nil {
			return nil, fmt.Errorf("scim: tenant %q is not usable: %w", t.ID, err)
		}
		return b, nil
	}
}
