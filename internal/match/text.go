package match

import (
	"bytes"
	"strings"

	"github.com/scimkit/scim/internal/fold"
)

// The methods below compare fold.Key(text) with a key. They compute fold.Key(text) only if
// text is not ASCII. They fold such a text as a whole, because a combining mark changes the
// letter before it.

func (w *Work) foldEqual(text, key string) bool {
	if text == key {
		return true // fold.Key of a key is the key
	}
	same := len(text) == len(key)
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= 0x80 {
			return w.Key(text) == key
		}
		same = same && lower(c) == key[i]
	}
	return same
}

func (w *Work) foldCompare(text, key string) int {
	if !fold.IsASCII(text) {
		return strings.Compare(w.Key(text), key)
	}
	return lowerCompare(text, key)
}

func (w *Work) foldHasPrefix(text, key string) bool {
	if !fold.IsASCII(text) {
		return strings.HasPrefix(w.Key(text), key)
	}
	return len(text) >= len(key) && lowerCompare(text[:len(key)], key) == 0
}

func (w *Work) foldHasSuffix(text, key string) bool {
	if !fold.IsASCII(text) {
		return strings.HasSuffix(w.Key(text), key)
	}
	return len(text) >= len(key) && lowerCompare(text[len(text)-len(key):], key) == 0
}

// foldContains searches a short text in a copy on the stack, and a long one in its key. So
// the cost is linear for every search text. find is the key in bytes.
func (w *Work) foldContains(text, key string, find []byte) bool {
	var lowered [256]byte
	if len(text) > len(lowered) || !fold.IsASCII(text) {
		return strings.Contains(w.Key(text), key)
	}
	for i := range len(text) {
		lowered[i] = lower(text[i])
	}
	return bytes.Contains(lowered[:len(text)], find)
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
