// Package fault is the error that a client sees (RFC 7644, Section 3.12). Its detail is for
// the client, so it never carries internals.
package fault

import (
	"cmp"
	"fmt"
	"net/http"
	"time"
)

// The scimType keywords of RFC 7644, Section 3.12, table 9.
const (
	InvalidFilter = "invalidFilter"
	InvalidPath   = "invalidPath"
	InvalidSyntax = "invalidSyntax"
	InvalidValue  = "invalidValue"
	Mutability    = "mutability"
	NoTarget      = "noTarget"
	TooMany       = "tooMany"
	Uniqueness    = "uniqueness"
)

// Error is a refusal. It has the fields of the public scim.Error, so that one converts to
// the other. The client sees Detail. The log has Err, which the client never sees.
type Error struct {
	Status     int
	Type       string // scimType; "" for none
	Detail     string
	RetryAfter time.Duration // sent with 429 and 503, in whole seconds
	Err        error
}

func (e *Error) Error() string {
	s := cmp.Or(e.Type, http.StatusText(e.Status)) + ": " + e.Detail
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// New returns a 400 of the given scimType.
func New(scimType, format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Type: scimType, Detail: fmt.Sprintf(format, args...)}
}

// Refuse returns an Error with a status and a scimType, "" for none.
func Refuse(status int, scimType, detail string) *Error {
	return &Error{Status: status, Type: scimType, Detail: detail}
}

// NotFound is the answer for an unknown id.
func NotFound(typeName, id string) *Error {
	return &Error{Status: http.StatusNotFound, Detail: typeName + " " + Quote(id) + " does not exist"}
}

// NotImplemented is the answer for a feature that is switched off.
func NotImplemented(what string) *Error {
	return &Error{Status: http.StatusNotImplemented, Detail: what + " is not supported"}
}
