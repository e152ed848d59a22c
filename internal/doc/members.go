package doc

import (
	"fmt"
	"net/http"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// TooManyMembers is the error for a request that names more members than it may.
func TooManyMembers(a *model.Attribute, limit int) error {
	return fault.Refuse(http.StatusRequestEntityTooLarge, fault.TooMany,
		fmt.Sprintf("%s: one request may name at most %d, a bulk request a quarter; add the others by PATCH, best 1,000 in a request", a.Path, limit))
}
