package oauth2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxAnswer = 64 << 10    // bytes of an answer
	answerAge = time.Minute // the longest time for which an answer counts
)

// Endpoint is where an authorization server tells about tokens (RFC 7662).
type Endpoint struct {
	// URL needs https, except on a loopback address.
	URL string
	// ClientID and ClientSecret are the application's credentials there (HTTP Basic; RFC
	// 6749, Section 2.3.1).
	ClientID, ClientSecret string
}

// Introspect authenticates by asking the authorization server about each token. A token
// counts if the server calls it active, and if it meets all of i. The answer needs the
// claim aud. An answer counts for at most a minute, and never after exp. A revoked token
// therefore stays valid for up to a minute.
//
// If the server does not answer within 5 seconds, or not with 200 and JSON of at most 64
// KiB, the client gets 503. Each token that was not active before costs a request.
func Introspect(e Endpoint, i Issuer) (*Auth, error) {
	if !isSafe(e.URL) {
		return nil, fmt.Errorf("oauth2: the introspection endpoint is %q, want an address with https", e.URL)
	}
	if e.ClientID == "" || e.ClientSecret == "" {
		return nil, errors.New("oauth2: introspection needs ClientID and ClientSecret")
	}
	if err := i.check(); err != nil {
		return nil, err
	}
	return &Auth{source: func(ctx context.Context, a *Auth, raw string, now time.Time) (*Token, *Issuer, error) {
		if known, ok := a.cache.get(raw, now); ok {
			return known.token, &i, nil
		}
		t, err := e.ask(ctx, a.HTTP, raw)
		if err != nil {
			return nil, nil, err
		}
		if t.Issuer != "" && i.URL != "" && t.Issuer != i.URL {
			return nil, nil, refusal("the token is of another issuer: " + clip(t.Issuer))
		}
		until := now.Add(answerAge)
		if !t.Expires.IsZero() && t.Expires.Before(until) {
			until = t.Expires
		}
		a.cache.put(raw, entry{token: t, until: until}, now, a.CacheSize)
		return t, &i, nil
	}}, nil
}

// ask asks about one token.
func (e *Endpoint) ask(ctx context.Context, c *http.Client, raw string) (*Token, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	form := url.Values{"token": {raw}, "token_type_hint": {"access_token"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.SetBasicAuth(url.QueryEscape(e.ClientID), url.QueryEscape(e.ClientSecret))
	body, err := send(c, r, maxAnswer)
	if err != nil {
		return nil, err
	}
	t, err := parseToken(body)
	if err != nil {
		return nil, fmt.Errorf("the answer about the token is not usable: %s", err)
	}
	switch active, ok := t.Claims["active"].(bool); {
	case !ok:
		return nil, errors.New("the answer about the token does not say whether it is active")
	case !active:
		return nil, refusal("the authorization server calls the token inactive")
	}
	return t, nil
}
