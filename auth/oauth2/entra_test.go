package oauth2_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/oauth2"
)

const (
	acmeDirectory = "0b5c8f0e-5d4e-4a55-9a59-1f2c6a2f3c11"
	evilDirectory = "99999999-5d4e-4a55-9a59-1f2c6a2f3c11"
)

// entra makes an Auth that finds the server's keys at Microsoft's address.
func (s *server) entra(t testing.TB, tenantOf func(context.Context, string) (string, error)) *oauth2.Auth {
	a := oauth2.Entra(oauth2.EntraCustomApp, tenantOf)
	a.Now = s.clock
	a.HTTP = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.String() != "https://login.microsoftonline.com/common/discovery/keys" {
			t.Errorf("keys are fetched from %s", r.URL)
		}
		own, err := http.NewRequestWithContext(r.Context(), r.Method, s.URL, nil)
		if err != nil {
			return nil, err
		}
		return http.DefaultTransport.RoundTrip(own)
	})}
	return a
}

// entraToken is a token of Entra's provisioning service, with changes.
func entraToken(t testing.TB, change fields) string {
	c := fields{
		"iss": "https://sts.windows.net/" + acmeDirectory + "/", "aud": oauth2.EntraCustomApp, "tid": acmeDirectory,
		"appid": "00000014-0000-0000-c000-000000000000", "client_id": nil, "scope": nil, "sub": "5a1d", "ver": "1.0",
	}
	for name, v := range change {
		c[name] = v
	}
	return sign(t, jose.RS256, rsaKey(), "rsa", with(c))
}

func TestEntra(t *testing.T) {
	down := errors.New("connection refused")
	tenants := map[string]string{acmeDirectory: "acme"}
	tenantOf := func(_ context.Context, directory string) (string, error) {
		if directory == "00000000-0000-0000-0000-000000000000" {
			return "", down
		}
		return tenants[directory], nil
	}
	iss := func(directory string) string { return "https://sts.windows.net/" + directory + "/" }
	s := newServer(t)
	for _, c := range []struct {
		name   string
		change fields
		status int
		reason string
		why    string
	}{
		{"of a customer", nil, 200, "", "its administrator entered the directory"},
		{"of another directory", fields{"iss": iss(evilDirectory), "tid": evilDirectory}, 401, "unknown issuer", "well signed, the same audience, and nobody's customer"},
		{"tid of another directory", fields{"tid": evilDirectory}, 401, "another tid", "issuer and tid differ"},
		{"issuer of another directory", fields{"iss": iss(evilDirectory)}, 401, "unknown issuer", "the issuer decides, not the tid"},
		{"no tid", fields{"tid": nil}, 401, "another tid", "both are needed"},
		{"of another client", fields{"appid": "11111111-1111-1111-1111-111111111111"}, 401, "another client", "an application of the customer, not Entra's service"},
		{"no client", fields{"appid": nil}, 401, "another client", "the service always names itself"},
		{"azp", fields{"appid": nil, "azp": "00000014-0000-0000-c000-000000000000"}, 200, "", "the name of the claim in version 2"},
		{"azp of another client", fields{"azp": "11111111-1111-1111-1111-111111111111"}, 401, "another client", "azp comes first"},
		{"another audience", fields{"aud": "00000003-0000-0000-c000-000000000000"}, 401, "another audience", "a token for Microsoft Graph"},
		{"issuer of another cloud", fields{"iss": "https://sts.chinacloudapi.cn/" + acmeDirectory + "/"}, 401, "unknown issuer", "other keys"},
		{"issuer with a suffix", fields{"iss": iss(acmeDirectory) + "x/"}, 401, "unknown issuer", "compared as a whole"},
		{"issuer with a line behind", fields{"iss": iss(acmeDirectory) + "\n"}, 401, "unknown issuer", "compared as a whole"},
		{"issuer in capitals", fields{"iss": "https://sts.windows.net/0B5C8F0E-5d4e-4a55-9a59-1f2c6a2f3c11/"}, 401, "unknown issuer", "Entra writes it in lower case"},
		{"a look-alike", fields{"iss": "https://stsxwindows.net/" + acmeDirectory + "/"}, 401, "unknown issuer", "dots are dots"},
		{"outage", fields{"iss": iss("00000000-0000-0000-0000-000000000000")}, 503, "connection refused", "the application cannot say now"},
	} {
		t.Run(c.name, func(t *testing.T) {
			expect(t, s.entra(t, tenantOf), entraToken(t, c.change), c.status, c.reason, c.why)
		})
	}
	a := s.entra(t, tenantOf)
	_, p, _ := outcome(t, a, request(entraToken(t, nil)))
	if diff := cmp.Diff(scim.Principal{ID: "00000014-0000-0000-c000-000000000000", Tenant: "acme", Scopes: []string{"users", "groups"}}, p); diff != "" {
		t.Errorf("the tenant of the directory, and the scopes of a provisioning service (-want +got):\n%s", diff)
	}
	delete(tenants, acmeDirectory)
	expect(t, a, entraToken(t, nil), 401, "unknown issuer", "the administrator has removed the directory; the token was seen before")
	expect(t, s.entra(t, func(context.Context, string) (string, error) { return "x", scim.ErrNotFound }), entraToken(t, nil), 401, "unknown issuer", "the error counts")
	none := oauth2.Entra("", func(context.Context, string) (string, error) { return "acme", nil })
	none.Now, none.HTTP = s.clock, a.HTTP
	expect(t, none, entraToken(t, fields{"aud": ""}), 503, "Audiences", "a forgotten audience lets nobody in")
}
