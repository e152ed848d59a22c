package console

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/scimkit/scim/journal"
)

const (
	recallFor  = 30 * time.Second // how long the number of problems of a tenant is not read again
	recallPage = 2 * time.Second  // how long the problems are not, for a page that shows them
	maxRecall  = 1000             // tenants whose problems are remembered
	navPatient = time.Second      // how long a page waits for the number in its navigation
)

// recall remembers the problems of the last days of each tenant, because each page shows how many are open. It is bounded, and
// safe for concurrent use.
type recall struct {
	mu  sync.Mutex
	all map[string]*recalled
}

// recalled are the problems of one tenant.
type recalled struct {
	reading chan struct{} // Of several pages of a tenant one reads, and has put an element here. The others wait.
	at      time.Time
	list    []journal.Problem
	more    bool
	err     error
}

// of returns the place of a tenant. If all are taken, another one is forgotten.
func (m *recall) of(tenant string) *recalled {
	m.mu.Lock()
	defer m.mu.Unlock()
	if r := m.all[tenant]; r != nil {
		return r
	}
	for other := range m.all {
		if len(m.all) < maxRecall {
			break
		}
		delete(m.all, other)
	}
	if m.all == nil {
		m.all = map[string]*recalled{}
	}
	r := &recalled{reading: make(chan struct{}, 1)}
	m.all[tenant] = r
	return r
}

// problems returns the problems of the last days, for a page that shows them or for the number only: see recallFor. An error is
// not remembered, but to those who ask for the number only.
func (q *request) problems(ctx context.Context, isNumber bool) (list []journal.Problem, more bool, err error) {
	r := q.c.recall.of(q.id)
	select {
	case r.reading <- struct{}{}:
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
	defer func() { <-r.reading }()
	now, most := q.c.o.Now(), recallPage
	if isNumber {
		most = recallFor
	}
	if age := now.Sub(r.at); age < 0 || age >= most || r.err != nil && !isNumber {
		r.list, r.more, r.err = q.c.o.Journal.Problems(ctx, q.id, now.Add(-problemsFor))
		r.at = now
	}
	return slices.Clone(r.list), r.more, r.err
}

// openProblems returns the problems for which somebody has to act.
func openProblems(all []journal.Problem) []journal.Problem {
	return slices.DeleteFunc(all, func(p journal.Problem) bool { return p.IsSolved() || p.Actor == journal.Nobody })
}

// countProblems returns how many problems need somebody, for the navigation. 0: none, or nobody knows.
func (q *request) countProblems() int {
	ctx, cancel := context.WithTimeout(q.r.Context(), min(navPatient, q.c.o.Timeout))
	defer cancel()
	list, _, err := q.problems(ctx, true)
	if err != nil {
		return 0 // The page says what it cannot read.
	}
	return len(openProblems(list))
}
