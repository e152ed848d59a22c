package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// failing is a store of which Create fails and of which InTx changes errors.
type failing struct {
	*memory.Store
	create error
	inTx   func(err error) error
}

func (s failing) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if s.create != nil {
		return nil, s.create
	}
	return s.Store.Create(ctx, r)
}

func (s failing) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		err := fn(ctx)
		if s.inTx != nil {
			err = s.inTx(err)
		}
		return err
	})
}

// The first *Error in a chain of errors is the answer, wherever the others come from.
func TestOutermostErrorAnswers(t *testing.T) {
	busy := func(err error) error { return &scim.Error{Status: 503, Detail: "busy", Err: err} }
	wrap := func(err error) error { return fmt.Errorf("transaction: %w", err) }
	conflict := scim.Conflict("userName")
	for _, tt := range []struct {
		name   string
		create error
		inTx   func(error) error
		body   string
		want   int
		reason string
	}{
		{"as it is", conflict, nil, `{"userName":"a"}`, 409, "the store refuses"},
		{"wrapped", wrap(conflict), wrap, `{"userName":"a"}`, 409, "wrapping keeps the meaning"},
		{"replaced", conflict, busy, `{"userName":"a"}`, 503, "the transaction means its own error"},
		{"wrapped, replaced", wrap(conflict), busy, `{"userName":"a"}`, 503, "the same"},
		{"wrapped, replaced, wrapped", wrap(conflict), func(err error) error { return wrap(busy(wrap(err))) }, `{"userName":"a"}`, 503, "the same"},
		{"of another library", wrap(scimerrors.ScimError{Status: 409}), busy, `{"userName":"a"}`, 503, "the same"},
		{"of another library, wrapped", wrap(scimerrors.ScimError{Status: 409}), wrap, `{"userName":"a"}`, 409, "its status is known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := testhost.Handler(t, func(c *scim.Config) { c.Store = failing{memory.New(), tt.create, tt.inTx} })
			if got := testhost.Do(t, h, "POST", "/Users", tt.body).StatusCode; got != tt.want {
				t.Errorf("%d, want %d: %s", got, tt.want, tt.reason)
			}
		})
	}
}

// A transaction of the application sees the library's refusals as *Error, and the store's
// errors as they are.
func TestTransactionSeesErrors(t *testing.T) {
	cause := errors.New("cause")
	for _, tt := range []struct {
		name   string
		create error
		want   int
	}{
		{"the store's", fmt.Errorf("create: %w", &scim.Error{Status: 409, Err: cause}), 409},
		{"another library's", errors.Join(cause, scimerrors.ScimError{Status: 409}), 0},
		{"any", cause, 0},
	} {
		var seen error
		h := testhost.Handler(t, func(c *scim.Config) {
			c.Store = failing{memory.New(), tt.create, func(err error) error { seen = err; return err }}
		})
		testhost.Do(t, h, "POST", "/Users", `{"userName":"a"}`)
		var e *scim.Error
		if got := errors.As(seen, &e); got != (tt.want != 0) || got && e.Status != tt.want {
			t.Errorf("%s: *Error is %v, want status %d", tt.name, e, tt.want)
		}
		if !errors.Is(seen, cause) {
			t.Errorf("%s: the cause is lost in %v", tt.name, seen)
		}
	}
}

// An error of another SCIM library says nothing about who the client is and what it may do:
// it may come from a request of the application's own.
func TestForeignErrorsDenyAsOthersDo(t *testing.T) {
	foreign := fmt.Errorf("look-up: %w", scimerrors.ScimError{Status: http.StatusNotFound, Detail: "internal detail"})
	h := testhost.Handler(t, func(c *scim.Config) { c.Auth = denies{foreign} })
	res := testhost.Do(t, h, "GET", "/Users", "")
	if res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("Authenticate: %d, want 401 with a challenge", res.StatusCode)
	}
	h = testhost.Handler(t, func(c *scim.Config) {
		c.Allow = func(context.Context, scim.Access) error { return foreign }
	})
	res = testhost.Do(t, h, "GET", "/Users", "")
	if got := testhost.Decode(t, res)["detail"]; res.StatusCode != 403 || got != "this token may not do that" {
		t.Errorf("Allow: %d %q, want 403 without the detail", res.StatusCode, got)
	}
}
