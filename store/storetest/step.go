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

// watchdog is the time for one step, on a busy machine. If a store deadlocks, the step
// fails after it.
const watchdog = time.Minute

// step is one rule of the contract with the test that enforces it.
type step[S any] struct {
	Name string
	Rule string // with the section of the RFC, if one decides
	Run  func(t *probe, s S)
}

// most is the time for the step. Steps with thousands of calls have more, because of the
// race detector.
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

// run runs each step as a sub-test, with a fresh subject.
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

// verdict is the result of a step.
type verdict struct {
	failures []string
	skipped  string // why the step does not apply to the subject; "" if it does
}

// judge runs the step against s. It returns failures and does not fail the test, so that
// tests can run the suite against broken subjects.
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
		// A store that obeys its context now returns an error that says where it waited.
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

// record collects the failures of a step. A step that timed out may still write to it.
type record struct {
	mu      sync.Mutex
	v       verdict
	created atomic.Int64
}

// probe is what a step has in the place of a testing.T: a context and the record.
type probe struct {
	ctx context.Context
	*record
}

// with returns the same probe with another context, such as that of a transaction.
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

// Skipf ends the step because it does not apply to the subject.
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

// capability returns the subject as a T. If it is none, it skips the step; without is the
// reason.
func capability[T any](t *probe, subject any, without string) T {
	c, ok := subject.(T)
	if !ok {
		t.Skipf("%s", without)
	}
	return c
}

// parallel calls fn n times concurrently and waits for all calls.
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
