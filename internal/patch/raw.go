package patch

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// The body has been checked as a whole by the time these are called: the decoder
// here need not look for duplicate names and bad UTF-8 again.
func decoder(raw jsontext.Value) *jsontext.Decoder {
	return jsontext.NewDecoder(bytes.NewBuffer(raw), jsontext.AllowDuplicateNames(true))
}

// members calls f for each member of the JSON object raw.
func members(raw jsontext.Value, f func(name string, value jsontext.Value) error) error {
	d := decoder(raw)
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	for d.PeekKind() != '}' {
		tok, err := d.ReadToken()
		if err != nil {
			return syntax(err)
		}
		name := tok.String()
		v, err := d.ReadValue()
		if err != nil {
			return syntax(err)
		}
		end := int(d.InputOffset())
		if err := f(name, raw[end-len(v):end:end]); err != nil {
			return err
		}
	}
	return nil
}

// elements calls f for each element of the JSON array raw.
func elements(raw jsontext.Value, f func(jsontext.Value)) error {
	d := decoder(raw)
	if _, err := d.ReadToken(); err != nil {
		return syntax(err)
	}
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return syntax(err)
		}
		end := int(d.InputOffset())
		f(raw[end-len(v) : end : end])
	}
	return nil
}

// isNull reports whether there is no value: none was sent, or null.
func isNull(raw jsontext.Value) bool { return raw == nil || raw.Kind() == 'n' }
