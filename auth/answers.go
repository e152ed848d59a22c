package auth

import (
	"errors"
	"net/http"
	"time"

	"github.com/scimkit/scim"
)

// ErrRefused is an error of a look-up that knows the credential and does not accept it, for instance
// because it was revoked. It becomes 401, and Any asks no further Authenticator.
var ErrRefused = errors.New("credential refused")

// RefusedError is an ErrRefused that says whose credential it is, so that a journal can show the refusal to
// the tenant. A look-up may return one. Clients get the text of every 401.
type RefusedError struct {
	// ID and Tenant would have become those of scim.Principal.
	ID, Tenant string
	// Reason says why, such as "revoked token". It has no secret.
	Reason string
}

// Error implements error.
func (e *RefusedError) Error() string { return e.Reason }

// Unwrap returns ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// The reasons to refuse a request. The handler logs them. Clients get one text for all.
var (
	errHeader  = errors.New("no usable Authorization header")
	errUnknown = errors.New("unknown credential")
)

// expiredError returns the reason to refuse a token that has expired.
func expiredError(t *Token) error {
	return &RefusedError{ID: t.ID, Tenant: t.Tenant, Reason: "expired credential"}
}

const retryAfter = 10 * time.Second

func refuse(reason error) error {
	return &scim.Error{Status: http.StatusUnauthorized,
		Detail: "send valid credentials in the Authorization header", Err: reason}
}

// unavailable is the answer if a credential cannot be checked.
func unavailable(reason error) error {
	return &scim.Error{Status: http.StatusServiceUnavailable,
		Detail: "the credentials cannot be checked at the moment: try again", RetryAfter: retryAfter, Err: reason}
}

// answerOf returns the answer to a request whose look-up failed with err, or nil.
func answerOf(err error) error {
	_, isAnswer := errors.AsType[*scim.Error](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, scim.ErrNotFound), hasNoRows(err):
		return refuse(errUnknown)
	case errors.Is(err, ErrRefused):
		return refuse(err)
	case isAnswer:
		return err
	default:
		return unavailable(err)
	}
}

// noRows is the text of sql.ErrNoRows. This package does not import database/sql, because each
// application would have to.
const noRows = "sql: no rows in result set"

// hasNoRows reports whether err is sql.ErrNoRows, or wraps it. That of pgx does.
func hasNoRows(err error) bool {
	switch w := err.(type) {
	case interface{ Unwrap() error }:
		return hasNoRows(w.Unwrap())
	case interface{ Unwrap() []error }:
		for _, e := range w.Unwrap() {
			if hasNoRows(e) {
				return true
			}
		}
		return false
	}
	return err != nil && err.Error() == noRows
}
