package endpoint

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/wire"
)

// answer is the HTTP answer to an operation. It has no body, a body in pieces, or a body
// that stream writes.
type answer struct {
	status         int
	location, etag string
	body           [][]byte
	// stream writes a body of unknown length. The client gets the beginning of a long body
	// before stream has read the rest.
	stream streamer
}

// streamer writes a body to a sink.
type streamer interface {
	stream(ctx context.Context, s *sink) error
}

// pieceSize is how many bytes a sink keeps before it passes them on.
const pieceSize = 64 << 10

// sink takes the bytes of a body. A writer appends to b and calls pass now and then.
type sink struct {
	b  []byte
	to taker
}

// taker takes pieces of a body. It returns a buffer for the next piece.
type taker interface {
	take(piece []byte) (empty []byte, err error)
}

// pass passes on what the sink keeps, if that is much.
func (s *sink) pass() (err error) {
	if len(s.b) >= pieceSize {
		s.b, err = s.to.take(s.b)
	}
	return err
}

// errEnough ends a stream whose bytes nobody needs.
var errEnough = errors.New("enough")

// sending is an answer on its way to the client.
type sending struct {
	w       http.ResponseWriter
	method  string
	buffers *sync.Pool
	ctx     context.Context
	a       *answer
	s       sink
	isBegun bool // the client may have a part of the answer
	visit   visit
}

// refuse sends an error.
func (o *sending) refuse(e *fault.Error) {
	o.visit.status = e.Status
	e.Write(o.w)
}

// isHead reports whether the client wants only the headers.
func (o *sending) isHead() bool { return o.method == http.MethodHead }

// send sends an answer. If it fails after it has begun, the caller must break the
// connection: the client must not take a part for the whole.
func (o *sending) send(ctx context.Context, a *answer) error {
	o.ctx, o.a = ctx, a
	if a.stream == nil {
		o.finish(a.body...)
		return nil
	}
	buffer, isOld := o.buffers.Get().(*[]byte)
	if !isOld {
		buffer = new(make([]byte, 0, 2<<10))
	}
	o.s = sink{b: (*buffer)[:0], to: o}
	defer func() {
		// Long buffers do not stay in memory.
		if cap(o.s.b) <= 2*pieceSize {
			*buffer = o.s.b
			o.buffers.Put(buffer)
		}
	}()
	switch err := a.stream.stream(ctx, &o.s); {
	case o.isHead() && errors.Is(err, errEnough):
		return nil
	case err != nil:
		return err
	}
	o.finish(o.s.b)
	return nil
}

// take implements taker: it sends a piece, and the headers before the first one.
func (o *sending) take(piece []byte) (empty []byte, err error) {
	if err := o.ctx.Err(); err != nil {
		return nil, err
	}
	o.begin(-1)
	if o.isHead() {
		return nil, errEnough
	}
	if _, err := o.w.Write(piece); err != nil {
		panic(http.ErrAbortHandler) // the client is gone
	}
	return piece[:0], nil
}

// finish sends the last pieces of a body, which are the whole body if nothing is sent yet.
func (o *sending) finish(pieces ...[]byte) {
	size := 0
	for _, piece := range pieces {
		size += len(piece)
	}
	o.begin(size)
	for _, piece := range pieces {
		if !o.isHead() {
			o.w.Write(piece) //nolint:errcheck // the client is gone
		}
	}
}

// begin sends the headers once. size is the length of the body; below 0 it is unknown.
func (o *sending) begin(size int) {
	if o.isBegun {
		return
	}
	o.isBegun = true
	a := o.a
	o.visit.status = a.status
	hasBody := a.stream != nil || a.body != nil
	h := o.w.Header()
	h.Set("Cache-Control", "no-store")
	if a.location != "" {
		h.Set("Location", a.location)
		if hasBody { // the same as meta.location (RFC 7643, Section 3.1)
			h.Set("Content-Location", a.location)
		}
	}
	if a.etag != "" {
		h.Set("Etag", a.etag) // this spelling spares net/http the canonicalisation
	}
	// SCIM-SDK's client takes an answer without this type for a failure, also a 204.
	h.Set("Content-Type", wire.ContentType)
	if hasBody && size >= 0 {
		h.Set("Content-Length", strconv.Itoa(size))
	}
	o.w.WriteHeader(a.status)
}
