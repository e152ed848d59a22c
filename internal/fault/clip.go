package fault

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxQuoted is how many bytes of a client's text an error repeats.
const maxQuoted = 60

// Clip shortens a client's text for an error.
func Clip(s string) string { return ClipTo(maxQuoted, s) }

// ClipTo is Clip to at most n bytes of s. A "…" shows that there was more.
func ClipTo(n int, s string) string {
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
	head, rest := cut(n, s)
	if rest {
		return strconv.Quote(head) + "…"
	}
	return strconv.Quote(head)
}

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
