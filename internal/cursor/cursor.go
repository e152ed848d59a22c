// Package cursor seals and opens the cursors of lists.
package cursor

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim/internal/host"
)

// State is what a cursor carries to the next page (RFC 9865). It is sealed,
// because it holds values of a resource that its bearer need not be allowed to see.
type State struct {
	Key     host.Key
	Count   int
	Total   int
	Expires time.Time
}

// Sealer seals and opens cursors with AES-256-GCM.
type Sealer []cipher.AEAD // the first one seals

// New takes the keys of Config.CursorKeys, or makes one that lasts as long as
// this process.
func New(keys [][]byte) (Sealer, error) {
	if len(keys) == 0 {
		keys = [][]byte{make([]byte, 32)}
		rand.Read(keys[0]) //nolint:errcheck // never fails
	}
	var c Sealer
	for i, k := range keys {
		if len(k) < 16 {
			return nil, fmt.Errorf("key %d has %d bytes; it needs at least 16 random ones", i, len(k))
		}
		sum := sha256.Sum256(k)
		block, err := aes.NewCipher(sum[:])
		if err != nil {
			return nil, err
		}
		aead, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		c = append(c, aead)
	}
	return c, nil
}

// Seal makes the text of a cursor.
func (c Sealer) Seal(s *State, bound []byte) (string, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(c[0].Seal(nil, nil, plain, bound)), nil
}

// Open returns what was sealed for the same request; an error says that the cursor
// was not made here, or for another request.
func (c Sealer) Open(text string, bound []byte) (*State, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	for _, aead := range c {
		plain, err := aead.Open(nil, nil, sealed, bound)
		if err != nil {
			continue
		}
		var s State
		return &s, json.Unmarshal(plain, &s)
	}
	return nil, errors.New("no key opens it")
}
