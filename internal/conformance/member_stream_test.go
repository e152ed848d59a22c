package conformance

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// pageWatch is a memory store that calls behind with each page of members, after it has read
// the page.
type pageWatch struct {
	*memory.Store
	behind func(groupID string, page []scim.Member)
}

func (s *pageWatch) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	page, err := s.Store.Members(ctx, groupID, after, limit)
	if s.behind != nil && err == nil {
		s.behind(groupID, page)
	}
	return page, err
}

// shownIDs lists the ids of members that GET of a group shows.
func shownIDs(t *testing.T, h http.Handler, group string) (ids []string) {
	t.Helper()
	list, _ := testhost.Decode(t, testhost.Do(t, h, "GET", "/Groups/"+group, ""))["members"].([]any)
	for _, m := range list {
		ids = append(ids, m.(map[string]any)["value"].(string))
	}
	return ids
}

// The members of a long group change while a client reads it. Who stays a member all the
// time appears once, and nobody appears twice.
func TestWhoStaysAMemberAppearsOnce(t *testing.T) {
	const n = 4000
	s := &pageWatch{Store: memory.New()}
	h := sized(t, s)
	users := slices.Sorted(slices.Values(createUsers(t, h, n))) // in the order of members
	var stay, come, leave []scim.Ref
	var want []string
	for i, id := range users {
		ref := scim.Ref{Type: "User", ID: id}
		switch i % 4 {
		case 0:
			come = append(come, ref)
		case 1:
			leave = append(leave, ref)
		default:
			stay, want = append(stay, ref), append(want, id)
		}
	}
	change := func(group string, add, remove []scim.Ref) {
		if _, _, err := s.ChangeMembers(context.Background(), group, add, remove); err != nil {
			t.Error(err)
		}
	}
	for _, tt := range []struct {
		name, reason string
		// begin begins to change a group, and returns a function that ends it.
		begin func(group string) (end func())
	}{
		{"between pages", "the last member of a page has left when the next one is read; others come before and behind it", func(group string) func() {
			s.behind = func(group string, page []scim.Member) {
				s.behind = nil
				last := page[len(page)-1].Ref
				change(group, come, append(slices.Clone(leave), last))
				want = slices.DeleteFunc(want, func(id string) bool { return id == last.ID })
			}
			return func() { s.behind = nil }
		}},
		{"all the time", "another client adds and removes the same members", func(group string) func() {
			stop := make(chan bool)
			var wg sync.WaitGroup
			wg.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					if change(group, come, leave); i%2 == 1 {
						change(group, leave, come)
					}
				}
			})
			return func() { close(stop); wg.Wait() }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := want
			want = slices.Clone(all)
			defer func() { want = all }()
			group := testhost.Create(t, h, "/Groups", fmt.Sprintf(`{"displayName":%q}`, tt.name))
			change(group, append(stay, leave...), nil)
			end := tt.begin(group)
			for range 5 {
				got := shownIDs(t, h, group)
				if !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != len(got) {
					t.Fatal("members appear twice, or out of order")
				}
				stayed := slices.DeleteFunc(got, func(id string) bool { _, is := slices.BinarySearch(want, id); return !is })
				if diff := cmp.Diff(want, stayed); diff != "" {
					t.Fatalf("%s (-want +got):\n%s", tt.reason, diff)
				}
			}
			end()
		})
	}
}

// crowdStore is a memory store with a group "crowd" of n users that it does not keep.
type crowdStore struct {
	*memory.Store
	n int
}

func (s *crowdStore) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	if groupID != "crowd" {
		return s.Store.Members(ctx, groupID, after, limit)
	}
	next := 0
	if after.ID != "" {
		if _, err := fmt.Sscanf(after.ID, "u%d", &next); err != nil {
			return nil, err
		}
		next++
	}
	page := make([]scim.Member, 0, limit)
	for i := next; i < min(next+limit, s.n); i++ {
		id := fmt.Sprintf("u%08d", i)
		page = append(page, scim.Member{Ref: scim.Ref{Type: "User", ID: id}, Display: "Person " + id})
	}
	return page, nil
}

// heapWriter is a writer that looks at the reachable heap now and then.
type heapWriter struct {
	*testhost.CountingWriter
	every, writes int
	peak          uint64
}

func (w *heapWriter) Write(b []byte) (int, error) {
	if w.writes++; w.writes%w.every == 0 {
		w.peak = max(w.peak, reachable())
	}
	return w.CountingWriter.Write(b)
}

// reachable is the size of the reachable heap.
func reachable() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// What reading a group needs on the heap does not grow with the group.
func TestALongGroupTakesConstantMemory(t *testing.T) {
	peak := func(n int) uint64 {
		s := &crowdStore{memory.New(), n}
		h := testhost.New(t, scim.Config{Store: s, NewID: func() string { return "crowd" }})
		testhost.Create(t, h, "/Groups", `{"displayName":"Crowd"}`)
		r := httptest.NewRequest("GET", "/Groups/crowd", nil)
		r.Header.Set("Authorization", "Bearer "+testhost.Secret)
		w := &heapWriter{CountingWriter: testhost.NewCountingWriter(), every: n / 10_000}
		if h.ServeHTTP(w, r); w.Status != 200 || w.Size < int64(n)*60 || w.writes < n*60>>16 {
			t.Fatalf("%d members: %d with %d bytes in %d pieces", n, w.Status, w.Size, w.writes)
		}
		return w.peak
	}
	small, large := peak(10_000), peak(100_000)
	t.Logf("reachable: at most %d bytes for 10,000 members, %d for 100,000", small, large)
	if large > small+small/10 {
		t.Errorf("a group of 100,000 takes %d bytes, one of 10,000 takes %d", large, small)
	}
}
