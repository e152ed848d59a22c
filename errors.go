package scim

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	scimerrors "github.com/elimity-com/scim/errors"

	"github.com/scimkit/scim/internal/fault"
)

const errorSchema = "urn:ietf:params:scim:api:messages:2.0:Error"

// errStale says that a resource moved on between reading and writing it.
var errStale = errors.New("scim: the resource changed meanwhile")

// toError finds the answer for any error. What is unknown becomes a 500 that keeps
// its cause to itself.
func toError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return &Error{Status: f.Status, Type: f.Type, Detail: f.Detail}
	}
	var s scimerrors.ScimError
	if errors.As(err, &s) {
		return &Error{Status: s.Status, Type: string(s.ScimType), Detail: s.Detail}
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return &Error{Status: http.StatusNotFound, Detail: "there is no such resource", Err: err}
	case errors.Is(err, errStale), errors.Is(err, context.DeadlineExceeded):
		return &Error{Status: http.StatusServiceUnavailable, Detail: "the server is busy: try again",
			RetryAfter: time.Second, Err: err}
	default:
		return &Error{Status: http.StatusInternalServerError, Detail: "the server could not do this", Err: err}
	}
}

// refuse makes an *Error with a scimType.
func refuse(status int, scimType, detail string) *Error {
	return &Error{Status: status, Type: scimType, Detail: detail}
}

// notFound is the answer for an unknown id.
func notFound(ref Ref) *Error {
	return &Error{Status: http.StatusNotFound, Detail: ref.Type + " " + strconv.Quote(clip(ref.ID)) + " does not exist"}
}

// clip shortens what a client sent before it is repeated in an error.
func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}

func errorBody(e *Error) []byte {
	detail := e.Detail
	if detail == "" {
		detail = http.StatusText(e.Status)
	}
	b, err := json.Marshal(struct {
		Schemas  []string `json:"schemas"`
		Status   string   `json:"status"`
		ScimType string   `json:"scimType,omitempty"`
		Detail   string   `json:"detail"`
	}{[]string{errorSchema}, strconv.Itoa(e.Status), e.Type, detail})
	if err != nil {
		return nil // strings always marshal
	}
	return b
}

func writeError(w http.ResponseWriter, e *Error) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter/time.Second))))
	}
	w.WriteHeader(e.Status)
	w.Write(errorBody(e)) //nolint:errcheck // the client is gone
}
