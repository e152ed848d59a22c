// Package structs fills structs by their tags, and reads them.
package structs

import (
	"fmt"
	"reflect"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// Field is a struct field with the path of its attribute.
type Field struct {
	Index      int
	Name, Path string
}

// Bind checks the tags of a struct type.
func Bind(s reflect.Type, find func(string) *model.Attribute) ([]Field, error) {
	var b []Field
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
			if _, err := Bind(in, a.Lookup); err != nil {
				return nil, err
			}
		}
		b = append(b, Field{i, f.Name, a.Path})
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

// Assign puts what Get returned into a field.
func Assign(f reflect.Value, x any) error {
	if x == nil {
		f.SetZero()
		return nil
	}
	if f.Kind() == reflect.Pointer {
		p := reflect.New(f.Type().Elem())
		if err := Assign(p.Elem(), x); err != nil {
			return err
		}
		f.Set(p)
		return nil
	}
	if list, ok := x.([]any); ok && f.Kind() == reflect.Slice {
		s := reflect.MakeSlice(f.Type(), len(list), len(list))
		for i, e := range list {
			if err := Assign(s.Index(i), e); err != nil {
				return err
			}
		}
		f.Set(s)
		return nil
	}
	if m, ok := x.(map[string]any); ok && elemStruct(f.Type()) == f.Type() {
		for i := range f.NumField() {
			if path, ok := f.Type().Field(i).Tag.Lookup("scim"); ok {
				if err := Assign(f.Field(i), inMap(m, path)); err != nil {
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

// Plain turns a field into what With takes; nil for what is to be left out.
func Plain(f reflect.Value) any {
	switch f.Kind() {
	case reflect.Pointer:
		if f.IsNil() {
			return nil
		}
		return Plain(f.Elem())
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
			list[i] = Plain(f.Index(i))
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
				if x := Plain(f.Field(i)); x != nil {
					m[path] = x
				}
			}
		}
		return m
	}
	return f.Interface()
}
