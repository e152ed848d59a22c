package journal

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/scimkit/scim"
)

// exchange is a request on its way, and then in the queue.
type exchange struct {
	begun       time.Time
	duration    time.Duration
	status      int
	method, url string // url is the path; query is beside it
	query       string
	address     string
	received    http.Header // until the end
	isNamed     bool        // received has a request id that the client has not sent
	header      [2][]Field  // of the request and of the answer
	in, out     capture
	rank        rank
	size        int64 // the room that the exchange has besides its bodies
	notes       notes
	head        Head
}

// notes is what the parts of the handler tell of an exchange. The application may call some of them in
// goroutines of its own.
type notes struct {
	mu        sync.Mutex
	closed    bool // the exchange is in the queue: nothing changes any more
	client    string
	tenant    string
	isKnown   bool                // the client was authenticated
	isFound   bool                // the tenant was found
	refusal   string              // why the Authenticator refused
	types     []kind              // of the tenant
	pending   map[scim.Ref]*write // writes that may still be rolled back
	writes    []*write            // writes that an event has confirmed
	room      *room
	kept      int64 // the room of the writes
	events    []scim.Event
	moreEvent int // events that are counted only
}

// maxEvents is how many events of an exchange are kept.
const maxEvents = 1000

// xKey is the key of a context under which it carries the exchange.
type xKey struct{}

// notesOf returns the notes of the request of ctx, locked, or nil outside of one.
func notesOf(ctx context.Context) *notes {
	x, ok := ctx.Value(xKey{}).(*exchange)
	if !ok {
		return nil
	}
	x.notes.mu.Lock()
	if x.notes.closed {
		x.notes.mu.Unlock()
		return nil
	}
	return &x.notes
}

// Handler returns a handler that serves h and keeps each exchange. h is the scim.Handler that
// was made with Journal.Config. Middleware that adds or removes secrets belongs outside of it. Mount it where h
// would be mounted.
func (j *Journal) Handler(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := j.begin(r)
		if _, has := r.Header[requestID]; !has && r.Header != nil {
			// The request gets the ID of its entry, so no term has to find it. end takes it away again.
			r.Header[requestID] = []string{x.head.ID}
			x.isNamed = true
		}
		r = r.WithContext(context.WithValue(r.Context(), xKey{}, x))
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &tee{r.Body, &x.in}
		}
		defer j.end(x, w.Header())
		h.ServeHTTP(&recorder{w, x}, r)
		if x.status == 0 { // net/http answers 200 for a handler that writes nothing.
			x.status = http.StatusOK
		}
	})
}

// pathOf returns the path as the client sent it. scim.Mount and http.StripPrefix take a prefix away from
// r.URL, and slashes that are too many.
func pathOf(r *http.Request) string {
	if path, _, _ := strings.Cut(r.RequestURI, "?"); isPlainPath(path) {
		return path
	}
	if u, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return u.EscapedPath()
	}
	return r.URL.EscapedPath()
}

// isPlainPath reports whether a path has nothing that could be written in another way.
func isPlainPath(path string) bool {
	if len(path) < 2 || path[0] != '/' || path[1] == '/' {
		return false
	}
	for i := range len(path) {
		c := path[i]
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '/' || c == '-' || c == '_' || c == '.') {
			return false
		}
	}
	return true
}

// begin starts an exchange.
func (j *Journal) begin(r *http.Request) *exchange {
	now := j.o.Now()
	x := &exchange{begun: now, method: r.Method, url: pathOf(r), query: r.URL.RawQuery}
	x.in = capture{room: &j.room, isRead: isRead(r.Method)}
	x.out = capture{room: &j.room, isRead: isRead(r.Method)}
	x.address, x.notes.tenant = j.o.addressOf(r), j.o.tenantOf(r)
	x.notes.room = &j.room
	x.received = r.Header
	x.head.ID = newID(plainTime(now))
	return x
}

// requestID is the header with the id of a request, by which people ask for its entry.
const requestID = "X-Request-Id"

// addressOf returns the network address of a client.
func (o *Options) addressOf(r *http.Request) string {
	if o.Address != nil {
		return clip(o.ask(o.Address, r), maxHeader)
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return clip(r.RemoteAddr, maxHeader)
	}
	return host
}

func (o *Options) tenantOf(r *http.Request) string {
	if o.TenantOf == nil {
		return ""
	}
	tenant := o.ask(o.TenantOf, r)
	if len(tenant) > maxTenant || !utf8.ValidString(tenant) || strings.IndexByte(tenant, 0) >= 0 {
		return "" // A store may be unable to keep it, and it comes from the client.
	}
	return tenant
}

// maxTenant is how many bytes a tenant has that comes from the address of a request.
const maxTenant = 255

// ask calls a function of the application. If it panics, the answer is "": a request goes on without its journal.
func (o *Options) ask(f func(*http.Request) string, r *http.Request) (out string) {
	defer func() {
		if p := recover(); p != nil {
			o.Log.Error("scim: a function of the journal's Options panics", "error", p)
			out = ""
		}
	}()
	return f(r)
}

// maxRequestID is the longest request id that the journal takes.
const maxRequestID = 64

// isRequestID reports whether a request id may be kept in the clear.
func isRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' || c == '.' || c == ':':
		default:
			return false
		}
	}
	return !isPassword(id)
}

// end puts an exchange into the queue.
func (j *Journal) end(x *exchange, answer http.Header) {
	defer func() {
		if p := recover(); p != nil { // The request is answered: nobody else should suffer.
			j.o.Log.Error("scim: an entry of the journal is lost", "error", p)
		}
	}()
	if x.isNamed {
		delete(x.received, requestID)
	}
	x.notes.close(x.status > 0 && x.status < 400 && !isBulk(x.url))
	now := j.o.Now()
	x.duration = now.Sub(x.begun)
	x.head = Head{ID: x.head.ID, Tenant: x.notes.tenant, Kind: Exchange, Time: plainTime(x.begun), RequestID: x.head.ID,
		Method: plainMethod(x.method), Status: x.status, RequestSize: x.in.size, ResponseSize: x.out.size}
	if id := answer.Get(requestID); isRequestID(id) {
		x.head.RequestID = id
	}
	x.head.Type, _ = typeIn(x.url, x.notes.types)
	if !x.notes.isKnown || !x.notes.isFound || x.status == http.StatusTooManyRequests {
		x.head.Kind = Refused
		x.in.drop()
		if x.out.size > maxRefusal {
			x.out.drop() // Otherwise it says why the request is refused.
		}
		if !j.refused.admits(x.address, now) {
			x.out.drop()
			x.notes.end()
			x.notes.drop()
			return
		}
	}
	x.header[0], x.header[1] = j.redactor.header(x.received), j.redactor.header(answer)
	x.received = nil
	x.rank = rankOf(x)
	x.size = baseSize + int64(len(x.url)+len(x.query)) + fieldsSize(x.header[0]) + fieldsSize(x.header[1]) + int64(len(x.notes.events)+len(x.notes.writes))*200
	j.queue.push(x)
	if j.run.hasToWarn(now) {
		j.o.Log.Warn("scim: nothing writes what the journal has in its queue: call Journal.Run in a goroutine")
	}
}

// maxRefusal is how long an answer with an error is, in bytes.
const maxRefusal = 4 << 10

// isBulk reports whether the operations of a request commit by themselves.
func isBulk(path string) bool {
	path = strings.TrimRight(path, "/")
	return strings.EqualFold(path[strings.LastIndexByte(path, '/')+1:], "Bulk")
}

// close says that nothing changes any more. If the whole request has committed, so have its writes.
func (n *notes) close(isCommitted bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if isCommitted {
		for _, w := range n.pending {
			n.writes = append(n.writes, w)
		}
	} else {
		for _, w := range n.pending {
			n.forget(w)
		}
	}
	n.pending = nil
}

// write is what a request did to a resource.
type write struct {
	op            scim.Op
	ref           scim.Ref
	before, after snapshot // both of none: there was no room
	size          int64
}

// hold keeps a write. It takes the room for both resources from the queue; if there is none, only their name is
// kept. A bulk request may write very much.
func (n *notes) hold(w *scim.Written) {
	kept := &write{op: w.Op, ref: refOf(w), before: snapshotOf(w.Before), after: snapshotOf(w.After)}
	kept.size = kept.before.size() + kept.after.size()
	if old := n.pending[kept.ref]; old != nil {
		n.forget(old)
	}
	if !n.room.take(kept.size, false) {
		kept.before, kept.after, kept.size = snapshot{}, snapshot{}, 0
	}
	n.kept += kept.size
	if n.pending == nil {
		n.pending = map[scim.Ref]*write{}
	}
	n.pending[kept.ref] = kept
}

// forget gives back the room of a write, while the request runs.
func (n *notes) forget(w *write) {
	n.kept -= w.size
	n.room.give(w.size)
	n.room.held.Add(-w.size)
}

// end says that the request has ended, so the queue may drop the resources.
func (n *notes) end() { n.room.held.Add(-n.kept) }

// drop removes the resources, when the request has ended.
func (n *notes) drop() {
	for _, w := range n.writes {
		w.before, w.after = snapshot{}, snapshot{}
	}
	n.room.give(n.kept)
	n.kept = 0
}

// baseSize is what an exchange takes in memory besides its texts.
const baseSize = 1500

func fieldsSize(all []Field) (n int64) {
	for _, f := range all {
		n += 32 + int64(len(f.Name)+len(f.Value))
	}
	return n
}

// isRead reports whether a method changes nothing.
func isRead(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// plainMethod returns a method that may be kept in the clear.
func plainMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
