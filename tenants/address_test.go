package tenants

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ text, want, reason string }{
		{"/scim/v2", "", "the token names the tenant"},
		{"app.example.com/scim/v2", "", "one host only"},
		{"/", "", "the root"},
		{"{tenant}.Example.com./scim", "", "hosts have no case, and a dot at the end changes nothing"},
		{"{tenant}/scim", "", "the whole host"},
		{"/a/{tenant}/b", "", "a segment"},
		{"", "has no path", "required"},
		{"{tenant}.example.com", "has no path", "it would be taken for a path's first segment"},
		{"https://example.com/scim", "neither a name", "no URL"},
		{"example.com:8080/scim", "leave ports out", "the port of a request does not count"},
		{"x{tenant}.example.com/scim", "neither a name", "names begin the host"},
		{"{tenant}./scim", "", "a dot at the end"},
		{"{tenant}.a..b/scim", "neither a name", "an empty label"},
		{"{tenant}.example.com/{tenant}/scim", "more than once", "which one names it?"},
		{"/{tenant}/{tenant}", "more than once", "which one names it?"},
		{"/{other}/scim", "{other}", "an unknown placeholder"},
		{"/x{tenant}/scim", "x{tenant}", "a whole segment"},
		{"/scim/../v2", "..", "clients leave that out"},
		{"/scim/%zz", "%zz", "no path can have it"},
	} {
		_, err := parseAddress(c.text)
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want %q: %s", c.text, err, c.want, c.reason)
		}
	}
}

// A path of a megabyte is not taken apart before anybody has authenticated.
func TestMatchOfLongPath(t *testing.T) {
	a, err := parseAddress("/t/{tenant}")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{maxPath: true, maxPath + 1: false} {
		path := "/t/acme"
		path = strings.Repeat("/", n-len(path)) + path
		if name, _, ok := a.match("", path); ok != want || ok && name != "acme" {
			t.Errorf("%d bytes: %q, %t; want %t", n, name, ok, want)
		}
	}
}

// FuzzMatch checks that a name is what stands in the place of {tenant}, and that hosts and paths
// built from a name are found again.
func FuzzMatch(f *testing.F) {
	f.Add("{tenant}.example.com/scim/v2", "acme.example.com:80", "/scim/v2/Users")
	f.Add("/t/{tenant}/scim", "[::1]:80", "/t/a%2Fb/scim//Users")
	f.Add("{tenant}/", "a.b.", "//")
	f.Add("/scim", "", "/scim%00")
	f.Fuzz(func(t *testing.T, text, host, path string) {
		a, err := parseAddress(text)
		if err != nil {
			return
		}
		name, prefix, ok := a.match(host, path)
		if !ok {
			return
		}
		if (name == "") != a.byToken || strings.ContainsAny(name, "\x00\n") {
			t.Fatalf("%q: the name is %q", text, name)
		}
		if len(prefix) > len(path)+1 || strings.Contains(prefix, "//") {
			t.Fatalf("the prefix %q does not begin the path %q", prefix, path)
		}
		if a.byToken {
			return
		}
		again := hostName(host)
		if strings.HasPrefix(a.host, placeholder) {
			again = name + strings.TrimPrefix(a.host, placeholder)
		}
		built := strings.ReplaceAll("/"+strings.Join(a.path, "/"), placeholder, url.PathEscape(name))
		if found, _, ok := a.match(again, built); !ok || found != name {
			t.Fatalf("%q: %q at %q %q is found again as %q", text, name, again, built, found)
		}
	})
}
