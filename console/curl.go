package console

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

func refOf(c journal.Change) scim.Ref { return scim.Ref{Type: c.Type, ID: c.ID} }

// curlOf writes a request as a line for bash. The token is $SCIM_TOKEN. hasBody says that the viewer may see the body.
func curlOf(e *journal.Entry, address string, hasBody bool) string {
	path := e.Detail.URL
	if !strings.HasPrefix(path, "/") { // A client can send a whole address, of another server.
		path = "/"
	}
	var b strings.Builder
	method := e.Method
	if method == "other" {
		method = http.MethodGet
	}
	fmt.Fprintf(&b, "curl -g -X %s %s \\\n  -H \"Authorization: Bearer $SCIM_TOKEN\"", method, quote(originOf(address)+path))
	if e.RequestSize == 0 {
		return b.String()
	}
	b.WriteString(" \\\n  -H 'Content-Type: application/scim+json'")
	switch {
	case hasBody && e.Request != nil && e.Request.Text != "":
		b.WriteString(" \\\n  --data-raw " + quote(e.Request.Text))
	default:
		b.WriteString(" \\\n  --data-raw 'SHOW THE BODIES TO COPY THEM'")
	}
	return b.String()
}

// quote writes a text as one word of bash. What a terminal could obey is escaped.
func quote(s string) string {
	if !strings.ContainsFunc(s, isOddInShell) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for _, c := range s {
		switch {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case !isOddInShell(c):
			b.WriteRune(c)
		case c < 0x80:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			fmt.Fprintf(&b, `\U%08x`, c)
		}
	}
	return b.String() + "'"
}

func isOddInShell(c rune) bool {
	return unicode.IsControl(c) || unicode.Is(unicode.Cf, c) || c == '\u2028' || c == '\u2029' || c == unicode.ReplacementChar
}
