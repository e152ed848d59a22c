package fault

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/scimkit/scim/internal/secret"
)

// maxQuoted is how many bytes of a client's text an error repeats.
const maxQuoted = 60

// Clip shortens a client's text for an error. It repeats nothing of a text that mentions a
// password, because the password may stand beside its name. Of such texts it shows only the
// name itself.
func Clip(s string) string { return ClipTo(maxQuoted, s) }

// ClipTo is Clip to at most n bytes of s. A "…" shows that there was more.
func ClipTo(n int, s string) string {
	if hasSecret(s) {
		return secret.Redacted
	}
	return clip(n, s)
}

// ClipName is Clip for a name that people chose, such as that of a group. It may have the
// word password.
func ClipName(s string) string { return clip(maxQuoted, s) }

func clip(n int, s string) string {
	head, rest := cut(n, s)
	if rest {
		head += "…"
	}
	return strings.ToValidUTF8(head, "\uFFFD")
}

// Quote is Clip in quotation marks.
func Quote(s string) string { return strconv.Quote(Clip(s)) }

// QuoteTo quotes at most n bytes of s. The "…" stands behind the quotation marks, so that
// it does not look like a part of the text.
func QuoteTo(n int, s string) string {
	if hasSecret(s) {
		return secret.Redacted
	}
	head, rest := cut(n, s)
	if rest {
		return strconv.Quote(head) + "…"
	}
	return strconv.Quote(head)
}

// hasSecret reports whether s may contain a password.
func hasSecret(s string) bool { return secret.IsIn(s) && !secret.IsName(s) }

// cut returns at most n bytes of s and whether there are more. It splits no character.
func cut(n int, s string) (head string, rest bool) {
	if len(s) <= n {
		return s, false
	}
	end := n
	for end > max(0, n-utf8.UTFMax) && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], true
}
