package storetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

func TestJournal(t *testing.T) {
	RunJournal(t, func(t *testing.T) journal.Store { return journal.NewMemory(4 << 20) })
}

// brokenJournal is a store of a journal with one fault.
type brokenJournal struct {
	*journal.Memory
	fault string
}

func (b brokenJournal) Append(ctx context.Context, records []journal.Record) error {
	records = slices.Clone(records)
	for i := range records {
		switch r := &records[i]; b.fault {
		case "folds tenants":
			r.Tenant = strings.ToLower(r.Tenant)
		case "keeps a record again":
			for _, err := b.Memory.Get(ctx, r.Tenant, r.ID); err == nil; _, err = b.Memory.Get(ctx, r.Tenant, r.ID) {
				r.ID += "+"
			}
		case "keeps few terms":
			r.Terms = r.Terms[:min(100, len(r.Terms))]
		case "forgets what it counted before":
			b.Memory.Trim(ctx, journal.Retention{Day: "9", Size: 1 << 40, Refused: 10}) //nolint:errcheck // never fails
		case "loses bodies":
			r.Request, r.Response = nil, nil
		case "counts refused records as others":
			if r.Kind == journal.Refused {
				r.Kind = journal.Exchange
			}
		}
	}
	return b.Memory.Append(ctx, records)
}

func (b brokenJournal) Find(ctx context.Context, s journal.Search) ([]journal.Record, error) {
	switch b.fault {
	case "finds any of the terms":
		var all []journal.Record
		for _, t := range s.Terms {
			one := s
			one.Terms = []journal.Term{t}
			page, err := b.Memory.Find(ctx, one)
			if err != nil {
				return nil, err
			}
			for _, r := range page {
				if !slices.ContainsFunc(all, func(o journal.Record) bool { return o.ID == r.ID }) {
					all = append(all, r)
				}
			}
		}
		if len(s.Terms) > 0 {
			return all, nil
		}
	case "looks at two terms":
		s.Terms = s.Terms[:min(2, len(s.Terms))]
	case "repeats the last one of a page":
		if s.Before != "" {
			s.Before += "~"
		}
	case "finds the oldest":
		all, err := b.Memory.Find(ctx, s)
		slices.Reverse(all)
		return all, err
	}
	all, err := b.Memory.Find(ctx, s)
	if b.fault == "folds tenants" && len(all) == 0 {
		s.Tenant = strings.ToLower(s.Tenant)
		return b.Memory.Find(ctx, s)
	}
	return all, err
}

func (b brokenJournal) Get(ctx context.Context, tenant, id string) (journal.Record, error) {
	r, err := b.Memory.Get(ctx, tenant, id)
	if b.fault == "shows the records of others" && errors.Is(err, scim.ErrNotFound) {
		return b.Memory.Get(ctx, "acme", id)
	}
	return r, err
}

func (b brokenJournal) Counters(ctx context.Context, tenant, from, to string) ([]journal.Counter, error) {
	if b.fault == "has no days" {
		from, to = "", "9"
	}
	return b.Memory.Counters(ctx, tenant, from, to)
}

func (b brokenJournal) Erase(ctx context.Context, tenant string, t journal.Term, limit int) (int, error) {
	switch b.fault {
	case "erases nothing":
		return 0, nil
	case "erases in all tenants":
		b.Memory.Erase(ctx, "other", t, limit) //nolint:errcheck // never fails
	}
	return b.Memory.Erase(ctx, tenant, t, limit)
}

func (b brokenJournal) Trim(ctx context.Context, r journal.Retention) (bool, error) {
	switch b.fault {
	case "is never done":
		return false, nil
	case "removes search keys":
		r.Day = "t"
	case "keeps counters":
		r.Day = ""
	case "ignores sizes":
		r.Size = 1 << 50
	case "keeps all refused records":
		r.Refused = 1 << 30
	}
	return b.Memory.Trim(ctx, r)
}

func (b brokenJournal) AddKey(ctx context.Context, k journal.Key) (journal.Key, error) {
	kept, err := b.Memory.AddKey(ctx, k)
	if b.fault == "returns the key of another process as its own" {
		return k, err
	}
	return kept, err
}

func (b brokenJournal) ReplaceKey(ctx context.Context, k journal.Key) error {
	if b.fault == "adds keys" {
		b.Memory.AddKey(ctx, k) //nolint:errcheck // never fails
	}
	return b.Memory.ReplaceKey(ctx, k)
}

func (b brokenJournal) Lost(ctx context.Context, before time.Time) ([]journal.Beat, error) {
	lost, err := b.Memory.Lost(ctx, before)
	if b.fault == "loses a process again" {
		for _, l := range lost {
			b.Memory.Beat(ctx, l.Process, l.At) //nolint:errcheck // never fails
		}
	}
	return lost, err
}

// Sums makes a journal.SumStore of it.
func (b brokenJournal) Sums(ctx context.Context, tenants []string, names []journal.CounterName) (map[string]int64, error) {
	out := map[string]int64{}
	for _, tenant := range slices.Compact(slices.Sorted(slices.Values(tenants))) {
		all, err := b.Counters(ctx, tenant, "", "9")
		if err != nil {
			return nil, err
		}
		for i := range all {
			c := &all[i]
			if slices.ContainsFunc(names, func(n journal.CounterName) bool {
				return n.What == c.What && (n.Day == c.Day || b.fault == "sums other days")
			}) {
				out[tenant] += c.N
			}
		}
	}
	return out, nil
}

func (b brokenJournal) SwapMemo(ctx context.Context, tenant string, m journal.SealedMemo) (bool, error) {
	switch b.fault {
	case "folds tenants of memos":
		tenant = strings.ToLower(tenant)
	case "swaps any version":
		all, err := b.Memory.Memos(ctx, tenant)
		for _, of := range all {
			if of.ID == m.ID {
				m.Version = of.Version
			}
		}
		if err != nil {
			return false, err
		}
	}
	return b.Memory.SwapMemo(ctx, tenant, m)
}

// Each fault makes the step fail that is about it.
func TestBrokenJournal(t *testing.T) {
	fresh := func(fault string) journal.Store { return brokenJournal{journal.NewMemory(4 << 20), fault} }
	for _, b := range []broken[journal.Store]{
		{fault: "folds tenants", reason: "ACME reads what acme did", step: "journal/found", also: []string{"journal/summed"}},
		{fault: "keeps a record again", reason: "an exchange is there twice", step: "journal/once", also: []string{"journal/counted once"}},
		{fault: "forgets what it counted before", reason: "a day has fewer requests than came", step: "journal/counted", also: []string{"journal/counted *"}},
		{fault: "has no days", reason: "the first day has what all did", step: "journal/counted"},
		{fault: "sums other days", reason: "a tenant without failures is the first", step: "journal/summed"},
		{fault: "keeps counters", reason: "the database grows for ever", step: "journal/counters trimmed", also: []string{"journal/trimmed by age"}},
		{fault: "keeps few terms", reason: "a person of a large request is not found, and not erased", step: "journal/many"},
		{fault: "loses bodies", reason: "nobody sees what came", step: "journal/kept as it is"},
		{fault: "counts refused records as others", reason: "a stranger pushes real entries out", step: "journal/trimmed by size",
			also: []string{"journal/kept as it is", "journal/found", "journal/erased", "journal/trimmed by number"}},
		{fault: "finds any of the terms", reason: "a question about a person and an event has too many answers", step: "journal/found", also: []string{"journal/many", "journal/combined"}},
		{fault: "looks at two terms", reason: "who asks what a client did to somebody sees also what did not fail", step: "journal/combined"},
		{fault: "repeats the last one of a page", reason: "pages overlap", step: "journal/found", also: []string{"journal/one by one"}},
		{fault: "finds the oldest", reason: "the newest failure is not where people look", step: "journal/found",
			also: []string{"journal/once", "journal/erased", "journal/trimmed by size", "journal/trimmed by number", "journal/one by one", "journal/combined"}},
		{fault: "shows the records of others", reason: "who knows an id reads another tenant's entry", step: "journal/unknown record"},
		{fault: "erases nothing", reason: "a person is not forgotten", step: "journal/erased", also: []string{"journal/trimmed by size", "journal/one by one", "journal/combined"}},
		{fault: "erases in all tenants", reason: "one tenant erases another's entries", step: "journal/erased"},
		{fault: "is never done", reason: "the journal trims without end", step: "journal/trimmed by age", also: []string{"journal/trimmed by size", "journal/trimmed by number", "journal/counters trimmed", "journal/one by one"}},
		{fault: "removes search keys", reason: "nothing is found any more", step: "journal/trimmed by age", also: []string{"journal/counters trimmed"}},
		{fault: "ignores sizes", reason: "the disk fills up", step: "journal/trimmed by size"},
		{fault: "keeps all refused records", reason: "a stranger fills the disk", step: "journal/trimmed by number"},
		{fault: "returns the key of another process as its own", reason: "two processes seal with different keys, one of which is lost", step: "journal/keys"},
		{fault: "adds keys", reason: "a key that was removed is back", step: "journal/replaced key"},
		{fault: "swaps any version", reason: "each of several processes tells of the same trouble", step: "journal/memos at once", also: []string{"journal/memos"}},
		{fault: "folds tenants of memos", reason: "a trouble of one tenant hides that of another", step: "journal/memos"},
		{fault: "loses a process again", reason: "one crash is many gaps", step: "journal/processes"},
	} {
		b.make = fresh
		b.test(t, journalGroups())
	}
	if failed, _ := judgeAll(journalGroups(), func() journal.Store { return fresh("") }, patient); len(failed) > 0 {
		t.Errorf("a sound store fails: %v", failed)
	}
}
