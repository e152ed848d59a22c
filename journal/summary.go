package journal

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// Summary is what a client did on a day. Requests that are missing in the journal, because its queue was full, do not
// count, and requests over a limit (429) count once a second.
type Summary struct {
	// Day is the beginning of the day, in UTC.
	Day time.Time
	// Client and Label are those of Detail, Label the newest one. Unreadable says why they are not known.
	Client, Label string
	Unreadable    string
	// Creates, Updates, Deletes and Reads are how many requests and operations of bulk requests have succeeded. An
	// update that changes nothing counts too. Searches by POST are reads.
	Creates, Updates, Deletes, Reads int
	// Failures are those that have failed, by cause, the most frequent first.
	Failures []FailureCount
	// LastSuccess and LastContact are when the last one succeeded, and when the last one came. The zero time: none did.
	LastSuccess, LastContact time.Time
	// Hours are the hours of the day, in UTC.
	Hours [24]HourCount
}

// HourCount is how many requests and operations of bulk requests came in an hour, and how many of them failed.
type HourCount struct{ Requests, Failed int }

// FailureCount is how many requests of a client have failed for one cause.
type FailureCount struct {
	// Status is the status of the answers; 0: the connection was broken instead. Type is their scimType, "" if they
	// have none, or "other" for one that no RFC defines.
	Status int
	Type   string
	// Requests is how many there were, and Last is when the last one came.
	Requests int
	Last     time.Time
}

// The values of Counter.What. That of a failure is the status, and the scimType behind a space.
const (
	countCreate = "create"
	countUpdate = "update"
	countDelete = "delete"
	countRead   = "read"
	// Those of an hour have the hour behind a space. What counts there counts under another name too.
	countHour       = "hour"
	countFailedHour = "failed-hour"
)

// Summary returns what each client of a tenant did on each day from the one of from to the one of to, in UTC, the newest
// day first. It reads counters that the store keeps, and no entries. They are kept for Options.Age.
func (j *Journal) Summary(ctx context.Context, tenant string, from, to time.Time) ([]Summary, error) {
	counters, err := j.store.Counters(ctx, tenant, day(from), day(to))
	if err != nil {
		return nil, fmt.Errorf("journal: counters: %w", err)
	}
	var all []Summary
	var last *Counter
	for i := range counters { // in order of day and client
		c := &counters[i]
		if last == nil || last.Day != c.Day || last.Client != c.Client {
			s, err := j.ring.summary(ctx, tenant, c)
			if err != nil {
				return nil, err
			}
			all = append(all, s)
		}
		all[len(all)-1].add(c)
		last = c
	}
	for i := range all {
		slices.SortStableFunc(all[i].Failures, func(a, b FailureCount) int {
			return cmp.Or(b.Requests-a.Requests, a.Status-b.Status, strings.Compare(a.Type, b.Type))
		})
	}
	slices.SortStableFunc(all, func(a, b Summary) int { return cmp.Or(b.Day.Compare(a.Day), strings.Compare(a.Client, b.Client)) })
	return all, nil
}

// summary begins the summary of a client and day.
func (r *ring) summary(ctx context.Context, tenant string, c *Counter) (s Summary, err error) {
	if s.Day, err = time.Parse(time.DateOnly, c.Day); err != nil {
		return s, fmt.Errorf("journal: counters: %w", err)
	}
	aead, err := r.reader(ctx, tenant, c.Key)
	if errors.Is(err, ErrKeyGone) || errors.Is(err, scim.ErrNotFound) {
		s.Unreadable = KeyGone
		return s, nil
	}
	if err != nil {
		return s, err
	}
	var names [2]string
	plain, err := aead.Open(nil, nil, c.Name, boundCounter(tenant, c))
	if err == nil {
		err = json.Unmarshal(plain, &names)
	}
	if err != nil {
		s.Unreadable = Damaged
		return s, nil
	}
	s.Client, s.Label = names[0], names[1]
	return s, nil
}

// boundCounter is what the sealed name of a counter belongs to.
func boundCounter(tenant string, c *Counter) []byte {
	return bound("counter", tenant, c.Day, string(c.Client[:]), c.Key)
}

// add adds a counter.
func (s *Summary) add(c *Counter) {
	n := int(c.N)
	if c.Last.After(s.LastContact) {
		s.LastContact = c.Last
	}
	status, typ, _ := strings.Cut(c.What, " ")
	if status == countHour || status == countFailedHour {
		s.addHour(typ, status == countFailedHour, n)
		return
	}
	if code, err := strconv.Atoi(status); err == nil {
		s.Failures = append(s.Failures, FailureCount{code, typ, n, c.Last})
		return
	}
	switch c.What {
	case countCreate:
		s.Creates += n
	case countUpdate:
		s.Updates += n
	case countDelete:
		s.Deletes += n
	case countRead:
		s.Reads += n
	}
	if c.Last.After(s.LastSuccess) {
		s.LastSuccess = c.Last
	}
}

// addHour adds a counter of an hour.
func (s *Summary) addHour(hour string, isFailed bool, n int) {
	h, err := strconv.Atoi(hour)
	if err != nil || h < 0 || h >= len(s.Hours) {
		return // another version of the library has written it
	}
	s.Hours[h].Requests += n
	if isFailed {
		s.Hours[h].Failed += n
	}
}

// hourCounts returns the counters of an hour for what a record counts as. of has the rest of each.
func hourCounts(whats []string, of Counter) (all []Counter) {
	var n [2]int64
	for _, what := range whats {
		if what[0] >= '0' && what[0] <= '9' { // a status
			n[1]++
		} else {
			n[0]++
		}
	}
	for i, kind := range []string{countHour, countFailedHour} {
		if of.N = n[i]; of.N > 0 {
			of.What = kind + " " + strconv.Itoa(of.Last.UTC().Hour())
			all = append(all, of)
		}
	}
	return all
}

// SumCounters adds up counters of one tenant, for a Store: one for each Day, Client and What, in this order. Of Key and
// Name the last ones count.
func SumCounters(all []Counter) []Counter {
	out := slices.Clone(all)
	slices.SortStableFunc(out, compareCounters)
	n := 0
	for i := range out {
		if n > 0 && compareCounters(out[n-1], out[i]) == 0 {
			out[n-1] = out[n-1].plus(&out[i])
			continue
		}
		out[n] = out[i]
		n++
	}
	return out[:n]
}

// plus returns the sum of two counters with the same name.
func (c Counter) plus(more *Counter) Counter {
	c.N += more.N
	if more.Last.After(c.Last) {
		c.Last = more.Last
	}
	c.Key, c.Name = more.Key, more.Name
	return c
}

func compareCounters(a, b Counter) int {
	return cmp.Or(strings.Compare(a.Day, b.Day), bytes.Compare(a.Client[:], b.Client[:]), strings.Compare(a.What, b.What))
}

// whatOf says what a request counts as.
func whatOf(method, path string, status int, scimType string) string {
	switch {
	case status == 0 || status >= 400:
		return strings.TrimRight(strconv.Itoa(status)+" "+plainType(scimType), " ")
	case isRead(method) || strings.HasSuffix(path, "/.search"):
		return countRead
	case method == http.MethodPost:
		return countCreate
	case method == http.MethodDelete:
		return countDelete
	}
	return countUpdate
}

// plainType returns a scimType that may be kept in the clear.
func plainType(scimType string) string {
	if scimType == "" || adviceOfType[scimType] != "" || scimType == "invalidVers" {
		return scimType
	}
	return "other"
}
