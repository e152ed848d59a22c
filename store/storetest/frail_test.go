package storetest

import (
	"context"
	"errors"
	"sync"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// frail is the memory store with a simulated database that fails. It has one fault in how
// it treats the failure. A fault of "" means none.
type frail struct {
	*memory.Store
	fault string

	mu     sync.Mutex
	broken bool
	left   int
	last   scim.Ref // that was created, by itself
}

var errOutage = errors.New("no connection")

func newFrail(fault string) Faulty {
	f := &frail{Store: memory.New(), fault: fault}
	return Faulty{f, f.Break, f.Heal}
}

func (f *frail) Break(after int) {
	f.mu.Lock()
	last := f.last
	f.broken, f.left, f.last = true, after, scim.Ref{}
	f.mu.Unlock()
	if f.fault == "commits later" && last != (scim.Ref{}) {
		_ = f.Store.Delete(context.Background(), last, allow)
	}
}

func (f *frail) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = false
}

// fail returns the error of one call of the database.
func (f *frail) fail() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; !f.broken || f.left >= 0 {
		return nil
	}
	return errOutage
}

func (f *frail) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if err := f.fail(); err != nil {
		return err
	}
	f.mu.Lock()
	f.last = scim.Ref{}
	f.mu.Unlock()
	var failed error
	err := f.Store.InTx(ctx, func(ctx context.Context) error {
		if failed = fn(context.WithValue(ctx, inside{}, true)); failed == nil {
			failed = f.fail()
		}
		if f.fault == "commits what it has" && errors.Is(failed, errOutage) {
			return nil
		}
		return failed
	})
	return errors.Join(failed, err)
}

func (f *frail) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	err := f.fail()
	if err != nil && f.fault == "an outage is a conflict" {
		return nil, scim.Conflict("userName")
	}
	if err != nil {
		return nil, err
	}
	if err := f.fail(); err != nil { // of what filters look up, in a table of its own
		if f.fault == "rows and their look-ups apart" {
			if half, err := r.With(values{"emails": nil}); err == nil {
				_, _ = f.Store.Create(ctx, half)
			}
		}
		return nil, err
	}
	made, err := f.Store.Create(ctx, r)
	if err == nil && ctx.Value(inside{}) == nil {
		f.mu.Lock()
		f.last = made.Ref()
		f.mu.Unlock()
	}
	return made, err
}

func (f *frail) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if err := f.fail(); err != nil {
		if f.fault == "an outage is no user" {
			return nil, scim.ErrNotFound
		}
		return nil, err
	}
	return f.Store.Get(ctx, ref)
}

func (f *frail) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	page, err := f.Store.List(ctx, t, q)
	if err != nil {
		return nil, err
	}
	for i := range page.Resources {
		if err := f.fail(); err != nil {
			if f.fault == "the rows that there are" {
				page.Resources = page.Resources[:i]
				return page, nil
			}
			return nil, err
		}
	}
	return page, nil
}

func (f *frail) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Store.Update(ctx, ref, fn)
}

func (f *frail) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Store.Delete(ctx, ref, check)
}

func (f *frail) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Store.Members(ctx, groupID, after, limit)
}

func (f *frail) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Store.GroupsOf(ctx, members)
}

func (f *frail) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	if err := f.fail(); err != nil {
		return nil, nil, err
	}
	return f.Store.ChangeMembers(ctx, groupID, add, remove)
}

func (f *frail) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Store.Grants(ctx, userIDs)
}

func (f *frail) Record(ctx context.Context, put, drop []scim.Grant) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Store.Record(ctx, put, drop)
}

func (f *frail) Links(ctx context.Context, groupIDs []scim.Source) ([]scim.Link, error) {
	if err := f.fail(); err != nil {
		return nil, err
	}
	return f.Store.Links(ctx, groupIDs)
}

func (f *frail) SetLink(ctx context.Context, l scim.Link) error {
	if err := f.fail(); err != nil {
		return err
	}
	return f.Store.SetLink(ctx, l)
}

func brokenFaults() []broken[Faulty] {
	return []broken[Faulty]{
		{"an outage is no user", "an outage lets a client create everybody again", newFrail, "faults/no answer", nil},
		{"an outage is a conflict", "the client takes the user for one that is there", newFrail, "faults/no answer", []string{"faults/whole writes", "faults/transaction"}},
		{"the rows that there are", "a client that synchronises deletes the rest", newFrail, "faults/whole answers", nil},
		{"rows and their look-ups apart", "a user is there and not found", newFrail, "faults/whole writes", nil},
		{"commits what it has", "half of a request is stored", newFrail, "faults/transaction", []string{"faults/whole writes"}},
		{"commits later", "what was answered with 201 is gone", newFrail, "faults/afterwards", []string{"faults/*"}},
	}
}
