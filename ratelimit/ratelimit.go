// Package ratelimit limits how many requests the clients of a tenant send to a SCIM endpoint.
//
//	limiter, err := ratelimit.New(ratelimit.Options{})
//	h, err := scim.New(scim.Config{Limiter: limiter, ...})
//
// Each tenant has a bucket, which a second refills (golang.org/x/time/rate). So a tenant that floods
// the endpoint takes nothing from another one. A second bucket serves only what may take access
// away, so a person loses access also while an import uses up all else. Only requests of
// authenticated clients count.
//
// Several processes share the rate of a tenant by Shares, such as sqlstore.Shares. It costs at most
// one statement a second for each tenant in each process.
package ratelimit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/scimkit/scim"
)

const (
	// DefaultRate is the number of requests a second of one tenant, unless Options say otherwise.
	DefaultRate = 100
	// MinRate is the least rate. IPSIE asks a service provider to serve 25 requests a second.
	MinRate = 25

	defaultTenants = 10_000
	reservePart    = 5 // The reserve is one fifth of the rate.
	shareTimeout   = time.Second
	window         = time.Second
)

// Options are the settings of New. All of them are optional.
type Options struct {
	// Rate is how many requests the clients of one tenant may send in a second, and how many at
	// once after a pause. Default: DefaultRate. The least is MinRate. Each operation of a bulk
	// request counts. A bulk request with more than Rate operations runs, and later requests wait
	// until its operations are paid off.
	//
	// A reserve of 20 % comes on top. Only DELETE, PUT and PATCH of one resource use it, when all
	// else is used up: a deletion, a deactivation and the removal of members are among them.
	Rate int
	// Shares divides Rate among several processes. Nil: each process gives each tenant the whole
	// Rate. The reserve is never divided.
	Shares Shares
	// Tenants is how many tenants are in memory at most; 10,000 by default. A tenant takes about
	// 400 bytes. Further ones displace those that have sent nothing for a second. If there are none,
	// they displace any other, whose bucket is then full again.
	Tenants int
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log gets a warning, at most once a minute, if Shares fails. Nil means slog.Default().
	Log *slog.Logger
}

// Shares divides the rate of each tenant among processes. It is safe for concurrent use.
type Shares interface {
	// Take asks for a share of a tenant's rate, for about a second. demand is how many requests the
	// process has seen in the second before. want is how many it asks for. given is the sum of want
	// of all processes in the current second, with this one. total is the sum of demand that they
	// reported in the second before; 0 if there were none.
	Take(ctx context.Context, tenant string, demand, want int) (given, total int, err error)
}

// Limiter is a scim.Limiter. New makes it. It is safe for concurrent use.
type Limiter struct {
	o       Options
	policy  string
	reserve int
	warn    rate.Sometimes
	mu      sync.Mutex
	tenants map[string]*tenant
	swept   time.Time // when tenants was last searched for idle ones
}

var _ scim.Limiter = (*Limiter)(nil)

// New returns a Limiter. Its error lists every mistake in o.
func New(o Options) (*Limiter, error) {
	o.Rate, o.Tenants, o.Log = cmp.Or(o.Rate, DefaultRate), cmp.Or(o.Tenants, defaultTenants), cmp.Or(o.Log, slog.Default())
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	if o.Rate < MinRate {
		err = errors.Join(err, fmt.Errorf("ratelimit: Rate is %d: use at least %d, which clients may rely on (IPSIE)", o.Rate, MinRate))
	}
	if o.Tenants < 1 {
		err = errors.Join(err, fmt.Errorf("ratelimit: Tenants is %d", o.Tenants))
	}
	if err != nil {
		return nil, err
	}
	l := &Limiter{o: o, reserve: o.Rate / reservePart, tenants: map[string]*tenant{}, warn: rate.Sometimes{Interval: time.Minute}}
	l.policy = fmt.Sprintf(`"requests";q=%d;w=1, "changes";q=%d;w=1`, o.Rate, l.reserve)
	return l, nil
}

// Admit implements scim.Limiter.
func (l *Limiter) Admit(ctx context.Context, tenantID string, takesAway bool) scim.Admission {
	t := l.tenant(tenantID, l.o.Now())
	l.renew(ctx, tenantID, t)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := l.o.Now()
	a := scim.Admission{Policy: l.policy}
	if !t.general.AllowN(now, 1) && !(takesAway && t.reserve.AllowN(now, 1)) {
		a.RetryAfter = wait(t.general, l.o.Rate, now)
		if takesAway {
			a.RetryAfter = min(a.RetryAfter, wait(t.reserve, l.reserve, now))
		}
	}
	a.RateLimit = header(t, now, takesAway)
	return a
}

// Charge implements scim.Limiter.
func (l *Limiter) Charge(_ context.Context, tenantID string, operations int) {
	now := l.o.Now()
	t := l.tenant(tenantID, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.demand += operations
	for most := t.general.Burst(); operations > 0 && most > 0; operations -= most {
		t.general.ReserveN(now, min(operations, most))
	}
}

// tenant is the state of one tenant in this process.
type tenant struct {
	mu      sync.Mutex
	general *rate.Limiter // for all requests
	reserve *rate.Limiter // for what may take access away
	demand  int           // requests and operations since the last share
	total   int           // the demand of all processes, as the last share told
	shared  time.Time     // when the last share came
	asks    bool          // a request asks for a share
}

// tenant returns the state of a tenant. One that is not in memory gets full buckets.
func (l *Limiter) tenant(id string, now time.Time) *tenant {
	l.mu.Lock()
	defer l.mu.Unlock()
	t, ok := l.tenants[id]
	if ok {
		return t
	}
	if len(l.tenants) >= l.o.Tenants {
		l.sweep(now)
	}
	most := l.o.Rate
	if l.o.Shares != nil {
		most = l.first()
	}
	t = &tenant{general: rate.NewLimiter(rate.Limit(most), most), reserve: rate.NewLimiter(rate.Limit(l.reserve), l.reserve)}
	l.tenants[id] = t
	return t
}

// sweep makes room for a tenant. It looks for idle ones at most once a second, because it looks at
// all. The state of an idle tenant is that of a new one.
func (l *Limiter) sweep(now time.Time) {
	if now.Sub(l.swept) >= window {
		l.swept = now
		for id, t := range l.tenants {
			if isIdle(t, now) {
				delete(l.tenants, id)
			}
		}
	}
	for id := range l.tenants { // any ones: Go begins at a random place
		if len(l.tenants) < l.o.Tenants {
			break
		}
		delete(l.tenants, id)
	}
}

// isIdle reports whether both buckets of a tenant are full.
func isIdle(t *tenant, now time.Time) bool {
	return t.general.TokensAt(now) >= float64(t.general.Burst()) && t.reserve.TokensAt(now) >= float64(t.reserve.Burst())
}

// first is what a process asks for that knows no demand yet.
func (l *Limiter) first() int { return (l.o.Rate + 3) / 4 }

// renew counts a request, and takes a share for the next second. Other requests of the tenant go on with
// the share of before meanwhile: a slow database makes one request a second wait.
func (l *Limiter) renew(ctx context.Context, id string, t *tenant) {
	demand, want, ok := l.due(t)
	if !ok {
		return
	}
	// The client may have gone: the share counts nevertheless.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shareTimeout)
	defer cancel()
	given, total, err := l.take(ctx, id, demand, want)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := l.o.Now()
	t.shared, t.asks = now, false
	if err != nil { // The process goes on with the share that it had.
		l.warn.Do(func() {
			l.o.Log.WarnContext(ctx, "scim: the rate of a tenant is not shared with other processes at the moment", "tenant", id, "error", err)
		})
		return
	}
	t.total = total
	// All others have taken given-want. One request a second is always possible: otherwise a process
	// whose tenant sends little could get nothing.
	share := max(1, min(want, l.o.Rate-(given-want)))
	t.general.SetLimitAt(now, rate.Limit(share))
	t.general.SetBurstAt(now, share)
}

// due counts a request. ok says that it has to ask for a share.
func (l *Limiter) due(t *tenant) (demand, want int, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.demand++
	since := l.o.Now().Sub(t.shared) // negative if the clock was set back
	isFirst := t.shared.IsZero()
	if l.o.Shares == nil || t.asks || !isFirst && since >= 0 && since < window {
		return 0, 0, false
	}
	want = l.first()
	if !isFirst && since < 2*window {
		want = l.want(t.demand, t.total)
	}
	demand, t.demand, t.asks = t.demand, 0, true
	return demand, want, true
}

// take asks Shares. A panic counts as an error, as everywhere in the library.
func (l *Limiter) take(ctx context.Context, id string, demand, want int) (given, total int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return l.o.Shares.Take(ctx, id, demand, want)
}

// want is how many requests a process asks for: its part of the rate, by its demand in the last
// second and the demand of all. While that is little, a quarter is left for processes that have
// not asked yet.
func (l *Limiter) want(demand, total int) int {
	total = max(total, demand)
	most := l.o.Rate
	if total <= most/2 {
		most -= l.first()
	}
	return max(1, most*demand/total)
}

// wait is the time until a bucket has a request, in whole seconds, at the whole rate: a process that has a
// small share gets a larger one when its tenant comes back.
func wait(b *rate.Limiter, whole int, now time.Time) time.Duration {
	seconds := (1 - b.TokensAt(now)) / float64(whole)
	return max(window, time.Duration(seconds+0.999)*time.Second)
}
