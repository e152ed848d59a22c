package fold

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// LookAlike is a key for names that look the same to people: two such names have equal keys.
// They differ in case, in width, in spaces, or in characters that have no shape, such as a
// zero-width space. Letters of different alphabets differ, even if they look the same.
func LookAlike(s string) string {
	shape := func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point):
			return -1
		case unicode.IsSpace(r):
			return ' '
		}
		return r
	}
	visible := strings.Map(shape, norm.NFKC.String(s))
	return Key(strings.Join(strings.Fields(visible), " "))
}
