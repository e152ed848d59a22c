// Package tenants serves one SCIM endpoint for many tenants. It finds the tenant of a request by
// its host name, by its path or by its token, and asks the application for the settings of that
// tenant. Settings count from the next request on.
//
//	h, err := tenants.New(tenants.Options{
//		Address:  "{tenant}.example.com/scim/v2",
//		Settings: app,
//	}, scim.Config{Auth: tokens})
//	http.ListenAndServe(addr, h.Mount(app))
//
// A tenant that is not set up has no endpoint. If the address names the tenant, the application's
// own handler answers before anybody authenticates: the answer is that of any unknown path. A token
// of one tenant is worth nothing at the address of another one. A tenant that is switched off
// answers 503, and clients come back later.
package tenants

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/scimkit/scim"
)

// Settings is the application's table of tenants.
type Settings interface {
	// Setting returns the settings of a tenant as they are now. Each request asks once. With
	// {tenant} in the address, the question comes before authentication, so anybody can cause it.
	//
	// The name is what the address has in the place of {tenant}. Without {tenant} it is
	// Principal.Tenant of the client; with OpenDiscovery it is "" for clients without credentials.
	//
	// scim.ErrNotFound means that there is no such tenant, which is the same as NotSetUp. A
	// *scim.Error is sent as it is. Any other error becomes 503, because a client that gets 404
	// during an outage forgets its users.
	Setting(ctx context.Context, name string) (Setting, error)
}

// Setting is what a tenant has set.
type Setting struct {
	Switch
	// Tenant is the tenant. Its ID is what tokens of the tenant have as their tenant. It may differ
	// from the name in the address. It must not be "" if the address names tenants. A tenant that
	// is Off needs no more than its ID, and one that is NotSetUp may be nil.
	Tenant *scim.Tenant
	// RetryAfter is the time after which clients try again while the tenant is Off. Default: 5 min.
	RetryAfter time.Duration
}

// Options are the settings of New. Address and Settings are required.
type Options struct {
	// Address is where the endpoint is: a host name and a path, or a path for every host.
	//
	//	{tenant}.example.com/API/enterprise/scim   the first label of the host names the tenant
	//	{tenant}/scim/v2                           the whole host name does
	//	/customers/{tenant}/scim/v2                a segment of the path does
	//	/scim/v2                                   the token does
	//
	// Names of hosts come in lower case. A request for any other address goes to the application.
	Address string
	// Settings is asked for the tenant of each request.
	Settings Settings
	// Journal keeps what clients send, each entry for its tenant, such as a *journal.Journal. Give New
	// the Config without the journal's own: New calls Journal.Config, and Mount Journal.Handler. Nil: nothing is kept.
	Journal Journal
}

// Journal is told what an endpoint does. *journal.Journal implements it.
type Journal interface {
	// Config returns c with what the journal adds to it.
	Config(c scim.Config) scim.Config
	// Handler returns a handler that serves h and keeps each exchange.
	Handler(h http.Handler) http.Handler
}

// Handler serves the endpoint of all tenants. Mount puts it at its address. Its method Reconciler
// takes Setting.Tenant.
type Handler struct {
	*scim.Handler
	served  http.Handler // it is the embedded Handler, or the journal's handler around that one
	o       Options
	address address
	log     *slog.Logger
	time    time.Duration
}

const (
	retryOff    = 5 * time.Minute
	retryOutage = 10 * time.Second
	defaultTime = 30 * time.Second // that of scim.Limits.Time
)

// New makes a Handler. Settings takes the place of Config.TenantFor, and of the fields of
// Config that describe the only tenant. The error lists every mistake.
func New(o Options, c scim.Config) (*Handler, error) {
	var errs []error
	h := &Handler{o: o, log: c.Log, time: c.Limits.Time}
	if h.log == nil {
		h.log = slog.Default()
	}
	if h.time <= 0 {
		h.time = defaultTime
	}
	if o.Settings == nil {
		errs = append(errs, errors.New("tenants: Settings is missing"))
	}
	var err error
	if h.address, err = parseAddress(o.Address); err != nil {
		errs = append(errs, err)
	}
	if c.TenantFor != nil {
		errs = append(errs, errors.New("tenants: Config.TenantFor must be nil: Settings takes its place"))
	}
	if c.OnWrite != nil {
		errs = append(errs, errors.New("tenants: Config.OnWrite must be nil: set that of each Tenant. If Journal.Config has set it, give New the Config without, and the journal as Options.Journal"))
		c.OnWrite = nil
	}
	if c.Auth != nil {
		c.Auth = authenticator{c.Auth, h.address.byToken}
	}
	c.TenantFor = h.tenantFor
	if o.Journal != nil {
		c = o.Journal.Config(c)
	}
	if h.Handler, err = scim.New(c); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	h.served = h.Handler
	if o.Journal != nil {
		h.served = o.Journal.Handler(h.Handler)
	}
	return h, nil
}

// Mount returns a handler that serves the endpoint at its address, and next everywhere else. next
// may be nil: other addresses are then 404.
//
// Put it in front of the application's mux, as scim.Mount. If a request passes a proxy that is in
// Config.TrustedProxies, the host is that of X-Forwarded-Host.
func (h *Handler) Mount(next http.Handler) http.Handler {
	if next == nil {
		next = http.NotFoundHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, prefix, ok := h.address.match(h.HostOf(r), r.URL.EscapedPath())
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		if !h.address.byToken {
			s, err := h.setting(r.Context(), name)
			switch {
			case errors.Is(err, scim.ErrNotFound):
				next.ServeHTTP(w, r)
				return
			case err != nil:
				h.log.ErrorContext(r.Context(), "scim: the settings of a tenant are not known", "error", err)
				scim.WriteError(w, err)
				return
			}
			r = r.WithContext(context.WithValue(r.Context(), settingKey{}, s))
		}
		scim.Mount(prefix, h.served, next).ServeHTTP(w, r)
	})
}

type settingKey struct{}

// setting asks the application. A tenant that is not set up is scim.ErrNotFound.
func (h *Handler) setting(ctx context.Context, name string) (*Setting, error) {
	ctx, cancel := context.WithTimeout(ctx, h.time)
	defer cancel()
	s, err := h.ask(ctx, name)
	_, isAnswer := errors.AsType[*scim.Error](err)
	switch {
	case isAnswer || errors.Is(err, scim.ErrNotFound):
		return nil, err
	case err != nil:
		return nil, &scim.Error{Status: http.StatusServiceUnavailable, RetryAfter: retryOutage, Err: err,
			Detail: "the settings cannot be read at the moment: try again"}
	case s.State == NotSetUp:
		return nil, scim.ErrNotFound
	}
	return &s, h.check(&s, name)
}

// check finds mistakes of the application, which must let nobody in.
func (h *Handler) check(s *Setting, name string) error {
	switch {
	case s.State != On && s.State != Off:
		return fmt.Errorf("tenants: tenant %q has the unknown state %q", name, s.State)
	case s.Tenant == nil:
		return fmt.Errorf("tenants: tenant %q has no Setting.Tenant", name)
	case h.address.byToken && s.Tenant.ID != name:
		return fmt.Errorf("tenants: the settings of tenant %q have the ID %q", name, s.Tenant.ID)
	case !h.address.byToken && s.Tenant.ID == "":
		return fmt.Errorf("tenants: tenant %q has no ID, so no token can belong to it", name)
	}
	return nil
}

// ask turns a panic of the application into an error, as everywhere in the library.
func (h *Handler) ask(ctx context.Context, name string) (s Setting, err error) {
	defer func() {
		p := recover()
		if p == http.ErrAbortHandler {
			panic(p)
		}
		if p != nil {
			h.log.ErrorContext(ctx, "scim: panic", "error", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return h.o.Settings.Setting(ctx, name)
}

// tenantFor is Config.TenantFor. The authenticator has compared the tenant of p with that of the
// address. Only with OpenDiscovery p may be the zero Principal.
func (h *Handler) tenantFor(ctx context.Context, p scim.Principal) (*scim.Tenant, error) {
	s, err := settingIn(ctx)
	if h.address.byToken {
		s, err = h.setting(ctx, p.Tenant)
	}
	if err != nil {
		return nil, err
	}
	if why := s.reasonOff(); why != "" {
		after := s.RetryAfter
		if after <= 0 {
			after = retryOff
		}
		return nil, &scim.Error{Status: http.StatusServiceUnavailable, RetryAfter: after, Detail: why}
	}
	return s.Tenant, nil
}

// settingIn returns the settings that Mount found.
func settingIn(ctx context.Context) (*Setting, error) {
	s, ok := ctx.Value(settingKey{}).(*Setting)
	if !ok {
		return nil, &scim.Error{Status: http.StatusInternalServerError, Detail: "the server could not do this",
			Err: errors.New("tenants: the address names tenants, so serve requests through Handler.Mount")}
	}
	return s, nil
}

// authenticator refuses clients of other tenants. It gives one answer for every reason: otherwise
// somebody who has a token could find out where else it is known.
type authenticator struct {
	scim.Authenticator
	byToken bool
}

var (
	_ scim.SchemeLister = authenticator{}
	_ scim.Challenger   = authenticator{}
)

var errOther = errors.New("a credential of another tenant")

// Authenticate implements scim.Authenticator.
func (a authenticator) Authenticate(r *http.Request) (scim.Principal, error) {
	if a.byToken {
		return a.Authenticator.Authenticate(r)
	}
	s, err := settingIn(r.Context())
	if err != nil {
		return scim.Principal{}, err
	}
	p, err := a.Authenticator.Authenticate(r)
	answer, isAnswer := errors.AsType[*scim.Error](err)
	switch {
	case err == nil && p.Tenant == s.Tenant.ID:
		return p, nil
	case err == nil:
		err = errOther
	case isAnswer && answer.Status != http.StatusUnauthorized, !isAnswer && errors.Is(err, scim.ErrNotFound):
		return scim.Principal{}, err
	}
	return scim.Principal{}, &scim.Error{Status: http.StatusUnauthorized, Err: err,
		Detail: "send valid credentials in the Authorization header"}
}

// Challenge implements scim.Challenger.
func (a authenticator) Challenge() string {
	if c, ok := a.Authenticator.(scim.Challenger); ok {
		return c.Challenge()
	}
	return "Bearer" // as without Challenger
}

// Schemes implements scim.SchemeLister.
func (a authenticator) Schemes() []scim.AuthScheme {
	if s, ok := a.Authenticator.(scim.SchemeLister); ok {
		return s.Schemes()
	}
	return nil
}
