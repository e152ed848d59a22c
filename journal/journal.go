package journal

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Options are the settings of New. Only Keys is required.
type Options struct {
	// Keys wraps the keys of the journal: see NewKeys.
	Keys Wrapper
	// Redact names attributes whose values the journal takes out, besides "password": "employeeNumber", or the
	// last part of a path. A text that has the name as a word is taken out too, so choose no common word.
	Redact []string
	// Headers names further headers whose values the journal shows. It never shows those of
	// Authorization, Proxy-Authorization, Cookie and Set-Cookie.
	Headers []string
	// Age is how long entries are kept. Default: 30 days.
	Age time.Duration
	// Size is how many bytes the entries of one tenant may have. Then the oldest go. Default: 1 GiB.
	Size int64
	// Label returns a name of a client for people, such as the label of its token. Run calls it. Nil: none.
	Label func(ctx context.Context, tenant, client string) string
	// TenantOf returns the tenant of a request whose client is not known, by host or path, so that its
	// administrators see why their client is refused. Nil, or "": only the vendor sees it, in the tenant "".
	// scim.Mount takes its prefix away from r.URL: r.RequestURI has the whole path.
	// Return only tenants that exist: each new one gets keys in the store, and anybody can send a host name.
	TenantOf func(r *http.Request) string
	// Address returns the network address of the client. Nil: that of the connection. Behind a proxy read the
	// header that the proxy sets: refused requests of one address are kept once a second.
	Address func(r *http.Request) string
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
	// Log gets a warning, at most once a minute, while entries cannot be written. Nil: slog.Default().
	Log *slog.Logger
}

const (
	defaultAge  = 30 * 24 * time.Hour
	defaultSize = 1 << 30
	maxRefusals = 10_000 // records of the kind Refused
)

// Journal keeps the exchanges of a scim.Handler. Make it with New. It is safe for concurrent use.
type Journal struct {
	store    Store
	o        Options
	redactor *redactor
	ring     *ring
	room     room
	queue    *queue
	refused  limiter
	process  string       // names this process in the Store
	flushing sync.Mutex   // one flush at a time
	batch    *batch       // what could not be written yet; for flush
	written  atomic.Int64 // bytes since the last Trim
	run      running
}

// New returns a Journal. Its error lists every mistake in o. Nothing is written before Run is called.
func New(store Store, o Options) (*Journal, error) {
	o.Age, o.Size = cmp.Or(o.Age, defaultAge), cmp.Or(o.Size, defaultSize)
	o.Log = cmp.Or(o.Log, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	if store == nil {
		err = errors.Join(err, errors.New("journal: store is nil"))
	}
	if o.Keys == nil {
		err = errors.Join(err, errors.New("journal: Keys is missing: use NewKeys, or NewEphemeralKeys if the store is a Memory"))
	}
	if o.Age < time.Hour {
		err = errors.Join(err, fmt.Errorf("journal: Age is %v: use at least an hour", o.Age))
	}
	if o.Size < wholeBody {
		err = errors.Join(err, fmt.Errorf("journal: Size is %d bytes: use at least 1 MiB", o.Size))
	}
	for _, name := range o.Redact {
		if name == "" || newRedactor([]string{name}, nil).isOddName(name) {
			err = errors.Join(err, fmt.Errorf("journal: Redact: %q is no name of an attribute: use the last part of its path", name))
		}
	}
	if err != nil {
		return nil, err
	}
	j := &Journal{store: store, o: o, redactor: newRedactor(o.Redact, o.Headers), ring: newRing(store, o.Keys, o.Log), process: rand.Text()}
	j.queue = newQueue(&j.room)
	return j, nil
}

// isOddName reports whether no word of a text can be this name.
func (r *redactor) isOddName(name string) bool { return !r.hasName(foldName(name)) }

// plainTime returns a time as entries have it.
func plainTime(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// newID returns a UUIDv7 whose order is that of the time, to a quarter of a microsecond (RFC 9562,
// Section 6.2, Method 3).
func newID(t time.Time) string {
	var u uuid.UUID
	rand.Read(u[8:]) // never returns an error: without randomness it ends the program
	stamp(&u, t)
	u[8] = u[8]&0x3f | 0x80
	return u.String()
}

// stamp sets the time and the version of a UUIDv7. A time before 1970 has none, and counts as its beginning.
func stamp(u *uuid.UUID, t time.Time) {
	if t.Unix() < 0 {
		t = time.Unix(0, 0)
	}
	ms := t.UnixMilli()
	part := t.Sub(time.UnixMilli(ms)) // of a millisecond
	binary.BigEndian.PutUint64(u[:8], uint64(ms)<<16|7<<12|uint64(part)<<12/uint64(time.Millisecond))
}

// firstID returns the least ID of a time.
func firstID(t time.Time) string {
	var u uuid.UUID
	stamp(&u, t)
	return u.String()
}
