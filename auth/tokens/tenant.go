package tokens

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/scimkit/scim"
)

var (
	// ErrEnded is what Rotate and Expire return for a token that has expired or was revoked.
	ErrEnded = errors.New("tokens: the token has expired or was revoked")
	// ErrRotated is what Rotate returns for a token that has a successor: rotate the successor.
	ErrRotated = errors.New("tokens: the token was rotated already")
	// ErrScope is what Issue returns for a scope that is neither scim.ScopeUsers nor
	// scim.ScopeGroups, nor in Options.Scopes.
	ErrScope = errors.New("tokens: unknown scope")
)

// maxText is how many characters a label and a maker have at most.
const maxText = 200

// Tenant is the tokens of one tenant, for its administrators' page. It neither shows nor changes a
// token of another tenant: an ID of one is scim.ErrNotFound.
//
// If ctx carries a transaction of the application (sqlstore.WithTx), what a method does counts when
// the transaction has committed, and for requests of this process up to Options.CacheFor later.
type Tenant struct {
	all    *Tokens
	tenant string
}

// Request is what Issue makes a token of.
type Request struct {
	// Label says what the token is for. Maker names who makes it. Both are shown in lists, and have
	// at most 200 characters.
	Label, Maker string
	// Expires is the first moment at which the token is not valid. Zero: it never expires.
	Expires time.Time
	// Scopes are what the token opens: see scim.ScopeUsers. Nil means all that there are now
	// and later. An empty list means none.
	Scopes []string
}

// Issue makes a token. Show the secret once. Nothing can show it again.
func (t *Tenant) Issue(ctx context.Context, r Request) (secret string, issued Token, err error) {
	now := t.all.now()
	r.Expires = r.Expires.UTC().Truncate(time.Microsecond)
	for _, scope := range r.Scopes {
		if !slices.Contains(t.all.o.Scopes, scope) {
			err = errors.Join(err, fmt.Errorf("%w %q: there are %q", ErrScope, scope, t.all.o.Scopes))
		}
	}
	err = errors.Join(err, checkText("label", r.Label), checkText("maker", r.Maker), checkEnd(r.Expires, now))
	if err != nil {
		return "", Token{}, err
	}
	secret, issued = t.newToken(now)
	issued.Client, issued.Label, issued.Maker, issued.Expires, issued.Scopes = issued.ID, r.Label, r.Maker, r.Expires, slices.Clone(r.Scopes)
	if err := t.all.store.Insert(ctx, issued); err != nil {
		return "", Token{}, err
	}
	return secret, issued, nil
}

// newToken makes a token of the tenant, and its secret.
func (t *Tenant) newToken(now time.Time) (secret string, made Token) {
	secret = newSecret(t.all.o.Prefix)
	return secret, Token{ID: uuid.NewString(), Tenant: t.tenant, Hash: sha256.Sum256([]byte(secret)),
		Prefix: t.all.o.Prefix, Last4: secret[len(secret)-4:], Created: now}
}

// List returns all tokens of the tenant, also those that have ended. The last one created comes
// first.
func (t *Tenant) List(ctx context.Context) ([]Token, error) { return t.all.store.List(ctx, t.tenant) }

// Rotation says how Rotate replaces a token. Its zero value ends the old token at once.
type Rotation struct {
	// Overlap is how long the old token stays valid, unless it expires before. In this time put the
	// new secret into the client.
	Overlap time.Duration
	// Expires is when the new token expires. Zero: it is valid for as long as the old one, counted
	// from its creation to its Expires.
	Expires time.Time
	// Maker names who rotates the token.
	Maker string
}

// Rotate makes a token in the place of another one, with its Client, label and scopes. If two rotate
// a token at once, one of them gets ErrRotated. Revoke ends the old token before the overlap does.
func (t *Tenant) Rotate(ctx context.Context, id string, r Rotation) (secret string, successor Token, err error) {
	now := t.all.now()
	r.Expires = r.Expires.UTC().Truncate(time.Microsecond)
	if r.Overlap < 0 {
		err = fmt.Errorf("tokens: Overlap is %v", r.Overlap)
	}
	if err := errors.Join(err, checkText("maker", r.Maker), checkEnd(r.Expires, now)); err != nil {
		return "", Token{}, err
	}
	secret, made := t.newToken(now)
	err = t.change(ctx, id, func(old *Token) (*Token, error) {
		switch {
		case old.Successor != "":
			return nil, ErrRotated
		case !old.IsValid(now):
			return nil, ErrEnded
		}
		successor = made
		successor.Client, successor.Label, successor.Maker, successor.Scopes = old.Client, old.Label, r.Maker, slices.Clone(old.Scopes)
		successor.Expires = r.Expires
		if r.Expires.IsZero() && !old.Expires.IsZero() {
			successor.Expires = now.Add(old.Expires.Sub(old.Created))
		}
		old.Successor = successor.ID
		if end := now.Add(r.Overlap).Truncate(time.Microsecond); old.Expires.IsZero() || end.Before(old.Expires) {
			old.Expires = end
		}
		return &successor, nil
	})
	if err != nil {
		return "", Token{}, err
	}
	return secret, successor, nil
}

// Expire sets when a valid token expires, earlier or later than before. The zero time is never.
func (t *Tenant) Expire(ctx context.Context, id string, at time.Time) error {
	now := t.all.now()
	return t.change(ctx, id, func(old *Token) (*Token, error) {
		if !old.IsValid(now) {
			return nil, ErrEnded
		}
		old.Expires = at.UTC().Truncate(time.Microsecond)
		return nil, nil
	})
}

// Revoke ends a token for good. It counts from the next request on in this process, and after
// Options.CacheFor in others. The token stays in the list. To revoke it again does nothing.
func (t *Tenant) Revoke(ctx context.Context, id string) error {
	now := t.all.now()
	return t.change(ctx, id, func(old *Token) (*Token, error) {
		if old.Revoked.IsZero() {
			old.Revoked = now
		}
		return nil, nil
	})
}

// RevokeAll revokes every token that the tenant has when RevokeAll is called, and what replaces one of
// them meanwhile. Call it when SCIM is switched off for the tenant. After an error some may be revoked:
// call it again.
func (t *Tenant) RevokeAll(ctx context.Context) error {
	for {
		list, err := t.all.store.List(ctx, t.tenant)
		if err != nil {
			return err
		}
		isDone := true
		for _, x := range list {
			if !x.Revoked.IsZero() {
				continue
			}
			isDone = false
			if err := t.Revoke(ctx, x.ID); err != nil && !errors.Is(err, scim.ErrNotFound) {
				return err
			}
		}
		if isDone || ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// change updates a token and drops it from the cache, also after an error: the store may have made
// the change nevertheless.
func (t *Tenant) change(ctx context.Context, id string, fn func(old *Token) (*Token, error)) error {
	var hash [sha256.Size]byte
	isFound := false
	err := t.all.store.Update(ctx, t.tenant, id, func(old *Token) (*Token, error) {
		hash, isFound = old.Hash, true
		return fn(old)
	})
	if isFound {
		t.all.cache.drop(hash)
	}
	return err
}

// checkText refuses what no database can store, and what no list can show.
func checkText(what, text string) error {
	if n := utf8.RuneCountInString(text); n > maxText {
		return fmt.Errorf("tokens: the %s has %d characters, more than %d", what, n, maxText)
	}
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("tokens: the %s %q: use UTF-8 without U+0000", what, text)
	}
	return nil
}

// checkEnd refuses an end that is not in the future.
func checkEnd(at, now time.Time) error {
	if !at.IsZero() && !now.Before(at) {
		return fmt.Errorf("tokens: Expires is %v, which is not in the future", at)
	}
	return nil
}
