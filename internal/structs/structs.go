// Package structs fills structs from attributes and reads attributes from structs. Fields
// name their attribute in the tag "scim".
package structs

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Bindings caches the struct types whose tags it has checked against one resource type. The
// zero value is ready. It is safe for concurrent use.
type Bindings struct {
	m sync.Map // reflect.Type → []field
}

// Decode fills the struct that v points to. get returns the value at a path as doc.Value.Any
// does, nil if there is none, or a time.Time. find resolves the paths of the tags.
func (b *Bindings) Decode(v any, find func(path string) *model.Attribute, get func(path string) any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return errors.New("scim: Decode needs a pointer to a struct")
	}
	fields, err := b.of(p.Elem().Type(), find)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if err := assign(p.Elem().Field(f.index), get(f.path)); err != nil {
			return fmt.Errorf("scim: field %s, %s: %w", f.name, f.path, err)
		}
	}
	return nil
}

// Read calls set with the path and the value of each field that is not empty. v is a struct
// or a pointer to one.
func (b *Bindings) Read(v any, find func(path string) *model.Attribute, set func(path string, x any)) error {
	s := reflect.Indirect(reflect.ValueOf(v))
	if s.Kind() != reflect.Struct {
		return errors.New("scim: From needs a struct or a pointer to one")
	}
	fields, err := b.of(s.Type(), find)
	if err != nil {
		return err
	}
	for _, f := range fields {
		if x := plain(s.Field(f.index)); x != nil {
			set(f.path, x)
		}
	}
	return nil
}

// of returns the fields of a struct type, and checks the tags of each type once.
func (b *Bindings) of(s reflect.Type, find func(path string) *model.Attribute) ([]field, error) {
	if fields, ok := b.m.Load(s); ok {
		return fields.([]field), nil
	}
	fields, err := bind(s, find)
	if err != nil {
		return nil, err
	}
	b.m.Store(s, fields)
	return fields, nil
}

// field is a struct field with the path of its attribute.
type field struct {
	index      int
	name, path string
}

// bind checks the tags of a struct type and of the structs within it.
func bind(s reflect.Type, find func(string) *model.Attribute) ([]field, error) {
	var b []field
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
			if _, err := bind(in, a.Lookup); err != nil {
				return nil, err
			}
		}
		b = append(b, field{i, f.Name, a.Path})
	}
	return b, nil
}

// elemStruct is the struct type behind pointers and slices, nil if there is none.
func elemStruct(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() {
		return t
	}
	return nil
}

// assign puts a value into a field.
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

// plain turns a field into a value that doc.FromAny takes, nil if the field is empty.
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
