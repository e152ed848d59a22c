package tenants

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// placeholder stands for the name of the tenant.
const placeholder = "{tenant}"

const (
	maxHost = 253     // bytes of a host name (RFC 1035, Section 2.3.4)
	maxName = 200     // bytes of a name in a path
	maxPath = 8 << 10 // bytes of a path; longer ones go to the application
)

// address is a parsed Options.Address.
type address struct {
	// host is "" for any host. It may be the placeholder, or begin with it and a dot.
	host string
	// path has the segments. One may be the placeholder.
	path []string
	// byToken says that there is no placeholder.
	byToken bool
}

// parseAddress reads Options.Address.
func parseAddress(text string) (address, error) {
	refuse := func(why string) (address, error) { return address{}, fmt.Errorf("tenants: Address %q %s", text, why) }
	host, path, ok := strings.Cut(text, "/")
	if !ok {
		return refuse(`has no path: use one such as "/scim/v2", or "/" at its end`)
	}
	a := address{host: strings.ToLower(strings.TrimSuffix(host, ".")), path: split(path)}
	fixed, inHost := a.host, 0
	if rest, ok := strings.CutPrefix(a.host, placeholder); ok && (rest == "" || strings.HasPrefix(rest, ".") && rest != ".") {
		fixed, inHost = strings.TrimPrefix(rest, "."), 1
	}
	if fixed != "" && !isHostName(fixed) {
		return refuse("has a host that is neither a name nor " + placeholder + " with a name behind it; leave ports out")
	}
	inPath := 0
	for _, segment := range a.path {
		switch plain, err := url.PathUnescape(segment); {
		case segment == placeholder:
			inPath++
		case err != nil || plain == "." || plain == ".." || strings.ContainsAny(segment, "{}?#"):
			return refuse("has the segment " + segment + ", which no path can have")
		}
	}
	if inHost+inPath > 1 {
		return refuse("has " + placeholder + " more than once")
	}
	a.byToken = inHost+inPath == 0
	return a, nil
}

// match finds the name of the tenant in a request's host and path. prefix is the beginning of the
// path that belongs to the address.
func (a *address) match(host, path string) (name, prefix string, ok bool) {
	if a.host != "" {
		if name, ok = a.matchHost(hostName(host)); !ok {
			return "", "", false
		}
	}
	if len(path) > maxPath { // Nobody has authenticated yet, and net/http lets a path have a megabyte of slashes.
		return "", "", false
	}
	segments := split(path)
	if len(segments) < len(a.path) {
		return "", "", false
	}
	for i, want := range a.path {
		got := segments[i]
		if want != placeholder {
			if got != want {
				return "", "", false
			}
			continue
		}
		if name, ok = nameIn(got); !ok {
			return "", "", false
		}
	}
	return name, "/" + strings.Join(segments[:len(a.path)], "/"), true
}

// matchHost finds the name of the tenant in a host name. The name is "" if the host is fixed.
func (a *address) matchHost(host string) (name string, ok bool) {
	rest, named := strings.CutPrefix(a.host, placeholder)
	switch {
	case !named:
		return "", host == a.host
	case rest == "":
		return host, isHostName(host)
	}
	name, ok = strings.CutSuffix(host, rest)
	return name, ok && isHostName(name) && !strings.Contains(name, ".")
}

// hostName returns a host without its port, in lower case. A dot at its end means the same host.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// isHostName reports whether a text in lower case is a name in the DNS, or a part of one.
func isHostName(text string) bool {
	if text == "" || len(text) > maxHost {
		return false
	}
	for label := range strings.SplitSeq(text, ".") {
		if label == "" || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// nameIn returns the name that a segment of a path has. It refuses texts that databases refuse.
func nameIn(segment string) (name string, ok bool) {
	name, err := url.PathUnescape(segment)
	ok = err == nil && len(name) <= maxName && utf8.ValidString(name) && !slices.Contains([]string{"", ".", ".."}, name) &&
		!strings.ContainsFunc(name, unicode.IsControl)
	return name, ok
}

// split lists the segments of a path.
func split(path string) []string {
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}
