package directory

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// maxIDs is how many ids may replace the membership terms of one filter. More ids would
// make a huge tree and a huge query from a few bytes of a client.
const maxIDs = Batch

// Viewer says what a client may see, and counts the tolerances that its filters need.
type Viewer struct {
	Use *tolerance.Use
	// MayList returns an error if the client may not list resources of a type.
	MayList func(ctx context.Context, t *model.Type) error
}

// LookUpMembers replaces a filter's membership terms by ids, which it finds by indexed
// look-ups. It finds the groups of a member for "members.value eq", and the members of a
// group for "groups.value eq". A filter cannot read these attributes from stored resources:
// the groups of a MemberStore carry no members, and no user carries groups. All other parts
// of these attributes are computed when an answer is written. So LookUpMembers refuses
// every other term about them, with every store. It leaves `members pr` to Page.
func (t Directory) LookUpMembers(ctx context.Context, rt *model.Type, q *host.Query, by Viewer) error {
	a := t.Derived(rt)
	if a == nil {
		return nil
	}
	m := &memberTerms{dir: t, by: by, a: a, ids: map[memberTerm][]string{}}
	rest, err := m.replace(ctx, q.Filter.Expr(), true)
	if err != nil {
		return err
	}
	if len(m.ids) > 0 {
		q.Filter = nil
		if rest != nil {
			if q.Filter, err = match.Compile(rt, rest, by.Use); err != nil {
				return err
			}
		}
	}
	if !m.limited {
		return nil
	}
	q.IDs = m.must
	if id, ok := q.Filter.Eq("id"); ok {
		// Entra asks whether one user is in one group. The user may be in many.
		if q.IDs = []string{}; slices.Contains(m.must, id) {
			q.IDs = []string{id}
		}
	}
	if len(q.IDs) > maxIDs {
		return tooManyIDs(a)
	}
	return nil
}

// memberTerms replaces the terms about one computed attribute in a tree.
type memberTerms struct {
	dir Directory
	by  Viewer
	a   *model.Attribute
	ids map[memberTerm][]string // the results of earlier look-ups
	n   int                     // the number of ids in the tree so far
	// must are the only resources that can match. It counts only if limited is set.
	must    []string
	limited bool
}

// memberTerm is what a term asks for: the id of a member or group, and the member's type if
// the term has one.
type memberTerm struct{ id, typ string }

// replace replaces the terms in e. whole says that e must hold for every match. Then
// replace moves the ids of a term to must, and returns nil for a tree with nothing left.
func (m *memberTerms) replace(ctx context.Context, e filter.Expression, whole bool) (filter.Expression, error) {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		whole = whole && x.Operator == filter.AND
		l, err := m.replace(ctx, x.Left, whole)
		if err != nil {
			return nil, err
		}
		r, err := m.replace(ctx, x.Right, whole)
		switch {
		case err != nil:
			return nil, err
		case l == nil:
			return r, nil
		case r == nil:
			return l, nil
		}
		return &filter.LogicalExpression{Left: l, Right: r, Operator: x.Operator}, nil
	case *filter.NotExpression:
		in, err := m.replace(ctx, x.Expression, false)
		return &filter.NotExpression{Expression: in}, err
	}
	if m.a.Name == "members" && isMembersPresent(e) {
		return e, nil // Page answers it
	}
	term, is, err := m.term(e)
	if !is || err != nil {
		return e, err
	}
	if m.dir.stores.Members == nil && m.a.Name == "members" && term.typ == "" {
		return e, nil // the store's groups have this attribute, and the store may have an index
	}
	ids, known := m.ids[term]
	if !known {
		if ids, err = m.find(ctx, term); err != nil {
			return nil, err
		}
		m.ids[term] = ids
	}
	if !whole {
		if m.n += len(ids); m.n > maxIDs {
			return nil, tooManyIDs(m.a)
		}
		return AnyID(ids), nil
	}
	if !m.limited {
		m.must, m.limited = ids, true
		return nil, nil
	}
	keep := make(map[string]bool, len(ids))
	for _, id := range ids {
		keep[id] = true
	}
	both := []string{}
	for _, id := range m.must {
		if keep[id] {
			both = append(both, id)
		}
	}
	m.must = both
	return nil, nil
}

// term recognises `members.value eq "x"`, `members[value eq "x"]` and `members[value eq "x"
// and type eq "User"]`, and the first two forms for groups. It returns an error for any
// other term about the attribute.
func (m *memberTerms) term(e filter.Expression) (t memberTerm, is bool, err error) {
	mine := func(p filter.AttributePath) bool { return p.URIPrefix == nil && p.AttributeName == m.a.Name }
	ok := false
	switch x := e.(type) {
	case *filter.AttributeExpression:
		if is = mine(x.AttributePath); is {
			t.id, ok = x.CompareValue.(string)
			ok = ok && x.Operator == filter.EQ && x.AttributePath.SubAttributeName() == "value"
		}
	case *filter.ValuePath:
		if is = mine(x.AttributePath); is {
			ok = m.inside(x.ValueFilter, &t) && t.id != ""
		}
	}
	if is && !ok {
		allowed := m.a.Name + `.value eq "id"`
		if m.a.Name == "members" {
			allowed += `, members[value eq "id" and type eq "User"] and members pr`
		}
		return t, true, fault.Refuse(http.StatusBadRequest, "invalidFilter", "filters on "+m.a.Name+" support only "+allowed)
	}
	return t, is, nil
}

// inside reads the filter in the brackets of a value path.
func (m *memberTerms) inside(e filter.Expression, t *memberTerm) bool {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		return x.Operator == filter.AND && m.inside(x.Left, t) && m.inside(x.Right, t)
	case *filter.AttributeExpression:
		s, ok := x.CompareValue.(string)
		into := map[string]*string{"value": &t.id}
		if m.a.Name == "members" {
			into["type"] = &t.typ
		}
		dst := into[x.AttributePath.AttributeName]
		if !ok || x.Operator != filter.EQ || dst == nil || *dst != "" {
			return false
		}
		*dst = s
		return s != ""
	}
	return false
}

// find looks up the resources that match a term.
func (m *memberTerms) find(ctx context.Context, t memberTerm) ([]string, error) {
	if m.a.Name == "groups" {
		return m.usersIn(ctx, t.id)
	}
	var refs []host.Ref
	for _, name := range []string{"User", "Group"} {
		if t.typ == "" || model.FoldName(t.typ) == model.FoldName(name) {
			refs = append(refs, host.Ref{Type: name, ID: t.id})
		}
	}
	ms, err := m.dir.GroupsOf(ctx, refs)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	seen := map[string]bool{}
	for _, one := range ms {
		if !seen[one.GroupID] {
			seen[one.GroupID] = true
			ids = append(ids, one.GroupID)
		}
	}
	return ids, nil
}

// usersIn lists the users who belong to a group. A client that may not list groups does not
// see them in users either.
func (m *memberTerms) usersIn(ctx context.Context, groupID string) ([]string, error) {
	if err := m.by.MayList(ctx, m.dir.types.Group); err != nil {
		return nil, err
	}
	ids := []string{}
	group, err := m.dir.Fetch(ctx, host.Ref{Type: m.dir.types.Group.Name, ID: groupID})
	switch {
	case host.IsNotFound(err):
		return ids, nil
	case err != nil:
		return nil, err
	}
	err = m.dir.UsersBelow(ctx, []string{group.ID}, func(page []string) error {
		if page, err = m.dir.belonging(ctx, page, group.ID); err != nil {
			return err
		}
		if ids = append(ids, page...); len(ids) > maxIDs {
			return tooManyIDs(m.a)
		}
		return nil
	})
	if errors.Is(err, host.ErrNotFound) { // deleted meanwhile
		return []string{}, nil
	}
	return ids, err
}

// belonging returns those of the users below a group who belong to it. They all do, unless
// groups in groups are circles or too deep.
func (t Directory) belonging(ctx context.Context, users []string, group string) ([]string, error) {
	if !t.policy.Nested {
		return users, nil
	}
	refs := make([]host.Ref, len(users))
	for i, id := range users {
		refs[i] = host.Ref{Type: t.types.User.Name, ID: id}
	}
	c, err := t.Closure(ctx, refs, nil)
	if err != nil {
		return nil, err
	}
	var in []string
	for i, id := range users {
		paths, err := c.Paths(ctx, refs[i])
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(paths, func(p Path) bool { return p.GroupID == group }) {
			in = append(in, id)
		}
	}
	return in, nil
}

func tooManyIDs(a *model.Attribute) *fault.Error {
	return fault.Refuse(http.StatusBadRequest, "tooMany",
		fmt.Sprintf("the filter's terms about %s stand for more than %d resources: ask for fewer, or narrow it down by id", a.Name, maxIDs))
}

// AnyID is a tree that matches the resources of these ids. It is balanced, because
// databases limit the depth of an expression.
func AnyID(ids []string) filter.Expression {
	path := filter.AttributePath{AttributeName: "id"}
	switch half := len(ids) / 2; len(ids) {
	case 0:
		return &filter.NotExpression{Expression: &filter.AttributeExpression{AttributePath: path, Operator: filter.PR}}
	case 1:
		return &filter.AttributeExpression{AttributePath: path, Operator: filter.EQ, CompareValue: ids[0]}
	default:
		return &filter.LogicalExpression{Left: AnyID(ids[:half]), Right: AnyID(ids[half:]), Operator: filter.OR}
	}
}
