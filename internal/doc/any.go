package doc

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Any is v as a Go value: string, bool, int64, float64, map[string]any with canonical
// names, []any, or json.RawMessage for an attribute that no schema has. It is nil if v is
// absent.
func (v Value) Any() any {
	kids := v.Kids()
	switch {
	case v.Absent():
		return nil
	case len(kids) > 0 && kids[0].Attr == v.Attr:
		list := make([]any, len(kids))
		for i, k := range kids {
			list[i] = k.Any()
		}
		return list
	}
	switch v.Attr.Kind {
	case model.Complex:
		m := make(map[string]any, len(kids))
		for _, k := range kids {
			m[k.Attr.Name] = k.Any()
		}
		return m
	case model.Boolean:
		return v.Text == "true"
	case model.Integer:
		n, _ := parseInt(v.Text)
		return n
	case model.Decimal:
		f, _ := strconv.ParseFloat(v.Text, 64)
		return f
	case model.Any:
		return json.RawMessage(v.Text)
	default:
		return v.Text
	}
}

// FromAny makes a value, as it stands among fields, from a Go value. It takes what Any
// returns, numbers of every type, json.Number, time.Time for a dateTime, []byte for binary,
// and slices. nil and empty values give the zero Value. FromAny is for the application's
// own data. So it takes readOnly attributes too, and refuses names that the schema does not
// have.
func FromAny(a *model.Attribute, x any) (Value, error) {
	list, isList := elements(x)
	if !a.Multi {
		if isList && a.Kind != model.Any {
			return Value{}, unfit(a, x)
		}
		return fromOne(a, x)
	}
	if !isList {
		list = []any{x}
	}
	kids := make([]Value, 0, len(list))
	for _, x := range list {
		k, err := fromOne(a, x)
		if err != nil {
			return Value{}, err
		}
		if k.Attr != nil {
			kids = append(kids, k)
		}
	}
	if len(kids) == 0 {
		return Value{}, nil
	}
	return Composite(a, kids...), nil
}

// elements splits a slice into its elements. A slice of bytes is one value.
func elements(x any) ([]any, bool) {
	if list, ok := x.([]any); ok {
		return list, true
	}
	r := reflect.ValueOf(x)
	if r.Kind() != reflect.Slice || r.Type().Elem().Kind() == reflect.Uint8 {
		return nil, false
	}
	list := make([]any, r.Len())
	for i := range list {
		list[i] = r.Index(i).Interface()
	}
	return list, true
}

func unfit(a *model.Attribute, x any) error {
	if isSecret(a) {
		return fault.New(fault.InvalidValue, "%s: needs %s", a.Path, describe(a))
	}
	return fault.New(fault.InvalidValue, "%s: needs %s, got a Go value of type %T", a.Path, describe(a), x)
}

func fromOne(a *model.Attribute, x any) (Value, error) {
	if x == nil {
		return Value{}, nil
	}
	switch a.Kind {
	case model.Complex:
		return fromMap(a, x)
	case model.Any:
		raw, err := verbatimJSON(x)
		if err != nil {
			return Value{}, unfit(a, x)
		}
		return DecodeElement(a, raw, Options{})
	}
	text, ok := "", false
	switch a.Kind {
	case model.Boolean:
		var b bool
		if b, ok = x.(bool); ok {
			text = boolText(b)
		}
	case model.Integer, model.Decimal:
		text, ok = numberText(x)
		ok = ok && validNumber(a.Kind, text)
	case model.DateTime:
		switch x := x.(type) {
		case time.Time:
			text, ok = x.UTC().Format(time.RFC3339Nano), true
		case string:
			text = x
		}
		_, ok = ParseTime(text)
	case model.Binary:
		switch x := x.(type) {
		case []byte:
			text, ok = base64.StdEncoding.EncodeToString(x), true
		case string:
			text, ok = x, validBase64([]byte(x))
		}
	default:
		text, ok = x.(string)
	}
	switch {
	case !ok:
		return Value{}, unfit(a, x)
	case strings.IndexByte(text, 0) >= 0:
		return Value{}, nulError(a.Path)
	case !utf8.ValidString(text):
		return Value{}, fault.New(fault.InvalidValue, "%s: needs valid UTF-8", a.Path)
	}
	if a.Kind == model.Integer {
		text = string(plainInt([]byte(text)))
	}
	return Simple(a, text), nil
}

func fromMap(a *model.Attribute, x any) (Value, error) {
	m, ok := x.(map[string]any)
	if !ok {
		return Value{}, unfit(a, x)
	}
	var fields []Value
	for name, x := range m {
		sub := a.Lookup(name)
		if sub == nil {
			return Value{}, fault.New(fault.InvalidValue, "%s: has no attribute %q", a.Path, fault.Clip(name))
		}
		v, err := FromAny(sub, x)
		if err != nil {
			return Value{}, err
		}
		if v.Attr == nil {
			continue
		}
		if Get(fields, sub).Attr != nil {
			return Value{}, twice(sub)
		}
		fields = Put(fields, v)
	}
	if len(fields) == 0 {
		return Value{}, nil
	}
	return Composite(a, fields...), nil
}

// verbatimJSON is the JSON of x. Unlike json.Marshal it keeps "<", ">" and "&" as they are:
// an attribute that no schema has is stored as the client sent it.
func verbatimJSON(x any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(x)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// numberText is the JSON text of a number.
func numberText(x any) (string, bool) {
	if n, ok := x.(json.Number); ok {
		return n.String(), true
	}
	switch r := reflect.ValueOf(x); {
	case r.CanInt():
		return strconv.FormatInt(r.Int(), 10), true
	case r.CanUint():
		return strconv.FormatUint(r.Uint(), 10), true
	case r.CanFloat():
		f := r.Float()
		if math.IsInf(f, 0) || math.IsNaN(f) {
			return "", false
		}
		if f == math.Trunc(f) && math.Abs(f) < 1e15 {
			return strconv.FormatInt(int64(f), 10), true
		}
		return strconv.FormatFloat(f, 'g', -1, r.Type().Bits()), true
	}
	return "", false
}
