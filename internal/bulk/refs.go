package bulk

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// rewriter replaces bulkIds by ids in the data of one operation (RFC 7644, Section 3.7.2).
// It does so only where the schema has a reference: elsewhere "bulkId:x" may be an ordinary
// text.
type rewriter struct {
	options Options
	use     *tolerance.Use
	t       *model.Type
	// find returns the resource of a bulkId. If keep is false, the rewriter leaves out the
	// value that has the reference. If ref is zero, the reference stays.
	find  func(bulkID string) (ref host.Ref, keep bool, err error)
	left  []*model.Attribute // the attributes of the values that the rewriter left out
	depth int                // the nesting depth of the complex value that the rewriter is at
	size  int                // the size of the data with the replacements so far
	reads bool               // the rewriter only looks for references; it makes no data
}

func (j *Job) rewriter(p *Part, find func(bulkID string) (ref host.Ref, keep bool, err error)) *rewriter {
	return &rewriter{options: j.options, use: p.Use, t: p.Type, find: find}
}

// maxDepth is how deep complex values may be nested. No schema needs more, but the core
// schema's URN may be a key within itself.
const maxDepth = 8

// grow counts n more bytes of data. It refuses data that becomes larger than a client may
// send: an address is much longer than the bulkId that it replaces.
func (w *rewriter) grow(n int) error {
	w.size += n
	if limit := w.options.Limits.BodyOf(w.t); int64(w.size) > limit {
		return tooLarge("data: is larger than %d bytes with ids in the place of bulkIds", limit)
	}
	return nil
}

// data rewrites the data of an operation.
func (w *rewriter) data(p *Part) (jsontext.Value, error) {
	w.size = len(p.data)
	if p.Method != http.MethodPatch {
		out, _, err := w.value(w.t.Root, p.data)
		return out, err
	}
	return w.mapFields(p.data, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		if model.FoldName(name) != "operations" || v.Kind() != '[' {
			return name, v, true, nil
		}
		ops, err := w.mapElements(v, func(op jsontext.Value) (jsontext.Value, bool, error) {
			out, err := w.patch(op)
			return out, true, err
		})
		return name, ops, true, err
	})
}

// patch rewrites one operation of a PATCH: its value, and the filter in its path.
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
		s = strings.TrimSpace(s)
		if at, path, err = w.place(w.home(s), s); err != nil {
			return nil, err
		}
	}
	return w.mapFields(op, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
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
		out, err = w.mapElements(raw, func(e jsontext.Value) (jsontext.Value, bool, error) {
			if e.Kind() == '[' {
				return e, true, nil // no schema has lists of lists
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
	if w.depth++; w.depth > maxDepth {
		return nil, false, badSyntax("data: is nested too deep")
	}
	defer func() { w.depth-- }()
	whole := true
	out, err := w.mapFields(raw, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		sub, name, err := w.place(a, name)
		if sub == nil && a == w.t.Members && model.FoldName(name) == model.FoldName(a.Name) {
			sub = a // the list in an object, as Salesforce sends it
		}
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
	return w.addType(a, raw, out)
}

// addType adds the type of the resource to an element whose value was a bulkId. Without
// it a member counts as a user. It refuses an element that has another type: users and
// groups may have the same ids.
func (w *rewriter) addType(a *model.Attribute, sent, out jsontext.Value) (jsontext.Value, bool, error) {
	if a.Lookup("type") == nil || a.Mutability == model.ReadOnly {
		return out, true, nil
	}
	var id, typ string
	for name, v := range jsonwalk.Fields(sent) {
		s, _ := jsonwalk.Text(v)
		switch model.FoldName(name) {
		case "value":
			id, _ = strings.CutPrefix(s, prefix)
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
		return nil, false, fault.Refuse(http.StatusBadRequest, fault.InvalidValue,
			a.Path+".type: is "+fault.Quote(typ)+", but "+prefix+fault.Clip(id)+" is a "+ref.Type)
	}
	bare, err := w.mapFields(out, func(name string, v jsontext.Value) (string, jsontext.Value, bool, error) {
		return name, v, model.FoldName(name) != "type", nil // drops "" and null
	})
	if err != nil {
		return nil, false, err
	}
	added := slices.Concat([]byte(`,"type":`), jsonwalk.Quote(ref.Type), []byte("}"))
	return slices.Concat(bare[:len(bare)-1], added), true, w.grow(len(added) - 1)
}

// text rewrites a string that is a value of attribute a.
func (w *rewriter) text(a *model.Attribute, s string) (string, bool, error) {
	id, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return s, true, nil
	}
	holder, isLink := a, a.Kind == model.Reference
	if a.Name == "value" || a.Name == "$ref" {
		holder = a.Parent
	}
	isServed := func(name string) bool { return w.options.Types.Named(name) != nil }
	if !isReference(holder) && !(isLink && slices.ContainsFunc(a.RefTypes, isServed)) || holder.Mutability == model.ReadOnly {
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
	if ref.Type != "" && slices.ContainsFunc(kinds, isServed) && !slices.Contains(kinds, ref.Type) {
		return "", false, fault.Refuse(http.StatusBadRequest, fault.InvalidValue,
			holder.Path+": "+prefix+fault.Clip(id)+" is a "+ref.Type+", but must be a "+strings.Join(kinds, " or "))
	}
	switch {
	case ref == host.Ref{}:
		return s, true, nil
	case isLink:
		id = w.options.Location(ref)
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

// mapFields returns a JSON object with what change returns for each field of raw. If keep
// is false, it leaves the field out. If w only reads, the result is empty.
func (w *rewriter) mapFields(raw jsontext.Value, change func(name string, v jsontext.Value) (newName string, newValue jsontext.Value, keep bool, err error)) (jsontext.Value, error) {
	out := w.begin('{', raw)
	for name, v := range jsonwalk.Fields(raw) {
		name, v, keep, err := change(name, v)
		if err != nil {
			return nil, err
		}
		if keep && !w.reads {
			out = append(append(appendComma(out), jsonwalk.Quote(name)...), ':')
			out = append(out, v...)
		}
	}
	return append(out, '}'), nil
}

// begin begins the new text of raw with a bracket.
func (w *rewriter) begin(bracket byte, raw jsontext.Value) jsontext.Value {
	if w.reads {
		return jsontext.Value{bracket}
	}
	return append(make(jsontext.Value, 0, len(raw)+64), bracket)
}

// mapElements returns a JSON array with what change returns for each element of raw. If
// keep is false, it leaves the element out. If w only reads, the result is empty.
func (w *rewriter) mapElements(raw jsontext.Value, change func(v jsontext.Value) (newValue jsontext.Value, keep bool, err error)) (jsontext.Value, error) {
	out := w.begin('[', raw)
	for e := range jsonwalk.Elements(raw) {
		v, keep, err := change(e)
		if err != nil {
			return nil, err
		}
		if keep && !w.reads {
			out = append(appendComma(out), v...)
		}
	}
	return append(out, ']'), nil
}

// appendComma appends a comma to an object or array that has a part already.
func appendComma(out jsontext.Value) jsontext.Value {
	if len(out) > 1 {
		out = append(out, ',')
	}
	return out
}
