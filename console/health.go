package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// healthDays and healthHours are how many days and hours the page of health shows.
const (
	healthDays  = 14
	healthHours = 48
)

// health is the page of how much came, and how much failed.
type health struct {
	Hours, Days chart
	Clients     []clientHealth
	// Troubles are what should be looked at.
	Troubles []troubleView
}

// troubleView is a trouble with a link to the page that helps.
type troubleView struct{ Text, Path, Look string }

// viewsOf adds the links.
func viewsOf(all []Trouble) (views []troubleView) {
	for _, t := range all {
		v := troubleView{Text: t.Text}
		switch t.Kind {
		case Failing:
			v.Path, v.Look = "activity"+queryOf(url.Values{"client": {t.Object}, "f": {"failed"}}), "Look what failed"
		case Silent:
			v.Path, v.Look = "activity"+queryOf(url.Values{"client": {t.Object}}), "Look at its last requests"
		case TokenEnds:
			v.Path, v.Look = "connection", "Look at the tokens"
		}
		views = append(views, v)
	}
	return views
}

// clientHealth is how a client does.
type clientHealth struct {
	Name             string
	Requests, Failed int
	Last             time.Time
	// Client is Detail.Client of its entries; "" if it is not known.
	Client  string
	perDay  map[string][2]int // by day: requests, and those that failed
	perHour map[int64][2]int  // by hourOf, the hours with requests
}

// chart is requests by day or hour.
type chart struct {
	Title string
	// Unit is what a bar stands for, and Width is that of the picture.
	Unit  string
	Width int
	Bars  []bar
	// Most and MostShare are the numbers of the highest bars. MostShare is 0 if none has failed.
	Most, MostShare int
	// Words is what the chart shows, for people who do not see it.
	Words string
}

// bar is a day or an hour of a chart. All numbers but the last three are places in the picture.
type bar struct {
	Name                                               string
	X, Y, Height, FailY, FailHeight, RateY, RateHeight int
	Requests, Failed                                   int
	// Share is how many of a hundred requests have failed, at least 1 if one has.
	Share int
}

func showHealth(ctx context.Context, q *request) error {
	body := &health{}
	p := q.c.newPage(q, "health", "Health", body)
	status := http.StatusOK
	list, err := q.tokens(ctx)
	if err != nil {
		return err
	}
	now := q.c.o.Now().UTC()
	all, err := q.c.o.Journal.Summary(ctx, q.id, now.AddDate(0, 0, 1-healthDays), now)
	if err == nil {
		body.Clients = clientsOf(all, list)
		body.Hours, body.Days = hoursOf(body.Clients, now), daysOf(body.Clients, now)
		var troubles []Trouble
		troubles, err = q.c.troublesOf(ctx, q.id, body.Clients, list, nil)
		body.Troubles = viewsOf(troubles)
	}
	if err != nil {
		p.Down, status = whyDown(ctx, q, err), http.StatusServiceUnavailable
	}
	q.c.render(q.w, q.r, status, "health", p)
	return nil
}

// clientsOf adds up what each client did, the one of the last contact first.
func clientsOf(all []journal.Summary, list []tokens.Token) []clientHealth {
	var out []clientHealth
	for i := range all {
		s := &all[i]
		k := slices.IndexFunc(out, func(c clientHealth) bool { return c.Client == s.Client })
		if k < 0 {
			name := cmp.Or(s.Label, labelOf(list, s.Client), s.Client, s.Unreadable, "not known here")
			out = append(out, clientHealth{Name: name, Client: s.Client, perDay: map[string][2]int{}, perHour: map[int64][2]int{}})
			k = len(out) - 1
		}
		n := [2]int{s.Creates + s.Updates + s.Deletes + s.Reads, 0}
		for _, f := range s.Failures {
			n[0], n[1] = n[0]+f.Requests, n[1]+f.Requests
		}
		c, day := &out[k], s.Day.Format(time.DateOnly)
		before := c.perDay[day]
		c.perDay[day] = [2]int{before[0] + n[0], before[1] + n[1]}
		for hour, of := range s.Hours {
			if of.Requests > 0 {
				at := hourOf(s.Day) + int64(hour)
				sum := c.perHour[at]
				c.perHour[at] = [2]int{sum[0] + of.Requests, sum[1] + of.Failed}
			}
		}
		c.Requests, c.Failed = c.Requests+n[0], c.Failed+n[1]
		if s.LastContact.After(c.Last) {
			c.Last = s.LastContact
		}
	}
	slices.SortStableFunc(out, func(a, b clientHealth) int { return b.Last.Compare(a.Last) })
	return out
}

// The measures of a chart, which the browser stretches. Two of barWidth are the gap to the next bar.
const (
	chartHeight = 64
	barWidth    = 10
)

// daysOf draws the requests of all clients by day.
func daysOf(all []clientHealth, now time.Time) chart {
	return chartOf(fmt.Sprintf("%d days", healthDays), "Day", healthDays, func(i int) (b bar) {
		day := now.AddDate(0, 0, i+1-healthDays)
		b.Name = day.Format("2 Jan")
		for _, client := range all {
			n := client.perDay[day.Format(time.DateOnly)]
			b.Requests, b.Failed = b.Requests+n[0], b.Failed+n[1]
		}
		return b
	})
}

// hoursOf draws the requests of all clients by hour.
func hoursOf(all []clientHealth, now time.Time) chart {
	return chartOf(fmt.Sprintf("%d hours", healthHours), "Hour", healthHours, func(i int) (b bar) {
		at := now.Add(time.Duration(i+1-healthHours) * time.Hour)
		b.Name = at.Format("2 Jan 15:00")
		for _, client := range all {
			n := client.perHour[hourOf(at)]
			b.Requests, b.Failed = b.Requests+n[0], b.Failed+n[1]
		}
		return b
	})
}

// chartOf draws bars, the newest last.
func chartOf(span, unit string, n int, barOf func(i int) bar) chart {
	c := chart{Title: "Requests in " + span, Unit: unit, Width: n * barWidth}
	most, requests, failed := 1, 0, 0
	for i := range n {
		b := barOf(i)
		b.X = i * barWidth
		most, requests, failed = max(most, b.Requests), requests+b.Requests, failed+b.Failed
		c.Bars = append(c.Bars, b)
	}
	height := func(n, of int) int {
		if n == 0 {
			return 0
		}
		return max(2, n*chartHeight/of)
	}
	for i := range c.Bars {
		b := &c.Bars[i]
		b.Height, b.FailHeight, b.RateHeight = height(b.Requests, most), height(b.Failed, most), height(b.Failed, max(1, b.Requests))
		b.Y, b.FailY, b.RateY = chartHeight-b.Height, chartHeight-b.FailHeight, chartHeight-b.RateHeight
		if b.Failed > 0 {
			b.Share = max(1, b.Failed*100/b.Requests)
			c.MostShare = max(c.MostShare, b.Share)
		}
	}
	c.Most = most
	c.Words = fmt.Sprintf("%s in %s, %s of them failed", countOf(requests, "request", "requests"), span, numberOf(failed))
	return c
}
