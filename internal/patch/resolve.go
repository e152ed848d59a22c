package patch

import (
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// target is the meaning of a path in the resource type.
type target struct {
	text   string           // the path as the client wrote it
	within *model.Attribute // the root or an extension
	attr   *model.Attribute // nil: within as a whole
	where  filter.Expression
	sub    *model.Attribute // nil: attr as a whole
	// unknown says that no schema has the attribute. top is then its name if it is a plain
	// name at the root, which the application may want to keep.
	unknown bool
	top     string
}

// resolve reads a path, or a key inside a value. RFC 7644 has no paths as keys, so each
// form of them has its tolerance.
func (r *Request) resolve(within *model.Attribute, text string, key bool) (target, error) {
	tg := target{text: text, within: within}
	rest := text
	if urn, after, dotted := r.schema(text); urn != nil {
		// RFC 7643, Section 3.3 allows an extension's URN as the key of its object.
		if key && (after != "" || urn == r.t.Root) && !r.tol.Allow(tolerance.URNKey, text) ||
			dotted && !r.tol.Allow(tolerance.DottedExtension, text) {
			tg.unknown = true
			return tg, nil
		}
		tg.within, rest = urn, after
	}
	if rest == "" {
		tg.unknown = text == "" // a key can be
		return tg, nil
	}
	if a := tg.within.Lookup(rest); a != nil && !a.Extension {
		tg.attr = a
		return tg, nil
	}
	if !key {
		p, err := filterlang.ParsePath(rest, r.o.Limits, r.tol)
		if err != nil {
			return tg, err
		}
		tg.within = r.home(tg.within, p.AttributePath)
		return r.bind(tg, rest, p)
	}
	return r.key(tg, rest)
}

// home is where to look up the attribute of a path: in within, or in an extension whose URN
// the path lacks. Microsoft's tutorial sends "manager" alone. If the application keeps
// attributes that no schema has, the name may be one of these.
func (r *Request) home(within *model.Attribute, p filter.AttributePath) *model.Attribute {
	if within != r.t.Root || p.URIPrefix != nil || r.o.Doc.KeepUnknown || within.Lookup(p.AttributeName) != nil {
		return within
	}
	if a := r.t.InExtension(p.AttributeName); a != nil && r.tol.Allow(tolerance.BareExtension, a.Path) {
		return a.Parent
	}
	return within
}

// key resolves a key of a value that is not the plain name of an attribute. A key may be
// any string. One that is no path is an unknown attribute, unless it clearly tries to be a
// path.
func (r *Request) key(tg target, rest string) (target, error) {
	if strings.ContainsAny(rest, ".[") {
		found := tg
		p, err := filterlang.ParsePath(rest, r.o.Limits, r.tol)
		if err == nil {
			found, err = r.bind(tg, rest, p)
		}
		switch {
		case err == nil && !found.unknown && r.tol.Allow(tolerance.DottedKey, rest):
			return found, nil
		case err != nil && strings.Contains(rest, "["):
			return tg, err
		}
	}
	tg.unknown = true
	if tg.within == r.t.Root {
		tg.top = rest
	}
	return tg, nil
}

// bind looks up the names of a parsed path.
func (r *Request) bind(tg target, rest string, p filter.Path) (target, error) {
	sub := p.AttributePath.SubAttributeName()
	if p.ValueExpression != nil && sub != "" {
		return tg, fault.New(fault.InvalidPath, "%s: a sub-attribute can't have a filter; write attribute[filter].sub-attribute", fault.Clip(tg.text))
	}
	if p.SubAttribute != nil {
		sub = *p.SubAttribute
	}
	if p.AttributePath.URIPrefix == nil {
		tg.attr = tg.within.Lookup(p.AttributePath.AttributeName)
	}
	if tg.attr == nil || tg.attr.Extension {
		tg.attr, tg.unknown = nil, true
		if tg.within == r.t.Root && rest == p.AttributePath.AttributeName {
			tg.top = rest
		}
		return tg, nil
	}
	if sub != "" {
		if tg.sub = tg.attr.Lookup(sub); tg.sub == nil {
			tg.unknown = true
			return tg, nil
		}
	}
	if p.ValueExpression != nil {
		if !tg.attr.Multi && tg.attr.Kind != model.Complex {
			return tg, fault.New(fault.InvalidPath, "%s: %s has a single value, so a filter can't select from it", fault.Clip(tg.text), tg.attr.Path)
		}
		tg.where = p.ValueExpression
	}
	return tg, nil
}

// schema cuts the URN of the core schema or of an extension off the front of text. It runs
// before the path is parsed, because URNs have dots and colons of their own. A colon must
// follow a URN, but Entra's old jobs send a dot (Q67).
func (r *Request) schema(text string) (within *model.Attribute, rest string, dotted bool) {
	within, rest = r.t.CutURN(text, ":.")
	switch {
	case within == nil || rest == "":
		return within, rest, false
	case len(rest) == 1: // a separator with nothing behind it
		return nil, text, false
	}
	return within, rest[1:], rest[0] == '.'
}
