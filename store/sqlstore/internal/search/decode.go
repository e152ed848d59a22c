package search

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object. Its members are few, and a map would cost more.
type object []member

type member struct {
	name  string
	value any
}

// get returns the value of a member, or nil.
func (o object) get(name string) any {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value
		}
	}
	return nil
}

// decode reads a JSON object, but some of its members. A number stays a text: a float has no room for
// 64 bits.
func decode(text string, but ...string) (object, error) {
	p := plainJSON{rest: text}
	if v, ok := p.value(but...); ok && p.rest == "" {
		o, _ := v.(object)
		return o, nil
	}
	v, err := decodeAny(jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true)), but...)
	o, _ := v.(object)
	return o, err
}

// plainJSON reads valid JSON without spaces. Resources are written so, and a decoder of any JSON takes
// several times as long. Texts without escapes are parts of what is read.
type plainJSON struct{ rest string }

// take takes the next character if it is c.
func (p *plainJSON) take(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

// value reads a value, but some members of an object. ok is false if it is not plain.
func (p *plainJSON) value(but ...string) (v any, ok bool) {
	switch {
	case p.take('{'):
		return p.object(but)
	case p.take('['):
		list := []any{}
		for !p.take(']') {
			if len(list) > 0 && !p.take(',') {
				return nil, false
			}
			if v, ok = p.value(); !ok {
				return nil, false
			}
			list = append(list, v)
		}
		return list, true
	case p.take('"'):
		return p.text()
	}
	end := strings.IndexAny(p.rest, ",]}")
	if end <= 0 {
		return nil, false
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	switch {
	case word == "true", word == "false":
		return word == "true", true
	case word == "null":
		return nil, true
	case strings.Trim(word, "0123456789+-.eE") != "":
		return nil, false
	}
	return json.Number(word), true
}

// object reads what follows the brace that begins an object.
func (p *plainJSON) object(but []string) (any, bool) {
	o := make(object, 0, 8)
	for n := 0; !p.take('}'); n++ {
		if n > 0 && !p.take(',') || !p.take('"') {
			return nil, false
		}
		name, ok := p.text()
		if !ok || !p.take(':') {
			return nil, false
		}
		v, ok := p.value()
		if !ok {
			return nil, false
		}
		if !slices.Contains(but, name) {
			o = append(o, member{name, v})
		}
	}
	return o, true
}

// text reads what follows the quote that begins a text.
func (p *plainJSON) text() (string, bool) {
	end, hasEscape := 0, false
	for {
		n := strings.IndexAny(p.rest[end:], `"\\`)
		if n < 0 {
			return "", false
		}
		if end += n; p.rest[end] == '"' {
			break
		}
		hasEscape = true
		if end += 2; end > len(p.rest) {
			return "", false
		}
	}
	text := p.rest[:end]
	p.rest = p.rest[end+1:]
	if !hasEscape {
		return text, true
	}
	plain, err := jsontext.AppendUnquote(nil, `"`+text+`"`)
	return string(plain), err == nil
}

// decodeAny reads any JSON value, but some members of an object.
func decodeAny(d *jsontext.Decoder, but ...string) (any, error) {
	t, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch t.Kind() {
	case '{':
		o := make(object, 0, 4)
		for d.PeekKind() != '}' {
			t, err := d.ReadToken()
			if err != nil {
				return nil, err
			}
			m := member{name: t.String()}
			if slices.Contains(but, m.name) {
				if err := d.SkipValue(); err != nil {
					return nil, err
				}
				continue
			}
			if m.value, err = decodeAny(d); err != nil {
				return nil, err
			}
			o = append(o, m)
		}
		_, err := d.ReadToken()
		return o, err
	case '[':
		list := []any{}
		for d.PeekKind() != ']' {
			v, err := decodeAny(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.ReadToken()
		return list, err
	case '"':
		return t.String(), nil
	case '0':
		return json.Number(t.String()), nil
	case 't', 'f':
		return t.Bool(), nil
	}
	return nil, nil
}
