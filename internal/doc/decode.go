package doc

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Options configure how JSON is read. The zero value reads what clients send and allows
// every tolerance.
type Options struct {
	Tol         *tolerance.Use // nil: allow every tolerance and report none
	KeepUnknown bool           // keep unknown top-level attributes as values of kind Any
	Stored      bool           // the JSON is our own stored form: read readOnly attributes too
	MaxDepth    int            // the most levels of nested objects and lists; 0 means 32
	// MaxMembers is the most elements of the type's Members, or of the attribute of
	// DecodeValue. 0 means any number, and that the result has elements that are the same.
	MaxMembers int
}

// Body is the body of a POST or PUT.
type Body struct {
	Values   []Value
	Password *string // as sent; nil if there was none
	// Ignored are the paths of unknown and readOnly attributes that Decode left out, each
	// once, at most 20.
	Ignored    []string
	HasSchemas bool
}

const (
	maxIgnored = 20
	maxKept    = 100 // the most unknown attributes of one resource; Decode ignores more
)

// Decode reads and validates the body of a POST or PUT in one pass. Its error is a
// *fault.Error.
func Decode(t *model.Type, body []byte, o Options) (*Body, error) {
	d := newDecoder(body, o)
	defer d.release()
	d.t = t
	switch d.js.PeekKind() {
	case '{', 0:
	default:
		return nil, fault.New(fault.InvalidSyntax, "the body must be a JSON object")
	}
	v, err := d.object(t.Root)
	if err != nil {
		return nil, err
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	if !d.body.HasSchemas && !o.Stored && !o.Tol.Allow(tolerance.MissingSchemas, "schemas") {
		return nil, fault.New(fault.InvalidSyntax, "schemas: is required and must list %s", t.URN)
	}
	result := d.body
	result.Values = v.Kids()
	return &result, nil
}

// DecodeValue reads the JSON of one attribute as it stands among fields. A multi-valued
// attribute gives a Value of elements. null and [] give the zero Value. DecodeValue does
// not check the mutability of a itself.
func DecodeValue(a *model.Attribute, raw jsontext.Value, o Options) (Value, error) {
	return decodeOne(a, raw, o, (*decoder).value)
}

// DecodeElement reads one element of a multi-valued attribute, or a single value. It treats
// a as single-valued.
func DecodeElement(a *model.Attribute, raw jsontext.Value, o Options) (Value, error) {
	return decodeOne(a, raw, o, func(d *decoder, a *model.Attribute) (Value, error) { return d.single(a, d.js.PeekKind()) })
}

func decodeOne(a *model.Attribute, raw jsontext.Value, o Options, read func(*decoder, *model.Attribute) (Value, error)) (Value, error) {
	d := newDecoder(raw, o)
	defer d.release()
	v, err := read(d, a)
	if err == nil {
		err = d.end()
	}
	if err != nil {
		return Value{}, err
	}
	return v, nil
}

// decoder is one pass over one JSON text. It does not keep the text: it copies strings into
// the arena.
type decoder struct {
	arena
	t     *model.Type // nil unless the decoder reads a whole resource
	o     Options
	depth int
	kept  int // the number of unknown attributes
	body  Body
}

// spare reuses the buffers of finished decoders. release removes every text and value from
// them.
var spare = sync.Pool{New: func() any {
	return &decoder{arena: arena{js: new(jsontext.Decoder)}}
}}

func newDecoder(raw []byte, o Options) *decoder {
	if o.MaxDepth == 0 {
		o.MaxDepth = 32
	}
	d := spare.Get().(*decoder)
	d.size, d.o = len(raw), o
	d.js.Reset(bytes.NewBuffer(raw))
	return d
}

// release returns d to spare. Afterwards only its results may be used.
func (d *decoder) release() {
	d.js.Reset(new(bytes.Buffer))
	*d = decoder{arena: arena{js: d.js}}
	spare.Put(d)
}

// value reads a value as it stands among fields. An absent one is the zero Value.
func (d *decoder) value(a *model.Attribute) (Value, error) {
	kind := d.js.PeekKind()
	if !a.Multi {
		return d.single(a, kind)
	}
	if kind == '[' {
		return d.list(a)
	}
	if kind != 'n' && kind != 0 && !d.o.Tol.Allow(tolerance.ObjectForArray, a.Path) {
		return Value{}, d.wrong(a, "a list")
	}
	if a.Kind == model.Complex && (kind == '"' || kind == '0' || kind == 't' || kind == 'f') {
		return Value{}, d.bareList(a)
	}
	e, err := d.element(a, kind)
	switch {
	case err != nil:
		return Value{}, err
	case e.Attr == nil && kind == '{':
		return Value{}, d.checkEmpty(a)
	case e.Attr == nil:
		return Value{}, nil
	}
	return d.composite(a, []Value{e}), nil
}

func (d *decoder) list(a *model.Attribute) (Value, error) {
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	var room [8]Value
	kids := room[:0]
	isLimited := d.o.MaxMembers > 0 && (d.t == nil || a == d.t.Members)
	for {
		kind := d.js.PeekKind()
		if kind == ']' {
			break
		}
		e, err := d.element(a, kind)
		if err == nil && e.Attr == nil {
			err = d.checkEmpty(a)
		}
		if err != nil {
			return Value{}, err
		}
		if e.Attr == nil {
			continue
		}
		if kids = append(kids, e); isLimited && len(kids) > d.o.MaxMembers {
			return Value{}, TooManyMembers(a, d.o.MaxMembers)
		}
	}
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	return d.composite(a, kids), nil
}

// single reads a value that is not multi-valued. Some clients send it in a list.
func (d *decoder) single(a *model.Attribute, kind jsontext.Kind) (Value, error) {
	if kind != '[' || a.Kind == model.Any {
		return d.element(a, kind)
	}
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	var v Value
	if kind = d.js.PeekKind(); kind != ']' {
		if !d.o.Tol.Allow(tolerance.ScalarInArray, a.Path) {
			return Value{}, fault.New(fault.InvalidValue, "%s: needs %s, got a list", a.Path, describe(a))
		}
		var err error
		if v, err = d.element(a, kind); err != nil {
			return Value{}, err
		}
		if k := d.js.PeekKind(); k != ']' && k != 0 {
			return Value{}, fault.New(fault.InvalidValue, "%s: needs one value, got a list of several", a.Path)
		}
	}
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	return v, nil
}

// element reads a single value or an element of a multi-valued attribute.
func (d *decoder) element(a *model.Attribute, kind jsontext.Kind) (Value, error) {
	switch {
	case kind == 'n' || kind == 0:
		_, err := d.js.ReadToken()
		return Value{}, syntax(err)
	case a.Kind == model.Any:
		return d.any(a)
	case a.Kind != model.Complex:
		return d.simple(a, kind)
	case kind == '{':
		v, err := d.object(a)
		if err != nil {
			return Value{}, err
		}
		return d.expand(v), nil
	default:
		return d.bare(a, kind)
	}
}

// bare reads a complex value of which a client sent only the "value", or "" for no value.
func (d *decoder) bare(a *model.Attribute, kind jsontext.Kind) (Value, error) {
	if kind == '[' || a.Extension {
		return Value{}, d.wrong(a, describe(a))
	}
	raw, err := d.js.ReadValue()
	if err != nil {
		return Value{}, syntax(err)
	}
	if string(raw) == `""` && d.o.Tol.Allow(tolerance.EmptyComplex, a.Path) {
		return Value{}, nil
	}
	sub := a.Lookup("value")
	if sub == nil || sub.Kind == model.Complex || sub.Multi || string(raw) == `""` || !d.o.Tol.Allow(tolerance.BareComplex, a.Path) {
		return Value{}, mismatch(a, describe(a), raw)
	}
	if d.isIgnored(sub) {
		d.ignore(sub.Path)
		return Value{}, nil
	}
	v, err := d.scalar(sub, raw)
	if err != nil {
		return Value{}, err
	}
	return d.expand(d.composite(a, []Value{v})), nil
}

// checkEmpty is called for an element without contents, such as {}. It is ignored, but not
// among members: a list of nobody would look like the wish to remove everybody.
func (d *decoder) checkEmpty(a *model.Attribute) error {
	if a.NoEmpty && !d.o.Stored {
		return fault.New(fault.InvalidValue, "%s: an element is empty; each needs a value, the id of a user or group", a.Path)
	}
	return nil
}

// bareList reads a text or number in place of a list of complex values. No client sends
// one, so it is an error. The exception is "", which stands for no value.
func (d *decoder) bareList(a *model.Attribute) error {
	raw, err := d.js.ReadValue()
	if err != nil {
		return syntax(err)
	}
	if string(raw) == `""` && d.o.Tol.Allow(tolerance.EmptyComplex, a.Path) {
		return nil
	}
	return mismatch(a, "a list", raw)
}

// end checks that nothing follows the value.
func (d *decoder) end() error {
	if _, err := d.js.ReadToken(); err == nil {
		return fault.New(fault.InvalidSyntax, "there is more behind the end of the JSON value")
	} else if err != io.EOF {
		return syntax(err)
	}
	return nil
}

// isIgnored reports whether a client's value for a is ignored because a is readOnly (RFC
// 7644, Sections 3.3 and 3.5.1).
func (d *decoder) isIgnored(a *model.Attribute) bool {
	return a.Mutability == model.ReadOnly && !d.o.Stored
}

// ignore records that the decoder left out path.
func (d *decoder) ignore(path string) {
	path = clipPath(path)
	if len(d.body.Ignored) < maxIgnored && !slices.Contains(d.body.Ignored, path) {
		d.body.Ignored = append(d.body.Ignored, path)
	}
}

// skip reads over a value.
func (d *decoder) skip() error {
	_, err := d.raw()
	return err
}

// raw reads a value unchanged, nested at most to the limit.
func (d *decoder) raw() (jsontext.Value, error) {
	raw, err := d.js.ReadValue()
	if err != nil {
		return nil, syntax(err)
	}
	if (raw[0] == '{' || raw[0] == '[') && jsonwalk.IsDeeper(raw, d.o.MaxDepth-d.depth) {
		return nil, tooDeep(d.o.MaxDepth)
	}
	return raw, nil
}

func tooDeep(limit int) error {
	return fault.New(fault.InvalidSyntax, "objects and lists are nested more than %d deep", limit)
}

// syntax turns an error of jsontext into one for the client. It repeats nothing of the
// text, except a duplicate name.
func syntax(err error) error {
	var se *jsontext.SyntacticError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fault.New(fault.InvalidSyntax, "the JSON ends too early")
	case !errors.As(err, &se):
		return fault.New(fault.InvalidSyntax, "the body is not valid JSON")
	case se.Err == jsontext.ErrDuplicateName:
		return fault.New(fault.InvalidSyntax, "an object has the name %q twice", clipPath(se.JSONPointer.LastToken()))
	default:
		return fault.New(fault.InvalidSyntax, "the JSON is not valid near byte %d: %s", se.ByteOffset, jsonwalk.Reason(err))
	}
}
