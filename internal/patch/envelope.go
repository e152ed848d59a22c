package patch

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
	"github.com/scimkit/scim/internal/wire"
)

type verb uint8

const (
	add verb = iota + 1
	replace
	remove
)

func (v verb) String() string { return [...]string{"", "add", "replace", "remove"}[v] }

// operation is one operation as the client sent it.
type operation struct {
	op    verb
	path  string         // "" if there is none
	value jsontext.Value // nil if there is none
}

// envelope reads the message around the operations.
func envelope(body []byte, o Options) ([]operation, error) {
	if jsonwalk.IsDeeper(body, o.MaxDepth) {
		return nil, tooDeep(o.MaxDepth)
	}
	p := parser{d: jsontext.NewDecoder(bytes.NewBuffer(body)), body: body}
	var ops []operation
	var hasSchemas, hasOps bool
	err := p.object("the body", func(name string) error {
		switch name {
		case "schemas":
			hasSchemas = true
			return p.schemas()
		case "operations":
			hasOps = true
			return p.array("Operations", func() error {
				if len(ops) == o.MaxOps {
					return &fault.Error{Status: 413, Type: fault.TooMany, Detail: fault.New("", "a request may have at most %d operations", o.MaxOps).Detail}
				}
				op, err := p.operation(o)
				ops = append(ops, op)
				return err
			})
		}
		_, err := p.value()
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !p.atEnd():
		return nil, fault.New(fault.InvalidSyntax, "there is something behind the end of the JSON object")
	case !hasSchemas && !o.Doc.Tol.Allow(tolerance.MissingSchemas, "schemas"):
		return nil, fault.New(fault.InvalidSyntax, "schemas: is missing; it must contain %q", wire.PatchOp)
	case !hasOps || len(ops) == 0:
		return nil, fault.New(fault.InvalidSyntax, "Operations: is missing or empty; it must be an array of operations")
	}
	return ops, nil
}

// parser walks the message. The decoder refuses duplicate names and invalid UTF-8.
type parser struct {
	d    *jsontext.Decoder
	body []byte
}

func (p *parser) operation(o Options) (op operation, err error) {
	var sent string
	err = p.object("each of Operations", func(name string) (err error) {
		switch name {
		case "op":
			sent, err = p.text("op")
		case "path":
			op.path, err = p.text("path")
			op.path = strings.TrimSpace(op.path)
		case "value":
			op.value, err = p.value()
		default: // such as "name" or "id" (Q5)
			_, err = p.value()
		}
		return err
	})
	if err != nil {
		return op, err
	}
	switch model.FoldName(sent) {
	case "add":
		op.op = add
	case "replace":
		op.op = replace
	case "remove":
		op.op = remove
	}
	if op.op == 0 || sent != op.op.String() && !o.Doc.Tol.Allow(tolerance.OpCase, "op") {
		return op, fault.New(fault.InvalidSyntax, "op: must be add, remove or replace, got %q", fault.ClipTo(40, sent))
	}
	return op, nil
}

func (p *parser) schemas() error {
	found := false
	err := p.array("schemas", func() error {
		urn, err := p.text("schemas")
		found = found || model.FoldName(urn) == model.FoldName(wire.PatchOp)
		return err
	})
	if err == nil && !found {
		err = fault.New(fault.InvalidSyntax, "schemas: must contain %q", wire.PatchOp)
	}
	return err
}

// object calls field for each member with its folded name. field must read the value. Two
// spellings of a name are the same attribute (RFC 7643, Section 2.1), so object refuses the
// second one.
func (p *parser) object(what string, field func(name string) error) error {
	if p.d.PeekKind() != '{' {
		return p.wrong(what + " must be a JSON object")
	}
	if _, err := p.d.ReadToken(); err != nil {
		return syntax(err)
	}
	var seen [8]string
	n := 0
	for p.d.PeekKind() != '}' {
		tok, err := p.d.ReadToken()
		if err != nil {
			return syntax(err)
		}
		name := model.FoldName(tok.String())
		switch name {
		case "schemas", "operations", "op", "path", "value":
			for _, s := range seen[:n] {
				if s == name {
					return fault.New(fault.InvalidSyntax, "%s: %q is there twice, in different spellings", what, name)
				}
			}
			seen[n] = name
			n++
		}
		if err := field(name); err != nil {
			return err
		}
	}
	_, err := p.d.ReadToken()
	return syntax(err)
}

// array calls elem for each element. elem must read it.
func (p *parser) array(what string, elem func() error) error {
	if p.d.PeekKind() != '[' {
		return p.wrong(what + " must be an array")
	}
	if _, err := p.d.ReadToken(); err != nil {
		return syntax(err)
	}
	for p.d.PeekKind() != ']' {
		if err := elem(); err != nil {
			return err
		}
	}
	_, err := p.d.ReadToken()
	return syntax(err)
}

// text reads a string; null is "".
func (p *parser) text(what string) (string, error) {
	switch p.d.PeekKind() {
	case '"', 'n':
		tok, err := p.d.ReadToken()
		if err != nil {
			return "", syntax(err)
		}
		if tok.Kind() == 'n' {
			return "", nil
		}
		return tok.String(), nil
	}
	return "", p.wrong(what + " must be a string")
}

// value reads any value. It returns a part of the body.
func (p *parser) value() (jsontext.Value, error) {
	v, err := p.d.ReadValue()
	if err != nil {
		return nil, syntax(err)
	}
	end := int(p.d.InputOffset())
	return jsontext.Value(p.body[end-len(v) : end : end]), nil
}

// wrong is the error for JSON in the wrong place, or for invalid JSON.
func (p *parser) wrong(detail string) error {
	if _, err := p.d.ReadValue(); err != nil {
		return syntax(err)
	}
	return fault.New(fault.InvalidSyntax, "%s", detail)
}

func (p *parser) atEnd() bool {
	_, err := p.d.ReadToken()
	return errors.Is(err, io.EOF)
}

// syntax makes the decoder's error one for the client.
func syntax(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.InvalidSyntax, "the body isn't valid JSON: %s", jsonwalk.Reason(err))
}

func tooDeep(limit int) error {
	return fault.New(fault.InvalidSyntax, "the body is nested more than %d levels deep", limit)
}

// isNull reports whether the value is missing or null.
func isNull(raw jsontext.Value) bool { return raw == nil || raw.Kind() == 'n' }
