package bulk

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/filterlang"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// rewriter puts ids in the place of bulkIds in one operation's data (RFC 7644,
// Section 3.7.2): only where the schema has a reference, so that "bulkId:x" can be
// somebody's nickname.
type rewriter struct {
	o   *Options
	use *tolerance.Use
	t   *model.Type
	// find tells which resource a bulkId stands for. If keep is false, the value that
	// has the reference is left out.
	find func(bulkID string) (ref host.Ref, keep bool, err error)
	// left are the attributes of which a value was left out.
	left  []*model.Attribute
	depth int
	grown int // bytes by which ids and addresses are longer than the bulkIds
}

// grow notes that the data becomes longer, and refuses what would be more than could
// have been sent: a reference is a few bytes, an address hundreds.
func (w *rewriter) grow(n int) error {
	w.grown += n
	if limit := w.o.Limits.BodyOf(w.t); int64(w.grown) > limit {
		return fault.Refuse(http.StatusRequestEntityTooLarge, "",
			fmt.Sprintf("data: is larger than %d bytes with ids in the place of bulkIds", limit))
	}
	return nil
}

// data rewrites the data of an operation.
func (w *rewriter) data(p *Part) (jsontext.Value, error) {
	w.grown = len(p.data)
	if p.Method != http.MethodPatch {
		out, _, err := w.value(w.t.Root, p.data)
		return out, err
	}
	return w.object(p.data, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		if model.FoldName(name) != "operations" || v.Kind() != '[' {
			return name, v, true, nil
		}
		ops, err := w.array(v, func(op jsontext.Value) (jsontext.Value, bool, error) {
			out, err := w.patch(op)
			return out, true, err
		})
		return name, ops, true, err
	})
}

// patch rewrites one operation of a PATCH: the filter in its path, and its value.
func (w *rewriter) patch(op jsontext.Value) (jsontext.Value, error) {
	if op.Kind() != '{' {
		return op, nil
	}
	at, path := w.t.Root, ""
	for name, v := range jsonwalk.Fields(op) {
		s, ok := jsonwalk.Text(v)
		if !ok || model.FoldName(name) != "path" {
			continue
		}
		var err error
		if at, path, err = w.place(w.t.Root, strings.TrimSpace(s)); err != nil {
			return nil, err
		}
	}
	return w.object(op, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		switch model.FoldName(name) {
		case "path":
			if _, ok := jsonwalk.Text(v); ok {
				v = jsonwalk.Quote(path)
			}
		case "value":
			if at == nil {
				break
			}
			v, _, err := w.value(at, v)
			return name, v, true, err
		}
		return name, v, true, nil
	})
}

// value rewrites a value of attribute a.
func (w *rewriter) value(a *model.Attribute, raw jsontext.Value) (out jsontext.Value, keep bool, err error) {
	switch raw.Kind() {
	case '"':
		s, _ := jsonwalk.Text(raw)
		if s, keep, err = w.text(a, s); err != nil || !keep {
			return nil, keep, err
		}
		return jsonwalk.Quote(s), true, nil
	case '[':
		out, err = w.array(raw, func(e jsontext.Value) (jsontext.Value, bool, error) {
			if e.Kind() == '[' {
				return e, true, nil // nothing that a schema has
			}
			return w.value(a, e)
		})
		return out, true, err
	case '{':
		if a.Kind == model.Complex {
			return w.complex(a, raw)
		}
	}
	return raw, true, nil
}

// complex rewrites an object of a complex attribute.
func (w *rewriter) complex(a *model.Attribute, raw jsontext.Value) (jsontext.Value, bool, error) {
	if w.depth++; w.depth > 8 { // more than any schema has: the core schema's URN in itself
		return nil, false, badBulk("data: is nested too deep")
	}
	defer func() { w.depth-- }()
	whole := true
	out, err := w.object(raw, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		sub, name, err := w.place(a, name)
		if sub == nil || err != nil {
			return name, v, true, err
		}
		v, keep, err := w.value(sub, v)
		whole = whole && (keep || !isReference(a))
		return name, v, keep, err
	})
	if err != nil || !whole || !isReference(a) {
		return out, whole, err
	}
	return w.typed(a, raw, out)
}

// typed gives an element whose value was a bulkId the type of that resource, without
// which a member counts as a user, and refuses another type: users and groups may
// have the same ids.
func (w *rewriter) typed(a *model.Attribute, sent, out jsontext.Value) (jsontext.Value, bool, error) {
	if a.Lookup("type") == nil {
		return out, true, nil
	}
	var id, typ string
	for name, v := range jsonwalk.Fields(sent) {
		s, _ := jsonwalk.Text(v)
		switch model.FoldName(name) {
		case "value":
			id, _ = strings.CutPrefix(s, Prefix)
			if id == s {
				return out, true, nil
			}
		case "type":
			typ = s
		}
	}
	if id == "" {
		return out, true, nil
	}
	ref, _, err := w.find(id)
	switch {
	case err != nil || ref.Type == "" || strings.EqualFold(typ, ref.Type):
		return out, true, err
	case typ != "":
		return nil, false, fault.Refuse(http.StatusBadRequest, "invalidValue",
			a.Path+".type: is "+fault.Quote(typ)+", but "+Prefix+fault.Clip(id)+" is a "+ref.Type)
	}
	bare, err := w.object(out, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		return name, v, model.FoldName(name) != "type", nil // it was "" or null
	})
	if err != nil {
		return nil, false, err
	}
	added := slices.Concat([]byte(`,"type":`), jsonwalk.Quote(ref.Type), []byte("}"))
	return slices.Concat(bare[:len(bare)-1], added), true, w.grow(len(added) - 1)
}

// text rewrites a string that stands at attribute a.
func (w *rewriter) text(a *model.Attribute, s string) (string, bool, error) {
	id, ok := strings.CutPrefix(s, Prefix)
	if !ok {
		return s, true, nil
	}
	holder, link := a, a.Kind == model.Reference
	if a.Name == "value" || a.Name == "$ref" {
		holder = a.Parent
	}
	known := func(name string) bool { return w.o.Types.Named(name) != nil }
	if !isReference(holder) && !(link && slices.ContainsFunc(a.RefTypes, known)) || holder.Mutability == model.ReadOnly {
		return s, true, nil
	}
	ref, keep, err := w.find(id)
	if err != nil {
		return "", false, err
	}
	if !keep {
		w.left = append(w.left, holder)
		return "", false, nil
	}
	kinds := a.RefTypes
	if r := holder.Lookup("$ref"); r != nil {
		kinds = r.RefTypes
	}
	if ref.Type != "" && slices.ContainsFunc(kinds, known) && !slices.Contains(kinds, ref.Type) {
		return "", false, fault.Refuse(http.StatusBadRequest, "invalidValue",
			holder.Path+": "+Prefix+fault.Clip(id)+" is a "+ref.Type+", but must be a "+strings.Join(kinds, " or "))
	}
	switch {
	case ref == host.Ref{}: // looked for only
		return s, true, nil
	case link:
		id = w.o.Location(ref)
	default:
		id = ref.ID
	}
	return id, true, w.grow(len(id) - len(s))
}

// isReference reports whether a is a complex attribute that refers to resources, as
// members and manager do.
func isReference(a *model.Attribute) bool {
	return a != nil && a.Kind == model.Complex && a.Lookup("$ref") != nil && a.Lookup("value") != nil
}

// place finds the attribute that a path or a key means, nil for none, and rewrites the
// filter in it.
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
	p, err := filterlang.ParsePath(rest, filterlang.Limits{Length: w.o.Limits.Filter}, w.use)
	if err != nil {
		return nil, path, nil // who reads the operation will say so
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

// where rewrites a filter on the elements of a.
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

// object makes a JSON object of what change makes of the fields of another.
func (w *rewriter) object(raw jsontext.Value, change func(name string, v jsontext.Value) (string, jsontext.Value, bool, error)) (jsontext.Value, error) {
	out := make(jsontext.Value, 1, len(raw)+64)
	out[0] = '{'
	for name, v := range jsonwalk.Fields(raw) {
		name, v, keep, err := change(name, v)
		if err != nil {
			return nil, err
		}
		if !keep {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, jsonwalk.Quote(name)...), ':'), v...)
	}
	return append(out, '}'), nil
}

// array makes a JSON array of what change makes of the elements of another.
func (w *rewriter) array(raw jsontext.Value, change func(jsontext.Value) (jsontext.Value, bool, error)) (jsontext.Value, error) {
	out := make(jsontext.Value, 1, len(raw)+64)
	out[0] = '['
	for e := range jsonwalk.Elements(raw) {
		v, keep, err := change(e)
		if err != nil {
			return nil, err
		}
		if !keep {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return append(out, ']'), nil
}
