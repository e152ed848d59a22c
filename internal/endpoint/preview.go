package endpoint

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/address"
	"github.com/scimkit/scim/internal/discovery"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/roles"
)

// Foreseen is the outcome that a request would have.
type Foreseen struct {
	Status  int
	Detail  string
	Body    []byte // nil if it is longer than maxUnsent
	Changes []host.RoleChange
	Next    string
}

// errForeseen rolls a previewed request back.
var errForeseen = errors.New("scim: the request was only a preview")

// Preview plays a request of a client of the tenant, in a transaction that it rolls back. It
// sends no events. Of the changes of roles it returns those of at most limit users behind
// the user after.
func (s *Server) Preview(ctx context.Context, t *host.Tenant, who host.Principal, r *http.Request, after string, limit int) (*Foreseen, error) {
	t, rehearsal, err := roles.Rehearse(t, after, limit, isBulk(t, r))
	if err != nil {
		return nil, err
	}
	c := s.c
	c.Log = s.c.Log.With("preview", true)
	c.Auth, c.Watchers, c.Engine = known{who}, Watchers{}, s.c.Engine.Quiet(c.Log)
	c.TenantOf = func(context.Context, host.Principal) (*host.Tenant, error) { return t, nil }
	body := r.Body
	var sent []byte
	if body != nil {
		var b bytes.Buffer
		if _, err := b.ReadFrom(body); err != nil {
			return nil, err
		}
		sent = b.Bytes()
	}
	out := &unsent{}
	err = t.Stores.InTx(ctx, func(ctx context.Context) (err error) {
		defer host.Guard{Log: c.Log}.Catch(&err)
		rehearsal.Begin()
		*out = unsent{header: http.Header{}}
		q := r.WithContext(host.WithPreview(ctx))
		q.Body = readCloser{bytes.NewReader(sent)}
		New(c).ServeHTTP(out, q)
		return errForeseen
	})
	if !errors.Is(err, errForeseen) {
		return nil, err
	}
	f := &Foreseen{Status: out.status}
	if !out.isCut {
		f.Body = out.body.Bytes()
	}
	if out.status >= http.StatusBadRequest {
		var e struct{ Detail string }
		if err := json.Unmarshal(out.body.Bytes(), &e); err != nil {
			return nil, err
		}
		f.Detail = e.Detail
	}
	f.Changes, f.Next = rehearsal.Page()
	return f, nil
}

// isBulk reports whether a request is a bulk request.
func isBulk(t *host.Tenant, r *http.Request) bool {
	segments, _ := address.Route(r, (&router{types: &t.Types}).isEndpoint)
	return slices.Equal(segments, []string{"Bulk"})
}

// known authenticates everybody as one client.
type known struct{ who host.Principal }

func (k known) Authenticate(*http.Request) (host.Principal, error) { return k.who, nil }
func (known) Challenge() string                                    { return "" }
func (known) Schemes() []discovery.Scheme                          { return nil }

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

// maxUnsent is how much of an answer unsent keeps. Errors are shorter.
const maxUnsent = 64 << 10

// unsent takes an answer that nobody gets.
type unsent struct {
	header http.Header
	status int
	body   bytes.Buffer
	isCut  bool
}

func (u *unsent) Header() http.Header { return u.header }

func (u *unsent) WriteHeader(status int) {
	if u.status == 0 {
		u.status = status
	}
}

func (u *unsent) Write(p []byte) (int, error) {
	u.WriteHeader(http.StatusOK)
	kept := min(len(p), maxUnsent-u.body.Len())
	u.body.Write(p[:kept])
	u.isCut = u.isCut || kept < len(p)
	return len(p), nil
}

// SetReadDeadline is for http.ResponseController: the body has arrived.
func (u *unsent) SetReadDeadline(time.Time) error { return nil }
