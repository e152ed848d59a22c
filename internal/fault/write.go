package fault

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/scimkit/scim/internal/wire"
)

// Body is the JSON message to the client.
func (e *Error) Body() []byte {
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

// Write sends e as the answer.
func (e *Error) Write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", wire.ContentType)
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter/time.Second))))
	}
	w.WriteHeader(e.Status)
	w.Write(e.Body()) //nolint:errcheck // the client is gone
}
