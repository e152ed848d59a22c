package scim

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// cursorState is what a cursor carries to the next page (RFC 9865). It is sealed,
// because it holds values of a resource that its bearer need not be allowed to see.
type cursorState struct {
	Key     host.Key
	Count   int
	Total   int
	Expires time.Time
}

// cursors seals and opens cursors with AES-256-GCM.
type cursors []cipher.AEAD // the first one seals

// newCursors takes the keys of Config.CursorKeys, or makes one that lasts as long as
// this process.
func newCursors(keys [][]byte) (cursors, error) {
	if len(keys) == 0 {
		keys = [][]byte{make([]byte, 32)}
		rand.Read(keys[0]) //nolint:errcheck // never fails
	}
	var c cursors
	for i, k := range keys {
		if len(k) < 16 {
			return nil, mistake("CursorKeys", "key %d has %d bytes; it needs at least 16 random ones", i, len(k))
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

func (c cursors) seal(s *cursorState, bound []byte) (string, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(c[0].Seal(nil, nil, plain, bound)), nil
}

// open returns what was sealed for the same request; an error says that the cursor
// was not made here, or for another request.
func (c cursors) open(text string, bound []byte) (*cursorState, error) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, err
	}
	for _, aead := range c {
		plain, err := aead.Open(nil, nil, sealed, bound)
		if err != nil {
			continue
		}
		var s cursorState
		return &s, json.Unmarshal(plain, &s)
	}
	return nil, errors.New("no key opens it")
}

// listByCursor answers a list request with a cursor. Every page is found by its place
// in the order, so it costs the same at any depth, and what others insert or delete
// meanwhile shifts nothing.
func (o *operation) listByCursor(ctx context.Context, t *model.Type) (*answer, error) {
	q, err := o.query(ctx, t)
	if err != nil {
		return nil, err
	}
	bound, err := json.Marshal([]any{o.t.ID, t.Name, q.Filter.Text(), o.params.filter, q.SortBy, q.Descending, o.who.ID, o.who.Scopes})
	if err != nil {
		return nil, err
	}
	_, limit := o.window()
	state := &cursorState{Count: limit}
	if text := *o.params.cursor; text != "" {
		if state, err = o.h.cursors.open(text, bound); err != nil {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidCursor", "the cursor is not one for this request: begin again with an empty cursor")
		}
		if o.now().After(state.Expires) {
			return nil, fault.Refuse(http.StatusBadRequest, "expiredCursor", "the cursor has expired: begin again with an empty cursor")
		}
		if o.params.count != nil && limit != state.Count {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidCount", fmt.Sprintf("count must stay %d until the last page", state.Count))
		}
		q.After = &state.Key
	}
	q.Total = q.After == nil
	if q.Limit = state.Count; q.Limit > 0 {
		q.Limit++ // one more, to see whether there is another page
	}
	page, err := o.page(ctx, t, q)
	if err != nil {
		return nil, err
	}
	if q.Total || q.Limit == 0 {
		state.Total = page.Total
	}
	rs, extra := page.Resources, ""
	if state.Count > 0 && len(rs) > state.Count {
		rs = rs[:state.Count]
		state.Key, state.Expires = *host.KeyOf(q, rs[len(rs)-1]), o.now().Add(o.h.c.Limits.CursorTime)
		next, err := o.h.cursors.seal(state, bound)
		if err != nil {
			return nil, err
		}
		extra = `,"nextCursor":"` + next + `"`
	}
	return o.listAnswer(ctx, rs, state.Total, extra)
}
