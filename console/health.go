package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// healthDays is how many days the page of health shows.
const healthDays = 14

// health is the page of how much came, and how much failed.
type health struct {
	Chart   chart
	Clients []clientHealth
	// Troubles are what should be looked at, in words.
	Troubles []string
	Days     int
}

// clientHealth is how a client does.
type clientHealth struct {
	Name             string
	Requests, Failed int
	Last             time.Time
	client           string
	perDay           map[string][2]int // by day: requests, and those that failed
}

// chart is requests by day.
type chart struct {
	Bars []bar
	// Words is what the chart shows, for people who do not see it.
	Words string
}

// bar is a day of the chart. All numbers but the last two are places in the picture.
type bar struct {
	Day                             string
	X, Y, Height, FailY, FailHeight int
	Requests, Failed                int
}

func showHealth(ctx context.Context, q *request) error {
	body := &health{Days: healthDays}
	p := q.c.newPage(q, "health", "Health", body)
	status := http.StatusOK
	list, err := q.tokens(ctx)
	if err != nil {
		return err
	}
	now := q.c.o.Now().UTC()
	all, err := q.c.o.Journal.Summary(ctx, q.id, now.AddDate(0, 0, 1-healthDays), now)
	if err != nil {
		p.Down, status = whyDown(ctx, q, err), http.StatusServiceUnavailable
	} else {
		body.Clients = clientsOf(all, list)
		body.Chart = chartOf(body.Clients, now)
		body.Troubles = troublesOf(body.Clients, list, now)
	}
	q.c.render(q.w, q.r, status, "health", p)
	return nil
}

// clientsOf adds up what each client did, the one of the last contact first.
func clientsOf(all []journal.Summary, list []tokens.Token) []clientHealth {
	var out []clientHealth
	for i := range all {
		s := &all[i]
		k := slices.IndexFunc(out, func(c clientHealth) bool { return c.client == s.Client })
		if k < 0 {
			name := cmp.Or(s.Label, labelOf(list, s.Client), s.Client, s.Unreadable, "not known here")
			out = append(out, clientHealth{Name: name, client: s.Client, perDay: map[string][2]int{}})
			k = len(out) - 1
		}
		n := [2]int{s.Creates + s.Updates + s.Deletes + s.Reads, 0}
		for _, f := range s.Failures {
			n[0], n[1] = n[0]+f.Requests, n[1]+f.Requests
		}
		c, day := &out[k], s.Day.Format(time.DateOnly)
		before := c.perDay[day]
		c.perDay[day] = [2]int{before[0] + n[0], before[1] + n[1]}
		c.Requests, c.Failed = c.Requests+n[0], c.Failed+n[1]
		if s.LastContact.After(c.Last) {
			c.Last = s.LastContact
		}
	}
	slices.SortStableFunc(out, func(a, b clientHealth) int { return b.Last.Compare(a.Last) })
	return out
}

const (
	chartHeight = 64
	barWidth    = 600 / healthDays
)

// chartOf draws the requests of all clients by day.
func chartOf(all []clientHealth, now time.Time) chart {
	var c chart
	most, requests, failed := 1, 0, 0
	for i := range healthDays {
		day := now.AddDate(0, 0, i+1-healthDays)
		b := bar{Day: day.Format("2 Jan"), X: i * barWidth}
		for _, client := range all {
			n := client.perDay[day.Format(time.DateOnly)]
			b.Requests, b.Failed = b.Requests+n[0], b.Failed+n[1]
		}
		most, requests, failed = max(most, b.Requests), requests+b.Requests, failed+b.Failed
		c.Bars = append(c.Bars, b)
	}
	height := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(2, n*chartHeight/most)
	}
	for i := range c.Bars {
		b := &c.Bars[i]
		b.Height, b.FailHeight = height(b.Requests), height(b.Failed)
		b.Y, b.FailY = chartHeight-b.Height, chartHeight-b.FailHeight
	}
	c.Words = fmt.Sprintf("%s in %d days, %d of them failed", countOf(requests, "request", "requests"), healthDays, failed)
	return c
}

const (
	fewRequests = 10             // Of fewer, a share says nothing.
	badShare    = 5              // One of so many that fail is trouble.
	longSilence = 26 * time.Hour // A client that comes daily may be late by some hours.
	dailyDays   = 5              // on so many of the last 7 days: the client comes daily
)

// troublesOf says in words what should be looked at.
func troublesOf(all []clientHealth, list []tokens.Token, now time.Time) []string {
	var out []string
	for _, c := range all {
		var n [2]int
		for _, day := range []time.Time{now, now.AddDate(0, 0, -1)} {
			d := c.perDay[day.Format(time.DateOnly)]
			n[0], n[1] = n[0]+d[0], n[1]+d[1]
		}
		if n[0] >= fewRequests && n[1]*badShare >= n[0] {
			out = append(out, fmt.Sprintf("%s: %d of %d requests have failed since yesterday.", c.Name, n[1], n[0]))
		}
		days := 0
		for i := 1; i <= 7; i++ {
			if c.perDay[now.AddDate(0, 0, -i).Format(time.DateOnly)][0] > 0 {
				days++
			}
		}
		if silent := now.Sub(c.Last); silent > longSilence && days >= dailyDays {
			out = append(out, fmt.Sprintf("%s has sent nothing for %s. Before, it came nearly every day.", c.Name, spanOf(silent)))
		}
	}
	for _, t := range list {
		if left := t.Expires.Sub(now); t.IsValid(now) && t.Successor == "" && !t.Expires.IsZero() && left < 14*24*time.Hour {
			out = append(out, fmt.Sprintf("The token %q ends %s. Replace it on the page Connection.", t.Label, agoOf(t.Expires, now)))
		}
	}
	return out
}
