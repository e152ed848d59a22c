package journal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
)

// Wrapper wraps the keys of the journal with a key that the store never has: one of the application's
// settings (see NewKeys), or one of a key management service. It is safe for concurrent use. The journal calls it
// about once a day for each tenant, never in a request.
type Wrapper interface {
	// Wrap encrypts a key of 32 bytes. bound is what the key belongs to: Unwrap must fail with another value.
	Wrap(ctx context.Context, key, bound []byte) (wrapped []byte, err error)
	// Unwrap decrypts what Wrap has returned. The error is ErrKeyGone if no key opens it, and never
	// will. After any other error the journal tries again.
	Unwrap(ctx context.Context, wrapped, bound []byte) (key []byte, err error)
}

// ErrKeyGone is what a Wrapper returns if it has no key that opens a wrapped key.
var ErrKeyGone = errors.New("journal: no key opens this")

// KeySize is the size of the keys of NewKeys in bytes.
const KeySize = 32

// Keys is a Wrapper with keys of the application. Make it with NewKeys.
type Keys struct{ all []wrapKey }

// wrapKey is one key. id says which one has wrapped a text.
type wrapKey struct {
	id   [8]byte
	aead cipher.AEAD
}

var _ Wrapper = (*Keys)(nil)

// NewKeys returns a Wrapper with keys of 32 random bytes each. The first one wraps. All of them unwrap, so
// put a new key in front to rotate, call Journal.Rewrap, and then remove the old one. Several processes must all know
// the new key before one of them has it in front. Keep the keys apart from the store and from its backups.
func NewKeys(keys ...[]byte) (*Keys, error) {
	if len(keys) == 0 {
		return nil, errors.New("journal: NewKeys needs a key of 32 random bytes")
	}
	k := &Keys{}
	for i, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("journal: key %d has %d bytes: use 32 random bytes", i+1, len(key))
		}
		if isConstant(key) {
			return nil, fmt.Errorf("journal: key %d is one byte repeated: use 32 random bytes", i+1)
		}
		derived, err := hkdf.Key(sha256.New, key, nil, "scim journal wrap", KeySize+8)
		if err != nil {
			return nil, fmt.Errorf("journal: key %d: %w", i+1, err)
		}
		aead, err := newAEAD(derived[:KeySize])
		if err != nil {
			return nil, err
		}
		k.all = append(k.all, wrapKey{[8]byte(derived[KeySize:]), aead})
	}
	return k, nil
}

// NewEphemeralKeys returns a Wrapper with a random key that ends with the process. It is for Memory and
// for tests.
func NewEphemeralKeys() *Keys {
	k, _ := NewKeys(newKey()) // 32 random bytes are always right
	return k
}

// isConstant reports whether all bytes are the same, as in a key that was never set.
func isConstant(key []byte) bool {
	for _, b := range key {
		if b != key[0] {
			return false
		}
	}
	return true
}

// newKey returns 32 random bytes.
func newKey() []byte {
	key := make([]byte, KeySize)
	rand.Read(key) // never returns an error: without randomness it ends the program
	return key
}

// newAEAD returns AES-256-GCM with random nonces, which it puts before the text.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Wrap implements Wrapper.
func (k *Keys) Wrap(_ context.Context, key, bound []byte) ([]byte, error) {
	first := &k.all[0]
	return first.aead.Seal(first.id[:], nil, key, bound), nil
}

// Unwrap implements Wrapper.
func (k *Keys) Unwrap(_ context.Context, wrapped, bound []byte) ([]byte, error) {
	for i := range k.all {
		rest, ok := cutID(wrapped, k.all[i].id)
		if !ok {
			continue
		}
		if key, err := k.all[i].aead.Open(nil, nil, rest, bound); err == nil {
			return key, nil
		}
	}
	return nil, ErrKeyGone
}

// cutID removes the id of a key from the beginning of what it has wrapped.
func cutID(wrapped []byte, id [8]byte) ([]byte, bool) {
	if len(wrapped) < len(id) || [8]byte(wrapped) != id {
		return nil, false
	}
	return wrapped[len(id):], true
}
