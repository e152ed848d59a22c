package projection

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/notes"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// The first Migrate of a tenant brings in all its rows. It walks through a table in order of
// its keys, and leaves out what {p}resources already has. So a walk that was stopped goes on
// with the next call, and no state is kept besides.
//
// Triggers note what the application changes meanwhile. Nobody follows these notes before the
// walk has ended, in whatever process. So a row may be read long before its resource is
// inserted: what has changed since is noted, and followed afterwards.

// pageSize is how many rows are read together. A transaction brings in one page, or several in SQLite.
const pageSize = 1000

// These are how many goroutines read rows at most, each with a connection of its own, and how
// many pages may wait for the database.
const (
	mostWorkers = 4
	mostPages   = 8
)

// errEnrolled says that another process has brought in all rows.
var errEnrolled = errors.New("sqlstore: another process has enrolled the tenant")

// Enrol brings in all rows of a tenant whose changes triggers already note.
func Enrol(ctx context.Context, f *Follower) error {
	for _, typ := range f.types {
		w := &walk{f: f, table: f.tables[typ], pages: make(chan *page, mostPages)}
		err := w.run(ctx)
		if errors.Is(err, errEnrolled) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.table.Name, err)
		}
	}
	return f.projections.Analyze(ctx)
}

// page are rows of the application that were read together.
type page struct {
	keys []string         // keys are those of the rows that {p}resources does not have.
	rows []*owntables.Row // rows are the resources of those that clients see.
	old  []string         // old are the keys of resources that are older than the Table of their type.
}

// walk brings in the rows of a table page by page.
type walk struct {
	f           *Follower
	table       *apptables.Table
	withMembers bool // withMembers says that the memberships of new resources come with them.
	pages       chan *page
	stop        context.CancelCauseFunc
	mayExist    atomic.Bool  // mayExist says that resources of the type may exist. So rows are looked up first.
	newPages    atomic.Int64 // newPages is how many pages have been new, one after the other.

	mu       sync.Mutex // It guards the rest.
	keys     []string   // keys are those that were listed and not taken.
	last     string     // last is the last key that was listed.
	isOver   bool       // isOver says that the list has ended.
	panicked any        // panicked is what a function of the application panicked with.
}

// run walks through the table. Several goroutines read rows and build resources while the
// database inserts others. All of them have ended when run returns.
func (w *walk) run(ctx context.Context) (err error) {
	if w.withMembers, err = w.hasMembers(ctx); err != nil {
		return err
	}
	exist, err := w.hasAny(ctx, w.table.Type)
	if err != nil {
		return err
	}
	w.mayExist.Store(exist)
	ctx, w.stop = context.WithCancelCause(ctx)
	defer w.stop(nil)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), mostWorkers) {
		workers.Go(func() { w.work(ctx) })
	}
	go func() { workers.Wait(); close(w.pages) }()
	var pause breaks
	for p := range w.pages { // until the last worker has ended
		if ctx.Err() != nil {
			continue
		}
		start := time.Now()
		if err := w.insert(ctx, p); err != nil {
			w.stop(err)
		} else if w.f.db.Dialect == dialect.SQLite {
			pause.after(ctx, time.Since(start))
		}
	}
	if w.panicked != nil {
		panic(w.panicked)
	}
	return context.Cause(ctx)
}

// hasMembers reports whether new resources of the type may have memberships of resources that
// exist. Groups come first: if no user exists, the memberships come with the users. Otherwise
// those of a group with many users would come in one transaction.
func (w *walk) hasMembers(ctx context.Context) (yes bool, err error) {
	if w.f.joins == nil || w.table.Type != search.GroupType {
		return w.f.joins != nil, nil
	}
	return w.hasAny(ctx, search.UserType)
}

// hasAny reports whether there is a resource of a type.
func (w *walk) hasAny(ctx context.Context, typ string) (yes bool, err error) {
	err = w.f.db.Read(ctx, func() error {
		yes, err = w.f.projections.HasAny(ctx, typ)
		return err
	})
	return yes, err
}

// work sends pages until the walk is over or ctx ends.
func (w *walk) work(ctx context.Context) {
	defer func() {
		if r := recover(); r != nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.panicked = r
			w.stop(fmt.Errorf("panic: %v", r))
		}
	}()
	for {
		keys, err := w.take(ctx)
		if err == nil && keys == nil {
			return
		}
		var p *page
		if err == nil {
			p, err = w.read(ctx, keys)
		}
		if err != nil {
			w.stop(err)
			return
		}
		if len(p.rows)+len(p.old) == 0 {
			continue
		}
		select {
		case w.pages <- p:
		case <-ctx.Done():
			return
		}
	}
}

// listSize is how many keys are listed at once. A database without an index for the order
// sorts all keys of the tenant each time.
const listSize = 50 * pageSize

// take returns the keys of the next page, or nil.
func (w *walk) take(ctx context.Context) ([]string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.keys) == 0 && !w.isOver {
		err := w.f.db.Read(ctx, func() (err error) {
			w.keys, err = apptables.Keys(ctx, w.table, w.last, listSize)
			return err
		})
		if err != nil {
			return nil, err
		}
		w.isOver = len(w.keys) < listSize
		if len(w.keys) > 0 {
			w.last = w.keys[len(w.keys)-1]
		}
	}
	n := min(len(w.keys), pageSize)
	keys := w.keys[:n:n]
	w.keys = w.keys[n:]
	if n == 0 {
		return nil, nil
	}
	return keys, nil
}

// read reads the rows of a page and builds their resources.
func (w *walk) read(ctx context.Context, keys []string) (*page, error) {
	p := &page{}
	err := w.f.db.Read(ctx, func() error {
		p.keys, p.rows, p.old = keys, nil, nil
		if w.mayExist.Load() {
			known, old, err := w.f.projections.Present(ctx, w.table.Type, keys)
			if err != nil {
				return err
			}
			p.keys, p.old = without(keys, known), old
			w.expect(len(known) > 0)
		}
		rows, err := apptables.ReadUnseen(ctx, w.table, p.keys, apptables.Unlocked)
		if err != nil {
			return err
		}
		for _, id := range p.keys {
			row, err := projectNew(ctx, w.f, w.table, id, rows[id])
			if err != nil {
				return fmt.Errorf("%s %q: %w", w.table.Type, id, err)
			}
			if row != nil {
				p.rows = append(p.rows, row)
			}
		}
		return nil
	})
	return p, err
}

// expect says whether a page had rows whose resources exist. A walk that was stopped has left few gaps
// between pages. So where many pages have been new, the next ones are taken for new. If they are not,
// their insertion finds a duplicate, and rows are looked up again.
func (w *walk) expect(exist bool) {
	switch {
	case exist:
		w.newPages.Store(0)
	case w.newPages.Add(1) == mostPages+mostWorkers:
		w.mayExist.Store(false)
	}
}

// without returns the keys that are not among others.
func without(keys, others []string) []string {
	if len(others) == 0 {
		return keys
	}
	is := make(map[string]bool, len(others))
	for _, key := range others {
		is[key] = true
	}
	return slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return is[key] })
}

// longestBatch is how long a transaction in SQLite goes on to take pages that are ready. A commit
// writes each page of the file that has changed, and those of the indexes change again and again.
const longestBatch = 100 * time.Millisecond

// insert inserts the resources of a page, and of others in SQLite.
func (w *walk) insert(ctx context.Context, p *page) error {
	batch, again := []*page{p}, false
	return w.f.db.InTxAlone(ctx, func(ctx context.Context) error {
		start := time.Now()
		if err := w.f.db.LockName(ctx, notes.FollowLock); err != nil {
			return err
		}
		switch isEnrolled, err := w.f.notes.IsEnrolled(ctx); {
		case err != nil:
			return err
		case isEnrolled: // Somebody may have followed notes about what was read.
			return errEnrolled
		}
		isAgain := again // Another process has inserted some of them.
		again = true
		for i := 0; i < len(batch); i++ {
			if err := w.insertPage(ctx, batch[i], isAgain); err != nil {
				return err
			}
			if i+1 < len(batch) || w.f.db.Dialect != dialect.SQLite || time.Since(start) > longestBatch {
				continue
			}
			select {
			case next, ok := <-w.pages:
				if ok {
					batch = append(batch, next)
				}
			default:
			}
		}
		return nil
	})
}

// insertPage inserts the resources of a page. mayExist says that some may exist by now.
func (w *walk) insertPage(ctx context.Context, p *page, mayExist bool) error {
	f, m, rows, old := w.f, w.table, p.rows, p.old
	keys := make([]string, len(rows))
	for i, row := range rows {
		keys[i] = row.Resource.ID()
	}
	if mayExist {
		known, older, err := f.projections.Present(ctx, m.Type, keys)
		if err != nil {
			return err
		}
		keys, old = without(keys, known), slices.Concat(old, older)
		rows = slices.DeleteFunc(slices.Clone(rows), func(row *owntables.Row) bool { return slices.Contains(known, row.Resource.ID()) })
	}
	if err := f.projections.InsertAll(ctx, rows); database.IsDuplicate(err) {
		w.newPages.Store(0)
		w.mayExist.Store(true)
		return fmt.Errorf("%w: %w", database.ErrMoved, err)
	} else if err != nil {
		return err
	}
	if err := f.notes.Add(ctx, m.Type, old); err != nil || !w.withMembers {
		return err
	}
	return f.projectMemberships(ctx, m, slices.Concat(keys, old))
}

// breaks are pauses in which the application can write. SQLite has no queue: a connection
// that finds the file locked looks again after up to 100 ms, so that one which locks it again
// and again would keep others out for long.
type breaks struct {
	busy time.Duration // busy is how long the file was locked since the last pause.
}

// These are how long the file is locked between two pauses, and how long a pause takes.
const (
	longestBusy = 400 * time.Millisecond
	pauseLength = 110 * time.Millisecond
)

// after makes a pause if it is time for one. took is how long a transaction has locked the file.
func (b *breaks) after(ctx context.Context, took time.Duration) {
	b.busy += took
	if b.busy < longestBusy {
		return
	}
	b.busy = 0
	select {
	case <-time.After(pauseLength):
	case <-ctx.Done():
	}
}
