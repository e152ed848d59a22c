// Package auth contains authenticators for a SCIM endpoint: bearer tokens that the
// application keeps (RFC 6750), user names with secrets, client certificates, several of these side
// by side, and none at all.
//
// NewToken makes a token and its secret. Show the secret once, to the administrator who
// sets up the client. The server keeps only its hash.
//
// Several tokens can be valid at the same time, so you can replace one without a gap. Add
// the new token, change the client, then remove the old token.
package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/scimkit/scim"
)

// Token is what a server keeps of a bearer token: everything except the secret.
type Token struct {
	// ID names the token in logs and becomes scim.Principal.ID. It is not secret.
	ID string
	// Hash is the SHA-256 of the secret. This fast hash without salt is safe only for
	// secrets of at least 128 random bits, such as those of NewToken. It is wrong for
	// passwords.
	Hash [sha256.Size]byte
	// Tenant becomes scim.Principal.Tenant. It is "" in an application with one tenant.
	Tenant string
	// Expires is the time at which the token stops being valid. Zero: never.
	Expires time.Time
	// Scopes become scim.Principal.Scopes.
	Scopes []string
}

// NewToken makes a token with a random secret of 256 bits, in base64url. Show the secret
// once and keep the Token.
func NewToken() (secret string, t Token) {
	var b [32]byte
	rand.Read(b[:]) // never returns an error: without randomness it ends the program
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, TokenOf(secret)
}

// TokenOf returns the token with this secret. The secret should come from NewToken or
// have at least 128 random bits. The ID of the token contains the first digits of the
// hash. The token of an empty secret is never valid, so an environment variable that is
// not set gives no access.
func TokenOf(secret string) Token {
	h := sha256.Sum256([]byte(secret))
	return Token{ID: "token-" + hex.EncodeToString(h[:4]), Hash: h}
}

// None returns an Authenticator that accepts every request, as the principal "anonymous".
// Use it in tests, or if something in front of the endpoint authenticates clients.
func None() scim.Authenticator { return none{} }

type none struct{}

func (none) Authenticate(*http.Request) (scim.Principal, error) {
	return scim.Principal{ID: "anonymous"}, nil
}
