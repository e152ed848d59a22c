package console_test

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// contacts are the counters of a client that sends so many requests in each of these hours.
func contacts(client string, requests, failed int, hours ...time.Time) (all []journal.Summary) {
	for _, at := range hours {
		day := at.Truncate(24 * time.Hour)
		i := slices.IndexFunc(all, func(s journal.Summary) bool { return s.Day.Equal(day) })
		if i < 0 {
			all = append(all, journal.Summary{Day: day, Client: client, Label: "Label of " + client})
			i = len(all) - 1
		}
		s := &all[i]
		s.Reads += requests - failed
		if failed > 0 {
			s.Failures = append(s.Failures, journal.FailureCount{Status: 409, Type: "uniqueness", Requests: failed})
		}
		n := &s.Hours[at.Hour()]
		n.Requests, n.Failed = n.Requests+requests, n.Failed+failed
		if at.After(s.LastContact) {
			s.LastContact = at
		}
	}
	return all
}

// every are times from one to another, both before now.
func every(from, to, step time.Duration) (all []time.Time) {
	for d := from; d >= to; d -= step {
		all = append(all, now.Add(-d))
	}
	return all
}

// office are those of the hours from 9 to 17 on weekdays that are longer ago than a time.
func office(days int, silent time.Duration) (all []time.Time) {
	for _, at := range every(time.Duration(days)*24*time.Hour, silent, time.Hour) {
		if w := at.Weekday(); w != time.Saturday && w != time.Sunday && at.Hour() >= 9 && at.Hour() <= 17 {
			all = append(all, at)
		}
	}
	return all
}

const hour, day = time.Hour, 24 * time.Hour

func TestHealth(t *testing.T) {
	outage := slices.Concat(every(13*day+11*hour, 5*day, hour), every(4*day+14*hour, 3*hour, hour)) // of ten hours
	for _, row := range []struct {
		name  string
		all   []journal.Summary
		wants []string
	}{
		{"nothing", nil, []string{"Nothing has come in 14 days", "No client is in trouble"}},
		{"all is well", contacts("okta", 20, 0, every(7*day, 0, hour)...), []string{"No client is in trouble", "3\u202f380 requests in 14 days, 0 of them failed", "960 requests in 48 hours, 0 of them failed", "Label of okta", "just now", "at most 20 requests in an hour", "!Of 100 requests"}},
		{"many fail", contacts("okta", 25, 5, now), []string{"Label of okta: 5 of 25 requests have failed in the last 24 hours.", "25 requests in 48 hours, 5 of them failed", "at most 25 requests in an hour", "at most 25 requests in a day", `<a href="./activity?client=okta&amp;f=failed">Look what failed</a>`, "Of 100 requests so many failed", "at most 20<", `href="./activity?client=okta&amp;f=failed">5</a>`, `<th scope="row">31 Jan 12:00</th><td>25</td><td>5</td><td>20 %</td>`, `<rect class="failed" x="470" y="52" width="8" height="12">`}},
		{"many failed two days ago", contacts("okta", 25, 5, now.Add(-30*hour)), []string{"No client is in trouble", "25 requests in 48 hours, 5 of them failed"}},
		{"few fail", contacts("okta", 24, 4, now), []string{"No client is in trouble", `f=failed">4</a>`}},
		{"few requests", contacts("okta", 9, 9, now), []string{"No client is in trouble"}},
		{"it came each day, and is silent", contacts("okta", 1, 0, every(13*day, 2*day, day)...), []string{"Label of okta has sent nothing for 2 days. Before, it was hardly ever silent for more than 24 hours.", `<a href="./activity?client=okta">Look at its last requests</a>`}},
		{"it comes once a week", contacts("okta", 20, 0, now.Add(-6*day), now.Add(-13*day)), []string{"No client is in trouble"}},
		{"it comes all day, and is silent", contacts("okta", 20, 0, every(day, 3*hour, hour)...), []string{"Label of okta has sent nothing for 3 hours. Before, it was hardly ever silent for more than 1 hour."}},
		{"it is one hour late", contacts("okta", 20, 0, every(day+29*time.Minute, hour+29*time.Minute, hour)...), []string{"No client is in trouble"}},
		{"its first night", contacts("okta", 20, 0, office(2, 19*hour)...), []string{"No client is in trouble"}},
		{"its first weekend", contacts("okta", 20, 0, office(6, 19*hour)...), []string{"No client is in trouble"}},
		{"a weekend", contacts("okta", 20, 0, office(13, 19*hour)...), []string{"No client is in trouble"}},
		{"longer than a weekend", contacts("okta", 20, 0, office(13, 98*hour)...), []string{"Label of okta has sent nothing for 4 days. Before, it was hardly ever silent for more than 2 days."}},
		{"a gap of ten hours in two weeks was trouble too", contacts("okta", 20, 0, outage...), []string{"Label of okta has sent nothing for 3 hours."}},
		{"a key is gone", []journal.Summary{{Day: now, Unreadable: journal.KeyGone, Reads: 3}}, []string{"the key of this entry is gone", "3 requests"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "").start()
			w.entries.summaries = map[string][]journal.Summary{"": row.all}
			w.wants(w.get(200, "/health"), row.wants...)
		})
	}
	w := newWorld(t, "").start()
	if _, _, err := w.tokens.Tenant("").Issue(t.Context(), tokens.Request{Label: "Okta <i>", Expires: now.Add(72 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	w.wants(w.get(200, "/health"), "The token &#34;Okta &lt;i&gt;&#34; ends in 3 days.", `<a href="./connection">Look at the tokens</a>`)
	w.entries.err = errors.New("secret")
	w.wants(w.get(503, "/health"), "The journal cannot be read now", "!No client is in trouble", "!secret")
}

// The cycle of a client is learned from its entries.
func TestCycle(t *testing.T) {
	for _, row := range []struct {
		name, want string
		last, step time.Duration // how long ago the last visit was, and from one to the next
		burst      int           // requests of a visit, one a minute
	}{
		{"it is late", "Label of entra has sent nothing for 3 hours; its cycle is 40 minutes.", 3 * hour, 40 * time.Minute, 3},
		{"it is not late yet", "No client is in trouble", hour + 31*time.Minute, 48 * time.Minute, 3},
		{"its visits take long", "its cycle is 40 minutes.", 3 * hour, 40 * time.Minute, 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "").start()
			w.entries.summaries = map[string][]journal.Summary{"": contacts("entra", 1, 0, every(2*day+row.last, row.last, row.step)...)}
			for _, at := range every(2*day+row.last, row.last, row.step) {
				for i := range row.burst {
					e := exchange("GET", 200, journal.Detail{Client: "entra"})
					e.Time = at.Add(time.Duration(i-row.burst+1) * time.Minute)
					w.entries.add(e)
				}
			}
			w.wants(w.get(200, "/health"), row.want)
			if n := len(w.entries.queries); n > 60 {
				t.Errorf("%d searches", n)
			}
		})
	}
}

func TestConnectionTest(t *testing.T) {
	w := newWorld(t, "").start()
	w.post(404, "/connection/test", nil)
	h, err := scim.New(scim.Config{Store: memory.New(), Auth: w.tokens, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.tenant.Endpoint = scim.Mount("/scim/v2", h, nil)
	w.viewer.May = console.May{}
	w.wants(w.get(200, "/connection"), "!Test the endpoint")
	w.post(403, "/connection/test", nil)
	w.viewer.May = everything
	w.wants(w.get(200, "/connection"), "Test the endpoint")
	page := w.post(200, "/connection/test", nil)
	w.wants(page, `<span class="st">right</span> It refuses a wrong token. <span class="soft">answered 401`, "It lists groups.", "!wrong</span>")
	list := w.list()
	if len(list) != 1 || list[0].IsValid(now.Add(time.Second)) || len(w.acts) != 3 || w.acts[2].Kind != console.TestConnection || w.acts[2].Err != nil || w.acts[1].Err == nil {
		t.Errorf("tokens %+v, acts %+v", list, w.acts)
	}
	w.address += "/" // as an application may write it
	w.wants(w.post(200, "/connection/test", nil), "It lists groups.", "!wrong</span>")
	w.wants(w.get(200, "/connection"), `<code id="address">https://app.example.com/scim/v2</code>`)
	w.tenant.Endpoint = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		w.Write([]byte(`{"detail":"<i>down"}`)) //nolint:errcheck // the recorder takes all
	})
	w.wants(w.post(200, "/connection/test", nil), `<span class="st b">wrong</span> It lists people. <span class="soft">answered 500: &lt;i&gt;down`, "!right</span>")
}
