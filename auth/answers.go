package auth

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/scimkit/scim"
)

// ErrRefused is an error of a look-up that knows the credential and does not accept it, for instance
// because it was revoked. It becomes 401, and Any asks no further Authenticator.
var ErrRefused = errors.New("credential refused")

// The reasons to refuse a request. The handler logs them. Clients get one text for all.
var (
	errHeader  = errors.New("no usable Authorization header")
	errUnknown = errors.New("unknown credential")
	errExpired = fmt.Errorf("expired credential: %w", ErrRefused)
)

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
