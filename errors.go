package scim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/wire"
)

// toError finds the answer for any error.
func toError(err error) *Error { return (*Error)(host.Answer(inward(err))) }

func errorBody(e *fault.Error) []byte {
	detail := e.Detail
	if detail == "" {
		detail = http.StatusText(e.Status)
	}
	b, err := json.Marshal(struct {
		Schemas  []string `json:"schemas"`
		Status   string   `json:"status"`
		ScimType string   `json:"scimType,omitempty"`
		Detail   string   `json:"detail"`
	}{[]string{wire.Error}, strconv.Itoa(e.Status), e.Type, detail})
	if err != nil {
		return nil // strings always marshal
	}
	return b
}

func writeError(w http.ResponseWriter, e *fault.Error) {
	h := w.Header()
	h.Set("Content-Type", wire.ContentType)
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter/time.Second))))
	}
	w.WriteHeader(e.Status)
	w.Write(errorBody(e)) //nolint:errcheck // the client is gone
}
