package testhost

import "net/http"

// CountingWriter keeps only the status and the size of an answer.
type CountingWriter struct {
	header http.Header
	Status int
	Size   int64
}

// NewCountingWriter is a writer for one answer.
func NewCountingWriter() *CountingWriter { return &CountingWriter{header: http.Header{}} }

// Header implements http.ResponseWriter.
func (w *CountingWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *CountingWriter) WriteHeader(status int) { w.Status = status }

// Write implements http.ResponseWriter.
func (w *CountingWriter) Write(b []byte) (int, error) {
	w.Size += int64(len(b))
	return len(b), nil
}
