package patch

import (
	"github.com/go-json-experiment/json/jsontext"
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// setMembers folds an operation on a group's members into the delta. So the server does not
// read or write the members that the operation does not name.
func (r *Request) setMembers(tg target, op verb, raw jsontext.Value) error {
	switch {
	case tg.sub != nil && model.FoldName(tg.sub.Name) == "display":
		return r.readOnly(tg.sub, tg.text) // the server computes it (Q35)
	case tg.sub != nil || tg.where != nil && op != remove:
		kind := fault.InvalidPath
		if tg.sub != nil { // RFC 7643, Section 4.2: the parts of a member are immutable
			kind = fault.Mutability
		}
		return fault.New(kind, "%s: a member can't be changed, only added or removed; use %q with a list of values, or remove %q",
			fault.Clip(tg.text), tg.attr.Path, tg.attr.Path+`[value eq "id"]`)
	case tg.where != nil:
		return r.leaveMatching(tg.where)
	case op == remove && isNull(raw):
		r.members.Clear()
		return nil
	}
	if op == remove && !r.tol.Allow(tolerance.RemoveByValue, tg.attr.Path) {
		return fault.New(fault.InvalidValue, `%s: remove takes no value; use a path such as %s[value eq "id"]`, tg.attr.Path, tg.attr.Path)
	}
	o := r.o.Doc
	o.MaxMembers = r.o.MaxMembers
	v, err := doc.DecodeValue(tg.attr, unwrap(tg.attr, raw, r.tol), o)
	if err == nil {
		err = nameMembers(r, len(v.Kids()))
	}
	if err != nil {
		return err
	}
	if op == replace {
		r.members.Clear()
	}
	for _, e := range v.Kids() {
		if op != remove {
			if err := r.members.JoinValue(e); err != nil {
				return err
			}
			continue
		}
		ref, err := member.Read(e)
		switch {
		case err != nil:
			return err
		case member.HasType(e):
			r.members.Leave(ref)
		default:
			r.leave(ref.ID)
		}
	}
	return nil
}

// unwrap returns the list in {"members": […]}, as Salesforce sends it. It returns every other
// value unchanged. It runs after the check for a removal of everybody, so that a null inside
// removes nobody.
func unwrap(a *model.Attribute, raw jsontext.Value, tol *tolerance.Use) jsontext.Value {
	if raw.Kind() != '{' {
		return raw
	}
	var inner jsontext.Value
	n := 0
	for name, value := range jsonwalk.Fields(raw) {
		if n++; model.FoldName(name) == model.FoldName(a.Name) {
			inner = value
		}
	}
	if n != 1 || inner == nil || !tol.Allow(tolerance.WrappedMembers, "members") {
		return raw
	}
	return inner
}

// nameMembers counts members that an operation names.
func nameMembers(r *Request, members int) error {
	r.named += members
	if limit := r.o.MaxMembers; limit > 0 && r.named > limit {
		return doc.TooManyMembers(r.t.Members, limit)
	}
	return nil
}

// leave removes the user and the group with an id, because clients leave out the type when
// they remove.
func (r *Request) leave(id string) {
	r.members.Leave(member.Ref{Type: "User", ID: id})
	r.members.Leave(member.Ref{Type: "Group", ID: id})
}

// leaveMatching removes the members that a filter names. It accepts only filters that name
// ids, because it does not read the group.
func (r *Request) leaveMatching(e filter.Expression) error {
	if or, ok := e.(*filter.LogicalExpression); ok && or.Operator == filter.OR {
		if err := r.leaveMatching(or.Left); err != nil {
			return err
		}
		return r.leaveMatching(or.Right)
	}
	var id, typ string
	if !equals(e, &id, &typ) || id == "" {
		return fault.New(fault.InvalidFilter, `members: the filter must be value eq "id", with and type eq "User" or "Group" if need be; several may be joined by or`)
	}
	if err := nameMembers(r, 1); err != nil {
		return err
	}
	switch model.FoldName(typ) {
	case "":
		r.leave(id)
	case "user":
		r.members.Leave(member.Ref{Type: "User", ID: id})
	case "group":
		r.members.Leave(member.Ref{Type: "Group", ID: id})
	default:
		return fault.New(fault.InvalidFilter, `members: type must be "User" or "Group", got %q`, fault.ClipTo(40, typ))
	}
	return nil
}

// equals reads a conjunction of value eq and type eq, each at most once.
func equals(e filter.Expression, id, typ *string) bool {
	switch e := e.(type) {
	case *filter.LogicalExpression:
		return e.Operator == filter.AND && equals(e.Left, id, typ) && equals(e.Right, id, typ)
	case *filter.AttributeExpression:
		text, ok := e.CompareValue.(string)
		p := e.AttributePath
		if !ok || text == "" || e.Operator != filter.EQ || p.SubAttribute != nil || p.URIPrefix != nil {
			return false
		}
		into := id
		switch model.FoldName(p.AttributeName) {
		case "value":
		case "type":
			into = typ
		default:
			return false
		}
		if *into != "" {
			return false
		}
		*into = text
		return true
	}
	return false
}
