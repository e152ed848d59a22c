// Package secret recognizes texts of clients that errors, logs and traces must not repeat.
package secret

import (
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Redacted stands for a text that is not repeated.
const Redacted = "[redacted]"

// IsIn reports whether s mentions a password. A client that puts one into a filter, a path
// or an address by mistake writes its value beside the name. Letters that look like those of
// the name count too, such as U+017F for s. So do letters in percent-encoding, which some
// clients apply twice.
func IsIn(s string) bool {
	for range 4 {
		if strings.Contains(strings.ToLower(norm.NFKC.String(s)), "password") {
			return true
		}
		decoded := decode(s)
		if decoded == s {
			return false
		}
		s = decoded
	}
	return true // nobody encodes so often by mistake
}

// IsName reports whether s is only the attribute's name, alone or after the URN of a
// schema. It holds no value.
func IsName(s string) bool {
	urn, name := "", s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		urn, name = strings.ToLower(s[:i]), s[i+1:]
	}
	return len(name) == len("password") && strings.EqualFold(name, "password") &&
		(urn == "" || strings.HasPrefix(urn, "urn:") && !strings.ContainsFunc(urn, isForeign))
}

// isForeign reports whether a character does not belong to a schema's URN.
func isForeign(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune(":.-_", r))
}

// decode undoes percent-encoding once, and leaves alone what is not well-formed.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if h, l := digit(s[i+1]), digit(s[i+2]); h >= 0 && l >= 0 {
				out = append(out, byte(h<<4|l))
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// digit is the value of a hexadecimal digit, or -1.
func digit(c byte) int {
	if 'A' <= c && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", c)
}
