package doc

import (
	"slices"

	"github.com/scimkit/scim/internal/model"
)

// A Selection is the set of attributes in an answer (RFC 7644, Section 3.9). One request
// uses it. The nil Selection is the default: all attributes, except those returned only on
// request or never.
type Selection struct {
	root pick
	// names are attributes that no schema has, by folded name. If listed is set, the answer
	// has these; otherwise it has all others.
	names  []string
	listed bool
}

// pick is the selection within one attribute. Without sub the defaults of its parts apply.
// Otherwise sub has one pick for each sub-attribute, by its Order.
type pick struct {
	out bool
	sub []pick
}

// isHidden reports whether a never leaves the server.
func isHidden(a *model.Attribute) bool {
	return a.Returned == model.Never || a.Mutability == model.WriteOnly
}

// isReturnedByDefault reports whether an answer has a if the client names no attributes.
func isReturnedByDefault(a *model.Attribute) bool {
	return !isHidden(a) && a.Returned != model.Request
}

// Select makes a Selection of the names in the parameters attributes and
// excludedAttributes. It ignores unknown names. An attribute that is always returned
// appears in every answer that has its parent.
func Select(t *model.Type, attributes, excluded []string) *Selection {
	if len(attributes) == 0 && len(excluded) == 0 {
		return nil
	}
	s := &Selection{root: pick{out: true}, listed: len(attributes) > 0}
	if s.listed {
		s.root.sub = spread(t.Root, isAlwaysReturned)
	}
	for _, name := range attributes {
		if chain := s.chain(t, name, s.listed); chain != nil {
			include(&s.root, chain)
		}
	}
	for _, name := range excluded {
		if chain := s.chain(t, name, !s.listed); chain != nil {
			exclude(&s.root, chain)
		}
	}
	return s
}

// chain lists the attributes from the root to the attribute called name. If note is set, it
// records a name that no schema has.
func (s *Selection) chain(t *model.Type, name string, note bool) []*model.Attribute {
	a := t.Find(name)
	if a == nil && note {
		s.names = append(s.names, model.FoldName(name))
	}
	return lineage(a)
}

func lineage(a *model.Attribute) []*model.Attribute {
	var chain []*model.Attribute
	for ; a != nil; a = a.Parent {
		chain = append(chain, a)
	}
	slices.Reverse(chain)
	return chain
}

// isAlwaysReturned reports whether every answer has a. An extension counts if one of its attributes
// does.
func isAlwaysReturned(a *model.Attribute) bool {
	if a.Extension {
		return slices.ContainsFunc(a.Sub, isAlwaysReturned)
	}
	return a.Returned == model.Always && !isHidden(a)
}

// spread lists the picks of the parts of a. A part is out if rule says so.
func spread(a *model.Attribute, rule func(*model.Attribute) bool) []pick {
	sub := make([]pick, len(a.Sub))
	for i, s := range a.Sub {
		sub[i].out = rule(s)
		if sub[i].out && s.Extension {
			sub[i].sub = spread(s, rule)
		}
	}
	return sub
}

func include(p *pick, chain []*model.Attribute) {
	for i, a := range chain {
		if isHidden(a) {
			return
		}
		if i == len(chain)-1 {
			if p.out && p.sub != nil { // the client has selected parts of it before
				for j, s := range a.Sub {
					p.sub[j].out = p.sub[j].out || isReturnedByDefault(s)
				}
			}
			p.out = true
			return
		}
		if !p.out {
			p.out, p.sub = true, spread(a, isAlwaysReturned)
		} else if p.sub == nil {
			p.sub = spread(a, isReturnedByDefault)
		}
		p = &p.sub[chain[i+1].Order]
	}
}

func exclude(p *pick, chain []*model.Attribute) {
	for i, a := range chain {
		if !p.out {
			return
		}
		if i == len(chain)-1 {
			switch {
			case a.Extension && isAlwaysReturned(a):
				p.sub = spread(a, isAlwaysReturned)
			case !isAlwaysReturned(a):
				p.out = false
			}
			return
		}
		if p.sub == nil {
			p.sub = spread(a, isReturnedByDefault)
		}
		p = &p.sub[chain[i+1].Order]
	}
}

// Wants reports whether the answer may have a or a part of it.
func (s *Selection) Wants(a *model.Attribute) bool {
	if s == nil {
		for ; a != nil; a = a.Parent {
			if !isReturnedByDefault(a) {
				return false
			}
		}
		return true
	}
	if a.Kind == model.Any {
		return s.hasUnknown(a.Name)
	}
	p := &s.root
	for _, b := range lineage(a)[1:] {
		var ok bool
		if p, ok = p.part(b); !ok {
			return false
		}
	}
	return true
}

// hasUnknown reports whether the answer has an attribute that no schema has.
func (s *Selection) hasUnknown(name string) bool {
	return slices.Contains(s.names, model.FoldName(name)) == s.listed
}

// part is the pick of the sub-attribute a. It is nil if the defaults apply.
func (p *pick) part(a *model.Attribute) (*pick, bool) {
	if p == nil || p.sub == nil {
		return nil, isReturnedByDefault(a)
	}
	q := &p.sub[a.Order]
	return q, q.out && !isHidden(a)
}
