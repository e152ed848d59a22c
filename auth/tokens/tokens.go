// Package tokens issues bearer tokens on an application's own page, lists, rotates and revokes them,
// and authenticates requests by them.
//
//	all, err := tokens.New(store, tokens.Options{CacheFor: 5 * time.Second})
//	h, err := scim.New(scim.Config{Auth: all, ...})
//
//	secret, t, err := all.Tenant("acme").Issue(ctx, tokens.Request{Label: "Okta", Maker: "ann"})
//
// Show the secret once, to the administrator who sets up the client. Nothing keeps it: the Store has
// its SHA-256. A token stays recognizable by its prefix, its last four characters and its
// fingerprint.
//
// Memory is a Store in memory, and sqlstore.Tokens is one over SQL. Make one Tokens for each process,
// and use it for the page and for requests: a revocation then counts from the next request on.
package tokens

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
)

const (
	// MaxCacheFor is the most that Options.CacheFor can be.
	MaxCacheFor = 5 * time.Second

	useEvery   = time.Minute // LastUsed is written at most so often.
	useTimeout = time.Second // A request waits at most so long for that.
)

// Options are the settings of New. All of them are optional.
type Options struct {
	// Prefix begins each new secret, so that scanners that look for secrets in code find it. Take
	// one that names your application, with at most 20 letters, digits and underscores, such as
	// "acme_scim_". It is "scim_" by default. Tokens with an earlier prefix stay valid.
	Prefix string
	// Scopes are the scopes that tokens can have beside scim.ScopeUsers and scim.ScopeGroups:
	// those of other resource types, and words for Config.Allow. Issue refuses any other scope.
	Scopes []string
	// CacheFor is how long a token that the Store has found is taken for valid without asking the
	// Store again. A revocation counts at once in the process that revokes, and after this time in
	// others. 0, the default: each request asks the Store. It is at most MaxCacheFor.
	CacheFor time.Duration
	// CacheSize is how many tokens are kept in memory at most; 10,000 by default. Unknown tokens are
	// never among them.
	CacheSize int
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log gets a warning if the time of last use cannot be written. The request goes on. Nil means
	// slog.Default().
	Log *slog.Logger
}

// Tokens are the tokens of an application, of all its tenants. It is a scim.Authenticator: the
// principal has the token's Client, Tenant and Scopes. It is safe for concurrent use.
type Tokens struct {
	store  Store
	o      Options
	bearer *auth.BearerAuth
	cache  *cache
}

var (
	_ scim.Authenticator = (*Tokens)(nil)
	_ scim.SchemeLister  = (*Tokens)(nil)
	_ scim.Challenger    = (*Tokens)(nil)
)

var prefixes = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,19}$`)

// New returns the tokens of a store. Its error lists every mistake in o.
func New(store Store, o Options) (*Tokens, error) {
	o.Prefix, o.CacheSize = cmp.Or(o.Prefix, "scim_"), cmp.Or(o.CacheSize, 10_000)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	if store == nil {
		err = errors.Join(err, errors.New("tokens: store is nil"))
	}
	if !prefixes.MatchString(o.Prefix) {
		err = errors.Join(err, fmt.Errorf("tokens: Prefix %q: use at most 20 letters, digits and underscores, and a letter first", o.Prefix))
	}
	if slices.Contains(o.Scopes, "") {
		err = errors.Join(err, errors.New("tokens: Scopes has an empty text"))
	}
	o.Scopes = append([]string{scim.ScopeUsers, scim.ScopeGroups}, o.Scopes...)
	if o.CacheFor < 0 || o.CacheFor > MaxCacheFor {
		err = errors.Join(err, fmt.Errorf("tokens: CacheFor is %v: use 0 to %v, because a revoked token is valid in other processes for this time", o.CacheFor, MaxCacheFor))
	}
	if o.CacheSize < 0 {
		err = errors.Join(err, fmt.Errorf("tokens: CacheSize is %d", o.CacheSize))
	}
	if err != nil {
		return nil, err
	}
	s := &Tokens{store: store, o: o, cache: newCache(o.CacheSize)}
	s.bearer = auth.BearerFunc(s.find)
	s.bearer.Now, s.bearer.Used = o.Now, s.use
	return s, nil
}

// Authenticate implements scim.Authenticator. An expired, a revoked and an unknown token are 401 with
// the same answer. If the Store fails, it is 503. About once a minute for each token, it writes the
// time of last use before the request goes on.
func (s *Tokens) Authenticate(r *http.Request) (scim.Principal, error) {
	return s.bearer.Authenticate(r)
}

// Challenge implements scim.Challenger.
func (s *Tokens) Challenge() string { return s.bearer.Challenge() }

// Schemes implements scim.SchemeLister.
func (s *Tokens) Schemes() []scim.AuthScheme { return s.bearer.Schemes() }

// Tenant returns the tokens of one tenant, "" in an application with one tenant. It asks no store.
func (s *Tokens) Tenant(tenant string) *Tenant { return &Tenant{s, tenant} }

// now returns the time as stores keep it.
func (s *Tokens) now() time.Time { return s.o.Now().UTC().Truncate(time.Microsecond) }

// find is the look-up of requests.
func (s *Tokens) find(ctx context.Context, hash [sha256.Size]byte) (auth.Token, error) {
	now := s.o.Now()
	cached, isFresh, generation := s.cache.get(hash, now)
	if isFresh {
		return cached, nil
	}
	t, err := s.store.ByHash(ctx, hash)
	switch {
	case err != nil:
		return auth.Token{}, err
	case t.Hash != hash:
		return auth.Token{}, scim.ErrNotFound
	case !t.Revoked.IsZero():
		return auth.Token{}, &auth.RefusedError{ID: t.Client, Tenant: t.Tenant, Reason: "revoked token"}
	}
	found := auth.Token{ID: t.Client, Hash: t.Hash, Tenant: t.Tenant, Expires: t.Expires, Scopes: t.Scopes}
	if t.IsValid(now) {
		s.cache.put(generation, found, now.Add(s.o.CacheFor), t.LastUsed)
	}
	return found, nil
}

// use records that a token lets a request in.
func (s *Tokens) use(ctx context.Context, t auth.Token, at time.Time) {
	at = at.UTC().Truncate(time.Microsecond)
	if !s.cache.isDue(t.Hash, at) {
		return
	}
	// The client may have gone: its use counts nevertheless.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), useTimeout)
	defer cancel()
	if err := s.store.SetLastUsed(ctx, t.Hash, at, at.Add(-useEvery)); err != nil {
		s.o.Log.WarnContext(ctx, "scim: the last use of a token is not recorded", "client", t.ID, "tenant", t.Tenant, "error", err)
	}
}
