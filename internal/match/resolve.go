package match

import (
	"strings"

	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// resolve finds the attribute that p names and that a filter may use.
func (c *compiler) resolve(s scopeOf, p filter.AttributePath) (*model.Attribute, error) {
	a := c.find(s, p)
	if a == nil {
		if s.inside {
			return nil, fault.New(fault.InvalidFilter, "attribute %q is not known within %s%s", clip(p.String()), s.lookup.Path, names(s.lookup))
		}
		return nil, fault.New(fault.InvalidFilter, "attribute %q is not known to %s", clip(p.String()), c.typ.Name)
	}
	for up := a; up != nil; up = up.Parent {
		if isHidden(up) {
			return nil, fault.New(fault.InvalidFilter, "%s is never returned and cannot be used in a filter", a.Path)
		}
		if up.Kind == model.Any {
			return nil, fault.New(fault.InvalidFilter, "no schema describes %s; it cannot be used in a filter", a.Path)
		}
	}
	return a, nil
}

// names lists the possible names.
func names(a *model.Attribute) string {
	if a.Kind != model.Complex {
		return `, whose elements are called "value"`
	}
	var list []string
	for _, sub := range a.Sub {
		if !isHidden(sub) {
			list = append(list, sub.Name)
		}
	}
	return ", which has " + clip(strings.Join(list, ", "))
}

func (c *compiler) find(s scopeOf, p filter.AttributePath) *model.Attribute {
	name, sub := p.AttributeName, p.SubAttribute
	within := s.lookup
	if s.inside {
		switch {
		case p.URIPrefix != nil:
			return nil
		case within.Kind != model.Complex: // RFC 7643, Section 2.4: a simple element's value
			if sub == nil && model.FoldName(name) == "value" {
				return within
			}
			return nil
		}
	} else {
		if p.URIPrefix != nil && *p.URIPrefix != "" {
			name = *p.URIPrefix + ":" + name
		}
		// The parser does not know where a URN ends. Its attribute may be the URN's last
		// part.
		if within, name = c.typ.Split(name); name == "" {
			if sub == nil {
				if within.Extension {
					return within
				}
				return nil
			}
			a := within.Lookup(*sub) // urn:…:User.department
			if a == nil || !c.tol.Allow(tolerance.DottedExtension, a.Path) {
				return nil
			}
			return a
		}
	}
	a := within.Lookup(name)
	if a == nil && !s.inside && p.URIPrefix == nil { // as in Entra's `manager eq "x"`
		if a = c.typ.InExtension(name); a != nil && !c.tol.Allow(tolerance.BareExtension, a.Path) {
			a = nil
		}
	}
	if a != nil && sub != nil {
		return a.Lookup(*sub)
	}
	return a
}

// stepsTo lists the attributes from base, exclusive, to a, inclusive.
func stepsTo(base, a *model.Attribute) []*model.Attribute {
	if a == base {
		return nil
	}
	return append(stepsTo(base, a.Parent), a)
}

// pathOf is the canonical name of the attribute a at the end of steps.
func pathOf(steps []*model.Attribute, a *model.Attribute) filter.AttributePath {
	if len(steps) == 0 {
		return filter.AttributePath{AttributeName: "value"}
	}
	if first := steps[0]; first.Extension {
		urn := first.Name
		if len(steps) == 1 { // as the parser reads a URN
			if i := strings.LastIndexByte(urn, ':'); i >= 0 {
				prefix := urn[:i]
				return filter.AttributePath{URIPrefix: &prefix, AttributeName: urn[i+1:]}
			}
			return filter.AttributePath{AttributeName: urn}
		}
		p := pathOf(steps[1:], a)
		p.URIPrefix = &urn
		return p
	}
	p := filter.AttributePath{AttributeName: steps[0].Name}
	if len(steps) > 1 {
		sub := a.Name // a copy: the tree must not lead into the schema
		p.SubAttribute = &sub
	}
	return p
}
