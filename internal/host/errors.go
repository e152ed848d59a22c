package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/scimkit/scim/internal/fault"
)

var (
	// ErrNotFound is a store's answer for an unknown resource.
	ErrNotFound = errors.New("scim: not found")
	// ErrNoRole is a resolver's answer for a role that does not exist.
	ErrNoRole = errors.New("scim: no such role")
	// ErrMoved says that a pending matter is not as it was seen.
	ErrMoved = errors.New("scim: it changed since it was listed")
	// ErrStale says that another writer changed the resource between reading and writing
	// it.
	ErrStale = errors.New("scim: the resource changed meanwhile")
)

// Answerer is an error that knows its answer, unless an *fault.Error in its chain says
// otherwise.
type Answerer interface {
	error
	Answer() *fault.Error
}

// Answer turns an error into the answer to the client. An unknown error becomes a 500
// without its cause.
func Answer(err error) *fault.Error {
	var e *fault.Error
	var a Answerer
	switch {
	case errors.As(err, &e) && e.Status >= http.StatusBadRequest && e.Status < 600:
		return e
	case e != nil: // the status is no error's
		return &fault.Error{Status: http.StatusInternalServerError, Detail: "the server could not do this", Err: err}
	case errors.As(err, &a):
		return a.Answer()
	case errors.Is(err, ErrNotFound):
		return &fault.Error{Status: http.StatusNotFound, Detail: "there is no such resource", Err: err}
	case errors.Is(err, ErrStale), errors.Is(err, context.DeadlineExceeded):
		return &fault.Error{Status: http.StatusServiceUnavailable, Detail: "the server is busy: try again",
			RetryAfter: time.Second, Err: err}
	default:
		return &fault.Error{Status: http.StatusInternalServerError, Detail: "the server could not do this", Err: err}
	}
}

// IsNotFound reports whether the answer for an error is 404.
func IsNotFound(err error) bool { return err != nil && Answer(err).Status == http.StatusNotFound }

// Guard turns panics of the application's code into errors. So a call that panics leaves no
// less than a call that fails, and the same repairs it.
type Guard struct{ Log *slog.Logger }

// Catch logs a panic and sets *err. Defer it.
func (g Guard) Catch(err *error) {
	if p := recover(); p != nil {
		*err = LogPanic(g.Log, p)
	}
}

// LogPanic logs a panic of the application's code, with its stack. It returns the error that
// stands for the panic. http.ErrAbortHandler stands for itself: the request ends without an
// answer, and without a line in the log.
func LogPanic(log *slog.Logger, p any, args ...any) error {
	if p == http.ErrAbortHandler {
		return http.ErrAbortHandler
	}
	log.Error("scim: panic", append(args, "error", fmt.Sprint(p), "stack", string(debug.Stack()))...)
	return fmt.Errorf("panic: %v", p)
}
