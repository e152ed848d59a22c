// Package fold makes the key for comparing values that are not case-exact.
package fold

import (
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Key is the comparison key of s. Two strings count as equal exactly if their keys are
// equal. Key applies the mappings of PRECIS UsernameCaseMapped (RFC 8265, Section 3.3):
// width, lower case, NFC. It also maps strings that the profile does not admit, such as
// those with spaces.
func Key(s string) string {
	if k, ok := ascii(s); ok {
		return k
	}
	if k, err := precis.UsernameCaseMapped.CompareKey(s); err == nil {
		return k
	}
	lower := cases.Lower(language.Und, cases.HandleFinalSigma(false))
	return norm.NFC.String(lower.String(width.Fold.String(s)))
}

// ascii folds an ASCII string. It does not allocate if the string is in lower case.
func ascii(s string) (string, bool) {
	upper := false
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return "", false
		}
		upper = upper || 'A' <= s[i] && s[i] <= 'Z'
	}
	if !upper {
		return s, true
	}
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b), true
}

// Equal reports whether Key(a) == Key(b), without allocating for ASCII.
func Equal(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) == len(b) {
		for i := 0; ; i++ {
			if i == len(a) {
				return true
			}
			x, y := a[i], b[i]
			if x|y >= 0x80 {
				break
			}
			if 'A' <= x && x <= 'Z' {
				x += 'a' - 'A'
			}
			if 'A' <= y && y <= 'Z' {
				y += 'a' - 'A'
			}
			if x != y {
				return false
			}
		}
	} else if IsASCII(a) && IsASCII(b) {
		return false
	}
	return Key(a) == Key(b)
}

// IsASCII reports whether s has no byte beyond ASCII.
func IsASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
