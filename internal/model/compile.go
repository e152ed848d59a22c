package model

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/elimity-com/scim/schema"
)

// Compile makes a resource type from elimity schemas.
func Compile(name string, core schema.Schema, extensions []schema.Schema) (*Type, error) {
	root := &Attribute{Kind: Complex, byName: map[string]*Attribute{}}
	t := &Type{Name: name, URN: core.ID, Root: root}
	t.Schemas = []Schema{{URN: core.ID, Name: core.Name.Value(), Description: core.Description.Value(), Attributes: root}}
	for _, a := range common() {
		if err := root.add(a); err != nil {
			return nil, err
		}
	}
	if err := root.addAll(core.Attributes); err != nil {
		return nil, fmt.Errorf("schema %s: %w", core.ID, err)
	}
	for _, s := range extensions {
		e := &Attribute{Name: s.ID, Kind: Complex, Extension: true, Description: s.Description.Value()}
		if err := root.add(e); err != nil {
			return nil, err
		}
		if err := e.addAll(s.Attributes); err != nil {
			return nil, fmt.Errorf("schema %s: %w", s.ID, err)
		}
		t.Schemas = append(t.Schemas, Schema{URN: s.ID, Name: s.Name.Value(), Description: s.Description.Value(), Attributes: e})
	}
	if m := root.Lookup("members"); name == "Group" && m != nil && m.Multi && m.Lookup("value") != nil {
		t.Members, m.NoEmpty = m, true
		// The server computes the display name of a member, and ignores the client's.
		if display := m.Lookup("display"); display != nil {
			display.Mutability = ReadOnly
		}
	}
	if p := root.Lookup("password"); p != nil && p.Kind == String && !p.Multi {
		t.Password = p
	}
	return t, nil
}

// common are the attributes of RFC 7643, Section 3.1, which no schema lists.
func common() []*Attribute {
	at := func(name string, kind Kind) *Attribute {
		return &Attribute{Name: name, Kind: kind, CaseExact: true, Mutability: ReadOnly, Meta: true}
	}
	schemas := at("schemas", Reference)
	schemas.Multi, schemas.Returned, schemas.CaseExact = true, Always, false
	id := at("id", String)
	id.Returned, id.Unique = Always, true
	meta := at("meta", Complex)
	meta.Sub = []*Attribute{
		at("resourceType", String), at("created", DateTime), at("lastModified", DateTime),
		at("location", Reference), at("version", String),
	}
	return []*Attribute{
		schemas, id,
		{Name: "externalId", Kind: String, CaseExact: true, Description: "The identifier that the client knows the resource by."},
		meta,
	}
}

func (a *Attribute) addAll(list schema.Attributes) error {
	for _, e := range list {
		if a.Parent == nil && (FoldName(e.Name()) == "id" || FoldName(e.Name()) == "externalid" || FoldName(e.Name()) == "meta" || FoldName(e.Name()) == "schemas") {
			continue // common attributes are the same for every schema
		}
		if err := checkGrammar(e); err != nil {
			return err
		}
		if err := a.add(fromSchema(e)); err != nil {
			return err
		}
	}
	return nil
}

// checkGrammar refuses attributes that elimity's constructors refuse but its JSON decoder
// accepts.
func checkGrammar(e schema.CoreAttribute) error {
	if strings.HasPrefix(e.Name(), "$") { // only a sub-attribute is called $ref
		return fmt.Errorf("attribute %q: the name does not begin with a letter (RFC 7643, Section 2.1)", e.Name())
	}
	for _, sub := range e.SubAttributes() {
		if sub.AttributeType() == Complex.String() {
			return fmt.Errorf("attribute %q: the sub-attribute %q is complex (RFC 7643, Section 2.3.8)", e.Name(), sub.Name())
		}
	}
	return nil
}

// add appends s to the sub-attributes of a.
func (a *Attribute) add(s *Attribute) error {
	key := FoldName(s.Name)
	if _, dup := a.byName[key]; dup {
		return fmt.Errorf("attribute %q is there twice", s.Name)
	}
	if a.byName == nil {
		a.byName = map[string]*Attribute{}
	}
	a.byName[key], a.byName[s.Name] = s, s
	s.Parent, s.Order = a, len(a.Sub)
	s.Key = strconv.Quote(s.Name) + ":"
	s.Path = s.Name
	switch {
	case a.Extension:
		s.Path = a.Path + ":" + s.Name
	case a.Parent != nil:
		s.Path = a.Path + "." + s.Name
	}
	a.Sub = append(a.Sub, s)
	subs := s.Sub
	s.Sub = nil
	for _, sub := range subs {
		if err := s.add(sub); err != nil {
			return err
		}
	}
	return nil
}

func fromSchema(e schema.CoreAttribute) *Attribute {
	a := &Attribute{
		Name: e.Name(), Description: e.Description(), Multi: e.MultiValued(), Required: e.Required(),
		CaseExact: e.CaseExact(), Canonical: e.CanonicalValues(),
		Unique: e.Uniqueness() == "server" || e.Uniqueness() == "global",
	}
	for k := String; k <= Complex; k++ {
		if k.String() == e.AttributeType() {
			a.Kind = k
		}
	}
	for m, name := range map[Mutability]string{ReadOnly: "readOnly", Immutable: "immutable", WriteOnly: "writeOnly"} {
		if e.Mutability() == name {
			a.Mutability = m
		}
	}
	for r, name := range map[Returned]string{Always: "always", Never: "never", Request: "request"} {
		if e.Returned() == name {
			a.Returned = r
		}
	}
	for _, r := range e.ReferenceTypes() {
		a.RefTypes = append(a.RefTypes, string(r))
	}
	for _, sub := range e.SubAttributes() {
		a.Sub = append(a.Sub, fromSchema(sub))
	}
	// References and binary values are case-exact (RFC 7643, Sections 2.3.6 and 2.3.7).
	// Values that hold a resource's id are too, because the id is.
	if a.Kind == Reference || a.Kind == Binary {
		a.CaseExact = true
	}
	if name := a.Name; name == "members" || name == "groups" || name == "manager" {
		for _, sub := range a.Sub {
			if sub.Name == "value" {
				sub.CaseExact = true
			}
		}
	}
	return a
}
