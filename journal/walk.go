package journal

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// reading is what one walk over a body finds.
type reading struct {
	text    []byte    // the body without secrets; a part of the body itself if it has none
	touched []Touched // those without Type belong to the resource type of the address
	failure Failure   // "scimType" and "detail" at the top
	// operations are those of a bulk request, or of its answer.
	operations []operation
	secret     bool // a text mentions a secret, so an error may repeat it
}

// errTooDeep and errTooMany end a walk. With errTooMany, a shorter part of the body may be read.
var (
	errTooDeep = errors.New("journal: too deep")
	errTooMany = errors.New("journal: too many names")
)

const (
	maxDepth   = 100
	maxTouched = 4700 // 64 KiB have at most as many references
)

// walker reads a body once, which is known to be JSON as far as it goes. It notes which parts are secret, and copies
// all others as they are.
type walker struct {
	*redactor
	scanner
	cuts   []span
	values []span // those under "value" of the objects around
	hides  bool   // "detail" may repeat a secret
	depth  int
	found  reading
}

// span is a part of the body. end 0 is the end of what is kept.
type span struct{ start, end int }

// read walks a body. isCut says that the body is longer than src: what begins in src and does not end there is
// then left out. hides says that the request mentions a secret.
func (r *redactor) read(src []byte, isCut, hides bool) (*reading, error) {
	if err := r.check(src, isCut); err != nil {
		return nil, err
	}
	w := &walker{redactor: r, scanner: scanner{src: string(src), isCut: isCut}, hides: hides}
	if err := w.value(&object{}, ""); err != nil && !(isCut && errors.Is(err, errCut)) {
		return nil, err
	}
	w.found.text = w.text(src, w.end)
	return &w.found, nil
}

// check reports whether a body is one JSON value, or the beginning of one.
func (r *redactor) check(src []byte, isCut bool) error {
	d := r.decoders.Get().(*jsontext.Decoder)
	defer r.decoders.Put(d)
	d.Reset(bytes.NewBuffer(src))
	_, err := d.ReadValue()
	if isCut && (errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF) {
		return nil
	}
	if err == nil && !isCut {
		if _, e := d.ReadToken(); e != io.EOF {
			return errors.Join(e, errors.New("journal: more than one value"))
		}
	}
	return err
}

// text returns the first end bytes without what is cut out. The cuts are in order of their ends; one may contain
// others before it.
func (w *walker) text(src []byte, end int) []byte {
	if len(w.cuts) == 0 {
		return src[:end:end]
	}
	var kept []span
	for _, c := range w.cuts {
		if c.end == 0 {
			c.end = end
		}
		for len(kept) > 0 && kept[len(kept)-1].start >= c.start {
			kept = kept[:len(kept)-1]
		}
		if c.start < c.end {
			kept = append(kept, c)
		}
	}
	out, at := make([]byte, 0, end), 0
	for _, c := range kept {
		out = append(append(out, src[at:c.start]...), `"`+redacted+`"`...)
		at = c.end
	}
	return append(out, src[at:end]...)
}

// value walks a value that parent has under a key.
func (w *walker) value(parent *object, key string) error {
	switch w.peek() {
	case '{':
		return w.object(parent, key)
	case '[':
		return w.array(parent, key)
	}
	start := w.at
	raw, err := w.scalar()
	if err != nil || raw[0] != '"' {
		return err
	}
	if w.isSecretText(parent, raw, key) {
		parent.secretPath = parent.secretPath || key == "path"
		w.cuts = append(w.cuts, span{start, start + len(raw)})
		if key == "detail" {
			parent.operation().failure.Detail = redacted
		}
		return nil
	}
	return parent.note(w, key, raw)
}

// isSecretText reports whether a string is secret: it mentions a secret attribute, and is not only its name.
func (w *walker) isSecretText(parent *object, raw, key string) bool {
	if w.hides && key == "detail" {
		return true
	}
	if isHarmless(w.redactor, raw[1:len(raw)-1]) {
		return false
	}
	s := unquote(raw)
	isNamed := w.mentions(s)
	if isNamed && !w.isOnlyName(s) || isEscapedJSON(s) {
		w.found.secret = true
		return true
	}
	// What stands beside the name under "value" is its value, whatever the field with the name is called.
	parent.secretPath = parent.secretPath || isNamed && key != "value"
	return false
}

// isOnlyName reports whether a text is the name of a secret attribute, alone or behind a URN. It has no value then.
func (w *walker) isOnlyName(s string) bool {
	name := s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		if len(s) < 4 || !strings.EqualFold(s[:4], "urn:") || strings.ContainsFunc(s, func(c rune) bool { return !isNameRune(c) && c != ':' && c != '.' }) {
			return false
		}
		name = s[i+1:]
	}
	return strings.EqualFold(name, "password") || w.names[strings.ToLower(name)]
}

// isEscapedJSON reports whether a text is an object or an array with escapes, which may spell a secret's name.
func isEscapedJSON(s string) bool {
	s = strings.TrimSpace(s)
	return s != "" && (s[0] == '{' || s[0] == '[') && strings.Contains(s, `\`)
}

func unquote(raw string) string {
	if strings.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1]
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return "password" // It cannot be read, so it is not shown.
	}
	return string(b)
}

func (w *walker) array(parent *object, key string) error {
	w.bracket()
	if w.depth++; w.depth > maxDepth {
		return errTooDeep
	}
	defer func() { w.depth-- }()
	for w.peek() != ']' {
		if err := w.value(parent, key); err != nil {
			return err
		}
	}
	w.bracket()
	return nil
}

// object walks an object. The values of PATCH operations on a secret path are secret too. The path may stand behind
// the value, so this is decided at the end.
func (w *walker) object(parent *object, key string) error {
	if w.depth++; w.depth > maxDepth {
		return errTooDeep
	}
	defer func() { w.depth-- }()
	w.bracket()
	o := &object{first: len(w.found.touched), isTop: w.depth == 1}
	outer := len(w.values)
	err := w.fields(o)
	values := w.values[outer:]
	w.values = w.values[:outer]
	isSecret := o.secretPath || err != nil && o.path == ""
	if isSecret {
		w.cuts = append(w.cuts, values...)
	}
	if isSecret && len(values) > 0 {
		w.found.touched = w.found.touched[:o.first] // what the values name is secret too
	}
	if err != nil || o.secretPath {
		return err
	}
	return o.end(w, parent, key)
}

// fields walks the names and values of an object. w.values gets the places of those under "value".
func (w *walker) fields(o *object) error {
	for w.peek() != '}' {
		at := w.at
		raw, err := w.scalar()
		if err != nil {
			return err
		}
		name, isSecret := "", false
		if isHarmless(w.redactor, raw[1:len(raw)-1]) {
			name = keyOf(raw[1 : len(raw)-1])
		} else {
			plain := unquote(raw)
			if isSecret = w.mentions(plain); isSecret && !w.isOnlyName(plain) {
				w.found.secret = true
				w.cuts = append(w.cuts, span{at, w.at})
			}
			name = keyOf(plain)
		}
		w.peek()
		start := w.at
		if isSecret {
			err := w.skip()
			end := w.end
			if err != nil {
				end = 0
			}
			w.cuts = append(w.cuts, span{start, end})
			if err != nil {
				return err
			}
			continue
		}
		place := len(w.values)
		if name == "value" {
			w.values = append(w.values, span{start, 0})
		}
		if err := w.value(o, name); err != nil {
			return err
		}
		if name == "value" {
			w.values[place].end = w.end
		}
	}
	w.bracket()
	return nil
}
