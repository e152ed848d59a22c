package patch

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// compile turns one operation into changes.
func (r *Request) compile(o *operation) error {
	if o.op != remove && o.value == nil {
		return fault.New(fault.InvalidValue, "%s needs a value", where(o))
	}
	tg := target{within: r.t.Root}
	if o.path != "" {
		var err error
		if tg, err = r.resolve(r.t.Root, o.path, false); err != nil {
			return err
		}
	}
	if tg.within == r.t.Root && tg.attr == nil && !tg.unknown {
		if o.op == remove {
			return fault.New(fault.NoTarget, "remove needs a path: the attribute that is to go")
		}
		value, err := inString(o.value, &r.o)
		if err != nil {
			return err
		}
		if value.Kind() != '{' {
			return fault.New(fault.InvalidValue, "%s without a path needs an object of attributes as its value", o.op)
		}
		return r.object(r.t.Root, o.op, value)
	}
	return r.target(tg, o.op, o.value, true)
}

// inString returns the object that raw has as JSON in a string, as scim-for-keycloak sends
// it. It returns every other value unchanged. Decoding rejects duplicate names and invalid
// UTF-8, as it does for the body.
func inString(raw jsontext.Value, o *Options) (jsontext.Value, error) {
	if raw.Kind() != '"' {
		return raw, nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return raw, nil
	}
	inner := jsontext.Value(bytes.TrimSpace(text))
	switch {
	case inner.Kind() != '{' || !inner.IsValid() || !o.Doc.Tol.Allow(tolerance.ObjectInString, "value"):
		return raw, nil
	case jsonwalk.IsDeeper(inner, o.MaxDepth):
		return nil, tooDeep(o.MaxDepth)
	}
	return inner, nil
}

func where(o *operation) string {
	if o.path == "" {
		return o.op.String()
	}
	return o.op.String() + " of " + fault.Clip(o.path)
}

// object compiles each member of a value for the whole resource or an extension. It treats
// the member's name as the path of an operation.
func (r *Request) object(within *model.Attribute, op verb, raw jsontext.Value) error {
	seen := map[*model.Attribute]jsontext.Value{}
	for name, value := range jsonwalk.Fields(raw) {
		tg, err := r.resolve(within, name, true)
		if err != nil {
			return err
		}
		if tg.attr != nil && tg.sub == nil && tg.where == nil {
			if before, twice := seen[tg.attr]; twice && !bytes.Equal(before, value) {
				return fault.New(fault.InvalidSyntax, "%s: is there twice, with different values", fault.Clip(tg.attr.Path))
			}
			seen[tg.attr] = value
		}
		if within.Extension {
			tg.text = within.Name + ":" + tg.text // for the report
		}
		if tg.attr == nil && tg.within == r.t.Root && !tg.unknown {
			if value.Kind() != '{' {
				return fault.New(fault.InvalidValue, "%s: needs an object of attributes", r.t.URN)
			}
			err = r.object(r.t.Root, op, value)
		} else {
			err = r.target(tg, op, value, false)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// target compiles the change of one target. explicit says that a path names the target, and
// not a key of a value.
func (r *Request) target(tg target, op verb, raw jsontext.Value, explicit bool) error {
	a := tg.attr
	switch {
	case tg.unknown:
		return r.other(tg, op, raw)
	case a == nil:
		return r.extension(tg.within, op, raw)
	case a == r.t.Password:
		return r.setPassword(tg, op, raw)
	case a == r.t.Members:
		return r.setMembers(tg, op, raw)
	case a.Meta && a.Name == "schemas": // the server computes it from the resource's contents
		return nil
	case r.isActive(a) && (op == remove || isNull(raw)):
		return nil // an empty value never activates or deactivates a user
	case a.Mutability == model.ReadOnly || tg.sub != nil && tg.sub.Mutability == model.ReadOnly:
		if !explicit {
			return r.readOnly(a, tg.text)
		}
		return r.same(tg, op, raw)
	}
	c, ok, err := r.change(tg, op, raw)
	if err == nil && ok {
		r.push(tg.within, c)
	}
	return err
}

// push adds a change of an attribute of the root or an extension.
func (r *Request) push(within *model.Attribute, c change) {
	if c.hide(r) {
		return
	}
	if within.Extension {
		c = change{op: c.op, attr: within, fields: []change{c}}
	}
	r.changes = append(r.changes, c)
}

// hide takes changes of hidden attributes out of c, and reports whether c has no other ones.
func (c *change) hide(r *Request) bool {
	if len(r.o.Hidden) == 0 {
		return false
	}
	isHidden := func(a *model.Attribute) bool { return slices.Contains(r.o.Hidden, a) }
	a := c.where.Find(isHidden)
	if isHidden(c.attr) {
		a = c.attr
	}
	if a != nil {
		r.Hidden = a
		return true
	}
	if c.fields == nil {
		return false
	}
	c.fields = slices.DeleteFunc(c.fields, func(f change) bool { return f.hide(r) })
	return len(c.fields) == 0
}

func (r *Request) isActive(a *model.Attribute) bool {
	return a.Parent == r.t.Root && a.Kind == model.Boolean && a.Name == "active"
}

// extension compiles a change of an extension as a whole.
func (r *Request) extension(e *model.Attribute, op verb, raw jsontext.Value) error {
	switch {
	case op == remove || isNull(raw):
		r.changes = append(r.changes, change{op: remove, attr: e})
		return nil
	case raw.Kind() != '{':
		return fault.New(fault.InvalidValue, "%s: needs an object of attributes", e.Name)
	}
	return r.object(e, op, raw)
}

// same compiles an operation on a read-only attribute. It accepts the current value, and
// refuses every other one (RFC 7644, Section 3.5.2).
func (r *Request) same(tg target, op verb, raw jsontext.Value) error {
	leaf := tg.attr
	if tg.sub != nil {
		leaf = tg.sub
	}
	if op == remove || tg.attr.Meta || tg.attr.Multi || leaf.Multi || leaf.Kind == model.Complex {
		return notWritable(tg.text)
	}
	o := r.o.Doc
	o.Stored = true
	v, err := doc.DecodeValue(leaf, raw, o)
	if err != nil {
		return err
	}
	c := change{op: op, attr: leaf, value: v, same: true}
	if tg.sub != nil {
		c = change{op: op, attr: tg.attr, fields: []change{c}}
	}
	r.push(tg.within, c)
	return nil
}

// maxKept is the most attributes that a resource keeps although no schema has them.
const maxKept = 100

// other compiles a target that no schema has.
func (r *Request) other(tg target, op verb, raw jsontext.Value) error {
	if !r.o.Doc.KeepUnknown || tg.top == "" || r.kept == maxKept || !r.tol.Allow(tolerance.UnknownAttribute, tg.text) {
		return r.unknown(tg.text)
	}
	r.kept++
	c := change{op: op, attr: doc.Unknown(r.t, tg.top)}
	if op != remove {
		var err error
		if c.value, err = doc.DecodeValue(c.attr, raw, r.o.Doc); err != nil {
			return err
		}
		if c.value.Attr == nil {
			c.op = remove
		}
	}
	r.changes = append(r.changes, c)
	return nil
}

// change compiles an operation on an ordinary attribute, which is not read-only and not
// handled elsewhere. ok is false if there is nothing to do.
func (r *Request) change(tg target, op verb, raw jsontext.Value) (c change, ok bool, err error) {
	a := tg.attr
	c = change{op: op, attr: a}
	if tg.where != nil {
		if c.where, err = match.CompileElement(a, tg.where, r.tol); err != nil {
			return c, false, err
		}
		if r.o.IsBlind && !isSilent(c.where, r.tol) {
			return c, false, fault.Refuse(http.StatusForbidden, "", a.Path+": this token may not read, so a filter in a path may only have \"eq\", joined by \"and\"")
		}
	}
	switch {
	case tg.sub != nil:
		inner, ok, err := r.change(target{text: tg.text, within: a, attr: tg.sub}, op, raw)
		if !ok || err != nil {
			return c, false, err
		}
		c.op, c.fields = inner.op, []change{inner}
		return c, true, nil
	case op == remove:
		if a.Multi && c.where == nil && !isNull(raw) {
			if !r.tol.Allow(tolerance.RemoveByValue, a.Path) {
				return c, false, fault.New(fault.InvalidValue, "%s: remove takes no value; select with a filter in the path", a.Path)
			}
			c.value, err = doc.DecodeValue(a, raw, r.o.Doc)
			c.listed = true
			return c, !c.value.Absent(), err
		}
		return c, true, nil
	case a.Kind == model.Complex && (!a.Multi || c.where != nil):
		return r.merge(c, raw)
	case a.Multi && c.where != nil:
		c.value, err = doc.DecodeElement(a, raw, r.o.Doc)
	default:
		c.value, err = doc.DecodeValue(a, raw, r.o.Doc)
	}
	if err != nil {
		return c, false, err
	}
	if c.value.Attr == nil || a.Multi && c.where == nil && c.value.Absent() {
		if a.Multi && op == add {
			return c, false, nil // an add of nothing
		}
		c.op, c.value = remove, doc.Value{}
	}
	return c, true, nil
}

// isSilent reports whether an operation answers alike if its filter matches and if not.
func isSilent(where *match.Element, tol *tolerance.Use) bool {
	_, canMake := where.Assign()
	return canMake && tol.IsOn(tolerance.CreateOnFilter) && tol.IsOn(tolerance.RemoveNoMatch)
}

// merge compiles a complex value for a complex attribute, or for the elements that a filter
// selects. It sets the sub-attributes with a value, removes those with null, and keeps the
// others (RFC 7644, Section 3.5.2.3).
func (r *Request) merge(c change, raw jsontext.Value) (change, bool, error) {
	a, v := c.attr, doc.Value{}
	raw, err := r.single(a, raw)
	if err == nil {
		v, err = doc.DecodeElement(a, raw, r.o.Doc)
	}
	if err != nil {
		return c, false, err
	}
	if raw.Kind() != '{' && v.Absent() { // null, or "" (Q16)
		if a.Multi && c.op == add {
			return c, false, nil
		}
		c.op = remove
		return c, true, nil
	}
	for _, field := range v.Kids() {
		c.fields = append(c.fields, change{op: c.op, attr: field.Attr, value: field})
	}
	for name := range jsonwalk.Fields(raw) {
		sub := a.Lookup(name)
		switch {
		case sub == nil:
			if model.FoldName(name) != "displayname" || a.Lookup("display") == nil { // otherwise decode it as display (Q23)
				err = r.unknown(a.Path + "." + name)
			}
		case sub.Mutability == model.ReadOnly:
			err = r.readOnly(sub, sub.Path)
		case v.Field(sub).Attr == nil: // null, or a value that counts as null
			c.fields = append(c.fields, change{op: remove, attr: sub})
		}
		if err != nil {
			return c, false, err
		}
	}
	return c, len(c.fields) > 0, nil
}

// single unwraps an array of one element if the attribute needs one object (Q18).
func (r *Request) single(a *model.Attribute, raw jsontext.Value) (jsontext.Value, error) {
	if raw.Kind() != '[' {
		return raw, nil
	}
	elems := slices.Collect(jsonwalk.Elements(raw))
	switch {
	case len(elems) == 0:
		return jsontext.Value("null"), nil
	case len(elems) > 1:
		return nil, fault.New(fault.InvalidValue, "%s: needs one object, got %d in an array", a.Path, len(elems))
	case !r.tol.Allow(tolerance.ScalarInArray, a.Path):
		return nil, fault.New(fault.InvalidValue, "%s: needs an object, got an array", a.Path)
	}
	return elems[0], nil
}

// setPassword records the password of an operation. No error repeats it.
func (r *Request) setPassword(tg target, op verb, raw jsontext.Value) error {
	if tg.sub != nil || tg.where != nil {
		return fault.New(fault.InvalidPath, "%s: is a single string without parts", tg.attr.Path)
	}
	if op == remove || isNull(raw) {
		return nil
	}
	raw, err := r.single(tg.attr, raw)
	if err != nil || isNull(raw) {
		return err
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil || bytes.IndexByte(text, 0) >= 0 {
		return fault.New(fault.InvalidValue, "%s: needs a string without NUL", tg.attr.Path)
	}
	if len(text) > 0 {
		s := string(text)
		r.password = &s
	}
	return nil
}
