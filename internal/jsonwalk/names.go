package jsonwalk

// maxNesting is how deep HasManyNames looks. The decoder accepts no more.
const maxNesting = 10_000

// HasManyNames reports whether the objects around one place of a text have more than limit
// names together. A decoder remembers these names to find duplicates, which takes many times
// the size of short ones. HasManyNames looks only at brackets and colons, so the text need
// not be valid JSON.
func HasManyNames(text []byte, limit int) bool {
	if len(text) < limit { // each name has a colon
		return false
	}
	around := make([]int, 1, 32) // how many names each object around the place has
	all, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ':':
			around[len(around)-1]++
			if all++; all > limit {
				return true
			}
		case c == '{' || c == '[':
			if around = append(around, 0); len(around) > maxNesting {
				return false
			}
		case (c == '}' || c == ']') && len(around) > 1:
			all -= around[len(around)-1]
			around = around[:len(around)-1]
		}
	}
	return false
}
