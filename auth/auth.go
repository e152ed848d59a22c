// Package auth has ready-made authenticators for a SCIM endpoint: bearer tokens that
// the application knows (RFC 6750), and none at all.
//
// A token's secret is shown once, when NewToken makes it, and is kept by the client;
// the server keeps its hash. Several tokens are valid at once, so that one can be
// replaced without a gap: add the new one, change the client, take the old one away.
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

// Token is what a server knows of a bearer token: everything but the secret.
type Token struct {
	// ID names the token in logs and becomes scim.Principal.ID. It is no secret.
	ID string
	// Hash is the SHA-256 of the secret. An unsalted, fast hash is right for secrets
	// of at least 128 random bits, such as NewToken makes, and wrong for passwords.
	Hash [sha256.Size]byte
	// Tenant becomes scim.Principal.Tenant: "" in an application with one tenant.
	Tenant string
	// Expires is the first moment at which the token is no longer valid; zero: never.
	Expires time.Time
	// Scopes become scim.Principal.Scopes.
	Scopes []string
}

// NewToken makes a token with a random secret of 256 bits, in base64url. Show the
// secret once and keep the Token.
func NewToken() (secret string, t Token) {
	var b [32]byte
	rand.Read(b[:]) // never fails: it crashes the program where there is no randomness
	secret = base64.RawURLEncoding.EncodeToString(b[:])
	return secret, TokenOf(secret)
}

// TokenOf is the token with this secret, which should come from NewToken or hold at
// least 128 random bits. Its ID is made from the first digits of the hash. The token
// of an empty secret, such as an environment variable that is not set, is never valid.
func TokenOf(secret string) Token {
	h := sha256.Sum256([]byte(secret))
	return Token{ID: "token-" + hex.EncodeToString(h[:4]), Hash: h}
}

// None lets everybody in, as the principal "anonymous". It is for tests, and for an
// endpoint that something in front of it protects already.
func None() scim.Authenticator { return none{} }

type none struct{}

func (none) Authenticate(*http.Request) (scim.Principal, error) {
	return scim.Principal{ID: "anonymous"}, nil
}
