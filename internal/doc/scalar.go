package doc

import (
	"bytes"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// describe says what a value of a must be, for error details.
func describe(a *model.Attribute) string {
	switch a.Kind {
	case model.Boolean:
		return "true or false"
	case model.Decimal:
		return "a number"
	case model.Integer:
		return "a whole number"
	case model.DateTime:
		return `a date and time such as "2026-01-31T12:00:00Z"`
	case model.Binary:
		return "a string in base64"
	case model.Complex:
		return "an object"
	default:
		return "a string"
	}
}

// isSecret reports whether errors must not repeat values of a.
func isSecret(a *model.Attribute) bool {
	for ; a != nil; a = a.Parent {
		if isHidden(a) {
			return true
		}
	}
	return false
}

// wrong is the error for the next value.
func (d *decoder) wrong(a *model.Attribute, want string) error {
	var raw jsontext.Value
	switch d.js.PeekKind() {
	case '{':
		raw = jsontext.Value("{")
	case '[':
		raw = jsontext.Value("[")
	default:
		var err error
		if raw, err = d.js.ReadValue(); err != nil {
			return syntax(err)
		}
	}
	return mismatch(a, want, raw)
}

func mismatch(a *model.Attribute, want string, raw jsontext.Value) error {
	switch {
	case isSecret(a):
		return fault.New(fault.InvalidValue, "%s: needs %s", a.Path, want)
	case raw[0] == '{':
		return fault.New(fault.InvalidValue, "%s: needs %s, got an object", a.Path, want)
	case raw[0] == '[':
		return fault.New(fault.InvalidValue, "%s: needs %s, got a list", a.Path, want)
	}
	return fault.New(fault.InvalidValue, "%s: needs %s, got %s", a.Path, want, fault.Clip(string(raw)))
}

// clipPath shortens a path that a client sent. It may begin with a URN.
func clipPath(s string) string { return fault.ClipTo(160, s) }

func (d *decoder) simple(a *model.Attribute, kind jsontext.Kind) (Value, error) {
	if kind == '{' || kind == '[' {
		return Value{}, d.wrong(a, describe(a))
	}
	raw, err := d.js.ReadValue()
	if err != nil {
		return Value{}, syntax(err)
	}
	return d.scalar(a, raw)
}

// scalar reads raw, which is not null, an object or a list, as a value of a.
func (d *decoder) scalar(a *model.Attribute, raw jsontext.Value) (Value, error) {
	text, quoted := []byte(raw), raw[0] == '"'
	if quoted {
		var err error
		if text, err = unquote(raw, a.Path); err != nil {
			return Value{}, err
		}
	}
	if quoted && (a.Kind == model.String || a.Kind == model.Reference) {
		return Simple(a, d.keep(text)), nil
	}
	ok := false
	switch a.Kind {
	case model.Boolean:
		truth := model.FoldName(string(text))
		ok = (truth == "true" || truth == "false") && (!quoted || d.o.Tol.Allow(tolerance.BooleanString, a.Path))
		if ok {
			return Simple(a, boolText(truth == "true")), nil
		}
	case model.Integer, model.Decimal:
		ok = validNumber(a.Kind, string(text)) && (!quoted || d.o.Tol.Allow(tolerance.NumberString, a.Path))
	case model.DateTime:
		if quoted {
			_, ok = ParseTime(string(text))
		}
	case model.Binary:
		ok = quoted && validBase64(text)
	}
	if !ok {
		return Value{}, mismatch(a, describe(a), raw)
	}
	if a.Kind == model.Integer {
		text = plainInt(text)
	}
	return Simple(a, d.keep(text)), nil
}

// plainInt writes a whole number without fraction and exponent: 1e2 becomes 100 (RFC 7643,
// Section 2.3.4).
func plainInt(text []byte) []byte {
	if !bytes.ContainsAny(text, ".eE") {
		return text
	}
	n, _ := parseInt(string(text)) // validNumber has checked it
	return strconv.AppendInt(nil, n, 10)
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// unquote returns the contents of a JSON string. It refuses U+0000, which databases do not
// accept. what names the string in the error.
func unquote(raw jsontext.Value, what string) ([]byte, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], nil
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return nil, syntax(err)
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, nulError(what)
	}
	return text, nil
}

func nulError(path string) error {
	return fault.New(fault.InvalidValue, "%s: must not contain U+0000", path)
}

// any reads a value as raw JSON without white space.
func (d *decoder) any(a *model.Attribute) (Value, error) {
	raw, err := d.raw()
	if err != nil {
		return Value{}, err
	}
	compact := append(jsontext.Value(nil), raw...)
	if err := compact.Compact(); err != nil {
		return Value{}, syntax(err)
	}
	for i := 0; i+1 < len(compact); i++ {
		if compact[i] == '\\' { // an escape, since the JSON is valid
			if bytes.HasPrefix(compact[i+1:], []byte("u0000")) {
				return Value{}, nulError(clipPath(a.Path))
			}
			i++
		}
	}
	if string(compact) == "[]" {
		return Value{}, nil
	}
	return Simple(a, string(compact)), nil
}

// validNumber reports whether text is a JSON number that fits the kind. It must be finite,
// and for an integer whole and within 64 bits.
func validNumber(k model.Kind, text string) bool {
	if raw := jsontext.Value(text); raw.Kind() != '0' || !raw.IsValid() || strings.TrimSpace(text) != text {
		return false
	}
	if k == model.Integer {
		_, ok := parseInt(text)
		return ok
	}
	_, err := strconv.ParseFloat(text, 64)
	return err == nil
}

// parseInt reads a JSON number that is whole: "12", "1.0", "1e2".
func parseInt(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	mantissa, power := strings.ToLower(text), 0
	if m, e, ok := strings.Cut(mantissa, "e"); ok {
		n, err := strconv.Atoi(e)
		if err != nil || n < -400 || n > 400 {
			return 0, false
		}
		mantissa, power = m, n
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	power -= len(fraction)
	for power < 0 && len(digits) > 1 && digits[len(digits)-1] == '0' {
		digits, power = digits[:len(digits)-1], power+1
	}
	if strings.Trim(digits, "-0") == "" {
		return 0, true
	}
	if power < 0 || power > 19 {
		return 0, false
	}
	n, err := strconv.ParseInt(digits+strings.Repeat("0", power), 10, 64)
	return n, err == nil
}

// ParseTime reads a dateTime (RFC 7643, Section 2.3.5): xsd:dateTime with a date and a
// time. No zone means UTC.
func ParseTime(text string) (time.Time, bool) {
	// Refuse what time.Parse also accepts: hours of one digit, decimal commas and
	// impossible zones.
	if len(text) < 19 || text[13] != ':' || strings.IndexByte(text, ',') >= 0 {
		return time.Time{}, false
	}
	if zone := text[max(19, len(text)-6):]; len(zone) == 6 && (zone[0] == '+' || zone[0] == '-') && zone[1:3] > "14" {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse("2006-01-02T15:04:05", text)
	}
	return t, err == nil
}

// validBase64 accepts the standard and the URL alphabet, with or without padding. RFC 7643,
// Section 2.3.6 asks for one, and clients send both.
func validBase64(text []byte) bool {
	enc := base64.RawStdEncoding
	if bytes.ContainsAny(text, "-_") {
		enc = base64.RawURLEncoding
	}
	text = bytes.TrimRight(text, "=")
	_, err := enc.Decode(make([]byte, enc.DecodedLen(len(text))), text)
	return err == nil
}
