package journal

import (
	"bytes"
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// Query says which entries Find returns. An entry has to fit all fields that are set.
type Query struct {
	// Tenant is the tenant: no query finds entries of another one. In an application with many tenants "" has
	// what belongs to none of them, for the vendor only. The gap of a process that was killed is there, and everybody sees it.
	Tenant string
	// From and To bound the time: from From on, before To.
	From, To time.Time
	// Class is the first digit of the status, such as 4.
	Class int
	// Kind is the kind of the entries.
	Kind Kind
	// Person is the id of a user, or one of its names: userName, displayName, externalId, or an e-mail address.
	// A name also finds the entries of each id that had this name in one of the newest 200 entries that show it, up to 8 ids.
	// Letters compare as in scim.Fold. Group is the same for a group.
	Person, Group string
	// Resource is a resource of any type, by its id.
	Resource scim.Ref
	// Client is Principal.ID.
	Client string
	// RequestID is the id of a request, or of an entry.
	RequestID string
	// Event is the kind of an event.
	Event scim.EventKind
	// After is the ID of the last entry of the page before. "": the newest page.
	After string
	// Limit is how many entries there are at most. Default: 50. The most is 1,000.
	Limit int
}

const (
	defaultLimit = 50
	maxLimit     = 1000
)

// Find returns a page of entries, without bodies, the newest first. There may be more if the page is full:
// pass the ID of its last entry as After.
func (j *Journal) Find(ctx context.Context, q Query) ([]Entry, error) {
	s := Search{Tenant: q.Tenant, Class: q.Class, Kind: q.Kind, Before: q.After, Limit: q.Limit}
	if !q.From.IsZero() {
		s.From = firstID(q.From)
	}
	if to := firstID(q.To); !q.To.IsZero() && (s.Before == "" || to < s.Before) {
		s.Before = to
	}
	if s.Limit <= 0 {
		s.Limit = defaultLimit
	}
	s.Limit = min(s.Limit, maxLimit)
	if q.Class < 0 || q.Class > 5 {
		return nil, fmt.Errorf("journal: Class is %d: use 0 to 5", q.Class)
	}
	h, err := j.ring.hasher(ctx, q.Tenant)
	if err != nil {
		return nil, err
	}
	failed := ""
	if q.Class >= 4 {
		failed = classOf(q.Class * 100)
	}
	for _, by := range []struct{ kind, text string }{ // A Store begins at the first term: what few entries have.
		{q.Resource.Type, q.Resource.ID}, {termFailed, failed}, {termEvent, string(q.Event)}, {termClient, q.Client},
	} {
		if by.text != "" {
			s.Terms = append(s.Terms, h.term(by.kind, by.text))
		}
	}
	alternatives := []Search{s}
	if q.RequestID != "" {
		byID, byTerm := s, s
		byID.ID, byTerm.Terms = q.RequestID, with(s.Terms, h.term(termRequest, q.RequestID))
		alternatives = []Search{byID, byTerm}
	}
	for _, by := range []struct{ kind, text string }{{"User", q.Person}, {"Group", q.Group}} {
		if by.text == "" {
			continue
		}
		terms, err := termsOf(ctx, j, h, q.Tenant, by.kind, by.text)
		if err != nil {
			return nil, err
		}
		alternatives = widen(alternatives, terms)
	}
	if more := q.withGaps(s); more != nil {
		h, err := j.ring.hasher(ctx, "")
		if err != nil {
			return nil, err
		}
		more.Terms = []Term{h.term(termEnded, "")}
		alternatives = append(alternatives, *more)
	}
	return j.findAny(ctx, alternatives)
}

const (
	maxNamed   = 200 // entries with a name, in which Find looks for ids
	maxNamedID = 8   // ids of one name
)

// termsOf returns the terms of a person or a group: its id, its name, and the ids that had this name.
func termsOf(ctx context.Context, j *Journal, h *hasher, tenant, kind, text string) ([]Term, error) {
	folded := scim.Fold(text)
	byName := h.term(kind, folded)
	terms := []Term{h.term(kind, text)}
	if terms[0] != byName {
		terms = append(terms, byName)
	}
	named, err := j.store.Find(ctx, Search{Tenant: tenant, Terms: []Term{byName}, Limit: maxNamed})
	if err != nil {
		return nil, fmt.Errorf("journal: find: %w", err)
	}
	most := len(terms) + maxNamedID
	for i := 0; i < len(named) && len(terms) < most; i++ {
		touched, err := j.ring.touched(ctx, &named[i])
		if err != nil {
			return nil, err
		}
		for _, t := range touched {
			if t.Type != kind || t.ID == "" || !slices.ContainsFunc(t.Names, func(n string) bool { return scim.Fold(n) == folded }) {
				continue
			}
			if id := h.term(kind, t.ID); !slices.Contains(terms, id) && len(terms) < most {
				terms = append(terms, id)
			}
		}
	}
	return terms, nil
}

// widen adds to each alternative one of the terms of a resource.
func widen(in []Search, terms []Term) (out []Search) {
	for _, s := range in {
		fixed := s.Terms
		for _, t := range terms {
			s.Terms = with(fixed, t)
			out = append(out, s)
		}
	}
	return out
}

// withGaps returns the search for the gaps of processes, which are in the tenant "" and concern all others; nil if the
// query asks for nothing that a gap can be.
func (q *Query) withGaps(s Search) *Search {
	if q.Tenant == "" || q.Class != 0 || q.Kind != "" && q.Kind != Gap || q.Person != "" || q.Group != "" || len(s.Terms) > 0 || q.RequestID != "" {
		return nil
	}
	s.Tenant, s.Kind = "", Gap
	return &s
}

// with returns a new list, which begins with a term that few entries have.
func with(terms []Term, t Term) []Term { return append([]Term{t}, terms...) }

// findAny returns a page of the records that fit one of the alternatives.
func (j *Journal) findAny(ctx context.Context, alternatives []Search) ([]Entry, error) {
	var all []Record
	for _, s := range alternatives {
		page, err := j.store.Find(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("journal: find: %w", err)
		}
		all = append(all, page...)
	}
	all = newest(all, alternatives[0].Limit)
	entries := make([]Entry, len(all))
	for i := range all {
		e, err := j.open(ctx, &all[i])
		if err != nil {
			return nil, err
		}
		entries[i] = e
	}
	return entries, nil
}

// Get returns a whole entry. The error is scim.ErrNotFound if the tenant has none with this ID.
func (j *Journal) Get(ctx context.Context, tenant, id string) (Entry, error) {
	if !isRequestID(id) {
		return Entry{}, scim.ErrNotFound
	}
	r, err := j.store.Get(ctx, tenant, id)
	if errors.Is(err, scim.ErrNotFound) && tenant != "" {
		return gapOf(ctx, j, id)
	}
	if err != nil {
		return Entry{}, err
	}
	return j.open(ctx, &r)
}

// gapOf returns the gap of a process, which all tenants see.
func gapOf(ctx context.Context, j *Journal, id string) (Entry, error) {
	h, err := j.ring.hasher(ctx, "")
	if err != nil {
		return Entry{}, err
	}
	all, err := j.findAny(ctx, []Search{{ID: id, Kind: Gap, Terms: []Term{h.term(termEnded, "")}, Limit: 1}})
	if err == nil && len(all) == 0 {
		err = scim.ErrNotFound
	}
	if err != nil {
		return Entry{}, err
	}
	return all[0], nil
}

// opener returns the key of a record. Only a Wrapper or a Store that fails is an error: without a key, it says why.
func (r *ring) opener(ctx context.Context, of *Record) (aead cipher.AEAD, why string, err error) {
	if of.Key == "" {
		return nil, Erased, nil
	}
	aead, err = r.reader(ctx, of.Tenant, of.Key)
	if errors.Is(err, ErrKeyGone) || errors.Is(err, scim.ErrNotFound) {
		return nil, KeyGone, nil
	}
	return aead, "", err
}

// open opens a record. Only a Wrapper or a Store that fails is an error: an entry that cannot be opened says so.
func (j *Journal) open(ctx context.Context, r *Record) (Entry, error) {
	e := Entry{Head: r.Head}
	aead, why, err := j.ring.opener(ctx, r)
	if e.Unreadable = why; err != nil || why != "" {
		return e, err
	}
	detail := &Detail{}
	if err := openDetail(aead, r, detail); err != nil {
		e.Unreadable = Damaged
		return e, nil
	}
	e.Detail = detail
	if e.Request, err = openBody(aead, &r.Head, partRequest, r.Key, r.Request); err == nil {
		e.Response, err = openBody(aead, &r.Head, partResponse, r.Key, r.Response)
	}
	if err != nil {
		return Entry{Head: r.Head, Unreadable: Damaged}, nil
	}
	return e, nil
}

// touched returns Touched of a record, without the rest of its detail. A record that cannot be opened has none.
func (r *ring) touched(ctx context.Context, of *Record) ([]Touched, error) {
	aead, why, err := r.opener(ctx, of)
	if err != nil || why != "" {
		return nil, err
	}
	var detail struct {
		Touched []Touched `json:"touched"`
	}
	if openDetail(aead, of, &detail) != nil {
		return nil, nil
	}
	return detail.Touched, nil
}

func openDetail(aead cipher.AEAD, r *Record, into any) error {
	plain, err := openPart(aead, &r.Head, partDetail, r.Key, r.Detail)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

func openPart(aead cipher.AEAD, h *Head, part, key string, sealed []byte) ([]byte, error) {
	return aead.Open(nil, nil, sealed, boundPart(h, part, key))
}

func openBody(aead cipher.AEAD, h *Head, part, key string, sealed []byte) (*Body, error) {
	if len(sealed) == 0 {
		return nil, nil
	}
	plain, err := openPart(aead, h, part, key, sealed)
	if err != nil {
		return nil, err
	}
	first, text, _ := bytes.Cut(plain, []byte("\n"))
	b := &Body{}
	if err := json.Unmarshal(first, b); err != nil {
		return nil, err
	}
	b.Text = string(text)
	return b, nil
}

// erasePage is how many records Erase takes at a time.
const erasePage = 500

// Erase erases the content of all entries that name a person, for a request to be forgotten. names are the user's id and
// its names: userName, externalId, displayName, e-mail addresses; pass all of them, and former ones. What stays of an
// entry is Head. It returns how many entries it has erased. Entries that name other people too lose their content as well.
//
// What other processes have not written yet is not erased, so call it again a second later.
func (j *Journal) Erase(ctx context.Context, tenant string, names ...string) (int, error) {
	if err := j.Flush(ctx); err != nil {
		return 0, err
	}
	h, err := j.ring.hasher(ctx, tenant)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, name := range names {
		if name == "" {
			continue
		}
		for _, t := range []Term{h.term("User", name), h.term("User", scim.Fold(name)), h.term(unknownType, name), h.term(unknownType, scim.Fold(name))} {
			for {
				n, err := j.store.Erase(ctx, tenant, t, erasePage)
				total += n
				if err != nil {
					return total, fmt.Errorf("journal: erase: %w", err)
				}
				if n < erasePage {
					break
				}
			}
		}
	}
	return total, nil
}

// filtersIn returns the filters in a query. A query that is too long to be shown as a whole has none.
func filtersIn(query string) (all []string) {
	if len(query) > maxURL {
		return nil
	}
	for part := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil || !strings.EqualFold(plain, "filter") {
			continue
		}
		if text, err := url.QueryUnescape(value); err == nil {
			all = append(all, text)
		}
	}
	return all
}
