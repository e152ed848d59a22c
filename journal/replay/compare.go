package replay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxDifferences is how many places one exchange tells of at most.
const maxDifferences = 50

// compare says how an answer differs from the one that the journal has.
func (n names) compare(was, is []byte) []Difference {
	var a, b any
	wasJSON, isJSON := json.Unmarshal(was, &a) == nil, json.Unmarshal(is, &b) == nil
	switch {
	case wasJSON && isJSON:
		c := comparison{names: n}
		c.values("", "", n.inValue("", a), b)
		return c.all
	case wasJSON != isJSON || len(was) == 0 != (len(is) == 0):
		return []Difference{{"body", shown(was), shown(is)}}
	}
	return nil // The journal keeps no other text.
}

// comparison collects differences.
type comparison struct {
	names
	all []Difference
}

func (c *comparison) say(at, was, is string) {
	if len(c.all) < maxDifferences {
		c.all = append(c.all, Difference{strings.TrimPrefix(at, "."), was, is})
	}
}

// values compares two values. The new names are in the first one already.
func (c *comparison) values(at, key string, was, is any) {
	switch a := was.(type) {
	case map[string]any:
		if b, ok := is.(map[string]any); ok {
			c.objects(at, a, b)
			return
		}
	case []any:
		if b, ok := is.([]any); ok {
			for i, p := range c.pairs(a, b) {
				c.optional(fmt.Sprintf("%s[%d]", at, i), key, p[0], p[1])
			}
			return
		}
	case string:
		if b, ok := is.(string); ok && (a == b || a == redacted || c.isOther(key, a, b)) {
			return
		}
	default:
		if was == is {
			return
		}
	}
	c.say(at, value(was), value(is))
}

// isOther reports whether two texts may differ: what a new store makes by itself.
func (c *comparison) isOther(key, was, is string) bool {
	switch key {
	case "created", "lastModified", "version", "nextCursor", "previousCursor":
		return was != "" && is != ""
	case "$ref", "location":
		return lastTwo(was) == lastTwo(is)
	}
	return false
}

func (c *comparison) objects(at string, was, is map[string]any) {
	if _, ok := was[redacted]; ok { // The journal does not show the name.
		was, is = maps.Clone(was), maps.Clone(is)
		delete(was, redacted)
		maps.DeleteFunc(is, func(k string, _ any) bool { return was[k] == nil })
	}
	keys := slices.Sorted(maps.Keys(was))
	for _, k := range slices.Sorted(maps.Keys(is)) {
		if _, ok := was[k]; !ok {
			keys = append(keys, k)
		}
	}
	for _, k := range keys {
		c.optional(at+"."+k, k, was[k], is[k])
	}
}

// optional compares values of which one may be absent.
func (c *comparison) optional(at, key string, was, is any) {
	switch {
	case was == nil && is == nil:
	case was == nil:
		c.say(at, "absent", value(is))
	case is == nil:
		c.say(at, value(was), "absent")
	default:
		c.values(at, key, was, is)
	}
}

// pairs puts the elements of two lists side by side: those of the same resource, and others in their order. One of a pair is
// nil if the other list has none.
func (n names) pairs(was, is []any) [][2]any {
	taken := make([]bool, len(is))
	out := make([][2]any, 0, max(len(was), len(is)))
	rest := []int{} // the places in out without a second one
	byName := map[string][]int{}
	for i, v := range is {
		if name := nameOf(v); name != "" {
			byName[name] = append(byName[name], i)
		}
	}
	for _, v := range was {
		name := nameOf(v)
		if now := n[name]; now != "" {
			name = now
		}
		if at := byName[name]; name != "" && len(at) > 0 {
			byName[name], taken[at[0]] = at[1:], true
			out = append(out, [2]any{v, is[at[0]]})
			continue
		}
		rest = append(rest, len(out))
		out = append(out, [2]any{v, nil})
	}
	for i, v := range is {
		switch {
		case taken[i]:
		case len(rest) > 0:
			out[rest[0]][1], rest = v, rest[1:]
		default:
			out = append(out, [2]any{nil, v})
		}
	}
	return out
}

// nameOf returns what an element of a list is known by.
func nameOf(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		for _, key := range []string{"userName", "displayName", "value", "name", "id"} {
			if s, ok := v[key].(string); ok && s != "" {
				return s
			}
		}
	}
	return ""
}

// maxShown is how many bytes of a value a line shows.
const maxShown = 200

func value(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return shown(text)
}

func shown(text []byte) string {
	switch {
	case len(text) == 0:
		return "empty"
	case len(text) > maxShown:
		return strings.ToValidUTF8(string(text[:maxShown]), "") + "…"
	}
	return string(text)
}
