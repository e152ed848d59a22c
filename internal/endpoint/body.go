package endpoint

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/wire"
)

// drainTime is the time in which net/http may read the rest of a body that a refused
// request has. A client that sends slowly then loses its connection.
const drainTime = time.Second

// maxFields is how many names an object in a body may have, with those of the objects around
// it. The decoder remembers them all.
const maxFields = 100_000

// limitBody limits the time in which the body of a request must arrive. net/http itself
// reads what the handler leaves of a body, so this holds for every method.
func (s *Server) limitBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		s.setReadDeadline(w, time.Now().Add(s.c.Limits.BodyTime))
	}
}

// checkBody checks the header of a body of at most limit bytes. It returns the most bytes
// that the body can have.
func checkBody(r *http.Request, limit int64) (size int64, err error) {
	if ct := r.Header.Get("Content-Type"); ct != "" {
		// Some clients send no Content-Type, such as Okta on GET.
		m, _, err := mime.ParseMediaType(ct)
		if err != nil || !strings.EqualFold(m, wire.ContentType) && !strings.EqualFold(m, "application/json") {
			return 0, fault.Refuse(http.StatusUnsupportedMediaType, "", "Content-Type must be "+wire.ContentType+" or application/json")
		}
	}
	switch {
	case r.ContentLength > limit:
		return 0, bodyTooLarge(limit)
	case r.ContentLength < 0:
		return limit, nil
	}
	return r.ContentLength, nil
}

// readBody reads a request's body of at most limit bytes. Afterwards no deadline is set: it
// would end the read by which net/http notices that the client is gone, and so the request.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	b, err := readAll(http.MaxBytesReader(w, r.Body, limit), r.ContentLength)
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		return nil, bodyTooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, &fault.Error{Status: http.StatusRequestTimeout, Err: err,
			Detail: fmt.Sprintf("the body did not arrive within %s", s.c.Limits.BodyTime)}
	case err != nil:
		return nil, &fault.Error{Status: http.StatusBadRequest, Type: fault.InvalidSyntax, Detail: "the body could not be read", Err: err}
	}
	if r.ContentLength != 0 {
		s.setReadDeadline(w, time.Time{})
	}
	if jsonwalk.HasManyNames(b, maxFields) {
		return nil, fault.New(fault.InvalidSyntax, "the objects of the body have more than %d names", maxFields)
	}
	return b, nil
}

// readAll reads a body that should have size bytes; -1 means that nobody knows. A
// middleware that unpacks the body may be wrong about its size. The result is not nil.
func readAll(body io.Reader, size int64) ([]byte, error) {
	if size < 0 {
		return io.ReadAll(body)
	}
	b := make([]byte, 0, size+1) // one byte more, so that Read sees the end
	for {
		n, err := body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return nil, err
		}
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
	}
}

func bodyTooLarge(limit int64) error {
	return fault.Refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("the body is larger than %d bytes", limit))
}

// leaveBody refuses to read the rest of a body. The answer then does not wait for it. Over
// HTTP/1 the connection ends, because what follows would be taken for the next request.
func (s *Server) leaveBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "close")
	}
	s.setReadDeadline(w, time.Now().Add(drainTime))
}

// setReadDeadline sets the time until which the body can be read; the zero time removes it.
// A ResponseWriter of a middleware may hide that of net/http. Then only the server's own
// ReadTimeout limits the time.
func (s *Server) setReadDeadline(w http.ResponseWriter, at time.Time) {
	if err := http.NewResponseController(w).SetReadDeadline(at); err != nil {
		s.noDeadline.Do(func() {
			s.c.Log.Warn("scim: slow bodies are not ended: the ResponseWriter has no SetReadDeadline and no Unwrap", "error", err.Error())
		})
	}
}
