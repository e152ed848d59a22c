package journal

import (
	"cmp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// plainKey returns a name, written in small letters, as the walk knows it; "" if it means nothing there. To look it up in a map
// takes longer, and so does a result that is the name.
func plainKey(name string) string {
	switch name {
	case "id":
		return "id"
	case "username":
		return "userName"
	case "displayname":
		return "displayName"
	case "externalid":
		return "externalId"
	case "value":
		return "value"
	case "display":
		return "display"
	case "type":
		return "type"
	case "$ref":
		return "$ref"
	case "path":
		return "path"
	case "location":
		return "location"
	case "resourcetype":
		return "resourceType"
	case "scimtype":
		return "scimType"
	case "detail":
		return "detail"
	case "members":
		return "members"
	case "groups":
		return "groups"
	case "manager":
		return "manager"
	case "emails":
		return "emails"
	case "meta":
		return "meta"
	case "filter":
		return "filter"
	case "operations":
		return "Operations"
	case "method":
		return "method"
	case "bulkid":
		return "bulkId"
	case "status":
		return "status"
	case "response":
		return "response"
	}
	return ""
}

// longestKey is the length of the longest of keys.
const longestKey = len("resourceType")

// keyOf returns a name as the walk knows it; "" if it means nothing there.
func keyOf(raw string) string {
	var folded [longestKey]byte
	isASCII := true
	for i := range len(raw) {
		c := raw[i]
		if c == '[' || c == '.' || c == ':' {
			return plainKey(attributeOf(raw))
		}
		isASCII = isASCII && c < 0x80
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if i < longestKey {
			folded[i] = c
		}
	}
	switch {
	case len(raw) > longestKey:
		return ""
	case isASCII:
		return plainKey(string(folded[:len(raw)]))
	}
	return plainKey(strings.ToLower(raw))
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
	// values are texts in "value", and elements are objects there. They mean something once the path is known.
	values   []string
	elements []Touched
	// op is that of an operation of a bulk request, or of its answer; nil: it has nothing of it.
	op *operation
}

// operation returns o.op, and makes it.
func (o *object) operation() *operation {
	if o.op == nil {
		o.op = &operation{}
	}
	return o.op
}

// note takes a string of the object into account.
func (o *object) note(w *walker, key, raw string) error {
	if key == "" {
		return nil
	}
	s := unquote(raw)
	switch key {
	case "id":
		o.id = s
	case "userName", "displayName", "externalId", "display":
		if o.names == nil {
			o.names = make([]string, 0, 4)
		}
		o.names = append(o.names, s)
	case "value":
		o.value = s
		o.values = append(o.values, s)
	case "emails":
		o.names = append(o.names, s)
	case "members", "manager":
		return w.touch(Touched{Type: "User", ID: s})
	case "filter":
		return w.touchAll(touchedByFilter("", s))
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
	case "method":
		o.operation().method = s
	case "bulkId":
		o.operation().bulkID = s
	case "status":
		o.operation().status = s
	case "scimType":
		o.operation().failure.Type = s
	case "detail":
		o.operation().failure.Detail = s
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
	case "response":
		if o.op != nil {
			parent.operation().failure = o.op.failure
		}
	case "value":
		if o.value != "" { // An element of what a PATCH operation adds: the path of the operation says what it is.
			parent.elements = append(parent.elements, Touched{Type: o.kind, ID: o.value, Names: o.names})
			return nil
		}
	}
	if o.isTop && o.op != nil {
		w.found.failure = o.op.failure
	}
	if err := o.touchByPath(w); err != nil {
		return err
	}
	for i := o.first; o.kind != "" && i < len(w.found.touched); i++ {
		if w.found.touched[i].Type == "" {
			w.found.touched[i].Type = o.kind
		}
	}
	before := len(w.found.touched)
	if err := w.touch(Touched{Type: o.kind, ID: o.id, Names: o.names}); err != nil {
		return err
	}
	if own := w.found.touched; o.isTop && len(own) > before { // What the body is about comes before what it names.
		w.found.touched = slices.Insert(own[:before:before], 0, own[before])
	}
	if key == "Operations" && o.op != nil && o.op.method != "" && len(w.found.operations) < maxOperations {
		if all := w.found.touched[o.first:]; len(all) > 0 {
			o.op.resource = all[len(all)-1] // The walk touches the resource behind what its data name.
		}
		w.found.operations = append(w.found.operations, *o.op)
	}
	return nil
}

// touchByPath touches what an operation of a PATCH or of a bulk request names.
func (o *object) touchByPath(w *walker) error {
	if kind, id := refIn(o.path); strings.HasPrefix(o.path, "/") {
		o.kind, o.id = kind, id
		return nil
	}
	_, rest, _ := strings.Cut(o.path, "[")
	attribute := attributeOf(o.path)
	switch attribute {
	case "members", "manager", "groups":
		kind := "User"
		if attribute == "groups" {
			kind = "Group"
		}
		for _, id := range append(quoted(rest), o.values...) {
			o.elements = append(o.elements, Touched{ID: id})
		}
		for i := range o.elements {
			o.elements[i].Type = cmp.Or(o.elements[i].Type, kind)
		}
		return w.touchAll(o.elements)
	case "emails":
		for _, text := range quoted(rest) {
			if strings.Contains(text, "@") { // not a type such as "work"
				o.names = append(o.names, text)
			}
		}
		o.names = append(o.names, o.values...)
		for _, e := range o.elements {
			o.names = append(append(o.names, e.ID), e.Names...)
		}
		return nil
	case "username", "displayname", "externalid":
		o.names = append(o.names, o.values...)
	}
	for _, e := range o.elements { // of an attribute that names nobody, or of an unknown one
		if e.Type == "" {
			e.ID = ""
		}
		if err := w.touch(e); err != nil {
			return err
		}
	}
	return nil
}

// touchAll adds resources.
func (w *walker) touchAll(all []Touched) error {
	for _, t := range all {
		if err := w.touch(t); err != nil {
			return err
		}
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
		text, rest := cutQuoted(filter[i:])
		if text == nil {
			return all
		}
		all, filter = append(all, *text), rest
	}
}

// cutQuoted reads a text that begins with a quote. It is nil if the text does not end.
func cutQuoted(s string) (text *string, rest string) {
	end := 1
	for end < len(s) && s[end] != '"' {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s) {
		return nil, ""
	}
	plain, err := jsontext.AppendUnquote(nil, s[:end+1])
	if err != nil {
		plain = []byte(s[1:end])
	}
	found := string(plain)
	return &found, s[end+1:]
}
