//go:build !race

package tokens_test

import (
	"testing"

	"github.com/scimkit/scim/auth/tokens"
)

// TestAllocations holds the allocations of a request to their budget. The race detector adds some.
func TestAllocations(t *testing.T) {
	for name, o := range map[string]tokens.Options{"cached": {CacheFor: tokens.MaxCacheFor}, "memory": {}} {
		all, r := benchmarked(t, o)
		got := testing.AllocsPerRun(100, func() {
			if _, err := all.Authenticate(r); err != nil {
				t.Fatal(err)
			}
		})
		if got > 4 {
			t.Errorf("%s: %.0f allocations for a request, more than 4", name, got)
		}
	}
}
