// Package jsonwalk reads parts of JSON text that the caller has validated. So it does not
// look for duplicate names and invalid UTF-8 again.
//
// Every value that it yields is a part of the input, not a copy. The value's capacity ends
// with it, so that appending never overwrites the following text.
package jsonwalk

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// Fields yields the names and values of a JSON object, in the order of the text. It
// yields nothing for another kind of value, and stops where the text is malformed.
func Fields(raw jsontext.Value) iter.Seq2[string, jsontext.Value] {
	return func(yield func(string, jsontext.Value) bool) {
		if raw.Kind() != '{' {
			return
		}
		for d := inside(raw); d.PeekKind() == '"'; {
			token, err := d.ReadToken()
			if err != nil {
				return
			}
			name := token.String() // the next read invalidates the token
			v, err := next(d, raw)
			if err != nil || !yield(name, v) {
				return
			}
		}
	}
}

// Elements yields the elements of a JSON array. It yields nothing for another kind of
// value, and stops where the text is malformed.
func Elements(raw jsontext.Value) iter.Seq[jsontext.Value] {
	return func(yield func(jsontext.Value) bool) {
		if raw.Kind() != '[' {
			return
		}
		for d := inside(raw); d.PeekKind() != ']'; {
			v, err := next(d, raw)
			if err != nil || !yield(v) {
				return
			}
		}
	}
}

// inside returns a decoder behind the opening bracket of raw.
func inside(raw jsontext.Value) *jsontext.Decoder {
	// The decoder reads a bytes.Buffer in place. It would copy from any other reader.
	d := jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
	d.ReadToken() //nolint:errcheck // the caller has checked the bracket
	return d
}

// next reads one value and returns it as a part of raw.
func next(d *jsontext.Decoder, raw jsontext.Value) (jsontext.Value, error) {
	v, err := d.ReadValue()
	if err != nil {
		return nil, err
	}
	end := int(d.InputOffset())
	return raw[end-len(v) : end : end], nil
}

// Text returns the content of a JSON string. ok is false for every other value.
func Text(raw jsontext.Value) (s string, ok bool) {
	if raw.Kind() != '"' {
		return "", false
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err == nil
}

// Quote returns s as a JSON string. s must be valid UTF-8.
func Quote(s string) jsontext.Value {
	out, _ := jsontext.AppendQuote(nil, s)
	return out
}
