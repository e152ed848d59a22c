// Package fault is the error that the engines give when a client's input is
// wrong. Its detail is meant for the client; it never carries internals.
package fault

import "fmt"

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

// Error is a refusal with status 400 (413 where Status says so) and a scimType.
type Error struct {
	Status int
	Type   string
	Detail string
}

func (e *Error) Error() string { return e.Type + ": " + e.Detail }

// New returns a 400 of the given scimType.
func New(scimType, format string, args ...any) *Error {
	return &Error{Status: 400, Type: scimType, Detail: fmt.Sprintf(format, args...)}
}
