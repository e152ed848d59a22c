package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"

	"github.com/scimkit/scim"
)

var (
	_ scim.Authenticator = (*BasicAuth)(nil)
	_ scim.SchemeLister  = (*BasicAuth)(nil)
	_ scim.Challenger    = (*BasicAuth)(nil)
)

// Account is what a server keeps of a client that authenticates with a user name and a secret.
type Account struct {
	// Token has the ID, the tenant, the expiry and the scopes. Its Hash is the SHA-256 of a
	// generated secret. It is zero if the account has a password only.
	Token
	// User is the name that the client sends. It is not empty, and has no colon. It is compared
	// byte by byte.
	User string
	// Password is the bcrypt hash of a password that somebody has chosen: see HashPassword. Prefer a
	// generated secret: it costs a microsecond for each request.
	Password []byte
}

// maxPassword is how many bytes of a password bcrypt looks at.
const maxPassword = 72

// HashPassword returns the bcrypt hash of a password for Account.Password, at cost 10. A password
// is at most 72 bytes long, and not empty.
func HashPassword(password string) ([]byte, error) {
	if password == "" {
		return nil, errors.New("auth: the password is empty")
	}
	return bcrypt.GenerateFromPassword([]byte(password), bcrypt.DefaultCost)
}

// BasicAuth authenticates requests by user name and secret (RFC 7617). Basic and BasicFunc make it.
// Set its fields before the first request.
//
// A refusal takes as long for an unknown user as for a known one, whichever kind of secret the
// account has. At most one bcrypt runs at a time on each CPU, and others wait, until their
// request ends (503). A password that was right is remembered for five minutes, under a random key
// of the process, and only while the account has the same hash.
type BasicAuth struct {
	// Used, if set, is called with each account that authenticates a request, before the request
	// goes on.
	Used func(ctx context.Context, a Account, at time.Time)
	// Now is the clock for Token.Expires. Nil: time.Now.
	Now func() time.Time
	// Cost is the cost of the bcrypt hashes, at which unknown users are refused. Basic sets it to
	// the highest one of its accounts. BasicFunc sets it to 10, the cost of HashPassword. 0 means
	// that no account has a password: then no bcrypt runs for a refusal.
	Cost int

	lookup     func(ctx context.Context, user string) (Account, error)
	remembered remembered
	turns      chan struct{}                     // A bcrypt that runs has one.
	compare    func(hash, password []byte) error // compare is bcrypt's, but in tests.
}

// Basic authenticates by a list of accounts. If two have the same User, the first one counts. Without
// accounts it refuses every request.
func Basic(accounts ...Account) *BasicAuth {
	byUser, cost := make(map[string]Account), 0
	for _, a := range accounts {
		if _, ok := byUser[a.User]; ok {
			continue
		}
		a.Password = slices.Clone(a.Password)
		byUser[a.User] = a
		if c, err := bcrypt.Cost(a.Password); err == nil {
			cost = max(cost, c)
		}
	}
	b := BasicFunc(func(_ context.Context, user string) (Account, error) {
		a, ok := byUser[user]
		if !ok {
			return Account{}, scim.ErrNotFound
		}
		return a, nil
	})
	b.Cost = cost
	return b
}

// BasicFunc authenticates by accounts that the application keeps. lookup returns the account of a
// user, or scim.ErrNotFound, sql.ErrNoRows or the zero Account if there is none. BasicFunc compares
// User again. Other errors are as those of BearerFunc.
func BasicFunc(lookup func(ctx context.Context, user string) (Account, error)) *BasicAuth {
	return &BasicAuth{lookup: lookup, Cost: bcrypt.DefaultCost, remembered: newRemembered(),
		turns: make(chan struct{}, runtime.GOMAXPROCS(0)), compare: bcrypt.CompareHashAndPassword}
}

var errSecret = errors.New("unknown user or wrong secret")

// Authenticate implements scim.Authenticator. The principal has the account's ID, Tenant and Scopes.
func (b *BasicAuth) Authenticate(r *http.Request) (scim.Principal, error) {
	user, secret, ok := basicCredential(r.Header)
	if !ok {
		return scim.Principal{}, refuse(errHeader)
	}
	now := time.Now()
	if b.Now != nil {
		now = b.Now()
	}
	a, err := b.lookup(r.Context(), user)
	failed := answerOf(err)
	if e, _ := errors.AsType[*scim.Error](failed); e != nil && e.Status != http.StatusUnauthorized {
		return scim.Principal{}, failed
	}
	if failed != nil || a.User != user {
		a = Account{} // which takes its time too
	}
	switch isRight, err := b.check(r.Context(), &a, secret, now); {
	case err != nil:
		return scim.Principal{}, unavailable(err)
	case failed != nil:
		return scim.Principal{}, failed
	case !isRight:
		return scim.Principal{}, refuse(errSecret)
	case a.expired(now):
		return scim.Principal{}, refuse(expiredError(&a.Token))
	}
	if b.Used != nil {
		b.Used(r.Context(), a, now)
	}
	return a.principal(), nil
}

// check reports whether a secret is that of an account, which is zero for an unknown user. Its error
// says that it did not come to its turn.
func (b *BasicAuth) check(ctx context.Context, a *Account, secret string, now time.Time) (bool, error) {
	hash := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(hash[:], a.Hash[:]) == 1 {
		return true, nil
	}
	key := b.remembered.key(a, secret)
	if len(a.Password) > 0 && b.remembered.has(key, now) {
		return true, nil
	}
	isKnown := len(a.Password) > 0 && len(secret) <= maxPassword
	against := a.Password
	if !isKnown {
		if b.Cost == 0 {
			return false, nil
		}
		against = nobody(b.Cost)
	}
	select {
	case b.turns <- struct{}{}:
		defer func() { <-b.turns }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	if isKnown && b.remembered.has(key, now) { // another request has come to its turn before
		return true, nil
	}
	if len(secret) > maxPassword {
		secret = secret[:maxPassword]
	}
	if err := b.compare(against, []byte(secret)); err != nil || !isKnown {
		return false, nil
	}
	b.remembered.add(key, now)
	return true, nil
}

// nobody is a bcrypt hash of a cost, of which no password is known.
func nobody(cost int) []byte {
	return fmt.Appendf(nil, "$2a$%02d$%s", min(max(cost, bcrypt.MinCost), bcrypt.MaxCost), "N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy")
}

// basicCredential returns the user and the secret of the Authorization header. Neither is empty.
// The scheme may be in any case, and padding may be missing. A user has no control characters.
func basicCredential(h http.Header) (user, secret string, ok bool) {
	scheme, rest, ok := authorization(h)
	if !ok || !strings.EqualFold(scheme, basicScheme) {
		return "", "", false
	}
	text, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(rest, "="))
	if err != nil {
		return "", "", false
	}
	user, secret, _ = strings.Cut(string(text), ":")
	if !utf8.ValidString(user) || strings.ContainsFunc(user, unicode.IsControl) { // RFC 7617, Section 2
		return "", "", false
	}
	return user, secret, user != "" && secret != ""
}

// Challenge implements scim.Challenger (RFC 7617, Section 2).
func (b *BasicAuth) Challenge() string { return `Basic realm="scim", charset="UTF-8"` }

// Schemes implements scim.SchemeLister.
func (b *BasicAuth) Schemes() []scim.AuthScheme {
	return []scim.AuthScheme{{
		Type: "httpbasic", Name: "HTTP Basic",
		Description: "A user name and a secret that the application gave, in the Authorization header",
		SpecURI:     "https://www.rfc-editor.org/info/rfc7617",
	}}
}

const (
	rememberFor   = 5 * time.Minute
	maxRemembered = 1000
)

// remembered has passwords that were right. It has neither passwords nor plain hashes of them.
type remembered struct {
	secret [32]byte
	mu     *sync.Mutex
	until  map[[sha256.Size]byte]time.Time
}

func newRemembered() (r remembered) {
	rand.Read(r.secret[:]) // never returns an error: without randomness it ends the program
	r.mu, r.until = new(sync.Mutex), make(map[[sha256.Size]byte]time.Time)
	return r
}

// key is the key of an account, its password's hash and a password.
func (r *remembered) key(a *Account, secret string) (key [sha256.Size]byte) {
	h := hmac.New(sha256.New, r.secret[:])
	for _, part := range [][]byte{[]byte(a.User), a.Password, []byte(secret)} {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(part)))
		h.Write(length[:]) //nolint:errcheck // never fails
		h.Write(part)      //nolint:errcheck // never fails
	}
	h.Sum(key[:0])
	return key
}

// has reports whether a key was added in the last five minutes.
func (r *remembered) has(key [sha256.Size]byte, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.until[key]
	return ok && now.Before(until)
}

// add adds a key. If there are too many, it forgets any other one.
func (r *remembered) add(key [sha256.Size]byte, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for other, until := range r.until {
		if !now.Before(until) || len(r.until) >= maxRemembered {
			delete(r.until, other)
		}
	}
	r.until[key] = now.Add(rememberFor)
}
