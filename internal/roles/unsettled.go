package roles

import (
	"slices"
	"sync"
)

// unsettled remembers, by the key of a write, the users whose reconciliation after it
// failed. When the client repeats the request, the engine reconciles them, even if the
// request no longer names them. After a crash Reconciler.All does this.
type unsettled struct {
	mu sync.Mutex
	m  map[string]run
	n  int // the number of users in m
}

// unsettledLimit is the most users that unsettled remembers.
const unsettledLimit = 100_000

func (u *unsettled) take(key string) []run {
	u.mu.Lock()
	defer u.mu.Unlock()
	r, ok := u.m[key]
	if !ok {
		return nil
	}
	delete(u.m, key)
	u.n -= len(r.ids) + 1
	return []run{r}
}

// keep remembers runs. It returns false if there is no room, or if repeating the request
// cannot complete the runs.
func (u *unsettled) keep(key string, runs []run) bool {
	var all run
	for _, r := range runs {
		all.ids = append(all.ids, r.ids...)
		if r.group != "" {
			all.group = r.group
		}
		if r.view.deleted != "" || len(r.values) > 0 {
			return false // a repeated request finds no resource, or names other users
		}
	}
	slices.Sort(all.ids)
	all.ids = slices.Compact(all.ids)
	u.mu.Lock()
	defer u.mu.Unlock()
	if key == "" || u.n+len(all.ids)+1 > unsettledLimit {
		return false
	}
	if u.m == nil {
		u.m = map[string]run{}
	}
	u.m[key] = all
	u.n += len(all.ids) + 1
	return true
}
