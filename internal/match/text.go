package match

import (
	"strings"

	"github.com/scimkit/scim/internal/fold"
)

// The functions below compare fold.Key(text) with a key. They compute fold.Key(text) only
// if text is not ASCII. They fold such a text as a whole, because a combining mark changes
// the letter before it.

func foldEqual(text, key string) bool {
	if text == key {
		return true // fold.Key of a key is the key
	}
	same := len(text) == len(key)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 0x80 {
			return fold.Key(text) == key
		}
		same = same && lower(c) == key[i]
	}
	return same
}

func foldCompare(text, key string) int {
	if !fold.IsASCII(text) {
		return strings.Compare(fold.Key(text), key)
	}
	return lowerCompare(text, key)
}

func foldHasPrefix(text, key string) bool {
	if !fold.IsASCII(text) {
		return strings.HasPrefix(fold.Key(text), key)
	}
	return len(text) >= len(key) && lowerCompare(text[:len(key)], key) == 0
}

func foldHasSuffix(text, key string) bool {
	if !fold.IsASCII(text) {
		return strings.HasSuffix(fold.Key(text), key)
	}
	return len(text) >= len(key) && lowerCompare(text[len(text)-len(key):], key) == 0
}

// foldContains searches short texts in place. It folds long ones first, so that the cost
// stays linear for every search text.
func foldContains(text, key string) bool {
	if len(text) > 256 || key == "" || !fold.IsASCII(text) {
		return strings.Contains(fold.Key(text), key)
	}
	for i := 0; i+len(key) <= len(text); i++ {
		if lower(text[i]) == key[0] && lowerCompare(text[i:i+len(key)], key) == 0 {
			return true
		}
	}
	return false
}

// lowerCompare compares ASCII text, in lower case, with key.
func lowerCompare(text, key string) int {
	for i := 0; i < len(text) && i < len(key); i++ {
		if c := lower(text[i]); c != key[i] {
			return int(c) - int(key[i])
		}
	}
	return len(text) - len(key)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// asciiFoldCompare compares two ASCII texts, both in lower case.
func asciiFoldCompare(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}
