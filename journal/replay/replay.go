// Package replay sends what a journal has kept to an endpoint again, and says how the answers differ.
//
// It is a regression test for an application's adapter: keep a day of requests, and replay them against the new version,
// with an empty store.
//
//	results, err := replay.Play(ctx, j, journal.Query{From: day}, replay.Against(h, http.Header{"Authorization": {"Bearer ..."}}))
//
// It also tells how the application would answer a request now, without doing anything: see Dry.
//
// # What differs
//
// Status and body are compared. Ids, times and versions are not, because a new store makes others: the replay learns them
// from the answers, and puts the new ones into later requests. Neither is the order within lists.
//
// # What cannot be replayed
//
// Secrets are not in the journal: a password is the text "[redacted]". A request whose address or body the journal has not
// kept whole is skipped, and Result.Skipped says so. So are requests that were refused, because nobody knows the client.
package replay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// MaxExchanges is how many exchanges Play replays at most.
const MaxExchanges = 10_000

const (
	maxAnswer   = 4 << 20     // bytes of an answer that are compared; the journal keeps fewer
	maxKept     = 64 << 20    // bytes of bodies in all results of one Play
	requestTime = time.Minute // after which the context of one request ends
)

// Result is what became of one exchange.
type Result struct {
	// Entry is the exchange as the journal has it, with its bodies. Play keeps 64 MiB of bodies, here and in Body: later
	// results have none.
	Entry journal.Entry
	// Skipped says why it was not replayed. "": it was.
	Skipped string
	// Status and Body are the answer to the replay. Status is 0 if the handler panicked. There is no Body if it is longer
	// than 4 MiB, and with Dry than 64 KiB.
	Status int
	Body   []byte
	// Changes are the roles that the request would grant and revoke. Only Dry knows them.
	Changes []scim.RoleChange
	// Differences says how the answer differs, in each place. At most 50 are told. None: it is the same. They contain
	// personal data.
	Differences []Difference

	location string // the header of the answer
	panicked string // what the handler panicked with; "": it did not
	isCut    bool   // Body is longer than what is compared
}

// Difference is a place in which an answer differs.
type Difference struct {
	// At is the path of an attribute, "status", or "body" if one of the two is not JSON.
	At string
	// Was and Is are what the answers have there: JSON of at most 200 bytes, or "absent".
	Was, Is string
}

// String returns a line.
func (d Difference) String() string { return fmt.Sprintf("%s: was %s, is %s", d.At, d.Was, d.Is) }

// Target is what a replay sends requests to. Make it with Against or Dry.
type Target struct {
	// send fills Status, Body and Changes.
	send func(ctx context.Context, r *request, to *Result) error
	// learns says that the target makes ids of its own, which later requests need.
	learns bool
}

// request is one that is sent.
type request struct {
	method, url string
	header      http.Header
	body        []byte
}

// Against returns a Target that serves requests for real, with h at the addresses that the client used. header is added
// to each request, such as the Authorization, which the journal does not keep.
//
// The context of a request ends after a minute. A handler that does not heed it holds up Play. A panic of the handler is a
// difference, and the replay goes on.
func Against(h http.Handler, header http.Header) Target {
	return Target{learns: true, send: func(ctx context.Context, r *request, to *Result) error {
		q, err := http.NewRequestWithContext(ctx, r.method, "http://localhost"+r.url, bytes.NewReader(r.body))
		if err != nil {
			to.Skipped = "the address is not one of HTTP"
			return nil
		}
		q.Header, q.RequestURI, q.RemoteAddr = r.header, r.url, "127.0.0.1:0"
		for name, values := range header {
			q.Header[http.CanonicalHeaderKey(name)] = slices.Clone(values)
		}
		w := &answer{header: http.Header{}}
		if to.panicked = serve(h, w, q); to.panicked != "" {
			return nil
		}
		w.WriteHeader(http.StatusOK) // unless the handler has said otherwise
		to.Status, to.location, to.isCut = w.status, w.header.Get("Location"), w.isCut
		if !w.isCut {
			to.Body = w.body.Bytes()
		}
		return nil
	}}
}

// serve calls a handler, and returns what it panics with.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (panicked string) {
	defer func() {
		if p := recover(); p != nil {
			panicked = fmt.Sprint(p)
		}
	}()
	h.ServeHTTP(w, r)
	return ""
}

// answer is the ResponseWriter of a replay.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
	isCut  bool
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	kept := min(len(p), maxAnswer-a.body.Len())
	a.body.Write(p[:kept])
	a.isCut = a.isCut || kept < len(p)
	return len(p), nil
}

// SetReadDeadline is for http.ResponseController: the body has arrived.
func (a *answer) SetReadDeadline(time.Time) error { return nil }

// Previewer foresees requests. *scim.Reconciler implements it.
type Previewer interface {
	PreviewRequest(ctx context.Context, r scim.Request, after string, limit int) (*scim.Foreseen, error)
}

// Dry returns a Target that does nothing: it plays each request in a transaction of the application's store, and rolls it
// back. See scim.Reconciler.PreviewRequest for what is not called. prefix is the path of the endpoint, such as "/scim/v2",
// and client the one that sends the requests. Play returns an error if the store has no transactions, or the ledger
// does not take part in them.
func Dry(c Previewer, prefix string, client scim.Principal) Target {
	return Target{send: func(ctx context.Context, r *request, to *Result) (err error) {
		defer func() { // of the application
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		path, ok := strings.CutPrefix(r.url, strings.TrimSuffix(prefix, "/"))
		if !ok || !strings.HasPrefix(path, "/") {
			to.Skipped = "the address does not begin with " + prefix
			return nil
		}
		f, err := c.PreviewRequest(ctx, scim.Request{Method: r.method, Path: path, Header: r.header, Body: r.body, Principal: client}, "", 0)
		if err != nil {
			return err
		}
		to.Status, to.Body, to.Changes, to.isCut = f.Status, f.Body, f.Changes, f.Body == nil
		return nil
	}}
}

// Play replays the exchanges of a journal that fit a query, the oldest first, one after the other. Limit and Kind of the
// query do not count. More than MaxExchanges are an error. It stops at the first error of the target.
func Play(ctx context.Context, j *journal.Journal, q journal.Query, to Target) ([]Result, error) {
	ids, err := idsOf(ctx, j, q)
	if err != nil {
		return nil, err
	}
	known := names{}
	var all []Result
	kept := 0
	for _, id := range ids {
		e, err := j.Get(ctx, q.Tenant, id)
		if errors.Is(err, scim.ErrNotFound) { // It has become too old meanwhile.
			continue
		}
		if err != nil {
			return all, fmt.Errorf("replay: %w", err)
		}
		r := Result{Entry: e}
		if err := play(ctx, &r, to, known); err != nil {
			return all, fmt.Errorf("replay: %s %s: %w", e.Method, e.ID, err)
		}
		if kept += r.bytes(); kept > maxKept {
			r.Body, r.Entry.Request, r.Entry.Response = nil, nil, nil
		}
		all = append(all, r)
	}
	return all, nil
}

// One replays one exchange, which Journal.Get has returned.
func One(ctx context.Context, e journal.Entry, to Target) (Result, error) {
	r := Result{Entry: e}
	if err := play(ctx, &r, to, names{}); err != nil {
		return Result{}, fmt.Errorf("replay: %s %s: %w", e.Method, e.ID, err)
	}
	return r, nil
}

// bytes returns the size of the bodies.
func (r *Result) bytes() int {
	n := len(r.Body)
	for _, b := range []*journal.Body{r.Entry.Request, r.Entry.Response} {
		if b != nil {
			n += len(b.Text)
		}
	}
	return n
}

// idsOf returns the IDs of the exchanges, the oldest first.
func idsOf(ctx context.Context, j *journal.Journal, q journal.Query) (ids []string, err error) {
	q.Kind, q.Limit = journal.Exchange, 1000
	for {
		page, err := j.Find(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("replay: %w", err)
		}
		for i := range page {
			ids = append(ids, page[i].ID)
		}
		if len(ids) > MaxExchanges {
			return nil, fmt.Errorf("replay: there are more than %d exchanges: replay a shorter time", MaxExchanges)
		}
		if len(page) < q.Limit {
			slices.Reverse(ids)
			return ids, nil
		}
		q.After = ids[len(ids)-1]
	}
}

// play replays one exchange.
func play(ctx context.Context, r *Result, to Target, known names) error {
	e := &r.Entry
	if r.Skipped = reasonToSkip(e); r.Skipped != "" {
		return nil
	}
	q := &request{method: e.Method, url: known.inAddress(e.Detail.URL), header: http.Header{}, body: []byte{}}
	for _, f := range e.Detail.RequestHeader {
		if f.Value != notShown && f.Value != redacted && !isOfTransport(f.Name) {
			q.header.Set(f.Name, known.inHeader(f.Name, f.Value))
		}
	}
	if e.Request != nil {
		q.body = known.inBody([]byte(e.Request.Text))
	}
	limited, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	if err := to.send(limited, q, r); err != nil || r.Skipped != "" {
		return err
	}
	if r.panicked != "" {
		r.Differences = []Difference{{"status", fmt.Sprint(e.Status), "none: the handler panics: " + shown([]byte(r.panicked))}}
		return nil
	}
	var was []byte
	switch {
	case e.Response == nil:
		if e.Method == http.MethodHead {
			r.Body, r.isCut = nil, false
		}
	case e.Response.Note != "":
		r.Differences = differentStatus(r)
		return nil
	default:
		was = []byte(e.Response.Text)
	}
	if r.isCut {
		r.Differences = differentStatus(r)
		if to.learns { // A preview keeps less than the journal, so the length says nothing.
			r.Differences = append(r.Differences, Difference{"body", shown(was), "longer than 4 MiB"})
		}
		return nil
	}
	if !to.learns {
		known = names{} // What is rolled back has no name later.
	}
	known.learn(was, r.Body)
	for _, f := range e.Detail.ResponseHeader {
		if f.Name == "Location" {
			known.learnAddress(f.Value, r.location)
		}
	}
	r.Differences = append(differentStatus(r), known.compare(was, r.Body)...)
	return nil
}

func differentStatus(r *Result) []Difference {
	if r.Status == r.Entry.Status {
		return nil
	}
	return []Difference{{"status", fmt.Sprint(r.Entry.Status), fmt.Sprint(r.Status)}}
}

// What stands in the place of what the journal does not show.
const (
	redacted = "[redacted]"
	notShown = "[not shown]"
)

// reasonToSkip says why an exchange cannot be replayed.
func reasonToSkip(e *journal.Entry) string {
	switch {
	case e.Detail == nil:
		return e.Unreadable
	case e.Status == 0:
		return "the connection was broken"
	case e.Method == "other":
		return "the method is not kept"
	case strings.Contains(e.Detail.URL, redacted), strings.Contains(e.Detail.URL, notShown), strings.Contains(e.Detail.URL, "…"):
		return "the address is not kept whole"
	case e.Request != nil && e.Request.Note != "":
		return "the body: " + e.Request.Note
	case e.Status == http.StatusRequestEntityTooLarge && (e.Request == nil || !json.Valid([]byte(e.Request.Text))):
		return "the body was not read to its end"
	}
	return ""
}

// isOfTransport reports whether a header is about the connection.
func isOfTransport(name string) bool {
	return name == "Content-Length" || name == "Content-Encoding" || name == "X-Request-Id" || name == "Date"
}
