package journal

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// keys are the names that the walk understands, as they are usually written and folded.
var keys = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{"id", "userName", "displayName", "externalId", "value", "display", "type", "$ref", "path", "location", "resourceType",
		"scimType", "detail", "members", "groups", "manager", "emails", "meta", "filter"} {
		m[k], m[strings.ToLower(k)] = k, k
	}
	return m
}()

// keyOf returns a name as the walk knows it; "" if it means nothing there.
func keyOf(raw []byte) string {
	if k, ok := keys[string(raw)]; ok {
		return k
	}
	if i := bytes.IndexAny(raw, "[.:"); i >= 0 {
		return keys[attributeOf(string(raw))]
	}
	if len(raw) > len("resourceType") {
		return ""
	}
	return keys[strings.ToLower(string(raw))]
}

// attributeOf returns the attribute that a path begins with, in small letters, without the URN before it.
func attributeOf(path string) string {
	name, _, _ := strings.Cut(path, "[")
	name = name[strings.LastIndexByte(name, ':')+1:]
	name, _, _ = strings.Cut(name, ".")
	return strings.ToLower(strings.TrimSpace(name))
}

// object is what the walk has read of one JSON object.
type object struct {
	isTop      bool
	first      int    // where the resources below begin in reading.touched
	kind       string // the resource type, if the object tells it
	id, value  string
	names      []string
	path       string
	secretPath bool
	// values are texts in "value", which mean something once the path is known.
	values []string
}

// note takes a string of the object into account.
func (o *object) note(w *walker, key string, raw jsontext.Value) error {
	if key == "" {
		return nil
	}
	s := unquote(raw)
	switch key {
	case "id":
		o.id = s
	case "userName", "displayName", "externalId", "display":
		o.names = append(o.names, s)
	case "value":
		o.value = s
		o.values = append(o.values, s)
	case "emails":
		o.names = append(o.names, s)
	case "members", "manager":
		return w.touch(Touched{Type: "User", ID: s})
	case "filter":
		for _, t := range touchedByFilter("", s) {
			if err := w.touch(t); err != nil {
				return err
			}
		}
	case "resourceType":
		o.kind = s
	case "type":
		if s == "User" || s == "Group" {
			o.kind = s
		}
	case "path":
		o.path, o.secretPath = s, o.secretPath || w.mentions(s)
	case "$ref", "location":
		if kind, id := refIn(s); kind != "" {
			o.kind = kind
			if key == "location" && o.id == "" {
				o.id = id
			}
		}
	case "scimType":
		if o.isTop {
			w.found.failure.Type = s
		}
	case "detail":
		if o.isTop {
			w.found.failure.Detail = s
		}
	}
	return nil
}

// end says what an object that parent has under a key means.
func (o *object) end(w *walker, parent *object, key string) error {
	switch key {
	case "members":
		return w.touch(Touched{Type: orUser(o.kind), ID: o.value, Names: o.names})
	case "manager":
		return w.touch(Touched{Type: "User", ID: o.value, Names: o.names})
	case "groups":
		return w.touch(Touched{Type: "Group", ID: o.value, Names: o.names})
	case "emails":
		parent.names = append(parent.names, o.value)
		return nil
	case "meta":
		parent.kind = o.kind
		return nil
	}
	if key == "value" && o.value != "" {
		// An element of what a PATCH operation adds: the path of the operation says what it is.
		parent.values = append(parent.values, o.value)
		if o.kind != "" {
			return w.touch(Touched{Type: o.kind, ID: o.value, Names: o.names})
		}
	}
	if err := o.operation(w); err != nil {
		return err
	}
	for i := o.first; o.kind != "" && i < len(w.found.touched); i++ {
		if w.found.touched[i].Type == "" {
			w.found.touched[i].Type = o.kind
		}
	}
	if o.id == "" && len(o.names) == 0 {
		return nil
	}
	return w.touch(Touched{Type: o.kind, ID: o.id, Names: o.names})
}

// operation reads an operation of a PATCH or of a bulk request.
func (o *object) operation(w *walker) error {
	if o.path == "" {
		return nil
	}
	if kind, id := refIn(o.path); strings.HasPrefix(o.path, "/") {
		o.kind, o.id = kind, id
		return nil
	}
	_, rest, _ := strings.Cut(o.path, "[")
	switch attributeOf(o.path) {
	case "members", "manager":
		for _, id := range append(quoted(rest), o.values...) {
			if err := w.touch(Touched{Type: "User", ID: id}); err != nil {
				return err
			}
		}
	case "emails":
		for _, text := range quoted(rest) {
			if strings.Contains(text, "@") { // not a type such as "work"
				o.names = append(o.names, text)
			}
		}
		o.names = append(o.names, o.values...)
	case "username", "displayname", "externalid":
		o.names = append(o.names, o.values...)
	}
	return nil
}

// touch adds a resource.
func (w *walker) touch(t Touched) error {
	if t.ID == "" && len(t.Names) == 0 {
		return nil
	}
	if len(w.found.touched) >= maxTouched {
		return errTooMany
	}
	if !isFilled(t.Names) {
		t.Names = nil
	}
	w.found.touched = append(w.found.touched, t)
	return nil
}

func isFilled(names []string) bool { return strings.Join(names, "") != "" }

func orUser(kind string) string {
	if kind == "" {
		return "User"
	}
	return kind
}

// refIn returns the type and the id in an address such as ".../Users/17".
func refIn(address string) (kind, id string) {
	parts := strings.Split(strings.Trim(address, "/"), "/")
	for i := max(0, len(parts)-2); i < len(parts); i++ {
		switch parts[i] {
		case "Users":
			kind = "User"
		case "Groups":
			kind = "Group"
		default:
			continue
		}
		if i+1 < len(parts) {
			id = parts[i+1]
		}
		return kind, id
	}
	return "", ""
}

// quoted returns the texts between quotes in a filter.
func quoted(filter string) (all []string) {
	for {
		i := strings.IndexByte(filter, '"')
		if i < 0 {
			return all
		}
		j := i + 1
		for j < len(filter) && filter[j] != '"' {
			if filter[j] == '\\' {
				j++
			}
			j++
		}
		if j >= len(filter) {
			return all
		}
		if b, err := jsontext.AppendUnquote(nil, filter[i:j+1]); err == nil {
			all = append(all, string(b))
		}
		filter = filter[j+1:]
	}
}
