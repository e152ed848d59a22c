package scim

import (
	"github.com/scimkit/scim/internal/host"
)

// toError finds the answer for any error.
func toError(err error) *Error { return (*Error)(host.Answer(inward(err))) }
