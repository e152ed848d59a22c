package roles

import (
	"fmt"
	"slices"
	"sync"

	"github.com/scimkit/scim/internal/host"
)

// unsettled remembers, by the key of a write, the reconciliations after it that failed. When
// the client repeats the request, the engine runs them, even if the request no longer names
// the users or the resource is gone. After a crash Reconciler.All does this.
type unsettled struct {
	mu sync.Mutex
	m  map[string][]run
	n  int // the number of users and runs in m
}

// unsettledLimit is the most users and runs that unsettled remembers.
const unsettledLimit = 100_000

func (u *unsettled) take(key string) []run {
	u.mu.Lock()
	defer u.mu.Unlock()
	runs := u.m[key]
	delete(u.m, key)
	u.n -= sizeOf(runs)
	return runs
}

// keep remembers runs. It forgets them if there is no key, or no room.
func (u *unsettled) keep(key string, runs []run) {
	runs = merge(runs)
	u.mu.Lock()
	defer u.mu.Unlock()
	if key == "" || u.n+sizeOf(runs) > unsettledLimit {
		return
	}
	if u.m == nil {
		u.m = map[string][]run{}
	}
	u.m[key] = runs
	u.n += sizeOf(runs)
}

// merge returns the fewest runs that reconcile the same users as runs. A request that fails
// again and again then leaves no more than one that fails once.
func merge(runs []run) []run {
	var merged []run
	var rest run
	for _, r := range runs {
		isKnown := slices.ContainsFunc(merged, func(m run) bool {
			return m.group == r.group && m.view.deleted == r.view.deleted
		})
		if r.view.deleted != "" {
			if !isKnown {
				merged = append(merged, run{ids: r.ids, view: view{deleted: r.view.deleted}})
			}
			continue
		}
		if r.group != "" && !isKnown {
			merged = append(merged, run{group: r.group})
		}
		rest.ids = append(rest.ids, r.ids...)
		rest.below = append(rest.below, r.below...)
		for _, v := range r.values {
			if !slices.Contains(rest.values, v) {
				rest.values = append(rest.values, v)
			}
		}
	}
	slices.Sort(rest.ids)
	rest.ids = slices.Compact(rest.ids)
	slices.Sort(rest.below)
	rest.below = slices.Compact(rest.below)
	if len(rest.ids)+len(rest.below)+len(rest.values) > 0 {
		merged = append(merged, rest)
	}
	return merged
}

func sizeOf(runs []run) int {
	n := len(runs)
	for _, r := range runs {
		n += len(r.ids) + len(r.below) + len(r.values)
	}
	return n
}

// describeLimit is how many users of a failed reconciliation a log line names.
const describeLimit = 100

// describe says for a log line whom runs reconcile: users, groups with all their members, and
// values with all users who have them.
func describe(runs []run) []string {
	var all []string
	for _, r := range merge(runs) {
		if r.group != "" {
			all = append(all, string(host.GroupSource(r.group)))
		}
		for _, g := range r.below {
			all = append(all, string(host.GroupSource(g)))
		}
		for _, v := range r.values {
			all = append(all, string(v.key()))
		}
		for i, id := range r.ids {
			if i == describeLimit {
				all = append(all, fmt.Sprintf("and %d more users", len(r.ids)-i))
				break
			}
			all = append(all, "user:"+id)
		}
	}
	return all
}
