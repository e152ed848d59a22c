// Package cursor seals and opens the cursors of paged lists (RFC 9865).
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

// minKey is the shortest key, in bytes.
const minKey = 16

// State is what a cursor carries to the next page. Seal encrypts it, because Key holds a
// value of a resource that the client may not be allowed to see.
type State struct {
	Key     host.Key // the place of the last resource of the page
	Count   int      // resources in each page
	Total   int      // resources in all pages
	Expires time.Time
}

// Sealer seals and opens cursors with AES-256-GCM. The first key seals, all keys open.
type Sealer []cipher.AEAD

// New makes a Sealer of keys with at least 16 random bytes each. Without keys it makes one
// that lasts as long as the process.
func New(keys [][]byte) (Sealer, error) {
	if len(keys) == 0 {
		keys = [][]byte{make([]byte, 32)}
		rand.Read(keys[0]) //nolint:errcheck // never fails
	}
	var c Sealer
	for i, k := range keys {
		if len(k) < minKey {
			return nil, fmt.Errorf("key %d has %d bytes; it needs at least %d random ones", i, len(k), minKey)
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

// Seal makes the text of a cursor. bound identifies the request: only Open with the same
// bytes opens the cursor.
func (c Sealer) Seal(s *State, bound []byte) (string, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(c[0].Seal(nil, nil, plain, bound)), nil
}

// Open returns the state that Seal sealed with the same bound. It returns an error for a
// cursor of another request and for any other text.
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
