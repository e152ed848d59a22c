package doc

import (
	"slices"
	"strings"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// object reads the object of a complex attribute, an extension or the root.
func (d *decoder) object(a *model.Attribute) (Value, error) {
	if d.depth++; d.depth > d.o.MaxDepth {
		return Value{}, tooDeep(d.o.MaxDepth)
	}
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	var room [24]Value
	fields := room[:0]
	var more []Value  // values under dotted names and URNs, merged at the end
	var display Value // the value of "displayName", for "display"
	next := 0         // most clients send attributes in the schema's order
	for d.js.PeekKind() != '}' {
		raw, err := d.js.ReadValue()
		if err != nil {
			return Value{}, syntax(err)
		}
		name, err := unquote(raw, "a name in the body")
		if err != nil {
			return Value{}, err
		}
		var sub *model.Attribute
		if next < len(a.Sub) && a.Sub[next].Name == string(name) {
			sub = a.Sub[next]
		} else {
			sub = a.Lookup(string(name))
		}
		var v Value
		if sub != nil {
			next = sub.Order + 1
			v, err = d.field(sub)
		} else if d.isDisplayName(a, name) {
			display, err = d.field(a.Lookup("display"))
		} else {
			more, err = d.foreign(more, a, string(name))
		}
		if err == nil && v.Attr != nil {
			fields, err = push(fields, v)
		}
		if err != nil {
			return Value{}, err
		}
	}
	d.depth--
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	if display.Attr != nil && Get(fields, display.Attr).Attr == nil {
		fields, _ = push(fields, display)
	}
	v := d.composite(a, fields)
	if more == nil {
		return v, nil
	}
	merged := v.Kids()
	for _, m := range more {
		var err error
		if merged, err = merge(merged, m); err != nil {
			return Value{}, err
		}
	}
	return d.composite(a, merged), nil
}

// push adds a field in schema order. The search is cheap, because there are at most as many
// fields as the schema has attributes.
func push(fields []Value, v Value) ([]Value, error) {
	i := len(fields)
	for i > 0 && fields[i-1].Attr.Order > v.Attr.Order {
		i--
	}
	switch {
	case i > 0 && fields[i-1].Attr == v.Attr:
		if !fields[i-1].Equal(v) {
			return nil, twice(v.Attr)
		}
		return fields, nil
	case i == len(fields):
		return append(fields, v), nil
	}
	return slices.Insert(fields, i, v), nil
}

// twice is the error for an attribute in two spellings.
func twice(a *model.Attribute) error {
	return fault.New(fault.InvalidSyntax, "%s: is given twice, with different values", clipPath(a.Path))
}

// merge adds to fields a value for one of them from elsewhere in the body.
func merge(fields []Value, v Value) ([]Value, error) {
	have := Get(fields, v.Attr)
	switch {
	case have.Attr == nil:
		return Put(fields, v), nil
	case have.Equal(v):
		return fields, nil
	case v.Attr.Kind != model.Complex || v.Attr.Multi:
		return nil, twice(v.Attr)
	}
	kids := have.Kids()
	for _, k := range v.Kids() {
		var err error
		if kids, err = merge(kids, k); err != nil {
			return nil, err
		}
	}
	return Put(fields, Composite(v.Attr, kids...)), nil
}

// field reads the value of attribute a in an object. It returns the zero Value if the
// server does not keep the value.
func (d *decoder) field(a *model.Attribute) (Value, error) {
	if d.t != nil {
		switch {
		case a == d.t.Password:
			return Value{}, d.password()
		case a.Meta && a.Parent == d.t.Root:
			if a.Name == "schemas" {
				return Value{}, d.schemas()
			}
			return Value{}, d.skip()
		}
	}
	if d.isIgnored(a) {
		return Value{}, d.leaveOut(a)
	}
	return d.value(a)
}

// leaveOut skips a client's value of a readOnly attribute. It does not report the
// attributes that every client sends back.
func (d *decoder) leaveOut(a *model.Attribute) error {
	if !a.Meta && a.Path != "groups" {
		d.ignore(a.Path)
	}
	return d.skip()
}

// foreign reads a value in a under a name that is none of its attributes: a URN, a dotted
// name, or an unknown name. It appends the values to keep to more.
func (d *decoder) foreign(more []Value, a *model.Attribute, name string) ([]Value, error) {
	within, rest := a, name
	if d.t != nil && a == d.t.Root {
		within, rest = d.t.Split(name)
	}
	if rest != name && !d.o.Tol.Allow(tolerance.URNKey, name) {
		return d.unknown(more, a, name)
	}
	if rest == "" && rest != name && within == a {
		// Some clients put the core schema's attributes below its URN, as for an extension.
		switch d.js.PeekKind() {
		case 'n':
			return more, d.skip()
		case '{':
			core, err := d.object(a)
			return append(more, core.Kids()...), err
		}
		return more, fault.New(fault.InvalidValue, "%s: needs an object", d.t.URN)
	}
	sub := d.lookup(within, rest)
	if sub == nil {
		return d.unknown(more, a, name)
	}
	for p := sub.Parent; p != a; p = p.Parent {
		if p.Meta || d.isIgnored(p) {
			return more, d.leaveOut(p)
		}
	}
	v, err := d.field(sub)
	if err != nil || v.Attr == nil {
		return more, err
	}
	for p := sub.Parent; p != a; p = p.Parent {
		v = Composite(p, v)
	}
	return append(more, v), nil
}

// lookup finds an attribute of a by its name, or a part of one by a dotted name.
func (d *decoder) lookup(a *model.Attribute, name string) *model.Attribute {
	if sub := a.Lookup(name); sub != nil {
		return sub
	}
	name, part, dotted := strings.Cut(name, ".")
	p := a.Lookup(name)
	if !dotted || p == nil || p.Multi || p.Extension || p.Lookup(part) == nil || !d.o.Tol.Allow(tolerance.DottedKey, p.Lookup(part).Path) {
		return nil
	}
	return p.Lookup(part)
}

// isDisplayName reports whether name is "displayName" in place of the sub-attribute
// "display" of a.
func (d *decoder) isDisplayName(a *model.Attribute, name []byte) bool {
	return len(name) == len("displayName") && a.Parent != nil && !a.Extension && model.FoldName(string(name)) == "displayname" &&
		a.Lookup("display") != nil && d.o.Tol.Allow(tolerance.DisplayName, a.Lookup("display").Path)
}

// unknown skips or keeps an attribute that no schema has.
func (d *decoder) unknown(more []Value, a *model.Attribute, name string) ([]Value, error) {
	path := name
	switch {
	case a.Extension:
		path = a.Path + ":" + name
	case a.Parent != nil:
		path = a.Path + "." + name
	}
	if !d.o.Stored && !d.o.Tol.Allow(tolerance.UnknownAttribute, clipPath(path)) {
		return nil, fault.New(fault.InvalidValue, "%s: there is no such attribute", clipPath(path))
	}
	if d.t == nil || a != d.t.Root || !d.o.KeepUnknown || d.kept == maxKept {
		d.ignore(path)
		return more, d.skip()
	}
	d.kept++
	v, err := d.element(Unknown(d.t, name), d.js.PeekKind())
	if v.Attr != nil {
		more = append(more, v)
	}
	return more, err
}

// Unknown is an attribute that no schema of t has. In comparisons and look-ups, two of them
// with the same name are the same attribute.
func Unknown(t *model.Type, name string) *model.Attribute {
	return &model.Attribute{
		Name: name, Key: string(append(appendString(nil, name), ':')), Path: name,
		Kind: model.Any, CaseExact: true, Parent: t.Root, Order: len(t.Root.Sub),
	}
}

// schemas reads and checks the list of URNs. The server does not store it: the values show
// which extensions a resource has.
func (d *decoder) schemas() error {
	switch d.js.PeekKind() {
	case 'n', 0:
		return d.skip()
	case '[':
	default:
		return notURNs()
	}
	if _, err := d.js.ReadToken(); err != nil {
		return syntax(err)
	}
	core := false
	for d.js.PeekKind() != ']' {
		raw, err := d.js.ReadValue()
		if err != nil {
			return syntax(err)
		}
		if raw[0] != '"' {
			return notURNs()
		}
		urn, err := unquote(raw, "schemas")
		if err != nil {
			return err
		}
		d.body.HasSchemas = true
		core = core || string(urn) == d.t.URN || model.FoldName(string(urn)) == model.FoldName(d.t.URN)
	}
	if d.body.HasSchemas && !core && !d.o.Stored && d.o.Tol != nil && d.o.Tol.Strict {
		return fault.New(fault.InvalidSyntax, "schemas: must list %s", d.t.URN)
	}
	_, err := d.js.ReadToken()
	return syntax(err)
}

func notURNs() error { return fault.New(fault.InvalidSyntax, "schemas: needs a list of URNs") }

// password reads the password into the Body, apart from the values. No error repeats it.
func (d *decoder) password() error {
	switch d.js.PeekKind() {
	case 'n':
		return d.skip()
	case '"', 0:
	default:
		return fault.New(fault.InvalidValue, "%s: needs a string", d.t.Password.Path)
	}
	raw, err := d.js.ReadValue()
	if err != nil {
		return syntax(err)
	}
	text, err := unquote(raw, d.t.Password.Path)
	switch {
	case err != nil || len(text) == 0:
		return err
	case d.body.Password != nil && *d.body.Password != string(text):
		return twice(d.t.Password)
	}
	p := string(text)
	d.body.Password = &p
	return nil
}
