package storetest

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// watchdog is how long one step may take, on a busy machine. A store that deadlocks fails
// then.
const watchdog = time.Minute

// step is one rule of the contract with the test that enforces it.
type step[S any] struct {
	Name string
	Rule string // with the RFC section, where one decides
	Run  func(t *probe, s S)
}

// most is how long the step may take. Those that ask thousands of times may take longer,
// for the race detector.
func (st step[S]) most() time.Duration {
	switch st.Name {
	case bigGroupStep, randomStep:
		return 3 * watchdog
	}
	return watchdog
}

// group is the steps about one subject.
type group[S any] struct {
	name  string
	steps []step[S]
}

// run runs each step as a sub-test, with a subject of its own.
func (g group[S]) run(t *testing.T, fresh func(t *testing.T) S) {
	for _, st := range g.steps {
		t.Run(st.Name, func(t *testing.T) {
			v := st.judge(fresh(t), st.most())
			if len(v.failures) > 0 {
				t.Fatalf("%s\nthe rule: %s", strings.Join(v.failures, "\n"), st.Rule)
			}
			if v.skipped != "" {
				t.Skip(v.skipped)
			}
		})
	}
}

// verdict is how a step ended.
type verdict struct {
	failures []string
	skipped  string // why the subject is not concerned; "" if it is
}

// judge runs the step against s. It reports rather than fails, so that the suite
// can be run against subjects that are broken on purpose.
func (st step[S]) judge(s S, limit time.Duration) verdict {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	t := &probe{ctx: ctx, record: &record{}}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer t.catch()
		st.Run(t, s)
	}()
	select {
	case <-done:
	case <-ctx.Done():
		// One that minds its context gives up now and says where.
		select {
		case <-done:
		case <-time.After(limit / 10):
			stacks := make([]byte, 64<<10)
			stacks = stacks[:runtime.Stack(stacks, true)]
			t.Errorf("no answer for %v: a deadlock?\n%s", limit, stacks)
		}
	}
	return t.verdict()
}

// record collects what a step finds. A step that timed out may still write to it.
type record struct {
	mu      sync.Mutex
	v       verdict
	created atomic.Int64
}

// probe is a step's view of its test: a context and the record.
type probe struct {
	ctx context.Context
	*record
}

// with is the same probe with another context, such as a transaction's.
func (t *probe) with(ctx context.Context) *probe { return &probe{ctx, t.record} }

// Errorf records a violation.
func (t *probe) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.v.failures = append(t.v.failures, fmt.Sprintf(format, args...))
}

// Fatalf records a violation and ends the goroutine.
func (t *probe) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	runtime.Goexit()
}

// Skipf ends the step because the subject is not concerned.
func (t *probe) Skipf(format string, args ...any) {
	t.mu.Lock()
	t.v.skipped = fmt.Sprintf(format, args...)
	t.mu.Unlock()
	runtime.Goexit()
}

// catch turns a panic of the subject into a violation.
func (t *probe) catch() {
	if p := recover(); p != nil {
		t.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

func (t *probe) verdict() verdict {
	t.mu.Lock()
	defer t.mu.Unlock()
	return verdict{slices.Clone(t.v.failures), t.v.skipped}
}

// capability returns the subject as a T. It skips the step if the subject is none, and
// without says so.
func capability[T any](t *probe, subject any, without string) T {
	c, ok := subject.(T)
	if !ok {
		t.Skipf("%s", without)
	}
	return c
}

// parallel calls fn n times at once, and waits for all.
func (t *probe) parallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			defer t.catch()
			<-start
			fn(i)
		})
	}
	close(start)
	wg.Wait()
}
