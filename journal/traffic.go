package journal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// CounterName names the counters of all clients of a tenant that count the same on a day.
type CounterName struct{ Day, What string }

// SumStore is a Store that adds up counters of many tenants at once, in a few statements. The Journal of package sqlstore is one.
// storetest.RunJournal tests it.
type SumStore interface {
	// Sums adds up N of the counters that have one of these names, of all clients, for each of the tenants. A tenant without one may
	// be missing.
	Sums(ctx context.Context, tenants []string, names []CounterName) (map[string]int64, error)
}

// maxTraffic is how many hours Traffic adds up at most.
const maxTraffic = 48

// Traffic returns how many requests of each tenant came, and how many of them failed. It counts from the hour of from to the hour
// of to, both included, 48 at most. A tenant without requests may be missing. It reads counters only, in two statements for any number
// of tenants if the store is a SumStore, or else in two for each tenant.
func (j *Journal) Traffic(ctx context.Context, tenants []string, from, to time.Time) (map[string]HourCount, error) {
	at := from.UTC().Truncate(time.Hour)
	if to.Sub(at) >= maxTraffic*time.Hour {
		return nil, fmt.Errorf("journal: traffic of more than %d hours", maxTraffic)
	}
	var hours, failed []CounterName
	for ; !at.After(to); at = at.Add(time.Hour) {
		hour := " " + strconv.Itoa(at.Hour())
		hours, failed = append(hours, CounterName{day(at), countHour + hour}), append(failed, CounterName{day(at), countFailedHour + hour})
	}
	out := map[string]HourCount{}
	if len(hours) == 0 {
		return out, nil
	}
	requests, err := j.sums(ctx, tenants, hours)
	if err != nil {
		return nil, err
	}
	failures, err := j.sums(ctx, tenants, failed)
	if err != nil {
		return nil, err
	}
	for _, t := range tenants {
		if n := failures[t]; n+requests[t] > 0 {
			out[t] = HourCount{int(requests[t] + n), int(n)}
		}
	}
	return out, nil
}

// sums adds up counters. names are in order of the day.
func (j *Journal) sums(ctx context.Context, tenants []string, names []CounterName) (map[string]int64, error) {
	if s, ok := j.store.(SumStore); ok {
		out, err := s.Sums(ctx, tenants, names)
		if err != nil {
			return nil, fmt.Errorf("journal: sums: %w", err)
		}
		return out, nil
	}
	out := map[string]int64{}
	for _, t := range tenants {
		all, err := j.store.Counters(ctx, t, names[0].Day, names[len(names)-1].Day)
		if err != nil {
			return nil, fmt.Errorf("journal: counters: %w", err)
		}
		for i := range all {
			if slices.Contains(names, CounterName{all[i].Day, all[i].What}) {
				out[t] += all[i].N
			}
		}
	}
	return out, nil
}
