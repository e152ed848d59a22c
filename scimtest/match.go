package scimtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// compare lists the differences between want and have. at is the path of both.
func (v vars) compare(at string, want, have any) (bad []string) {
	say := func(format string, args ...any) []string {
		return []string{fmt.Sprintf("%s: %s", at, fmt.Sprintf(format, args...))}
	}
	switch want := want.(type) {
	case map[string]any:
		object, ok := have.(map[string]any)
		if !ok {
			return say("want an object, have %s", show(have))
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			sub := at + "." + name
			value, there := object[name]
			switch {
			case want[name] == absent && there:
				bad = append(bad, fmt.Sprintf("%s: want it absent, have %s", sub, show(value)))
			case want[name] == absent:
			case !there:
				bad = append(bad, fmt.Sprintf("%s: want %s, it is absent", sub, show(want[name])))
			default:
				bad = append(bad, v.compare(sub, want[name], value)...)
			}
		}
		return bad
	case []any:
		array, ok := have.([]any)
		if !ok {
			return say("want an array, have %s", show(have))
		}
		if len(want) > 0 && (want[0] == anySet || want[0] == atLeast) {
			return v.compareSet(at, want[0] == anySet, want[1:], array)
		}
		if len(want) != len(array) {
			return say("want %d elements, have %d", len(want), len(array))
		}
		for i := range want {
			bad = append(bad, v.compare(fmt.Sprintf("%s[%d]", at, i), want[i], array[i])...)
		}
		return bad
	case string:
		if want == anything {
			return nil
		}
		text, ok := have.(string)
		if !ok {
			return say("want the string %q, have %s", want, show(have))
		}
		if err := v.match(want, text); err != nil {
			return say("%v", err)
		}
		return nil
	case json.Number:
		if n, ok := have.(json.Number); ok && sameNumber(want, n) {
			return nil
		}
	default: // true, false and null
		if want == have {
			return nil
		}
	}
	return say("want %s, have %s", show(want), show(have))
}

// compareSet finds a different element of have for each element of want.
func (v vars) compareSet(at string, all bool, want, have []any) (bad []string) {
	left := slices.Clone(have)
	for _, w := range want {
		i := slices.IndexFunc(left, func(h any) bool { return len(v.clone().compare(at, w, h)) == 0 })
		if i < 0 {
			bad = append(bad, fmt.Sprintf("%s: no element is %s", at, show(w)))
			continue
		}
		v.compare(at, w, left[i]) // again, to keep what it captures
		left = slices.Delete(left, i, i+1)
	}
	if all && len(want) != len(have) {
		bad = append(bad, fmt.Sprintf("%s: want %d elements, have %d", at, len(want), len(have)))
	}
	return bad
}

func sameNumber(a, b json.Number) bool {
	x, err := strconv.ParseFloat(a.String(), 64)
	y, err2 := strconv.ParseFloat(b.String(), 64)
	return err == nil && err2 == nil && x == y
}

// show returns a value as JSON on one line, cut off if it is long.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(b) > 200 {
		return string(b[:200]) + "…"
	}
	return string(b)
}
