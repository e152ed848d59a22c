package scimtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// vars are the variables of a transcript.
type vars map[string]string

var hole = regexp.MustCompile(`\$\{([^{}]*)\}`)

// expand replaces the variables in a part of a request. quote prepares each value for its
// place.
func (v vars) expand(s string, quote func(string) string) (string, error) {
	var bad error
	s = hole.ReplaceAllStringFunc(s, func(h string) string {
		text, err := v.value(h[2 : len(h)-1])
		if err != nil {
			bad = err
		}
		return quote(text)
	})
	return s, bad
}

func (v vars) value(name string) (string, error) {
	if n, ok := strings.CutPrefix(name, "fill:"); ok {
		if n, err := strconv.Atoi(n); err == nil && n >= 0 {
			return strings.Repeat("x", n), nil
		}
	}
	if s, ok := v[name]; ok {
		return s, nil
	}
	return "", fmt.Errorf("no answer has captured ${%s} so far", name)
}

func verbatim(s string) string { return s }

// inJSON returns s as it is written inside a JSON string.
func inJSON(s string) string {
	b, _ := json.Marshal(s) // strings always marshal
	return string(b[1 : len(b)-1])
}

const (
	anything = "${*}"
	absent   = "${absent}"
	anySet   = "${set}" // as the first element of an array
	atLeast  = "..."    // the same
)

// match compares a text with a pattern and keeps the variables that it captures.
func (v vars) match(pattern, have string) error {
	if expr, ok := strings.CutPrefix(pattern, "${re:"); ok && strings.HasSuffix(expr, "}") {
		re, err := regexp.Compile(strings.TrimSuffix(expr, "}"))
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", pattern, err)
		case !re.MatchString(have):
			return fmt.Errorf("want %s, have %q", pattern, have)
		}
		return nil
	}
	var expr strings.Builder
	var names []string
	from := 0
	for _, at := range hole.FindAllStringSubmatchIndex(pattern, -1) {
		expr.WriteString(regexp.QuoteMeta(pattern[from:at[0]]))
		from = at[1]
		name := pattern[at[2]:at[3]]
		if captured, ok := strings.CutSuffix(name, ":="); ok {
			names = append(names, captured)
			expr.WriteString("(.+)")
			continue
		}
		if name == "*" {
			expr.WriteString(".*")
			continue
		}
		text, err := v.value(name)
		if err != nil {
			return err
		}
		expr.WriteString(regexp.QuoteMeta(text))
	}
	expr.WriteString(regexp.QuoteMeta(pattern[from:]))
	re, err := regexp.Compile("(?s)^" + expr.String() + "$")
	if err != nil {
		return fmt.Errorf("pattern %q: %w", pattern, err)
	}
	found := re.FindStringSubmatch(have)
	if found == nil {
		shown, err := v.expand(pattern, verbatim)
		if err != nil || shown == pattern {
			return fmt.Errorf("want %q, have %q", pattern, have)
		}
		return fmt.Errorf("want %q (%s), have %q", shown, pattern, have)
	}
	for i, name := range names {
		v[name] = found[i+1]
	}
	return nil
}

func (v vars) clone() vars { return maps.Clone(v) }
