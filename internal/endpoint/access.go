package endpoint

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/roles"
)

// What a client may read and write depends on the scopes of its token and on Tenant.Allow. All
// of it is decided in this file:
//
//   - may: an operation on a type, asked for each operation. Nothing is read before.
//   - mayList: whether answers about other types may show something of a type.
//   - mayGiveRoles: whether a write may change role attributes.
//   - hidden: the attributes that the client may not know. What enters a request or leaves it
//     goes past them: Document.Hide makes what the client sees, with a version of its own, and
//     what a write starts from. Document.Replace puts the hidden values back afterwards, so a
//     write neither reads nor changes them. refuseHidden judges filters and sorting.

// may asks whether the client may do an operation.
func (r *request) may(ctx context.Context, op host.Op, t *model.Type, id string, q *host.Query) error {
	if r.who.Scopes != nil {
		if scope := r.t.Types.ScopeOf(t); !r.who.Has(scope) {
			return noScope(scope)
		}
	}
	if r.t.Allow == nil {
		return nil
	}
	err := r.t.Allow(ctx, host.Access{Op: op, Type: t.Name, ID: id, Query: q, Principal: r.who})
	var e *fault.Error
	if err != nil && !errors.As(err, &e) {
		return &fault.Error{Status: http.StatusForbidden, Detail: "this token may not do that", Err: err}
	}
	return err
}

func noScope(scope string) error {
	return fault.Refuse(http.StatusForbidden, "", "this token does not have the scope "+fault.Quote(scope))
}

// maySee asks whether the client may read a resource that it writes.
func (r *request) maySee(ctx context.Context, t *model.Type, id string) bool {
	return r.may(ctx, host.OpGet, t, id, nil) == nil
}

// mayGiveRoles asks whether the client may change attributes that name roles. Groups give
// roles too, so a client that may not change groups may not do that.
func (r *request) mayGiveRoles(ctx context.Context, hidden []*model.Attribute) error {
	switch {
	case hidden == nil && (r.t.Roles == nil || len(r.t.Roles.Attributes) == 0):
		return nil // there are none
	case r.t.Types.Group != nil:
		return r.may(ctx, host.OpPatch, r.t.Types.Group, "", nil)
	case !r.who.Has(host.ScopeGroups):
		return noScope(host.ScopeGroups)
	}
	return nil
}

// mayList asks whether the client may list resources of a type. If not, answers do not show
// them in resources of other types either. It asks the application once in a request.
func (r *request) mayList(ctx context.Context, t *model.Type) error {
	if r.t.Allow == nil {
		return r.may(ctx, host.OpList, t, "", nil)
	}
	err, asked := r.listed[t]
	if !asked {
		if r.listed == nil {
			r.listed = map[*model.Type]error{}
		}
		err = r.may(ctx, host.OpList, t, "", &host.Query{})
		r.listed[t] = err
	}
	return err
}

// hidden lists the attributes of a type that the client may not know: who may not list groups
// knows neither the groups of a user nor the attributes that give roles as groups do.
// Computed attributes are not among them. The client knows none of their values if it may
// list nothing that they come from.
func (r *request) hidden(ctx context.Context, t *model.Type) []*model.Attribute {
	if t == nil || t != r.t.Types.User {
		return nil
	}
	var hidden []*model.Attribute
	if r.t.Roles != nil {
		hidden = r.t.Roles.Attributes
	}
	groups := t.Root.Lookup("groups")
	if groups == r.dir.Derived(t) {
		groups = nil
	}
	if len(hidden) == 0 && groups == nil || r.mayKnowGroups(ctx) {
		return nil
	}
	if groups != nil {
		hidden = append(slices.Clone(hidden), groups)
	}
	return hidden
}

func (r *request) mayKnowGroups(ctx context.Context) bool {
	if r.t.Types.Group == nil {
		return r.who.Has(host.ScopeGroups)
	}
	return r.mayList(ctx, r.t.Types.Group) == nil
}

// visible is a resource as the client sees it, without what is computed.
func (r *request) visible(ctx context.Context, d *doc.Document) *doc.Document {
	return d.Hide(r.hidden(ctx, d.Type))
}

// refuseHidden refuses a query that names an attribute that the client may not know. The
// answer is the same whatever the values are.
func (r *request) refuseHidden(ctx context.Context, t *model.Type, q *host.Query) error {
	hidden := r.hidden(ctx, t)
	if hidden == nil {
		return nil
	}
	tells := func(a *model.Attribute) bool { return tellsOf(hidden, a) }
	if a := t.Find(q.SortBy); q.SortBy != "" && a != nil && tells(a) {
		return mayNotKnow("sortBy: ", a)
	}
	if a := q.Filter.Find(tells); a != nil {
		return mayNotKnow("filter: ", a)
	}
	return nil
}

// tellsOf reports whether a value of a tells something of a hidden attribute. So do the time of
// the last change and the version. The schemas of a resource tell which extensions it has.
func tellsOf(hidden []*model.Attribute, a *model.Attribute) bool {
	if a.Meta {
		return a.Name == "lastModified" || a.Name == "version" ||
			a.Name == "schemas" && slices.ContainsFunc(hidden, func(h *model.Attribute) bool { return h.Parent.Extension })
	}
	return slices.ContainsFunc(hidden, func(h *model.Attribute) bool { return roles.IsWithin(a, h) || roles.IsWithin(h, a) })
}

func mayNotKnow(what string, a *model.Attribute) error {
	why := " gives roles, as groups do, or tells of attributes that do, and this token may not read groups"
	return fault.Refuse(http.StatusForbidden, "", what+a.Path+why)
}

// sight is what a client may know of the resource that it writes.
type sight uint8

const (
	seesAll sight = iota
	// seesMost says that the client may change role attributes that it may not know.
	seesMost
	// isBlind says that the client may not read the resource. Answers show nothing of it.
	isBlind
)

// permit is what a client may do with the resource that it writes.
type permit struct {
	sight sight
	// noRoles refuses changes of role attributes. Nil: the client may give roles.
	noRoles error
	// hidden are the attributes that the client may neither know nor change. If there are
	// any, noRoles is set.
	hidden []*model.Attribute
}

// permitFor asks what the client may do with a resource, id "" for a new one.
func (r *request) permitFor(ctx context.Context, t *model.Type, id string) (p permit) {
	if t == r.t.Types.User {
		p.hidden = r.hidden(ctx, t)
		p.noRoles = r.mayGiveRoles(ctx, p.hidden)
		if p.noRoles == nil && p.hidden != nil {
			p.hidden, p.sight = nil, seesMost
		}
	}
	if id != "" && !r.maySee(ctx, t, id) {
		p.sight = isBlind
	}
	return p
}

// find finds an attribute among values that the client may not know, or nil.
func (p *permit) find(t *model.Type, values []doc.Value) *model.Attribute {
	d := doc.Document{Type: t, Values: values}
	for _, a := range p.hidden {
		if d.Find(a).Attr != nil {
			return a
		}
	}
	return nil
}

// admit refuses an edit that names an attribute which the client may not know, even by its
// present value: that would tell the value. before is nil for a new resource.
func (p *permit) admit(t *host.Tenant, before *doc.Document, e *edit) error {
	switch {
	case p.noRoles == nil:
		return nil
	case before != nil && before.Type == t.Types.User && before.Active() && !e.after.Active():
		// Nothing but an exemption stops a deactivation.
		e.after = roles.KeepAttributes(t, before, e.after)
		return nil
	case e.hidden != nil:
		return p.refuse(e.hidden, "read or change groups, which give roles; leave it out")
	}
	return nil
}

// refuse is the error for a change of an attribute that gives roles.
func (p *permit) refuse(a *model.Attribute, why string) error {
	if host.Answer(p.noRoles).Status >= http.StatusInternalServerError {
		return p.noRoles // the application could not judge
	}
	return &fault.Error{Status: http.StatusForbidden, Err: p.noRoles, Detail: a.Path + ": gives roles, and this token may not " + why}
}

// tellLosses puts into the refusal of the breaker how many users have roles, if the client may know it. It asks the
// application, so it comes after the transaction.
func (r *request) tellLosses(ctx context.Context, err error) error {
	losses, ok := errors.AsType[roles.LossesError](err)
	e, isAnswer := errors.AsType[*fault.Error](err)
	if !ok || !isAnswer || !r.mayKnowGroups(ctx) {
		return err
	}
	told := *e
	told.Detail, told.Err = losses.Error(), nil
	return &told
}
