package storetest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
)

// RunTokens checks a tokens.Store. It calls newStore for each step. newStore returns a fresh, empty
// store; use its t for t.Cleanup.
func RunTokens(t *testing.T, newStore func(t *testing.T) tokens.Store) {
	for _, g := range tokenGroups() {
		g.run(t, newStore)
	}
}

// tokenGroups lists what RunTokens checks.
func tokenGroups() []group[tokens.Store] {
	return []group[tokens.Store]{{"tokens", slices.Concat(keptTokenSteps(), tenantTokenSteps(), changedTokenSteps(), usedTokenSteps())}}
}

// tokenOf is a token of a tenant with a text as its secret.
func tokenOf(tenant, secret string) tokens.Token {
	return tokens.Token{ID: "id of " + secret, Client: "client of " + secret, Tenant: tenant, Hash: sha256.Sum256([]byte(secret)),
		Label: "Okta", Maker: "ann", Prefix: "scim_", Last4: "wxyz", Created: instant}
}

func insertTokens(t *probe, s tokens.Store, all ...tokens.Token) {
	for _, x := range all {
		if err := s.Insert(t.ctx, x); err != nil {
			t.Fatalf("Insert of %q: %v", x.ID, err)
		}
	}
}

// expectToken requires that the store has a token as it is.
func expectToken(t *probe, s tokens.Store, want tokens.Token) {
	got, err := s.ByHash(t.ctx, want.Hash)
	if diff := cmp.Diff(want, got, cmp.Comparer(sameInstant)); diff != "" || err != nil {
		t.Errorf("ByHash of %q: error %v (-want +got):\n%s", want.ID, err, diff)
	}
}

// expectTokens requires that a tenant's list has these tokens, in this order.
func expectTokens(t *probe, s tokens.Store, tenant string, want ...tokens.Token) {
	got, err := s.List(t.ctx, tenant)
	if len(want) == 0 && len(got) == 0 && err == nil {
		return
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameInstant)); diff != "" || err != nil {
		t.Errorf("List of tenant %q: error %v (-want +got):\n%s", tenant, err, diff)
	}
}

// keptTokenSteps are about what a store keeps.
func keptTokenSteps() []step[tokens.Store] {
	return []step[tokens.Store]{
		{"kept as it is", "A token comes back as it was inserted. Nil scopes (all) are not an empty list (none).", func(t *probe, s tokens.Store) {
			full := tokenOf("acme", "full")
			full.Label, full.Maker, full.Scopes = strings.Repeat("é🙂'\"\\ ", 28), "Ann\nB. ", []string{"users:read", "Ä", " "}
			full.Expires, full.Revoked, full.LastUsed, full.Successor = instant.Add(time.Hour), instant.Add(time.Microsecond), instant.Add(time.Minute), "x"
			none := tokenOf("", "none")
			none.Scopes = []string{}
			all := []tokens.Token{full, none, tokenOf("acme", "all")}
			insertTokens(t, s, all...)
			for _, x := range all {
				expectToken(t, s, x)
			}
		}},
		{"unknown hash", "ByHash of a hash that no token has is scim.ErrNotFound, also in an empty store.", func(t *probe, s tokens.Store) {
			for i := range 2 {
				if got, err := s.ByHash(t.ctx, sha256.Sum256([]byte("unknown"))); !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("ByHash: %+v, error %v, want scim.ErrNotFound", got, err)
				}
				insertTokens(t, s, tokenOf("acme", fmt.Sprint("known", i)))
			}
		}},
		{"twice", "Insert fails if there is a token with the ID or the hash. The token that exists stays as it is.", func(t *probe, s tokens.Store) {
			first := tokenOf("acme", "first")
			insertTokens(t, s, first)
			sameID, sameHash := tokenOf("acme", "second"), tokenOf("other", "third")
			sameID.ID, sameHash.Hash = first.ID, first.Hash
			for what, x := range map[string]tokens.Token{"ID": sameID, "hash": sameHash} {
				if err := s.Insert(t.ctx, x); err == nil {
					t.Errorf("Insert of a second token with the same %s: no error", what)
				}
			}
			expectToken(t, s, first)
			expectTokens(t, s, "other")
		}},
		{"own memory", "The store shares no memory with its callers.", func(t *probe, s tokens.Store) {
			want, scopes := tokenOf("acme", "a"), []string{"read"}
			want.Scopes = scopes
			insertTokens(t, s, want)
			want.Scopes = []string{"read"}
			scopes[0] = "admin"
			got, err := s.ByHash(t.ctx, want.Hash)
			if err != nil || len(got.Scopes) != 1 {
				t.Fatalf("ByHash: %+v, error %v", got, err)
			}
			got.Scopes[0] = "admin"
			expectToken(t, s, want)
		}},
	}
}

// tenantTokenSteps are about tenants.
func tenantTokenSteps() []step[tokens.Store] {
	return []step[tokens.Store]{
		{"lists", "List has all tokens of the tenant and no other ones: the last one created comes first. Tenants are compared byte by byte.", func(t *probe, s tokens.Store) {
			tenants := []string{"", "acme", "ACME", "acme ", "acmé", "acm\u0065\u0301"}
			var older, newer []tokens.Token
			for i, tenant := range tenants {
				older, newer = append(older, tokenOf(tenant, fmt.Sprint("old", i))), append(newer, tokenOf(tenant, fmt.Sprint("new", i)))
				newer[i].Created = instant.Add(time.Microsecond)
				newer[i].Revoked = instant
			}
			insertTokens(t, s, newer...)
			insertTokens(t, s, older...)
			for i, tenant := range tenants {
				expectTokens(t, s, tenant, newer[i], older[i])
			}
			for _, tenant := range []string{"nobody", "a\x00", "\xff"} {
				expectTokens(t, s, tenant)
			}
		}},
		{"apart", "Update of a token of another tenant is scim.ErrNotFound, does not call fn, and changes nothing.", func(t *probe, s tokens.Store) {
			a, b := tokenOf("acme", "a"), tokenOf("other", "b")
			insertTokens(t, s, a, b)
			for _, c := range []struct{ tenant, id string }{{"acme", b.ID}, {"other", a.ID}, {"", a.ID}, {"ACME", a.ID}, {"acme", "unknown"}, {"acme", ""}, {"acme", a.ID + "\x00"}} {
				err := s.Update(t.ctx, c.tenant, c.id, func(x *tokens.Token) (*tokens.Token, error) {
					t.Errorf("Update of %q in tenant %q calls fn with the token of %q", c.id, c.tenant, x.Tenant)
					x.Revoked = instant
					return nil, nil
				})
				if !errors.Is(err, scim.ErrNotFound) {
					t.Errorf("Update of %q in tenant %q: %v, want scim.ErrNotFound", c.id, c.tenant, err)
				}
			}
			expectToken(t, s, a)
			expectToken(t, s, b)
		}},
		{"further token apart", "Update keeps no further token of another tenant, and then changes nothing.", func(t *probe, s tokens.Store) {
			a, b := tokenOf("acme", "a"), tokenOf("other", "b")
			insertTokens(t, s, a)
			err := s.Update(t.ctx, "acme", a.ID, func(x *tokens.Token) (*tokens.Token, error) {
				x.Revoked = instant
				return &b, nil
			})
			if err == nil {
				t.Errorf("Update: no error")
			}
			expectToken(t, s, a)
			expectTokens(t, s, "other")
		}},
	}
}

// changedTokenSteps are about Update.
func changedTokenSteps() []step[tokens.Store] {
	return []step[tokens.Store]{
		{"changed", "Update keeps Expires, Revoked and Successor, and leaves other tokens alone.", func(t *probe, s tokens.Store) {
			a, b := tokenOf("acme", "a"), tokenOf("acme", "b")
			insertTokens(t, s, a, b)
			set := func(x *tokens.Token) { x.Expires, x.Revoked, x.Successor = instant.Add(time.Hour), instant, "next" }
			err := s.Update(t.ctx, "acme", a.ID, func(x *tokens.Token) (*tokens.Token, error) {
				if diff := cmp.Diff(a, *x, cmp.Comparer(sameInstant)); diff != "" {
					t.Errorf("fn gets another token (-want +got):\n%s", diff)
				}
				set(x)
				return nil, nil
			})
			if err != nil {
				t.Fatalf("Update: %v", err)
			}
			set(&a)
			expectToken(t, s, a)
			expectToken(t, s, b)
		}},
		{"refused", "If fn returns an error, Update returns it and changes nothing.", func(t *probe, s tokens.Store) {
			a, further, refused := tokenOf("acme", "a"), tokenOf("acme", "b"), errors.New("refused")
			insertTokens(t, s, a)
			err := s.Update(t.ctx, "acme", a.ID, func(x *tokens.Token) (*tokens.Token, error) {
				x.Revoked = instant
				return &further, refused
			})
			if !errors.Is(err, refused) {
				t.Errorf("Update: %v, want the error of fn", err)
			}
			expectTokens(t, s, "acme", a)
		}},
		{"both or none", "Update keeps the change and the further token, or, if it cannot insert that, nothing.", func(t *probe, s tokens.Store) {
			a, further := tokenOf("acme", "a"), tokenOf("acme", "b")
			further.Created, further.Scopes = instant.Add(time.Second), []string{"read"}
			insertTokens(t, s, a)
			for i := range 2 {
				err := s.Update(t.ctx, "acme", a.ID, func(x *tokens.Token) (*tokens.Token, error) {
					x.Successor = fmt.Sprint(i)
					return &further, nil
				})
				if (err != nil) != (i == 1) {
					t.Errorf("Update no. %d: error %v; the second one inserts a token that exists", i+1, err)
				}
			}
			a.Successor = "0"
			expectTokens(t, s, "acme", further, a)
		}},
		{"at once", "Updates of one token are isolated from each other.", func(t *probe, s tokens.Store) {
			a := tokenOf("acme", "a")
			a.Expires = instant
			insertTokens(t, s, a)
			const n = 10
			t.parallel(n, func(int) {
				if err := s.Update(t.ctx, "acme", a.ID, func(x *tokens.Token) (*tokens.Token, error) {
					x.Expires = x.Expires.Add(time.Second)
					return nil, nil
				}); err != nil {
					t.Errorf("Update: %v", err)
				}
			})
			a.Expires = instant.Add(n * time.Second)
			expectToken(t, s, a)
		}},
	}
}

// usedTokenSteps are about SetLastUsed.
func usedTokenSteps() []step[tokens.Store] {
	return []step[tokens.Store]{
		{"last use", "SetLastUsed sets LastUsed only if it is before since. It does nothing for an unknown hash.", func(t *probe, s tokens.Store) {
			a, b := tokenOf("acme", "a"), tokenOf("other", "b")
			insertTokens(t, s, a, b)
			for _, c := range []struct{ at, since, want time.Duration }{
				{1 * time.Second, -59 * time.Second, 1 * time.Second}, // it was not used before
				{30 * time.Second, -30 * time.Second, 1 * time.Second},
				{61 * time.Second, 1 * time.Second, 1 * time.Second},
				{62 * time.Second, 2 * time.Second, 62 * time.Second},
			} {
				if err := s.SetLastUsed(t.ctx, a.Hash, instant.Add(c.at), instant.Add(c.since)); err != nil {
					t.Fatalf("SetLastUsed: %v", err)
				}
				a.LastUsed = instant.Add(c.want)
				expectToken(t, s, a)
			}
			if err := s.SetLastUsed(t.ctx, sha256.Sum256([]byte("unknown")), instant, instant); err != nil {
				t.Errorf("SetLastUsed of an unknown hash: %v", err)
			}
			expectToken(t, s, b)
		}},
		{"use and change at once", "A use during an Update is not lost, and neither is the change.", func(t *probe, s tokens.Store) {
			for i := range 10 {
				a := tokenOf("acme", fmt.Sprint("a", i))
				insertTokens(t, s, a)
				t.parallel(2, func(who int) {
					var err error
					if who == 0 {
						err = s.SetLastUsed(t.ctx, a.Hash, instant, instant)
					} else {
						err = s.Update(t.ctx, "acme", a.ID, func(x *tokens.Token) (*tokens.Token, error) {
							x.Revoked = instant
							return nil, nil
						})
					}
					if err != nil {
						t.Errorf("caller %d: %v", who, err)
					}
				})
				a.LastUsed, a.Revoked = instant, instant
				expectToken(t, s, a)
			}
		}},
	}
}
