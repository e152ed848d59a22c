package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim/journal"
)

// Watching are the settings of Console.Watch. Tell is required.
type Watching struct {
	// Tenants lists the ids of the tenants to look at. Nil: the tenant "" alone.
	Tenants func(ctx context.Context) ([]string, error)
	// Tell is called once when a trouble begins and once when it ends: send a mail there. It has a minute. If it returns an
	// error, it is called again after Every, by any of the processes.
	Tell func(ctx context.Context, n Notice) error
	// Every is the time from one look to the next. Default: 5 minutes. The least is 10 seconds.
	Every time.Duration
}

// Notice says that a trouble has begun or ended.
type Notice struct {
	// Trouble is the trouble. If it has ended, its Text says so.
	Trouble
	HasEnded bool
	// At is when Watch saw it, in UTC.
	At time.Time
}

const (
	watchEvery = 5 * time.Minute
	leastEvery = 10 * time.Second
	tellTime   = time.Minute
	// lease is after how long another process tells what one wanted to tell. It also is how long a trouble lasts at least,
	// because the clocks of processes differ.
	lease = 10 * time.Minute
)

// Watch looks for troubles until ctx ends, and tells when one begins or ends. Call it in a goroutine that the application
// owns. Several processes may call it, and it may start again: the journal keeps what was told, so each notice is given once, by
// one of them. Only if a process dies while it tells, the notice is given again, because one mail too many is better than none.
//
// With a journal that keeps no memos (see journal.MemoStore) each process tells, and tells again after it has started again.
// Watch returns an error if w is wrong, or nil when ctx has ended. What cannot be read is logged, and looked at again.
func (c *Console) Watch(ctx context.Context, w Watching) error {
	w.Every = cmp.Or(w.Every, watchEvery)
	switch {
	case w.Tell == nil:
		return errors.New("console: Watch: Tell is missing")
	case w.Every < leastEvery:
		return fmt.Errorf("console: Watch: Every is %v: use at least %v", w.Every, leastEvery)
	}
	if w.Tenants == nil {
		w.Tenants = func(context.Context) ([]string, error) { return []string{""}, nil }
	}
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	v := newWatcher(c, w)
	for {
		v.round(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// memos keep what was told. *journal.Memos implements it.
type memos interface {
	All(ctx context.Context, tenant string) ([]journal.Memo, error)
	Swap(ctx context.Context, tenant string, m journal.Memo) (bool, error)
}

// ownMemos are those of one process, by tenant and name.
type ownMemos map[[2]string]journal.Memo

// All implements memos.
func (o ownMemos) All(_ context.Context, tenant string) (all []journal.Memo, err error) {
	for at, m := range o {
		if at[0] == tenant {
			all = append(all, m)
		}
	}
	return all, nil
}

// Swap implements memos.
func (o ownMemos) Swap(_ context.Context, tenant string, m journal.Memo) (bool, error) {
	at := [2]string{tenant, m.Name}
	if m.Version++; m.Text == "" {
		delete(o, at)
	} else {
		o[at] = m
	}
	return true, nil
}

// watcher is the state of one call of Watch.
type watcher struct {
	c     *Console
	w     Watching
	memos memos
}

func newWatcher(c *Console, w Watching) *watcher {
	v := &watcher{c: c, w: w, memos: ownMemos{}}
	if j, ok := c.o.Journal.(interface{ Memos() *journal.Memos }); ok {
		v.memos = j.Memos()
	}
	return v
}

// noted is a trouble of which a notice was or will be given.
type noted struct {
	Trouble Trouble   `json:"trouble"`
	Begun   time.Time `json:"begun"`
	State   state     `json:"state"`
	// At is since when it is in this state. The zero time: Tell has failed.
	At      time.Time `json:"at"`
	version int64
}

// state says what is done about a trouble.
type state string

const (
	beginning state = "beginning" // somebody tells that it has begun
	told      state = "told"
	ending    state = "ending" // somebody tells that it has ended
)

// memoPrefix begins the names of the memos of troubles.
const memoPrefix = "trouble "

// round looks at all tenants.
func (v *watcher) round(ctx context.Context) {
	list, err := v.w.Tenants(ctx)
	failed := 0
	for _, tenant := range list {
		if ctx.Err() != nil {
			return
		}
		if lookErr := v.look(ctx, tenant); lookErr != nil {
			failed++
			err = lookErr
		}
	}
	if err != nil && ctx.Err() == nil {
		v.c.o.Log.ErrorContext(ctx, "scim console: troubles cannot be looked for", "tenants", failed, "of", len(list), "error", err)
	}
}

// look compares the troubles of a tenant with those that were told.
func (v *watcher) look(ctx context.Context, tenant string) error {
	limited, cancel := context.WithTimeout(ctx, v.c.o.Timeout)
	defer cancel()
	known, err := v.read(limited, tenant)
	if err != nil {
		return err
	}
	begun := map[[3]string]time.Time{}
	for key, n := range known {
		begun[key] = n.Begun
	}
	now, err := v.c.troublesIn(limited, tenant, begun)
	if err != nil {
		return err
	}
	at := v.c.o.Now().UTC()
	isFree := func(n *noted) bool { return at.Sub(n.At) >= lease } // from whoever wanted to tell
	for _, t := range now {
		n, ok := known[t.key()]
		switch {
		case !ok:
			n = &noted{Trouble: t, Begun: at}
			fallthrough
		case n.State == beginning && isFree(n):
			err = errors.Join(err, v.tell(ctx, n, beginning, at))
		case n.State == ending && isFree(n): // It has ended, and has begun again.
			err = errors.Join(err, v.tell(ctx, n, ending, at))
		}
		delete(known, t.key())
	}
	for _, n := range known {
		if isFree(n) {
			err = errors.Join(err, v.tell(ctx, n, ending, at))
		}
	}
	return err
}

// read returns what was told of a tenant.
func (v *watcher) read(ctx context.Context, tenant string) (map[[3]string]*noted, error) {
	all, err := v.memos.All(ctx, tenant)
	if errors.Is(err, errors.ErrUnsupported) {
		v.memos = ownMemos{}
		all, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	known := map[[3]string]*noted{}
	for _, m := range all {
		n := &noted{version: m.Version}
		if json.Unmarshal([]byte(m.Text), n) == nil && n.Trouble.memo() == m.Name && n.Trouble.Tenant == tenant {
			known[n.Trouble.key()] = n
		}
	}
	return known, nil
}

// memo is the name of the memo of a trouble.
func (t *Trouble) memo() string { return memoPrefix + string(t.Kind) + " " + t.Object }

// swap writes a state. It reports whether this process did.
func (v *watcher) swap(ctx context.Context, n *noted, to state, at time.Time) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), v.c.o.Timeout) // also when the application ends
	defer cancel()
	m := journal.Memo{Name: n.Trouble.memo(), Version: n.version}
	if to != "" {
		next := noted{Trouble: n.Trouble, Begun: n.Begun, State: to, At: at}
		text, err := json.Marshal(next)
		if err != nil {
			return false, err
		}
		m.Text = string(text)
	}
	did, err := v.memos.Swap(ctx, n.Trouble.Tenant, m)
	if did {
		n.version++
	}
	return did, err
}

// tell gives a notice, unless another process does.
func (v *watcher) tell(ctx context.Context, n *noted, as state, at time.Time) error {
	if did, err := v.swap(ctx, n, as, at); !did || err != nil {
		return err
	}
	notice := Notice{Trouble: n.Trouble, HasEnded: as == ending, At: at}
	if notice.HasEnded {
		notice.Text = n.Trouble.over()
	}
	limited, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	err := v.call(limited, notice)
	switch {
	case err != nil:
		_, swapErr := v.swap(ctx, n, as, time.Time{}) // It is told again.
		return errors.Join(err, swapErr)
	case as == ending:
		_, err = v.swap(ctx, n, "", at)
	default:
		_, err = v.swap(ctx, n, told, at)
	}
	return err
}

// call calls Tell.
func (v *watcher) call(ctx context.Context, n Notice) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("console: Tell panics: %v", p)
		}
	}()
	return v.w.Tell(ctx, n)
}

// over says that a trouble has ended.
func (t *Trouble) over() string {
	switch t.Kind {
	case Failing:
		return t.Name + ": fewer than a tenth of the requests have failed in the last 24 hours."
	case Silent:
		return t.Name + " sends requests again."
	case TokenEnds:
		return fmt.Sprintf("The token %q was replaced or revoked, or has ended.", t.Name)
	}
	return t.Text
}
