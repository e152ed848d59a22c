package doc

import (
	"slices"

	"github.com/scimkit/scim/internal/model"
)

// A Selection says which attributes an answer has (RFC 7644, Section 3.9). It is
// made for one request. The nil Selection is the default: everything but what is
// returned only on request or never.
type Selection struct {
	root pick
	// Attributes that no schema has, by folded name: those asked for if listed is
	// set, otherwise those left out.
	names  []string
	listed bool
}

// pick is what is chosen of one attribute. Without sub the defaults of its parts
// apply; otherwise sub has one pick for each sub-attribute, by its Order.
type pick struct {
	out bool
	sub []pick
}

// hidden reports whether a never leaves the server.
func hidden(a *model.Attribute) bool {
	return a.Returned == model.Never || a.Mutability == model.WriteOnly
}

// usual reports whether a is returned if nothing is said about it.
func usual(a *model.Attribute) bool {
	return !hidden(a) && a.Returned != model.Request
}

// Select makes a Selection of the names in the parameters attributes and
// excludedAttributes. Names that nothing has are ignored. Attributes that are
// returned always are in every answer that has what they are part of.
func Select(t *model.Type, attributes, excluded []string) *Selection {
	if len(attributes) == 0 && len(excluded) == 0 {
		return nil
	}
	s := &Selection{root: pick{out: true}, listed: len(attributes) > 0}
	if s.listed {
		s.root.sub = spread(t.Root, always)
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

// chain is the way from the root to the attribute called name. A name that no
// schema has is noted, if note is set.
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

// always reports whether a is in every answer: an extension only for the sake of
// an attribute in it.
func always(a *model.Attribute) bool {
	if a.Extension {
		return slices.ContainsFunc(a.Sub, always)
	}
	return a.Returned == model.Always && !hidden(a)
}

// spread lists the picks of the parts of a, each out if the rule says so.
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
		if hidden(a) {
			return
		}
		if i == len(chain)-1 {
			if p.out && p.sub != nil { // parts of it were asked for before
				for j, s := range a.Sub {
					p.sub[j].out = p.sub[j].out || usual(s)
				}
			}
			p.out = true
			return
		}
		if !p.out {
			p.out, p.sub = true, spread(a, always)
		} else if p.sub == nil {
			p.sub = spread(a, usual)
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
			case a.Extension && always(a):
				p.sub = spread(a, always)
			case !always(a):
				p.out = false
			}
			return
		}
		if p.sub == nil {
			p.sub = spread(a, usual)
		}
		p = &p.sub[chain[i+1].Order]
	}
}

// Wants reports whether a, or a part of it, would be in the answer.
func (s *Selection) Wants(a *model.Attribute) bool {
	if s == nil {
		for ; a != nil; a = a.Parent {
			if !usual(a) {
				return false
			}
		}
		return true
	}
	if a.Kind == model.Any {
		return s.unknown(a.Name)
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

// unknown reports whether the answer has an attribute that no schema has.
func (s *Selection) unknown(name string) bool {
	return slices.Contains(s.names, model.FoldName(name)) == s.listed
}

// part is the pick of the sub-attribute a; nil where the defaults apply.
func (p *pick) part(a *model.Attribute) (*pick, bool) {
	if p == nil || p.sub == nil {
		return nil, usual(a)
	}
	q := &p.sub[a.Order]
	return q, q.out && !hidden(a)
}
