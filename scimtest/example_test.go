package scimtest_test

import (
	"net/http/httputil"
	"net/url"
	"os"
	"testing"

	"github.com/scimkit/scim/scimtest"
)

// An application plays its own transcripts, and those of this module, against its own
// server.
func ExamplePlay() {
	_ = func(t *testing.T) { // func TestSCIM(t *testing.T)
		scimtest.Play(t, os.DirFS("testdata/transcripts"), func(t *testing.T) scimtest.Target {
			address, err := url.Parse("https://staging.example.com")
			if err != nil {
				t.Fatal(err)
			}
			return scimtest.Target{
				Handler: httputil.NewSingleHostReverseProxy(address),
				URL:     "https://staging.example.com/scim/v2",
				Token:   os.Getenv("SCIM_TOKEN"),
			}
		})
	}
}
