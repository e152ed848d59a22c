package journal

import (
	"cmp"
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// The parts of a record. The name of a part is bound to what is sealed.
const (
	partDetail   = "detail"
	partRequest  = "request"
	partResponse = "response"
)

// maxRings is how many keys are in memory at most. Further ones displace any other.
const maxRings = 10_000

// ring has the keys of all tenants that are in use, unwrapped.
type ring struct {
	store Store
	keys  Wrapper
	mu    sync.Mutex
	data  map[[2]string]cipher.AEAD // by tenant and day
	terms map[string]*hasher        // by tenant
	log   *slog.Logger
}

func newRing(store Store, keys Wrapper, log *slog.Logger) *ring {
	return &ring{store: store, keys: keys, data: map[[2]string]cipher.AEAD{}, terms: map[string]*hasher{}, log: log}
}

// day is the ID of the data key of a time.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// maxLostKeys is how often the keys of a tenant and day may get lost until nothing is sealed any more.
const maxLostKeys = 20

// writable calls use with the IDs of a key, until one is not gone: somebody may have removed a key of the
// Wrapper too early. What it sealed is lost then, and the journal goes on with a new one.
func (r *ring) writable(tenant, id string, use func(id string) error) (string, error) {
	first, err := id, error(nil)
	for n := 2; n < maxLostKeys; n++ {
		if err = use(id); !errors.Is(err, ErrKeyGone) {
			return id, err
		}
		r.log.Warn("scim: a key of the journal is gone, and another one takes its place: what the former one has sealed cannot be read", "tenant", tenant, "key", id)
		id = first + "." + strconv.Itoa(n)
	}
	return id, err
}

// writer returns the key that seals the records of a tenant and day, and its ID. It makes one if there is none.
func (r *ring) writer(ctx context.Context, tenant, day string) (a cipher.AEAD, id string, err error) {
	id, err = r.writable(tenant, day, func(id string) error {
		a, err = r.aead(ctx, tenant, id, true)
		return err
	})
	return a, id, err
}

// reader returns the key that opens records. It makes none.
func (r *ring) reader(ctx context.Context, tenant, id string) (cipher.AEAD, error) {
	return r.aead(ctx, tenant, id, false)
}

func (r *ring) aead(ctx context.Context, tenant, id string, makes bool) (cipher.AEAD, error) {
	at := [2]string{tenant, id}
	r.mu.Lock()
	a := r.data[at]
	r.mu.Unlock()
	if a != nil {
		return a, nil
	}
	key, err := r.key(ctx, tenant, id, makes)
	if err != nil {
		return nil, err
	}
	if a, err = newAEAD(key); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	makeRoom(r.data)
	r.data[at] = a
	return a, nil
}

// makeRoom removes any key from a full map.
func makeRoom[K comparable, V any](m map[K]V) {
	for k := range m {
		if len(m) < maxRings {
			return
		}
		delete(m, k)
	}
}

// hasher returns what hashes the terms and bodies of a tenant.
func (r *ring) hasher(ctx context.Context, tenant string) (*hasher, error) {
	r.mu.Lock()
	h := r.terms[tenant]
	r.mu.Unlock()
	if h != nil {
		return h, nil
	}
	var key []byte
	_, err := r.writable(tenant, SearchKey, func(id string) (err error) {
		key, err = r.key(ctx, tenant, id, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	if h, err = newHasher(key); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	makeRoom(r.terms)
	r.terms[tenant] = h
	return h, nil
}

// key returns a key of the store, unwrapped. The Wrapper may be slow, so no lock is held.
func (r *ring) key(ctx context.Context, tenant, id string, makes bool) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	kept, err := r.store.FindKey(ctx, tenant, id)
	if errors.Is(err, scim.ErrNotFound) && makes {
		wrapped, werr := r.keys.Wrap(ctx, newKey(), boundKey(tenant, id))
		if werr != nil {
			return nil, fmt.Errorf("journal: wrap a key: %w", werr)
		}
		// Another process may have made one meanwhile: that one counts.
		kept, err = r.store.AddKey(ctx, Key{Tenant: tenant, ID: id, Wrapped: wrapped})
	}
	if err != nil {
		return nil, err
	}
	key, err := r.keys.Unwrap(ctx, kept.Wrapped, boundKey(tenant, id))
	if err == nil && len(key) != KeySize {
		err = ErrKeyGone
	}
	if err != nil {
		return nil, fmt.Errorf("journal: unwrap a key: %w", err)
	}
	return key, nil
}

// boundKey is what a wrapped key belongs to.
func boundKey(tenant, id string) []byte { return bound("key", tenant, id) }

// boundPart is what a sealed part belongs to.
func boundPart(h *Head, part, key string) []byte { return appendPart(nil, h, part, key) }

func appendPart(out []byte, h *Head, part, key string) []byte {
	for _, text := range [...]string{"entry", h.Tenant, h.ID, part, key} {
		out = appendBound(out, text)
	}
	return out
}

// bound joins texts so that no two lists of them are the same.
func bound(texts ...string) []byte {
	out := make([]byte, 0, 128)
	for _, t := range texts {
		out = appendBound(out, t)
	}
	return out
}

func appendBound(out []byte, text string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(text))), text...)
}

// hasher hashes the terms and bodies of one tenant, and seals its memos, with a key for each purpose. It is safe for
// concurrent use.
type hasher struct {
	terms, bodies mac
	memos         cipher.AEAD // Memos live longer than the keys of days.
}

func newHasher(key []byte) (*hasher, error) {
	terms, err := hkdf.Key(sha256.New, key, nil, "scim journal terms", KeySize)
	bodies, err2 := hkdf.Key(sha256.New, key, nil, "scim journal bodies", KeySize)
	memos, err3 := hkdf.Key(sha256.New, key, nil, "scim journal memos", KeySize)
	if err := cmp.Or(err, err2, err3); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	h := &hasher{terms: newMAC(terms), bodies: newMAC(bodies)}
	if h.memos, err = newAEAD(memos); err != nil {
		return nil, err
	}
	return h, nil
}

// term hashes a text of a kind, such as "User".
func (h *hasher) term(kind, text string) Term {
	var room [macRoom]byte
	sum := h.terms.sum(appendBound(appendBound(h.terms.begin(room[:0]), kind), text))
	return Term(sum[:])
}

// body hashes the SHA-256 of a body.
func (h *hasher) body(sum [sha256.Size]byte) string {
	var room [macRoom]byte
	out := h.bodies.sum(append(h.bodies.begin(room[:0]), sum[:]...))
	return hex.EncodeToString(out[:16])
}

// mac is HMAC-SHA-256 (RFC 2104) of short texts, without the state of crypto/hmac, which costs more than to hash
// them. A test compares the two.
type mac struct{ inner, outer [sha256.BlockSize]byte }

// macRoom is what a text of 192 bytes needs.
const macRoom = 256

// newMAC returns the mac of a key of at most 64 bytes.
func newMAC(key []byte) (m mac) {
	copy(m.inner[:], key)
	copy(m.outer[:], key)
	for i := range m.inner {
		m.inner[i] ^= 0x36
		m.outer[i] ^= 0x5c
	}
	return m
}

// begin begins a text.
func (m *mac) begin(b []byte) []byte { return append(b, m.inner[:]...) }

// sum hashes a text that begin has begun.
func (m *mac) sum(text []byte) [sha256.Size]byte {
	var outer [sha256.BlockSize + sha256.Size]byte
	inner := sha256.Sum256(text)
	copy(outer[:], m.outer[:])
	copy(outer[sha256.BlockSize:], inner[:])
	return sha256.Sum256(outer[:])
}

// checkedKeys is how many keys Run tries when it begins.
const checkedKeys = 10

// check warns if the Wrapper opens none of the keys in the store: it may be the wrong one.
func (r *ring) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	var err error
	defer func() {
		if err != nil { // Whatever it is, work meets it again, and tries again.
			r.log.DebugContext(ctx, "scim: the keys of the journal cannot be checked", "error", err)
		}
	}()
	defer catch(&err)
	all, err := r.store.Keys(ctx, Key{}, checkedKeys)
	gone := 0
	for _, k := range all {
		_, uerr := r.keys.Unwrap(ctx, k.Wrapped, boundKey(k.Tenant, k.ID))
		if errors.Is(uerr, ErrKeyGone) {
			gone++
		} else if uerr != nil {
			err = uerr
			return
		}
	}
	if gone > 0 {
		r.log.WarnContext(ctx, "scim: Options.Keys of the journal does not open keys in the store, so earlier entries cannot be read or found: is it the right key, with all former ones?",
			"checked", len(all), "gone", gone)
	}
}

// rewrapPage is how many keys Rewrap reads at a time.
const rewrapPage = 500

// Rewrap wraps all keys again, so that a former key of the Wrapper is not needed any longer. It
// returns how many keys there are. A key that no key of the Wrapper opens stays as it is, and counts as gone.
func (j *Journal) Rewrap(ctx context.Context) (rewrapped, gone int, err error) {
	var after Key
	for {
		page, err := j.store.Keys(ctx, after, rewrapPage)
		if err != nil {
			return rewrapped, gone, err
		}
		for _, k := range page {
			b := boundKey(k.Tenant, k.ID)
			plain, err := j.ring.keys.Unwrap(ctx, k.Wrapped, b)
			if errors.Is(err, ErrKeyGone) {
				gone++
				continue
			}
			if err == nil {
				k.Wrapped, err = j.ring.keys.Wrap(ctx, plain, b)
			}
			if err == nil {
				err = j.store.ReplaceKey(ctx, k)
			}
			if err != nil {
				return rewrapped, gone, fmt.Errorf("journal: rewrap: %w", err)
			}
			rewrapped++
		}
		if len(page) < rewrapPage {
			return rewrapped, gone, nil
		}
		after = page[len(page)-1]
	}
}
