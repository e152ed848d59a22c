package console

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/scimkit/scim"
)

// lookup finds the names of people and groups, each once.
type lookup struct {
	ctx   context.Context
	q     *request
	known map[scim.Ref]string
}

// maxLookups is how many names a page looks up. Others are shown by their ids.
const maxLookups = 100

// name returns the name of a resource, or its id.
func (l *lookup) name(ref scim.Ref) string {
	if name := l.find(ref); name != "" {
		return name
	}
	return strings.TrimSpace(kindWord(ref.Type) + " " + ref.ID)
}

// find returns the name of a resource; "" if it is not here, or if too many were looked up.
func (l *lookup) find(ref scim.Ref) string {
	name, ok := l.known[ref]
	if ok || ref.ID == "" || l.q.tenant.Directory == nil || len(l.known) >= maxLookups {
		return name
	}
	if r, err := l.q.tenant.Directory.Get(l.ctx, ref); err == nil {
		name = nameOf(r)
	}
	if l.known == nil {
		l.known = map[scim.Ref]string{}
	}
	l.known[ref] = name
	return name
}

// source returns the words for a source of roles.
func (l *lookup) source(s scim.Source) string {
	if id, ok := s.Group(); ok {
		return "the group " + l.name(scim.Ref{Type: "Group", ID: id})
	}
	if path, value, ok := s.Attribute(); ok {
		if value == "" {
			return "the attribute " + path
		}
		return fmt.Sprintf("the value %q of %s", value, path)
	}
	return string(s)
}

// explain says why a person has a role, or waits for it.
func explain(e scim.Explanation, l *lookup) standingView {
	var from []string
	for _, s := range e.Sources {
		from = append(from, l.source(s))
	}
	v := standingView{Role: roleName(e.Role), State: string(e.State)}
	through := "through " + cmp.Or(listWords(from), "no source that is known")
	switch e.State {
	case scim.StateGranted:
		v.Why = through
	case scim.StateByHand:
		v.Why = "given by hand in the application"
	case scim.StateBoth:
		v.Why = "given by hand in the application, and " + through
	case scim.StateWaiting:
		v.Why, v.Tone = because(through, e.Reason), "w"
	case scim.StateDue:
		v.Why, v.Tone = because("comes with the next reconciliation, "+through, e.Reason), "w"
	case scim.StateLeaving:
		v.Why, v.Tone = because("goes with the next reconciliation", e.Reason), "w"
	default:
		v.Why, v.Tone = because(string(e.State), e.Reason), "w"
	}
	return v
}

// roleName returns the name of a role for people.
func roleName(r scim.Role) string {
	name := cmp.Or(r.Name, r.ID)
	if r.Scope != "" {
		name += " (" + r.Scope + ")"
	}
	return name
}
