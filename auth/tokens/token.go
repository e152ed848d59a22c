package tokens

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"strings"
	"time"
)

// Token is what is kept of a token: everything except the secret. It has nothing that must stay
// secret, but Hash is for stores only, and JSON leaves it out.
type Token struct {
	// ID names the token within the store. It is a UUID.
	ID string
	// Client becomes scim.Principal.ID. It is the ID of the first token, and Rotate keeps it, so
	// that cursors and what the store remembers about clients stay valid.
	Client string
	// Tenant becomes scim.Principal.Tenant.
	Tenant string
	// Hash is the SHA-256 of the secret.
	Hash [sha256.Size]byte `json:"-"`
	// Label says what the token is for, in the words of whoever made it.
	Label string
	// Maker names who made the token.
	Maker string
	// Prefix and Last4 are the beginning and the last four characters of the secret, by which people
	// recognize it.
	Prefix, Last4 string
	// Created is when the token was made. All times are UTC, in whole microseconds.
	Created time.Time
	// Expires is the first moment at which the token is not valid. Zero: it never expires.
	Expires time.Time
	// Revoked is when the token was revoked. Zero: it was not.
	Revoked time.Time
	// LastUsed is when the token let a request in, to about a minute. Zero: never.
	LastUsed time.Time
	// Scopes become scim.Principal.Scopes. Nil means all, and an empty list means none.
	Scopes []string
	// Successor is the ID of the token that Rotate has made for this one. It is "" if there is none.
	Successor string
}

// Fingerprint returns the first 16 hexadecimal digits of the secret's SHA-256. Somebody who has the
// secret finds the token by it: printf %s "$TOKEN" | sha256sum | cut -c1-16
func (t *Token) Fingerprint() string { return hex.EncodeToString(t.Hash[:8]) }

// IsValid reports whether the token lets requests in at a time.
func (t *Token) IsValid(now time.Time) bool {
	return t.Revoked.IsZero() && (t.Expires.IsZero() || now.Before(t.Expires))
}

// clone returns a copy that shares no memory with t.
func (t *Token) clone() Token {
	c := *t
	c.Scopes = slices.Clone(t.Scopes)
	return c
}

// A secret is a prefix, randomDigits digits of base 62 (178 bits), and checkDigits of its checksum.
const (
	randomDigits = 30
	checkDigits  = 6
	base62       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// newSecret returns a random secret.
func newSecret(prefix string) string {
	digits := make([]byte, 0, randomDigits)
	var b [2 * randomDigits]byte
	for len(digits) < randomDigits {
		rand.Read(b[:]) // never returns an error: without randomness it ends the program
		for _, x := range b {
			// Larger values would make the first digits more likely than the others.
			if x < 4*62 && len(digits) < randomDigits {
				digits = append(digits, base62[x%62])
			}
		}
	}
	body := prefix + string(digits)
	return body + checksum(body)
}

// checksum returns the CRC-32 of a text (IEEE) in base 62, with leading zeros.
func checksum(text string) string {
	var out [checkDigits]byte
	sum := crc32.ChecksumIEEE([]byte(text))
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = base62[sum%62]
		sum /= 62
	}
	return string(out[:])
}

// IsSecret reports whether text has the form of a secret with this prefix, and the right checksum.
// Scanners that look for secrets in code use it to leave out what only looks like one. It asks no
// store. A secret is the prefix, 30 random digits of base 62 (0-9, A-Z, a-z), and six more: the
// CRC-32 (IEEE) of all before, in base 62. With the default prefix the pattern for scanners is
//
//	\bscim_[0-9A-Za-z]{36}\b
func IsSecret(text, prefix string) bool {
	digits, ok := strings.CutPrefix(text, prefix)
	if !ok || len(digits) != randomDigits+checkDigits || strings.Trim(digits, base62) != "" {
		return false
	}
	body := text[:len(text)-checkDigits]
	return checksum(body) == text[len(body):]
}
