package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
)

func TestTokens(t *testing.T) {
	RunTokens(t, func(t *testing.T) tokens.Store { return tokens.NewMemory() })
}

// brokenTokens is a token store with one fault.
type brokenTokens struct {
	*tokens.Memory
	fault string
}

func (b brokenTokens) Insert(ctx context.Context, x tokens.Token) error {
	switch err := b.Memory.Insert(ctx, b.kept(x)); {
	case err != nil && b.fault == "takes a token twice":
		return nil
	default:
		return err
	}
}

// kept is what the store makes of a token.
func (b brokenTokens) kept(x tokens.Token) tokens.Token {
	switch b.fault {
	case "makes no scopes all":
		if len(x.Scopes) == 0 {
			x.Scopes = nil
		}
	case "folds tenants":
		x.Tenant = strings.ToLower(x.Tenant)
	}
	return x
}

func (b brokenTokens) ByHash(ctx context.Context, hash [sha256.Size]byte) (tokens.Token, error) {
	x, err := b.Memory.ByHash(ctx, hash)
	if b.fault == "finds nothing without an error" && errors.Is(err, scim.ErrNotFound) {
		return x, nil
	}
	return x, err
}

func (b brokenTokens) List(ctx context.Context, tenant string) ([]tokens.Token, error) {
	all, err := b.Memory.List(ctx, tenant)
	switch b.fault {
	case "lists the first one first":
		slices.Reverse(all)
	case "hides what has ended":
		all = slices.DeleteFunc(all, func(x tokens.Token) bool { return !x.Revoked.IsZero() })
	}
	return all, err
}

func (b brokenTokens) Update(ctx context.Context, tenant, id string, fn func(x *tokens.Token) (*tokens.Token, error)) error {
	switch b.fault {
	case "changes tokens of other tenants":
		for _, other := range []string{"acme", "other"} {
			if err := b.Memory.Update(ctx, other, id, fn); !errors.Is(err, scim.ErrNotFound) {
				return err
			}
		}
		return scim.ErrNotFound
	case "keeps the change without the successor":
		var further *tokens.Token
		err := b.Memory.Update(ctx, tenant, id, func(x *tokens.Token) (_ *tokens.Token, err error) {
			further, err = fn(x)
			return nil, err
		})
		if err != nil || further == nil {
			return err
		}
		return b.Insert(ctx, *further)
	case "keeps what was refused":
		var refused error
		err := b.Memory.Update(ctx, tenant, id, func(x *tokens.Token) (*tokens.Token, error) {
			further, err := fn(x)
			if refused = err; err != nil {
				return nil, nil
			}
			return further, nil
		})
		return errors.Join(err, refused)
	case "loses changes":
		var read tokens.Token
		if err := b.Memory.Update(ctx, tenant, id, func(x *tokens.Token) (*tokens.Token, error) { read = *x; return nil, nil }); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
		further, err := fn(&read)
		if err != nil {
			return err
		}
		return b.Memory.Update(ctx, tenant, id, func(x *tokens.Token) (*tokens.Token, error) { *x = read; return further, nil })
	}
	return b.Memory.Update(ctx, tenant, id, fn)
}

func (b brokenTokens) SetLastUsed(ctx context.Context, hash [sha256.Size]byte, at, since time.Time) error {
	if b.fault == "writes each use" {
		since = at.Add(time.Hour)
	}
	return b.Memory.SetLastUsed(ctx, hash, at, since)
}

// Each fault makes the step fail that is about it.
func TestBrokenTokens(t *testing.T) {
	fresh := func(fault string) tokens.Store { return brokenTokens{tokens.NewMemory(), fault} }
	for _, b := range []broken[tokens.Store]{
		{fault: "takes a token twice", reason: "a second token seems to be issued", step: "tokens/twice"},
		{fault: "makes no scopes all", reason: "a token without scopes may do everything", step: "tokens/kept as it is"},
		{fault: "folds tenants", reason: "ACME manages the tokens of acme", step: "tokens/lists"},
		{fault: "finds nothing without an error", reason: "an unknown secret finds a zero token", step: "tokens/unknown hash"},
		{fault: "lists the first one first", reason: "the newest token is not where people look", step: "tokens/lists", also: []string{"tokens/both or none"}},
		{fault: "hides what has ended", reason: "nobody sees who had access", step: "tokens/lists"},
		{fault: "changes tokens of other tenants", reason: "one tenant revokes another's token", step: "tokens/apart"},
		{fault: "keeps the change without the successor", reason: "a rotation ends the token and makes none", step: "tokens/both or none", also: []string{"tokens/further token apart"}},
		{fault: "keeps what was refused", reason: "a refused rotation ends the token", step: "tokens/refused"},
		{fault: "loses changes", reason: "a revocation is undone by a rotation", step: "tokens/at once"},
		{fault: "writes each use", reason: "each request writes", step: "tokens/last use"},
	} {
		b.make = fresh
		b.test(t, tokenGroups())
	}
	if failed, _ := judgeAll(tokenGroups(), func() tokens.Store { return fresh("") }, patient); len(failed) > 0 {
		t.Errorf("a sound store fails: %v", failed)
	}
}
