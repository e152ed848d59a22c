package journal

import (
	"context"
	"crypto/cipher"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"time"
)

// sealer makes records of what is in the queue. One flush has one, and nothing else uses it at the same time.
type sealer struct {
	j       *Journal
	clients map[clientDay]*knownClient // those that the flush has met
	entry   prepared                   // the one that is being sealed
	plain   []byte                     // room for what is being sealed
	bound   []byte                     // room for what it is bound to
	number  int64                      // the last day, since 1970
	name    string                     // of that day
}

// clientDay names a client of a tenant, and a day.
type clientDay struct{ tenant, client, day string }

// knownClient is a client with its label, and the counter of which its own are made.
type knownClient struct {
	label   string
	counter Counter
}

// errPanic is a bug of the journal, or of what the application supplies.
var errPanic = errors.New("journal: panic")

func catch(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
	}
}

// exchange makes the record of an exchange.
func (s *sealer) exchange(ctx context.Context, x *exchange) (r Record, err error) {
	defer catch(&err)
	h, err := s.j.ring.hasher(ctx, x.head.Tenant)
	if err != nil {
		return Record{}, err
	}
	p := &s.entry
	s.j.prepare(p, x, h)
	of, err := s.client(ctx, h, x)
	if err != nil {
		return Record{}, err
	}
	p.detail.Label = of.label
	if r, err = s.seal(ctx, p); err != nil {
		return r, err
	}
	if len(p.whats) == 0 {
		return r, nil
	}
	r.Counts = make([]Counter, 0, len(p.whats)+2)
	for _, what := range p.whats {
		c := of.counter
		c.What, c.N, c.Last = what, 1, r.Time
		r.Counts = append(r.Counts, c)
	}
	if len(r.Counts) > 1 {
		r.Counts = SumCounters(r.Counts)
	}
	hour := of.counter
	hour.Last = r.Time
	r.Counts = append(r.Counts, hourCounts(p.whats, hour)...)
	return r, nil
}

// day is day, which nearly all entries of a flush have in common.
func (s *sealer) day(t time.Time) string {
	if n := t.Unix() / (24 * 60 * 60); n != s.number || s.name == "" {
		s.number, s.name = n, day(t)
	}
	return s.name
}

// client returns the client of an exchange. It asks the application for its label once in a flush.
func (s *sealer) client(ctx context.Context, h *hasher, x *exchange) (*knownClient, error) {
	at := clientDay{x.head.Tenant, x.notes.client, s.day(x.head.Time)}
	if c := s.clients[at]; c != nil {
		return c, nil
	}
	aead, key, err := s.j.ring.writer(ctx, at.tenant, at.day)
	if err != nil {
		return nil, err
	}
	c := &knownClient{counter: Counter{Day: at.day, Client: h.term(termClient, at.client), Key: key}}
	if at.client != "" && s.j.o.Label != nil {
		c.label = clip(s.j.o.askLabel(ctx, at.tenant, at.client), maxHeader)
	}
	plain, err := json.Marshal([2]string{at.client, c.label})
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	c.counter.Name = aead.Seal(nil, nil, plain, boundCounter(at.tenant, &c.counter))
	if s.clients == nil {
		s.clients = map[clientDay]*knownClient{}
	}
	s.clients[at] = c
	return c, nil
}

func (o *Options) askLabel(ctx context.Context, tenant, client string) (label string) {
	defer func() {
		if p := recover(); p != nil {
			o.Log.ErrorContext(ctx, "scim: Label of the journal's Options panics", "error", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	return o.Label(ctx, tenant, client)
}

// gap makes the record of a gap. A term finds it, if kind is not "".
func (s *sealer) gap(ctx context.Context, tenant string, m *Missing, kind string) (r Record, err error) {
	defer catch(&err)
	now := plainTime(s.j.o.Now())
	id := newID(now)
	p := &prepared{entry: Entry{Head: Head{ID: id, Tenant: tenant, Kind: Gap, Time: now, RequestID: id}}, detail: Detail{Gap: m}}
	if kind != "" {
		h, err := s.j.ring.hasher(ctx, tenant)
		if err != nil {
			return Record{}, err
		}
		p.terms = []Term{h.term(kind, "")}
	}
	return s.seal(ctx, p)
}

// seal seals all but the head of an entry.
func (s *sealer) seal(ctx context.Context, p *prepared) (Record, error) {
	aead, key, err := s.j.ring.writer(ctx, p.entry.Tenant, s.day(p.entry.Time))
	if err != nil {
		return Record{}, err
	}
	r := Record{Head: p.entry.Head, Key: key, Terms: p.terms}
	s.plain = appendDetail(s.plain[:0], &p.detail)
	r.Detail = s.part(aead, &r, partDetail)
	r.Request = s.body(aead, &r, partRequest, p.entry.Request, p.request)
	r.Response = s.body(aead, &r, partResponse, p.entry.Response, p.response)
	if cap(s.plain) > maxRoom {
		s.plain = nil
	}
	return r, nil
}

// maxRoom is how many bytes of room a flush keeps from one entry to the next.
const maxRoom = 256 << 10

// sealedMore is how many bytes longer a sealed part is: its nonce and its tag.
const sealedMore = 12 + 16

// part seals what is in s.plain.
func (s *sealer) part(aead cipher.AEAD, r *Record, part string) []byte {
	s.bound = appendPart(s.bound[:0], &r.Head, part, r.Key)
	return aead.Seal(make([]byte, 0, len(s.plain)+sealedMore), nil, s.plain, s.bound)
}

// body seals a line with all but the text before the text: a text in JSON would become longer.
func (s *sealer) body(aead cipher.AEAD, r *Record, part string, b *Body, text []byte) []byte {
	if b == nil {
		return nil
	}
	plain := strconv.AppendInt(append(s.plain[:0], `{"size":`...), b.Size, 10)
	plain = append(append(append(plain, `,"hash":"`...), b.Hash...), `","note":"`...) // neither has what JSON escapes
	s.plain = append(append(append(plain, b.Note...), "\"}\n"...), text...)
	return s.part(aead, r, part)
}
