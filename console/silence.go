package console

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/scimkit/scim/journal"
)

const (
	fewVisits   = 4                   // From fewer gaps nothing is learned.
	allDay      = 3 * time.Hour       // A client without a longer gap comes at night too.
	aWeek       = 8 * 24 * time.Hour  // Whoever is known for so long was seen at night and on a weekend.
	twoWeekends = 13 * 24 * time.Hour // Whoever is known for so long was seen on two weekends.
	oneVisit    = 5 * time.Minute     // Requests that are nearer to each other are one visit of the client.
	maxProbes   = 60                  // searches by which the cycle of a client is learned
)

// silence says in words that a client has sent nothing for much longer than it used to. "": it has not.
func (h *clientHealth) silence(ctx context.Context, j Journal, tenant string, now time.Time) (string, error) {
	silent := now.Sub(h.Last)
	longest, ok := h.longestGap()
	if !ok || silent <= longest+longest/2 || h.Client == "" {
		return "", nil
	}
	cycle, isRegular, err := learnCycle(ctx, j, tenant, h.Client, h.Last)
	switch {
	case err != nil:
		return "", err
	case silent <= 2*cycle:
		return "", nil
	case isRegular:
		return fmt.Sprintf("%s has sent nothing for %s; its cycle is %s.", h.Name, spanOf(silent), spanOf(cycle)), nil
	}
	return fmt.Sprintf("%s has sent nothing for %s. Before, it was hardly ever silent for more than %s.", h.Name, spanOf(silent), spanOf(longest)), nil
}

// longestGap returns for how long a client used to send nothing, by the hours of two weeks. One gap that was longer may have
// been trouble, so it does not count, if two weekends have been seen. ok false: too little is known of the client.
func (h *clientHealth) longestGap() (longest time.Duration, ok bool) {
	hours := slices.Sorted(maps.Keys(h.perHour))
	if len(hours) <= fewVisits {
		return 0, false
	}
	var gaps []time.Duration
	for i, at := range hours[1:] {
		gaps = append(gaps, time.Duration(at-hours[i])*time.Hour)
	}
	slices.Sort(gaps)
	longest = gaps[len(gaps)-1]
	switch known := time.Duration(hours[len(hours)-1]-hours[0]) * time.Hour; {
	case known >= twoWeekends:
		longest = gaps[len(gaps)-2]
	case known < aWeek && longest > allDay:
		return 0, false // It may be the first night or the first weekend.
	}
	return longest, true
}

// learnCycle returns the usual time from the end of one visit of a client to that of the next: the median of the last ones.
// It is regular if half of them are close to it. Zero: there are too few.
func learnCycle(ctx context.Context, j Journal, tenant, client string, last time.Time) (cycle time.Duration, isRegular bool, err error) {
	var gaps []time.Duration
	end, at := last, last // of the visit, and the oldest request of it that was found
	for range maxProbes {
		page, err := j.Find(ctx, journal.Query{Tenant: tenant, Client: client, To: at.Add(-oneVisit), Limit: 1})
		if err != nil {
			return 0, false, err
		}
		if len(page) == 0 {
			break
		}
		isSame := at.Sub(page[0].Time) <= 2*oneVisit
		if at = page[0].Time; !isSame {
			gaps = append(gaps, end.Sub(at))
			end = at
		}
	}
	if len(gaps) < fewVisits {
		return 0, false, nil
	}
	slices.Sort(gaps)
	cycle = gaps[len(gaps)/2]
	return cycle.Round(time.Minute), gaps[len(gaps)*3/4] <= cycle*3/2 && gaps[len(gaps)/4] >= cycle/2, nil
}
