package endpoint

import (
	"log/slog"
	"net/http/httptest"
	"testing"
)

// What nobody watches costs the id of the request: its text and the header with it.
func TestNobodyWatches(t *testing.T) {
	s := &Server{c: Config{Log: slog.New(slog.DiscardHandler)}}
	for _, tt := range []struct {
		id     string
		most   float64
		reason string
	}{
		{"", 2, "a new id and its header"},
		{"given", 1, "only the header"},
	} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/Users/1", nil)
		if tt.id != "" {
			r.Header.Set(requestID, tt.id)
		}
		v := &visit{}
		got := testing.AllocsPerRun(100, func() {
			ctx, end := s.arrive(w, r, v)
			if ctx != r.Context() || end != nil {
				t.Fatal("somebody watches")
			}
			s.leave(ctx, r.Method, v, end)
		})
		if got > tt.most {
			t.Errorf("%.0f allocations, want %.0f: %s", got, tt.most, tt.reason)
		}
	}
}

// New ids differ, also those of two requests at the same time.
func TestNewIDs(t *testing.T) {
	seen := map[string]bool{}
	r := httptest.NewRequest("GET", "/", nil)
	for range 1000 {
		id := idOf(r)
		if seen[id] || !isCleanID(id) {
			t.Fatalf("the id %q", id)
		}
		seen[id] = true
	}
}
