package bulk

import (
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/model"
)

// place finds the attribute that a path or a key names, nil if there is none. It also
// returns the path, with ids instead of bulkIds in its filter.
func (w *rewriter) place(within *model.Attribute, path string) (*model.Attribute, string, error) {
	urn, rest := "", path
	if root := w.t.Root; within == root {
		try := func(a *model.Attribute, name string) {
			if len(name) <= len(urn) || len(path) < len(name) || model.FoldName(path[:len(name)]) != model.FoldName(name) {
				return
			}
			if len(path) == len(name) || path[len(name)] == ':' || path[len(name)] == '.' {
				within, urn, rest = a, path[:len(name)], path[len(name):]
			}
		}
		try(root, w.t.URN)
		for _, e := range root.Sub {
			if e.Extension {
				try(e, e.Name)
			}
		}
		if rest == "" {
			return within, path, nil
		}
		if urn != "" {
			urn, rest = path[:len(urn)+1], rest[1:]
		}
	}
	if a := within.Lookup(rest); a != nil || !strings.ContainsAny(rest, ".[") {
		return a, path, nil
	}
	p, err := filterlang.ParsePath(rest, filterlang.Limits{Length: w.options.Limits.Filter}, w.use)
	if err != nil {
		return nil, path, nil // the PATCH parser refuses the path later, with the reason
	}
	a := within.Lookup(p.AttributePath.AttributeName)
	if a == nil {
		return nil, path, nil
	}
	changed, err := w.where(a, p.ValueExpression)
	if err != nil {
		return nil, path, err
	}
	if changed {
		path = urn + filterlang.PrintPath(p)
	}
	for _, sub := range []*string{p.AttributePath.SubAttribute, p.SubAttribute} {
		if sub != nil && a != nil {
			a = a.Lookup(*sub)
		}
	}
	return a, path, nil
}

// home is where to look up the path of a PATCH: at the root, or in the extension whose URN
// the path lacks. PATCH itself finds it there too.
func (w *rewriter) home(path string) *model.Attribute {
	name := path
	if i := strings.IndexAny(path, ".["); i >= 0 {
		name = path[:i]
	}
	if a := w.t.InExtension(name); a != nil && w.t.Root.Lookup(name) == nil && !w.t.KeepUnknown {
		return a.Parent
	}
	return w.t.Root
}

// where rewrites a filter on the elements of a. It reports whether the filter changed.
func (w *rewriter) where(a *model.Attribute, e filter.Expression) (changed bool, err error) {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		left, err := w.where(a, x.Left)
		if err != nil {
			return false, err
		}
		right, err := w.where(a, x.Right)
		return left || right, err
	case *filter.NotExpression:
		return w.where(a, x.Expression)
	case *filter.AttributeExpression:
		s, ok := x.CompareValue.(string)
		sub := a.Lookup(x.AttributePath.AttributeName)
		if !ok || sub == nil {
			return false, nil
		}
		out, keep, err := w.text(sub, s)
		if err != nil || !keep || out == s {
			return false, err
		}
		x.CompareValue = out
		return true, nil
	}
	return false, nil
}
