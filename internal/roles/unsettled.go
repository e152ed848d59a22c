package roles

import (
	"slices"
	"sync"
)

// unsettled remembers, by the key of a write, the users whose roles could not be brought
// in line after it. The client's repetition of the request completes them, even if it no
// longer names these users. After a crash Reconciler.All does.
type unsettled struct {
	mu sync.Mutex
	m  map[string]run
	n  int // users in m
}

// unsettledLimit bounds the users that are remembered.
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

// keep remembers runs. It reports whether there was room, and a request that can be
// repeated.
func (u *unsettled) keep(key string, runs []run) bool {
	var all run
	for _, r := range runs {
		all.ids = append(all.ids, r.ids...)
		if r.group != "" {
			all.group = r.group
		}
		if r.view.deleted != "" || r.value.attr != nil {
			return false // a repetition finds the resource gone, or is about other users
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
