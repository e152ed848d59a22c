package scim

import (
	"context"
	"net/http"
	"time"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/tolerance"
	"github.com/scimkit/scim/internal/watch"
)

// Observer watches the requests of a Handler, for a journal, traces or metrics. It is safe for
// concurrent use. The module github.com/scimkit/scim/otelscim has one for OpenTelemetry.
//
// The request waits for an Observer, so its methods do not block. If one panics, the panic is
// logged and the request goes on.
type Observer interface {
	// Begin is told of a request before its client is authenticated. r is as the client has sent
	// it. Begin must not read the body, or change r. requestID is what RequestID returns during
	// the request.
	//
	// The handler uses the returned context for the request: return ctx or a child of it. It
	// calls end once, in the same goroutine, when it has written the answer. end may be nil.
	Begin(ctx context.Context, r *http.Request, requestID string) (in context.Context, end func(Outcome))
}

// CallObserver is an Observer that also watches what requests and methods of Reconciler do.
type CallObserver interface {
	Observer
	// BeginCall is told of a call before it is made. name is one of a closed list: interface and
	// method for calls of the application, such as "Store.Get", "Ledger.Grants" or
	// "RoleResolver.ChangeRoles", and "reconcile" for a reconciliation of roles, which makes such
	// calls. The interfaces are Store, Transactor, MemberStore, PasswordSetter, Deactivator, Claimer,
	// Exempter, TenantLocker, Ledger and RoleResolver. ctx is that of the request or of the surrounding call. What the handler passes to the
	// application is the returned context. It calls end once, with the error of the call, which
	// may contain personal data. It is nil if a call-back of Update or Delete refused the write. end
	// may be nil.
	BeginCall(ctx context.Context, name string) (in context.Context, end func(err error))
}

// Outcome is what became of a request. It has no data of people, except for Err.
type Outcome struct {
	// Route is the pattern of the path below the endpoint, such as "/Users/{id}", "/Users/.search",
	// "/Bulk" or "/". Patterns come from the resource types and not from clients. "": the address
	// has no route, or the client was refused before the handler looked for one.
	Route string
	// Tenant is Tenant.ID. "": the handler does not know the tenant, or there is only one.
	Tenant string
	// Principal is Principal.ID. "": the client is not authenticated, or its Principal has no ID.
	Principal string
	// Status is the HTTP status of the answer. 0: the connection ended before an answer began.
	Status int
	// Duration is the time from the arrival of the request at the handler to the end of its answer.
	Duration time.Duration
	// Tolerances are those that the request used, each once, also in operations of a bulk request.
	Tolerances []Tolerance
	// Err says why the request failed, or why its answer was broken off. It may contain texts of
	// the client and of the database. Nil: it did neither. Operations of a bulk request that
	// failed do not count.
	Err error
}

// RequestID returns the id of the request whose context is ctx. It is "" outside a request. The
// answer has it as X-Request-Id. The lines of the log that say what became of the request, and
// why, have it too.
//
// The id is the X-Request-Id of the request if that has at most 64 letters, digits and characters
// of "-_.:". Otherwise the handler makes one. So a client may choose the id of another
// request: do not use it as a key.
func RequestID(ctx context.Context) string { return host.RequestIDOf(ctx) }

// observersIn returns what tells all observers of requests, and what tells those of calls that want
// to know. Both are nil if nobody wants to.
func observersIn(all []Observer, g host.Guard) (o host.Observer, c host.Calls) {
	var observers []host.Observer
	var calls []host.Calls
	for _, a := range all {
		observers = append(observers, observerPort{a, g})
		if a, ok := a.(CallObserver); ok {
			calls = append(calls, callsPort{a, g})
		}
	}
	return watch.Observers(observers), watch.Calls(calls)
}

type observerPort port[Observer]

func (p observerPort) Begin(ctx context.Context, r *http.Request, requestID string) (in context.Context, end func(host.Outcome)) {
	in, told := p.begin(ctx, r, requestID)
	if told == nil {
		return in, ignoreOutcome
	}
	return in, func(o host.Outcome) {
		var lost error
		defer p.Catch(&lost)
		told(Outcome{Route: o.Route, Tenant: o.Tenant, Principal: o.Principal, Status: o.Status, Duration: o.Duration, Err: outward(o.Err),
			Tolerances: convert(o.Tolerances, func(n tolerance.Name) Tolerance { return Tolerance(n) })})
	}
}

func ignoreOutcome(host.Outcome) {}

// begin returns ctx and nil if the application's Begin panics.
func (p observerPort) begin(ctx context.Context, r *http.Request, requestID string) (in context.Context, end func(Outcome)) {
	in = ctx
	var lost error
	defer p.Catch(&lost)
	c, end := p.app.Begin(ctx, r, requestID)
	if c != nil {
		in = c
	}
	return in, end
}

type callsPort port[CallObserver]

func (p callsPort) BeginCall(ctx context.Context, name string) (in context.Context, end func(error)) {
	in, told := p.begin(ctx, name)
	if told == nil {
		return in, ignoreError
	}
	return in, func(err error) {
		var lost error
		defer p.Catch(&lost)
		told(outward(err))
	}
}

func ignoreError(error) {}

// begin returns ctx and nil if the application's BeginCall panics.
func (p callsPort) begin(ctx context.Context, name string) (in context.Context, end func(error)) {
	in = ctx
	var lost error
	defer p.Catch(&lost)
	c, end := p.app.BeginCall(ctx, name)
	if c != nil {
		in = c
	}
	return in, end
}
