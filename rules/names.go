package rules

import (
	"context"
	"net/http"
	"net/mail"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// EmailUserName refuses a userName that is no e-mail address (400 invalidValue).
//
// Products whose users log in with their address need it. They document that the client's
// "Application username format" must be Email. Clients that forget it send a login name.
func EmailUserName(_ context.Context, c *scim.Change) error {
	if !concerns(c, "User") {
		return nil
	}
	for _, name := range added(c, "userName") {
		if !isAddress(name) {
			return refuse(c, "userName", invalid("userName", "must be an e-mail address, such as ann@example.com"))
		}
	}
	return nil
}

// isAddress reports whether s is an addr-spec (RFC 5322) of at most 254 bytes, without a
// name, a comment or quotation marks.
func isAddress(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && len(s) <= 254
}

// FreezeUserName refuses to change a userName (400 mutability). The spelling in upper and
// lower case may change. It also refuses to adopt an account that has another userName.
//
// Products whose data refers to users by login need it, and products whose users own their
// names. A client that renames a user is told so at once.
func FreezeUserName(ctx context.Context, c *scim.Change) error {
	if !concerns(c, "User") {
		return nil
	}
	before, err := stored(ctx, c)
	if err != nil || before == nil {
		return err
	}
	if isSame(before.String("userName"), c.After.String("userName")) {
		return nil
	}
	return refuse(c, "userName", &scim.Error{Status: http.StatusBadRequest, Type: "mutability",
		Detail: "userName: cannot be changed here; create another user for another name"})
}

// isSame reports whether two names are equal as stores compare them.
func isSame(a, b string) bool { return a == b || scim.Fold(a) == scim.Fold(b) }

// VerifiedDomains refuses addresses outside of the tenant's verified domains (400
// invalidValue; the answer lists the domains). paths are the attributes that it judges, such
// as "emails.value"; none means userName. Subdomains count only if they are listed. Without
// domains every address is refused.
//
// Products with many tenants need it. A tenant that could provision any address could take
// over the account of somebody else's employee. Each tenant proves its domains first, for
// example by a DNS record. Make the rule with the tenant's domains in TenantFor.
func VerifiedDomains(domains []string, paths ...string) scim.Rule {
	want := "needs an address in a verified domain, and none is verified"
	if len(domains) > 0 {
		want = "needs an address in a verified domain: " + strings.Join(domains, ", ")
	}
	if paths == nil {
		paths = []string{"userName"}
	}
	return func(_ context.Context, c *scim.Change) error {
		if !concerns(c, "User") {
			return nil
		}
		for _, path := range paths {
			for _, address := range added(c, path) {
				if !isIn(domains, address) {
					if err := refuse(c, path, invalid(path, want)); err != nil {
						return err
					}
					break // the attribute keeps its value
				}
			}
		}
		return nil
	}
}

// isIn reports whether the domain of an address is one of domains. Stores compare addresses
// by their Fold, so it does the same.
func isIn(domains []string, address string) bool {
	local, domain, _ := strings.Cut(scim.Fold(address), "@")
	return local != "" && slices.ContainsFunc(domains, func(d string) bool { return scim.Fold(d) == domain })
}
