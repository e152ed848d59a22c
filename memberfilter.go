package scim

import (
	"context"
	"net/http"

	filter "github.com/scim2/filter-parser/v2"
)

// memberFilter takes "members.value eq" out of a filter and puts the ids of the
// groups in its place, found by an indexed look-up: a MemberStore's groups carry no
// members.
func (o *operation) memberFilter(ctx context.Context, t *ResourceType, q *Query) error {
	if o.t.members == nil || t.m.Members == nil {
		return nil
	}
	rest, err := o.memberTerms(ctx, q.Filter.Expr(), func(ids []string) {
		if q.IDs == nil {
			q.IDs = ids
			return
		}
		keep := map[string]bool{}
		for _, id := range ids {
			keep[id] = true
		}
		both := []string{}
		for _, id := range q.IDs {
			if keep[id] {
				both = append(both, id)
			}
		}
		q.IDs = both
	})
	if err != nil {
		return err
	}
	q.Filter = nil
	if rest != nil {
		q.Filter, err = compileFilter(t, rest, o.use)
	}
	return err
}

// memberTerms replaces the terms about members in e. Those that must hold as a whole
// go to must, and nil stands for a tree of which nothing is left.
func (o *operation) memberTerms(ctx context.Context, e filter.Expression, must func(ids []string)) (filter.Expression, error) {
	id, isMember, err := memberTerm(e)
	if err != nil {
		return nil, err
	}
	if isMember {
		ids, err := o.groupIDs(ctx, id)
		if err != nil {
			return nil, err
		}
		if must != nil {
			must(ids)
			return nil, nil
		}
		return anyID(ids), nil
	}
	switch x := e.(type) {
	case *filter.LogicalExpression:
		if x.Operator != filter.AND {
			must = nil
		}
		l, err := o.memberTerms(ctx, x.Left, must)
		if err != nil {
			return nil, err
		}
		r, err := o.memberTerms(ctx, x.Right, must)
		if err != nil {
			return nil, err
		}
		if l == nil || r == nil {
			if l == nil {
				return r, nil
			}
			return l, nil
		}
		return &filter.LogicalExpression{Left: l, Right: r, Operator: x.Operator}, nil
	case *filter.NotExpression:
		in, err := o.memberTerms(ctx, x.Expression, nil)
		if err != nil {
			return nil, err
		}
		return &filter.NotExpression{Expression: in}, nil
	}
	return e, nil
}

// memberTerm recognises `members.value eq "x"` and `members[value eq "x"]`.
func memberTerm(e filter.Expression) (id string, is bool, err error) {
	bad := refuse(http.StatusBadRequest, "invalidFilter", `members can be filtered by members.value eq "id" only`)
	switch x := e.(type) {
	case *filter.AttributeExpression:
		if x.AttributePath.AttributeName != "members" || x.AttributePath.URIPrefix != nil {
			return "", false, nil
		}
		id, ok := x.CompareValue.(string)
		if !ok || x.Operator != filter.EQ || x.AttributePath.SubAttributeName() != "value" {
			return "", false, bad
		}
		return id, true, nil
	case *filter.ValuePath:
		if x.AttributePath.AttributeName != "members" || x.AttributePath.URIPrefix != nil {
			return "", false, nil
		}
		in, ok := x.ValueFilter.(*filter.AttributeExpression)
		if !ok || in.Operator != filter.EQ || in.AttributePath.AttributeName != "value" {
			return "", false, bad
		}
		id, ok := in.CompareValue.(string)
		if !ok {
			return "", false, bad
		}
		return id, true, nil
	}
	return "", false, nil
}

// groupIDs lists the groups that a user or group with this id is a member of.
func (o *operation) groupIDs(ctx context.Context, id string) ([]string, error) {
	ms, err := o.t.members.GroupsOf(ctx, []Ref{{"User", id}, {"Group", id}})
	if err != nil {
		return nil, err
	}
	ids := []string{}
	seen := map[string]bool{}
	for _, m := range ms {
		if !seen[m.GroupID] {
			seen[m.GroupID] = true
			ids = append(ids, m.GroupID)
		}
	}
	return ids, nil
}

// anyID is a tree that matches the resources of these ids.
func anyID(ids []string) filter.Expression {
	path := filter.AttributePath{AttributeName: "id"}
	if len(ids) == 0 {
		return &filter.NotExpression{Expression: &filter.AttributeExpression{AttributePath: path, Operator: filter.PR}}
	}
	var e filter.Expression
	for _, id := range ids {
		term := &filter.AttributeExpression{AttributePath: path, Operator: filter.EQ, CompareValue: id}
		if e == nil {
			e = term
		} else {
			e = &filter.LogicalExpression{Left: e, Right: term, Operator: filter.OR}
		}
	}
	return e
}
