package doc

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Options say how JSON is read. The zero value reads what clients send and
// tolerates everything.
type Options struct {
	Tol         *tolerance.Use // nil: everything is tolerated and nothing reported
	KeepUnknown bool           // keep unknown top-level attributes as values of kind Any
	Stored      bool           // our own stored form: readOnly attributes are read too
	MaxDepth    int            // of nested objects and lists; 0 means 32
}

// Body is the body of a POST or PUT.
type Body struct {
	Values   []Value
	Password *string // as sent; nil if there was none
	// Ignored are the paths of unknown and readOnly attributes that were left out,
	// each once and 20 at most.
	Ignored    []string
	HasSchemas bool
}

const (
	maxIgnored = 20
	maxKept    = 100 // unknown attributes of one resource; more are ignored
)

// Decode reads and validates the body of a POST or PUT in one pass. Its error is
// a *fault.Error.
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
	if !d.body.HasSchemas && !o.Stored && !o.Tol.Allow(tolerance.MissingSchemas) {
		return nil, fault.New(fault.InvalidSyntax, "schemas: is required and must list %s", t.URN)
	}
	result := d.body
	result.Values = v.Kids()
	return &result, nil
}

// DecodeValue reads the JSON of one attribute as it stands among fields: a
// multi-valued attribute gives a Value of elements; null and [] give the zero
// Value. It does not look at the mutability of a itself.
func DecodeValue(a *model.Attribute, raw jsontext.Value, o Options) (Value, error) {
	return decodeOne(a, raw, o, (*decoder).value)
}

// DecodeElement reads one element of a multi-valued attribute, or a single value:
// as if a were single-valued.
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

// decoder is one pass over one JSON text. The text is not kept: strings are
// copied together into the arena.
type decoder struct {
	arena
	t     *model.Type // nil unless a whole resource is read
	o     Options
	depth int
	kept  int // unknown attributes
	body  Body
}

// spare keeps finished decoders for their buffers; nothing of a text or a value
// stays in them: see release.
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

// release gives d back. Nothing of it but its results may be used afterwards.
func (d *decoder) release() {
	d.js.Reset(new(bytes.Buffer))
	*d = decoder{arena: arena{js: d.js}}
	spare.Put(d)
}

// value reads a value as it stands among fields. Absent ones are the zero Value.
func (d *decoder) value(a *model.Attribute) (Value, error) {
	kind := d.js.PeekKind()
	if !a.Multi {
		return d.single(a, kind)
	}
	if kind == '[' {
		return d.list(a)
	}
	if kind != 'n' && kind != 0 && !d.o.Tol.Allow(tolerance.ObjectForArray) {
		return Value{}, d.wrong(a, "a list")
	}
	e, err := d.element(a, kind)
	if err != nil || e.Attr == nil {
		return Value{}, err
	}
	return d.composite(a, []Value{e}), nil
}

func (d *decoder) list(a *model.Attribute) (Value, error) {
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	var room [8]Value
	kids := room[:0]
	for {
		kind := d.js.PeekKind()
		if kind == ']' {
			break
		}
		e, err := d.element(a, kind)
		if err != nil {
			return Value{}, err
		}
		if e.Attr != nil {
			kids = append(kids, e)
		}
	}
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	return d.composite(a, kids), nil
}

// single reads a value that is not multi-valued; some clients send it in a list.
func (d *decoder) single(a *model.Attribute, kind jsontext.Kind) (Value, error) {
	if kind != '[' || a.Kind == model.Any {
		return d.element(a, kind)
	}
	if _, err := d.js.ReadToken(); err != nil {
		return Value{}, syntax(err)
	}
	var v Value
	if kind = d.js.PeekKind(); kind != ']' {
		if !d.o.Tol.Allow(tolerance.ScalarInArray) {
			return Value{}, fault.New(fault.InvalidValue, "%s: needs %s, got a list", a.Path, wanted(a))
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

// bare reads a complex value that a client sent as nothing but its "value", or
// as "" to say that there is none.
func (d *decoder) bare(a *model.Attribute, kind jsontext.Kind) (Value, error) {
	if kind == '[' || a.Extension {
		return Value{}, d.wrong(a, wanted(a))
	}
	raw, err := d.js.ReadValue()
	if err != nil {
		return Value{}, syntax(err)
	}
	if string(raw) == `""` && d.o.Tol.Allow(tolerance.EmptyComplex) {
		return Value{}, nil
	}
	sub := a.Lookup("value")
	if sub == nil || sub.Kind == model.Complex || sub.Multi || string(raw) == `""` || !d.o.Tol.Allow(tolerance.BareComplex) {
		return Value{}, mismatch(a, wanted(a), raw)
	}
	if d.skips(sub) {
		d.ignore(sub.Path)
		return Value{}, nil
	}
	v, err := d.scalar(sub, raw)
	if err != nil {
		return Value{}, err
	}
	return d.expand(d.composite(a, []Value{v})), nil
}

// end checks that nothing stands behind the value.
func (d *decoder) end() error {
	if _, err := d.js.ReadToken(); err == nil {
		return fault.New(fault.InvalidSyntax, "there is more behind the end of the JSON value")
	} else if err != io.EOF {
		return syntax(err)
	}
	return nil
}

// skips reports whether what a client sends for a is left out: RFC 7644, Section
// 3.3 and 3.5.1, "readOnly".
func (d *decoder) skips(a *model.Attribute) bool {
	return a.Mutability == model.ReadOnly && !d.o.Stored
}

// ignore notes that path was left out.
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

// raw reads a value as it stands, no deeper than the limit.
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

// syntax turns an error of jsontext into one for the client. Nothing of the text
// is repeated but a name that stands twice.
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
		// The text of some errors quotes what was sent, which may be a password.
		why, _, _ := strings.Cut(se.Err.Error(), " `")
		why, _, _ = strings.Cut(why, ` "`)
		return fault.New(fault.InvalidSyntax, "the JSON is not valid near byte %d: %s", se.ByteOffset, why)
	}
}
