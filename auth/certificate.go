package auth

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

var (
	_ scim.Authenticator = (*CertificateAuth)(nil)
	_ scim.Challenger    = (*CertificateAuth)(nil)
)

// CertificateAuth authenticates requests by the client certificate of their TLS connection (mutual
// TLS). Certificate makes it. Set its fields before the first request.
//
// The server must verify certificates: set ClientCAs of its tls.Config to the authority of your clients
// alone, and ClientAuth to tls.VerifyClientCertIfGiven or tls.RequireAndVerifyClientCert. A certificate
// that nobody has verified counts as none.
//
// /ServiceProviderConfig does not show it, because SCIM has no name for it.
type CertificateAuth struct {
	// TrustedProxies are the proxies that end TLS and send the certificate of the client in Header. Each of
	// them must verify certificates, and must remove Header from requests that have none. Header of
	// anybody else does not count, and neither does the own certificate of a proxy. Nil: only
	// connections to this server count.
	TrustedProxies []netip.Prefix
	// Header is where proxies send the certificate, as RFC 9440 says (Client-Cert, the default), or in
	// PEM that is escaped as in URLs (nginx: $ssl_client_escaped_cert).
	Header string
	// Used is as that of BearerAuth.
	Used func(ctx context.Context, t Token, at time.Time)
	// Now is the clock. Nil: time.Now.
	Now func() time.Time

	lookup func(ctx context.Context, subject string, c *x509.Certificate) (Token, error)
}

// Certificate authenticates by client certificates. lookup returns the client of a verified certificate,
// or scim.ErrNotFound, sql.ErrNoRows or the zero Token if it is of no client. The Hash of the Token does
// not matter; without an ID it gives no access.
//
// subject is the distinguished name as RFC 2253 writes it, such as "CN=okta,O=Acme": all its parts, the
// last one first. A part that has no short name there, such as an address, begins with its OID. The
// subject names a client only among the certificates of one authority. Compare the whole of it, or
// SHA-256 of c.Raw to accept one certificate only. Do not compare c.Subject, which has one of several
// common names.
//
// Other errors of lookup are as those of BearerFunc.
func Certificate(lookup func(ctx context.Context, subject string, c *x509.Certificate) (Token, error)) *CertificateAuth {
	return &CertificateAuth{lookup: lookup}
}

var (
	errCertificate = errors.New("no verified client certificate")
	errOutdated    = errors.New("the client certificate has expired, or is not valid yet")
)

// Authenticate implements scim.Authenticator. The principal has the ID, Tenant and Scopes that lookup
// returns.
func (a *CertificateAuth) Authenticate(r *http.Request) (scim.Principal, error) {
	c := a.certificate(r)
	if c == nil {
		return scim.Principal{}, refuse(errCertificate)
	}
	now := time.Now()
	if a.Now != nil {
		now = a.Now()
	}
	// A connection may last longer than the certificate.
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return scim.Principal{}, refuse(errOutdated)
	}
	subject, err := subjectOf(c)
	if err != nil {
		return scim.Principal{}, refuse(err)
	}
	t, err := a.lookup(r.Context(), subject, c)
	if err := answerOf(err); err != nil {
		return scim.Principal{}, err
	}
	switch {
	case t.ID == "": // its Scopes are nil, which would be all
		return scim.Principal{}, refuse(errUnknown)
	case t.expired(now):
		return scim.Principal{}, refuse(expiredError(&t))
	}
	if a.Used != nil {
		a.Used(r.Context(), t, now)
	}
	return t.principal(), nil
}

// Challenge implements scim.Challenger. HTTP has no challenge for certificates, and a 401 needs one (RFC
// 9110, Section 15.5.2).
func (a *CertificateAuth) Challenge() string { return (*BearerAuth)(nil).Challenge() }

// certificate returns the verified certificate of the client. It is nil if there is none.
func (a *CertificateAuth) certificate(r *http.Request) *x509.Certificate {
	if a.isTrusted(r.RemoteAddr) {
		name := a.Header
		if name == "" {
			name = "Client-Cert"
		}
		values := r.Header.Values(name)
		if len(values) != 1 {
			return nil
		}
		return parseCertificate(values[0])
	}
	if r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.VerifiedChains[0]) == 0 {
		return nil
	}
	return r.TLS.VerifiedChains[0][0]
}

// subjectOf writes the whole subject. c.Subject has only one of several common names, and not their
// order, so that two clients could look alike.
func subjectOf(c *x509.Certificate) (string, error) {
	var names pkix.RDNSequence
	if _, err := asn1.Unmarshal(c.RawSubject, &names); err != nil {
		return "", fmt.Errorf("the subject of the client certificate: %w", err)
	}
	return names.String(), nil
}

// isTrusted reports whether a request from this remote address comes from one of the proxies.
func (a *CertificateAuth) isTrusted(remote string) bool {
	if len(a.TrustedProxies) == 0 {
		return false
	}
	from, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(a.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(from.Addr().Unmap()) })
}

// maxCertificate is how many bytes of a header are parsed.
const maxCertificate = 16 << 10

// parseCertificate reads a certificate as RFC 9440, Section 2.1 writes it, or in escaped PEM. It returns
// nil for anything else.
func parseCertificate(text string) *x509.Certificate {
	if len(text) > maxCertificate {
		return nil
	}
	var der []byte
	if inner, ok := strings.CutPrefix(text, ":"); ok {
		inner, ok = strings.CutSuffix(inner, ":")
		b, err := base64.StdEncoding.Strict().DecodeString(inner)
		if !ok || err != nil || strings.ContainsAny(inner, "\r\n") {
			return nil
		}
		der = b
	} else {
		plain, err := url.PathUnescape(text) // a plus sign is one
		if err != nil {
			return nil
		}
		block, rest := pem.Decode([]byte(plain))
		if block == nil || block.Type != "CERTIFICATE" || len(strings.TrimSpace(string(rest))) > 0 {
			return nil
		}
		der = block.Bytes
	}
	c, err := x509.ParseCertificate(der)
	if err != nil || !slices.Equal(c.Raw, der) {
		return nil
	}
	return c
}
