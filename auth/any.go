package auth

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// Any accepts what one of several Authenticators accepts: for instance tokens, Basic and access
// tokens side by side. It asks them in their order, and the first one that knows the credential
// decides. One that answers 401 does not know it, unless its error is ErrRefused: an expired
// token is known. Any other answer, such as 429, decides too.
//
// An Authenticator that is down (503) does not keep out what another one accepts. If none
// accepts the credential and one was down, the answer is 503, because that one might have
// accepted it.
//
// WWW-Authenticate has the challenges of all, and /ServiceProviderConfig their schemes. A nil
// Authenticator is left out. Without any, Any refuses every request.
func Any(all ...scim.Authenticator) scim.Authenticator {
	return anyOf(slices.DeleteFunc(slices.Clone(all), func(a scim.Authenticator) bool { return a == nil }))
}

type anyOf []scim.Authenticator

var (
	_ scim.SchemeLister = anyOf(nil)
	_ scim.Challenger   = anyOf(nil)
)

// Authenticate implements scim.Authenticator.
func (all anyOf) Authenticate(r *http.Request) (scim.Principal, error) {
	reasons := []error{errNobody}
	var down error
	for _, a := range all {
		p, err := a.Authenticate(r)
		if err == nil {
			return p, nil
		}
		e, ok := errors.AsType[*scim.Error](err)
		switch {
		case ok && e.Status == http.StatusServiceUnavailable:
			if down == nil {
				down = err
			}
		case ok && e.Status != http.StatusUnauthorized, !ok && errors.Is(err, scim.ErrNotFound):
			return scim.Principal{}, err
		case errors.Is(err, ErrRefused):
			return scim.Principal{}, refuse(err)
		}
		reasons = append(reasons, err)
	}
	if down != nil {
		return scim.Principal{}, down
	}
	return scim.Principal{}, refuse(errors.Join(reasons...))
}

var errNobody = errors.New("no authenticator knows the credential")

// Challenge implements scim.Challenger. One header may have several challenges (RFC 9110, Section
// 11.6.1).
func (all anyOf) Challenge() string {
	challenges := make([]string, 0, len(all))
	for _, a := range all {
		challenge := bearerScheme // what the handler sends for it alone
		if c, ok := a.(scim.Challenger); ok {
			challenge = c.Challenge()
		}
		if challenge != "" && !slices.Contains(challenges, challenge) {
			challenges = append(challenges, challenge)
		}
	}
	if len(challenges) == 0 {
		return bearerScheme // a 401 has a challenge: RFC 9110, Section 15.5.2
	}
	return strings.Join(challenges, ", ")
}

// Schemes implements scim.SchemeLister.
func (all anyOf) Schemes() []scim.AuthScheme {
	var schemes []scim.AuthScheme
	for _, a := range all {
		lister, ok := a.(scim.SchemeLister)
		if !ok {
			continue
		}
		for _, s := range lister.Schemes() {
			if !slices.Contains(schemes, s) {
				schemes = append(schemes, s)
			}
		}
	}
	return schemes
}
