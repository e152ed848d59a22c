// Package watch tells observers of requests, and of calls of what the application supplies.
package watch

import (
	"context"
	"net/http"

	"github.com/scimkit/scim/internal/host"
)

// Observers returns one observer for all of them, nil if there are none. They begin in order, and
// end in the opposite order.
func Observers(all []host.Observer) host.Observer {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return observers(all)
}

type observers []host.Observer

func (all observers) Begin(ctx context.Context, r *http.Request, requestID string) (context.Context, func(host.Outcome)) {
	ends := make([]func(host.Outcome), len(all))
	for i, o := range all {
		ctx, ends[i] = o.Begin(ctx, r, requestID)
	}
	return ctx, func(o host.Outcome) { endAll(ends, o) }
}

// Calls is Observers for calls.
func Calls(all []host.Calls) host.Calls {
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return calls(all)
}

type calls []host.Calls

func (all calls) BeginCall(ctx context.Context, name string) (context.Context, func(error)) {
	ends := make([]func(error), len(all))
	for i, c := range all {
		ctx, ends[i] = c.BeginCall(ctx, name)
	}
	return ctx, func(err error) { endAll(ends, err) }
}

func endAll[T any](ends []func(T), what T) {
	for i := len(ends) - 1; i >= 0; i-- {
		ends[i](what)
	}
}

// Call makes a call that c watches.
func Call(ctx context.Context, c host.Calls, name string, call func(ctx context.Context) error) error {
	_, err := call1(ctx, c, name, func(ctx context.Context) (struct{}, error) { return struct{}{}, call(ctx) })
	return err
}

func call1[T any](ctx context.Context, c host.Calls, name string, call func(ctx context.Context) (T, error)) (out T, err error) {
	ctx, end := c.BeginCall(ctx, name)
	defer func() { end(err) }()
	return call(ctx)
}
