package console

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/scimkit/scim/journal"
)

// part is a piece of a body with the class in which it is shown.
type part struct{ Class, Text string }

// maxColour is how long a body is that is indented and coloured. Each part takes some room in the page.
const maxColour = 64 << 10

// colour divides a body into keys, texts that were taken out, and the rest.
func colour(b *journal.Body) []part {
	if b == nil {
		return nil
	}
	if len(b.Text) > maxColour {
		return []part{{"", b.Text}}
	}
	text := b.Text
	var indented bytes.Buffer
	if depthOf(text) <= maxDepth && json.Indent(&indented, []byte(text), "", "  ") == nil {
		text = indented.String()
	}
	var all []part
	plain := 0 // where the part without a class begins
	for i := 0; i < len(text); {
		if text[i] != '"' {
			i++
			continue
		}
		end := endOfString(text, i)
		class := ""
		switch {
		case strings.HasPrefix(strings.TrimLeft(text[end:], " \n\t\r"), ":"):
			class = "k"
		case text[i:end] == `"[redacted]"`:
			class = "redacted"
		}
		if class != "" {
			all = append(all, part{"", text[plain:i]}, part{class, text[i:end]})
			plain = end
		}
		i = end
	}
	return append(all, part{"", text[plain:]})
}

// maxDepth is how deep a body is that is indented. Deeper ones would have more spaces than text.
const maxDepth = 100

// depthOf returns how deep a body may be. Brackets in strings count too.
func depthOf(text string) (deepest int) {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '{', '[':
			depth++
			deepest = max(deepest, depth)
		case '}', ']':
			depth--
		}
	}
	return deepest
}

// endOfString returns the place behind a string of JSON that begins at i.
func endOfString(text string, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}
