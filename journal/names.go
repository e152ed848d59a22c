package journal

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// keys are the names that the walk understands, as they are usually written and folded.
var keys = func() map[string]string {
	m := map[string]string{}
	for _, k := range []string{"id", "userName", "displayName", "externalId", "value", "display", "type", "$ref", "path", "location", "resourceType",
		"scimType", "detail", "members", "groups", "manager", "emails", "meta"} {
		m[k], m[strings.ToLower(k)] = k, k
	}
	return m
}()

// keyOf returns a name as the walk knows it; "" if it means nothing there.
func keyOf(raw []byte) string {
	if k, ok := keys[string(raw)]; ok {
		return k
	}
	if len(raw) > len("resourceType") {
		return ""
	}
	return keys[strings.ToLower(string(raw))]
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
func (o *object) note(w *walker, key string, raw jsontext.Value) {
	if key == "" {
		return
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
	case "members":
		w.touch(Touched{Type: "User", ID: s})
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
	attribute := o.path
	if i := strings.LastIndexByte(attribute, ':'); i >= 0 && !strings.Contains(attribute, "[") {
		attribute = attribute[i+1:]
	}
	switch name, rest, _ := strings.Cut(attribute, "["); strings.ToLower(strings.TrimSpace(name)) {
	case "members":
		for _, id := range append(quoted(rest), o.values...) {
			if err := w.touch(Touched{Type: "User", ID: id}); err != nil {
				return err
			}
		}
	case "username", "displayname", "externalid", "emails":
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
