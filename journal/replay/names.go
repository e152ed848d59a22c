package replay

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// names are ids and versions that the journal has, and what the target has in their place.
type names map[string]string

// shortName is how long an id is at least that is replaced wherever it stands. Shorter ones, such as numbers, are
// replaced only where an id is expected.
const shortName = 12

// learn compares two answers, and notes what takes the place of what.
func (n names) learn(was, is []byte) {
	var a, b any
	if json.Unmarshal(was, &a) == nil && json.Unmarshal(is, &b) == nil {
		n.learnValue("", a, b)
	}
}

func (n names) learnValue(key string, was, is any) {
	switch a := was.(type) {
	case map[string]any:
		b, _ := is.(map[string]any)
		for k, v := range a {
			if w, ok := b[k]; ok {
				n.learnValue(k, v, w)
			}
		}
	case []any:
		b, _ := is.([]any)
		for _, p := range n.pairs(a, b) {
			if p[0] != nil && p[1] != nil {
				n.learnValue(key, p[0], p[1])
			}
		}
	case string:
		b, ok := is.(string)
		switch {
		case !ok || b == a:
		case key == "location":
			n.learnAddress(a, b)
		case key == "id" && n[a] == "", key == "version", key == "nextCursor", key == "previousCursor":
			n[a] = b // A resource keeps its id, so the first one counts.
		}
	}
}

// learnAddress notes the id at the end of the address of a resource.
func (n names) learnAddress(was, is string) {
	kind, id, ok := strings.Cut(lastTwo(was), "/")
	kindNow, now, okNow := strings.Cut(lastTwo(is), "/")
	if ok && okNow && kind == kindNow && n[id] == "" && id != now {
		n[id] = now
	}
}

// inAddress puts the new names into the address of a request.
func (n names) inAddress(address string) string {
	path, query, has := strings.Cut(address, "?")
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if plain, err := url.PathUnescape(s); err == nil && n[plain] != "" {
			segments[i] = url.PathEscape(n[plain])
		}
	}
	path = strings.Join(segments, "/")
	if !has {
		return path
	}
	parts := strings.Split(query, "&")
	for i, p := range parts {
		name, value, _ := strings.Cut(p, "=")
		plain, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		now := n.inText(plain)
		if strings.EqualFold(name, "cursor") && n[plain] != "" {
			now = n[plain]
		}
		if now != plain {
			parts[i] = name + "=" + url.QueryEscape(now)
		}
	}
	return path + "?" + strings.Join(parts, "&")
}

// inHeader puts the new names into the versions of a precondition.
func (n names) inHeader(name, value string) string {
	if name != "If-Match" && name != "If-None-Match" {
		return value
	}
	versions := strings.Split(value, ", ")
	for i, v := range versions {
		if now := n[v]; now != "" {
			versions[i] = now
		}
	}
	return strings.Join(versions, ", ")
}

// words are quoted texts, and what an id may be that is not quoted.
var words = regexp.MustCompile(`"[^"]*"|[A-Za-z0-9_-]+`)

// inText puts the new names into a filter or a sentence: long ones everywhere, and others where they are quoted.
func (n names) inText(s string) string {
	return words.ReplaceAllStringFunc(s, func(word string) string {
		inner, isQuoted := strings.CutPrefix(word, `"`)
		if !isQuoted {
			if now := n[word]; now != "" && len(word) >= shortName {
				return now
			}
			return word
		}
		inner = strings.TrimSuffix(inner, `"`)
		if now := n[inner]; now != "" {
			return `"` + now + `"`
		}
		return `"` + n.inText(inner) + `"`
	})
}

// inBody puts the new names into the body of a request. What is no JSON stays as it is.
func (n names) inBody(body []byte) []byte {
	if len(n) == 0 {
		return body
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil || d.More() {
		return body
	}
	out, err := json.Marshal(n.inValue("", v))
	if err != nil {
		return body
	}
	return out
}

// inValue puts the new names into a value under a key.
func (n names) inValue(key string, v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, of := range v {
			v[k] = n.inValue(k, of)
		}
	case []any:
		for i, of := range v {
			v[i] = n.inValue(key, of)
		}
	case string:
		return n.inString(key, v)
	}
	return v
}

// inString puts the new names into a text under a key.
func (n names) inString(key, s string) string {
	switch key {
	case "id", "value", "version", "members", "manager", "nextCursor", "previousCursor":
		if now := n[s]; now != "" {
			return now
		}
	case "$ref", "location":
		return lastTwo(n.inAddress(s))
	case "path":
		if strings.HasPrefix(s, "/") {
			return n.inAddress(s)
		}
	}
	return n.inText(s)
}

// lastTwo returns the last two segments of an address: the host and the path of the endpoint may differ.
func lastTwo(address string) string {
	segments := strings.Split(address, "/")
	return strings.Join(segments[max(0, len(segments)-2):], "/")
}
