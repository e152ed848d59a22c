package scim

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Decode fills the struct that v points to from the resource, by tags:
//
//	type person struct {
//		ID     string   `scim:"id"`
//		Login  string   `scim:"userName"`
//		Family string   `scim:"name.familyName"`
//		Active bool     `scim:"active"`
//		Emails []string `scim:"emails.value"`
//	}
//
// Fields may be strings, booleans, numbers, time.Time for dates, pointers to these,
// slices of these, and, for complex attributes, structs with tags of their own and
// slices of them. A field whose attribute is absent gets its zero value, but active is
// true then. Fields without a tag stay as they are. The tags of a struct are checked
// once per type; a path that the resource type does not have is an error.
func (r *Resource) Decode(v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return errors.New("scim: Decode needs a pointer to a struct")
	}
	b, err := r.t.binding(p.Elem().Type())
	if err != nil {
		return err
	}
	for _, f := range b {
		x := r.Get(f.path)
		switch f.path {
		case "meta.created":
			x = r.d.Created
		case "meta.lastModified":
			x = r.d.Modified
		case "meta.version":
			x = r.d.Version
		case "active":
			x = r.Active()
		}
		if err := assign(p.Elem().Field(f.index), x); err != nil {
			return fmt.Errorf("scim: field %s, %s: %w", f.name, f.path, err)
		}
	}
	return nil
}

// From makes a resource from a struct with the tags that Decode reads, or a pointer
// to one. Booleans and numbers are always set; empty strings, zero times, nil pointers
// and empty slices leave the attribute out. "emails.value", as a path into a
// multi-valued attribute, can only be decoded.
func (t *ResourceType) From(v any) (*Resource, error) {
	s := reflect.Indirect(reflect.ValueOf(v))
	if s.Kind() != reflect.Struct {
		return nil, errors.New("scim: From needs a struct or a pointer to one")
	}
	b, err := t.binding(s.Type())
	if err != nil {
		return nil, err
	}
	var m Meta
	values := map[string]any{}
	for _, f := range b {
		x := plain(s.Field(f.index))
		switch f.path {
		case "id":
			m.ID, _ = x.(string)
		case "meta.created":
			m.Created, _ = x.(time.Time)
		case "meta.lastModified":
			m.LastModified, _ = x.(time.Time)
		case "meta.version":
			m.Version, _ = x.(string)
		default:
			if x != nil {
				values[f.path] = x
			}
		}
	}
	return t.Bind(m, nil, values)
}

// boundField is a struct field with the path of its attribute.
type boundField struct {
	index      int
	name, path string
}

// binding checks the tags of a struct type against the resource type, once.
func (t *ResourceType) binding(s reflect.Type) ([]boundField, error) {
	if b, ok := t.bindings.Load(s); ok {
		return b.([]boundField), nil
	}
	b, err := bindStruct(s, t.m.Find)
	if err != nil {
		return nil, err
	}
	t.bindings.Store(s, b)
	return b, nil
}

func bindStruct(s reflect.Type, find func(string) *model.Attribute) ([]boundField, error) {
	var b []boundField
	for i := range s.NumField() {
		f := s.Field(i)
		path, tagged := f.Tag.Lookup("scim")
		if !tagged {
			continue
		}
		a := find(path)
		switch {
		case !f.IsExported():
			return nil, fmt.Errorf("scim: field %s.%s has a tag but is not exported", s, f.Name)
		case a == nil:
			return nil, fmt.Errorf("scim: field %s.%s: there is no attribute %q", s, f.Name, path)
		case a.Name == "password":
			return nil, fmt.Errorf("scim: field %s.%s: a password never is in a resource", s, f.Name)
		}
		if in := elemStruct(f.Type); in != nil {
			if _, err := bindStruct(in, a.Lookup); err != nil {
				return nil, err
			}
		}
		b = append(b, boundField{i, f.Name, a.Path})
	}
	return b, nil
}

// elemStruct is the struct with tags of its own behind pointers and slices; nil if
// there is none.
func elemStruct(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() {
		return t
	}
	return nil
}

// assign puts what Get returned into a field.
func assign(f reflect.Value, x any) error {
	if x == nil {
		f.SetZero()
		return nil
	}
	if f.Kind() == reflect.Pointer {
		p := reflect.New(f.Type().Elem())
		if err := assign(p.Elem(), x); err != nil {
			return err
		}
		f.Set(p)
		return nil
	}
	if list, ok := x.([]any); ok && f.Kind() == reflect.Slice {
		s := reflect.MakeSlice(f.Type(), len(list), len(list))
		for i, e := range list {
			if err := assign(s.Index(i), e); err != nil {
				return err
			}
		}
		f.Set(s)
		return nil
	}
	if m, ok := x.(map[string]any); ok && elemStruct(f.Type()) == f.Type() {
		for i := range f.NumField() {
			if path, ok := f.Type().Field(i).Tag.Lookup("scim"); ok {
				if err := assign(f.Field(i), inMap(m, path)); err != nil {
					return fmt.Errorf("%s: %w", path, err)
				}
			}
		}
		return nil
	}
	if s, ok := x.(string); ok && f.Type() == reflect.TypeFor[time.Time]() {
		at, ok := doc.ParseTime(s)
		if !ok {
			return fmt.Errorf("%q is no date", fault.Clip(s))
		}
		f.Set(reflect.ValueOf(at))
		return nil
	}
	v := reflect.ValueOf(x)
	switch {
	case v.Type().AssignableTo(f.Type()):
		f.Set(v)
	case v.CanInt() && f.CanInt() && !f.OverflowInt(v.Int()):
		f.SetInt(v.Int())
	case v.CanInt() && f.CanFloat():
		f.SetFloat(float64(v.Int()))
	case v.CanFloat() && f.CanFloat():
		f.SetFloat(v.Float())
	case v.Kind() == f.Kind() && v.CanConvert(f.Type()) && !v.CanInt():
		f.Set(v.Convert(f.Type())) // named strings and booleans
	default:
		return fmt.Errorf("a %s does not fit a %s", v.Type(), f.Type())
	}
	return nil
}

// inMap finds a sub-attribute by its name in any case.
func inMap(m map[string]any, name string) any {
	for k, v := range m {
		if model.FoldName(k) == model.FoldName(name) {
			return v
		}
	}
	return nil
}

// plain turns a field into what With takes; nil for what is to be left out.
func plain(f reflect.Value) any {
	switch f.Kind() {
	case reflect.Pointer:
		if f.IsNil() {
			return nil
		}
		return plain(f.Elem())
	case reflect.String:
		if f.Len() == 0 {
			return nil
		}
		return f.String()
	case reflect.Bool:
		return f.Bool()
	case reflect.Slice:
		if f.Len() == 0 {
			return nil
		}
		if f.Type().Elem().Kind() == reflect.Uint8 {
			return f.Bytes()
		}
		list := make([]any, f.Len())
		for i := range list {
			list[i] = plain(f.Index(i))
		}
		return list
	case reflect.Struct:
		if at, ok := f.Interface().(time.Time); ok {
			if at.IsZero() {
				return nil
			}
			return at
		}
		m := map[string]any{}
		for i := range f.NumField() {
			if path, ok := f.Type().Field(i).Tag.Lookup("scim"); ok {
				if x := plain(f.Field(i)); x != nil {
					m[path] = x
				}
			}
		}
		return m
	}
	return f.Interface()
}
