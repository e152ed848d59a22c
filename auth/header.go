package auth

import (
	"net/http"
	"strings"
)

const bearerScheme, basicScheme = "Bearer", "Basic"

// maxHeader is how many bytes of an Authorization header are read, before anybody has authenticated.
const maxHeader = 24 << 10

// Credential returns the token of the Authorization header, for authenticators that check tokens in
// another way. The token stands after the scheme Bearer, in any case. Clients whose administrators paste "Bearer x" into the field of the token
// send the scheme twice. The token may also stand alone: Okta sends it so in its header mode. A header
// of more than 24 KiB has no token.
func Credential(h http.Header) (token string, ok bool) {
	first, rest, ok := authorization(h)
	if !ok {
		return "", false
	}
	if rest == "" {
		return first, !isScheme(first)
	}
	if !strings.EqualFold(first, bearerScheme) {
		return "", false
	}
	token, rest = cutWord(rest)
	if rest != "" && strings.EqualFold(token, bearerScheme) {
		token, rest = cutWord(rest)
	}
	return token, rest == "" && !isScheme(token)
}

// isScheme reports whether a word is the name of a scheme, and so no token.
func isScheme(word string) bool {
	return strings.EqualFold(word, bearerScheme) || strings.EqualFold(word, basicScheme)
}

// authorization returns the first word of the Authorization header, and what follows. It refuses two
// headers, because a proxy in front of this server may have checked the other one. It refuses a long
// one: servers take a megabyte, which would be hashed and decoded for everybody.
func authorization(h http.Header) (first, rest string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 || len(values[0]) > maxHeader {
		return "", "", false
	}
	first, rest = cutWord(trim(values[0]))
	return first, rest, first != ""
}

// cutWord returns the first word of a text without white space at its ends, and what follows.
func cutWord(text string) (word, rest string) {
	if i := strings.IndexAny(text, white); i >= 0 {
		return text[:i], trim(text[i:])
	}
	return text, ""
}

// white is what separates words (RFC 9110, Section 5.6.3). Other servers do not separate at Unicode
// white space, so neither does this one.
const white = " \t"

func trim(text string) string { return strings.Trim(text, white) }
