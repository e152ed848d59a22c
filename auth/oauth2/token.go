package oauth2

import (
	"encoding/json"
	"math"
	"strings"
	"time"
)

// Token is what a verified access token says. Requests share it: do not change it.
type Token struct {
	// Issuer is the claim iss, Subject the claim sub. They are "" if introspection does not
	// tell them.
	Issuer, Subject string
	// ClientID is the OAuth client that got the token: the first of the claims client_id
	// (RFC 9068), azp (OpenID Connect, Entra), appid (Entra) and cid (Okta).
	ClientID string
	// Audience is the claim aud. Scopes are those of the claim scope (RFC 9068), or scp
	// (Okta, Entra).
	Audience, Scopes []string
	// Expires is the claim exp. It is zero if introspection does not tell it.
	Expires time.Time
	// Claims are all claims, as encoding/json decodes them.
	Claims map[string]any

	notBefore time.Time
}

// parseToken reads claims. It takes names as they are written: encoding/json would also
// read "AUD" into a struct's field for aud, and some servers let their clients add claims.
func parseToken(payload []byte) (*Token, error) {
	var c claims
	if err := json.Unmarshal(payload, &c.all); err != nil || c.all == nil {
		return nil, refusal("the claims are no JSON object")
	}
	t := &Token{
		Issuer: c.text("iss"), Subject: c.text("sub"),
		Audience: c.texts("aud"), Expires: c.instant("exp"), notBefore: c.instant("nbf"),
		Claims: c.all,
	}
	for _, name := range []string{"client_id", "azp", "appid", "cid"} {
		if id := c.text(name); t.ClientID == "" {
			t.ClientID = id
		}
	}
	scopes := c.texts("scope")
	if scopes == nil {
		scopes = c.texts("scp")
	}
	for _, s := range scopes {
		t.Scopes = append(t.Scopes, strings.Fields(s)...)
	}
	if c.wrong != "" {
		return nil, refusal("the claim " + c.wrong + " is of the wrong kind")
	}
	return t, nil
}

// claims reads single claims.
type claims struct {
	all   map[string]any
	wrong string // the name of a claim with a value of the wrong kind, "" if there is none
}

// text returns a claim that is a text, or "".
func (c *claims) text(name string) string {
	v, has := c.all[name]
	s, ok := v.(string)
	if has && !ok {
		c.wrong = name
	}
	return s
}

// texts returns a claim that is a text or a list of texts.
func (c *claims) texts(name string) []string {
	v, has := c.all[name]
	if s, ok := v.(string); ok {
		return []string{s}
	}
	items, ok := v.([]any)
	if has && !ok {
		c.wrong = name
	}
	var list []string
	for _, item := range items {
		s, ok := item.(string)
		if !ok {
			c.wrong = name
		}
		list = append(list, s)
	}
	return list
}

// instant returns a claim that is a NumericDate (RFC 7519, Section 2), or the zero time.
func (c *claims) instant(name string) time.Time {
	v, has := c.all[name]
	if !has {
		return time.Time{}
	}
	seconds, ok := v.(float64)
	if !ok || seconds < 0 || seconds >= maxInstant {
		c.wrong = name
		return time.Time{}
	}
	whole, part := math.Modf(seconds)
	return time.Unix(int64(whole), int64(part*1e9))
}

// maxInstant is the year 10,000 in seconds. Beyond it, arithmetic of times could overflow.
const maxInstant = 253402300800
