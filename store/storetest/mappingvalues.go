package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// attributes lists the attributes of a type that clients write. A multi-valued attribute stands
// for its parts.
func (m *mapped) attributes(typ *scim.ResourceType) (all []scim.Attribute) {
	for _, a := range typ.Attributes() {
		switch top, _, _ := strings.Cut(a.Path, "."); {
		case top == "id" || top == "schemas" || top == "meta" || top == "password" || top == "groups" || top == "members":
		case a.Path == "userName" || a.Path == "active":
		case a.Parent != nil && a.Parent.MultiValued, a.Type == scim.TypeComplex && !a.MultiValued, strings.HasSuffix(a.Path, "$ref"):
		default:
			all = append(all, a)
		}
	}
	return all
}

// value returns a value for an attribute, in one of two variants. Those of two resources differ.
func (m *mapped) value(typ *scim.ResourceType, a scim.Attribute, variant int) any {
	n := 2*m.count + variant
	switch l := m.limits(typ)[a.Path]; {
	case l.Value != nil:
		return l.Value(n)
	case l.Values[variant] != nil:
		return l.Values[variant]
	}
	if !a.MultiValued {
		return m.simple(a, n, variant)
	}
	if a.Type != scim.TypeComplex {
		return []any{m.simple(a, n, variant)}
	}
	var list []values
	for i := range 2 - variant { // The second variant has fewer elements.
		list = append(list, m.element(typ, a, n, i, variant))
	}
	return list
}

// element returns the i-th element of a multi-valued attribute.
func (m *mapped) element(typ *scim.ResourceType, list scim.Attribute, n, i, variant int) values {
	e := values{}
	for _, a := range typ.Attributes() {
		if a.Parent == nil || a.Parent.Path != list.Path || a.MultiValued || a.Type == scim.TypeComplex {
			continue
		}
		switch part := strings.TrimPrefix(a.Path, list.Path+"."); part {
		case "type":
			e[part] = []string{"work", "home"}[i]
		case "primary":
			if i == 0 {
				e[part] = true
			}
		case "display", "formatted", "$ref":
		default:
			e[part] = m.simple(a, 10*n+i, variant)
		}
	}
	return e
}

// simple returns a simple value of an attribute.
func (m *mapped) simple(a scim.Attribute, n, variant int) any {
	switch a.Type {
	case scim.TypeBoolean:
		return variant == 0
	case scim.TypeInteger:
		return int64(n)
	case scim.TypeDecimal:
		return float64(n) + 0.5
	case scim.TypeDateTime:
		return time.Date(2024, 3, 10, 12, n%60, 0, 0, time.UTC)
	case scim.TypeBinary:
		return []byte{byte(n), 1, 255}
	case scim.TypeReference:
		return fmt.Sprint("https://example.com/", n)
	}
	last := a.Path[strings.LastIndexAny(a.Path, ".:")+1:]
	switch {
	case a.Path == "userName" || a.Path == "emails.value":
		return fmt.Sprintf("person%d@example.com", n)
	case strings.HasSuffix(a.Path, "manager.value"):
		return m.manager()
	case last == "locale":
		return []string{"en-US", "fr-FR"}[variant]
	case last == "preferredLanguage":
		return []string{"en", "fr"}[variant]
	case last == "timezone":
		return []string{"Europe/Paris", "Asia/Tokyo"}[variant]
	case last == "country":
		return []string{"DE", "FR"}[variant]
	case a.Path == "phoneNumbers.value":
		return fmt.Sprintf("tel:+1-201-555-%04d", n%10000)
	case strings.Contains(strings.ToLower(last), "number") || last == "postalCode":
		return fmt.Sprint(1000 + n)
	}
	return fmt.Sprintf("%s Ä %d", last, n)
}

// manager returns the id of a user to whom others refer.
func (m *mapped) manager() string {
	if m.boss == "" {
		m.boss = "?" // The user has no manager, even if one is required.
		m.boss = m.t.create(m.Store, m.resource(m.User, nil)).ID()
	}
	return m.boss
}
