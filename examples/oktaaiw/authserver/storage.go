package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// scope is the scope that opens the SCIM endpoint.
const scope = "scim"

const (
	requestTime = 10 * time.Minute    // for signing in, and for the exchange of the code
	accessTime  = 5 * time.Minute     // an access token cannot be revoked, so it is short
	refreshTime = 30 * 24 * time.Hour // a refresh token that nobody uses for so long ends
	most        = 10_000              // requests and chains in memory
)

// person is somebody who may allow the client to come.
type person struct{ name, password string }

// key signs tokens.
type key struct {
	id      string
	private *rsa.PrivateKey
}

func newKey() (*key, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	return &key{uuid.NewString(), private}, err
}

// ID and the others implement op.SigningKey.
func (k *key) ID() string                                  { return k.id }
func (k *key) Key() any                                    { return k.private }
func (k *key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// public implements op.Key.
type public struct{ *key }

func (p public) Key() any                           { return p.private.Public() }
func (p public) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }
func (p public) Use() string                        { return "sig" }

// chain is what one consent gave: its refresh tokens replace each other, and the last one is valid.
// A client that sends an earlier one may be a thief, or the thief has sent it before. So that ends the
// chain (RFC 9700, Section 4.14). A token begins with the id of its chain.
type chain struct {
	*request
	valid   string
	expires time.Time
}

// idOf returns the id of a refresh token's chain.
func idOf(token string) string {
	id, _, _ := strings.Cut(token, ".")
	return id
}

// storage implements op.Storage in memory.
type storage struct {
	audience string
	client   *client
	admin    *person
	now      func() time.Time

	mu       sync.Mutex
	keys     []*key // the first one signs
	lifetime time.Duration
	requests map[string]*request
	codes    map[string]string // the ids of requests
	chains   map[string]*chain
}

var _ op.Storage = (*storage)(nil)

func newStorage(audience string, c *client, admin *person) (*storage, error) {
	k, err := newKey()
	return &storage{audience: audience, client: c, admin: admin, now: time.Now, keys: []*key{k}, lifetime: accessTime,
		requests: map[string]*request{}, codes: map[string]string{}, chains: map[string]*chain{}}, err
}

var errUnknown = errors.New("there is no such request, code or token")

// prune forgets what has ended. s.mu is locked.
func (s *storage) prune() {
	now := s.now()
	for id, r := range s.requests {
		if now.Sub(r.created) > requestTime {
			s.drop(id)
		}
	}
	for id, c := range s.chains {
		if now.After(c.expires) {
			delete(s.chains, id)
		}
	}
}

// drop forgets a request and its code. s.mu is locked.
func (s *storage) drop(id string) {
	delete(s.requests, id)
	for code, of := range s.codes {
		if of == id {
			delete(s.codes, code)
		}
	}
}

// CreateAuthRequest implements op.Storage.
func (s *storage) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune()
	if len(s.requests) >= most || len(s.chains) >= most {
		return nil, oidc.ErrServerError().WithDescription("too many requests: try again later")
	}
	q := &request{AuthRequest: r, id: uuid.NewString(), audience: s.audience, created: s.now()}
	s.requests[q.id] = q
	return q, nil
}

// signIn lets the administrator allow a request. It is not told which of its parts is wrong.
func (s *storage) signIn(id, name, password string) bool {
	isAdmin := subtle.ConstantTimeCompare([]byte(name), []byte(s.admin.name)) & subtle.ConstantTimeCompare([]byte(password), []byte(s.admin.password))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune()
	q, ok := s.requests[id]
	if !ok || isAdmin != 1 {
		return false
	}
	q.subject, q.signedIn = name, s.now()
	return true
}

// AuthRequestByID implements op.Storage.
func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prune()
	if q, ok := s.requests[id]; ok {
		copied := *q
		return &copied, nil
	}
	return nil, errUnknown
}

// AuthRequestByCode implements op.Storage.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id := s.codes[code]
	s.mu.Unlock()
	return s.AuthRequestByID(ctx, id)
}

// SaveAuthCode implements op.Storage.
func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.requests[id] == nil {
		return errUnknown
	}
	s.codes[code] = id
	return nil
}

// DeleteAuthRequest implements op.Storage.
func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(id)
	return nil
}

// CreateAccessToken implements op.Storage. The client has not asked for a refresh token.
func (s *storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.take(r); err != nil {
		return "", time.Time{}, err
	}
	return uuid.NewString(), s.now().Add(s.lifetime), nil
}

// take makes sure that a code is exchanged once only. s.mu is locked.
func (s *storage) take(r op.TokenRequest) (*request, error) {
	q, ok := r.(*request)
	if !ok || s.requests[q.id] == nil {
		return nil, oidc.ErrInvalidGrant()
	}
	s.drop(q.id)
	return q, nil
}

// CreateAccessAndRefreshTokens implements op.Storage. It rotates the refresh token.
func (s *storage) CreateAccessAndRefreshTokens(_ context.Context, r op.TokenRequest, used string) (id, refresh string, expires time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, chainID := &chain{}, rand.Text()
	if used == "" {
		c.request, err = s.take(r)
	} else {
		chainID = idOf(used)
		c, err = s.valid(used)
	}
	if err != nil {
		return "", "", time.Time{}, err
	}
	c.valid, c.expires = chainID+"."+rand.Text(), s.now().Add(refreshTime)
	s.chains[chainID] = c
	return uuid.NewString(), c.valid, s.now().Add(s.lifetime), nil
}

// valid returns the chain of a refresh token. A token that was used before ends its chain. s.mu is
// locked.
func (s *storage) valid(token string) (*chain, error) {
	s.prune()
	c, ok := s.chains[idOf(token)]
	if !ok {
		return nil, oidc.ErrInvalidGrant().WithParent(errUnknown)
	}
	if subtle.ConstantTimeCompare([]byte(c.valid), []byte(token)) != 1 {
		delete(s.chains, idOf(token))
		return nil, oidc.ErrInvalidGrant().WithDescription("the refresh token was used before")
	}
	return c, nil
}

// TokenRequestByRefreshToken implements op.Storage.
func (s *storage) TokenRequestByRefreshToken(_ context.Context, token string) (op.RefreshTokenRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.valid(token)
	if err != nil {
		return nil, err
	}
	copied := *c.request
	return &copied, nil
}

// GetRefreshTokenInfo implements op.Storage.
func (s *storage) GetRefreshTokenInfo(_ context.Context, _, token string) (userID, tokenID string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.chains[idOf(token)]; ok {
		return c.subject, token, nil
	}
	return "", "", op.ErrInvalidRefreshToken
}

// RevokeToken implements op.Storage. Access tokens end by themselves.
func (s *storage) RevokeToken(_ context.Context, token, _, _ string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.chains, idOf(token))
	return nil
}

// TerminateSession implements op.Storage. There are no sessions.
func (s *storage) TerminateSession(context.Context, string, string) error { return nil }

// SigningKey implements op.Storage.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys[0], nil
}

// SignatureAlgorithms implements op.Storage.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet implements op.Storage.
func (s *storage) KeySet(context.Context) ([]op.Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var set []op.Key
	for _, k := range s.keys {
		set = append(set, public{k})
	}
	return set, nil
}

// rotate signs with a new key. Tokens of the old one stay valid while it is in the set.
func (s *storage) rotate() error {
	k, err := newKey()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = slices.Insert(s.keys, 0, k)
	s.keys = s.keys[:min(len(s.keys), 2)]
	return nil
}
