package console

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
)

// trialStep is a request of the connection test, and what came of it.
type trialStep struct {
	What, Outcome string
	IsGood        bool
}

// trialLabel is the label of tokens of the test. They live for trialLife at most, and are revoked at its end.
const (
	trialLabel = "Connection test of the console"
	trialLife  = 5 * time.Minute
)

// testConnection tests the endpoint for a viewer.
func testConnection(ctx context.Context, q *request) error {
	if err := q.mayChangeTokens(); err != nil {
		return err
	}
	steps, err := q.test(ctx, q.viewer.ID, q.tenant.Tokens.Issue)
	if err != nil {
		return err
	}
	return renderConnection(ctx, q, http.StatusOK, &connection{Trial: steps})
}

// test plays the connection test of an identity provider against the endpoint, in this process. issue makes its token.
func (q *request) test(ctx context.Context, maker string, issue func(context.Context, tokens.Request) (string, tokens.Token, error)) ([]trialStep, error) {
	if q.tenant.Endpoint == nil {
		return nil, scim.ErrNotFound
	}
	secret, made, err := issue(ctx, tokens.Request{Label: trialLabel, Maker: maker, Expires: q.c.o.Now().Add(trialLife)})
	audit(ctx, q, made.ID, err)
	if err != nil {
		return nil, err
	}
	defer func() { // also if the browser has gone
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.c.o.Timeout)
		defer cancel()
		if err := q.tenant.Tokens.Revoke(last, made.ID); err != nil {
			q.c.o.Log.ErrorContext(last, "scim console: the token of a test is not revoked; it ends by itself", "tenant", q.id, "token", made.ID, "error", err)
		}
	}()
	var all []trialStep
	for _, t := range []struct {
		what, path, token string
		status            int
	}{
		{"It accepts a token, and describes itself.", "/ServiceProviderConfig", secret, http.StatusOK},
		{"It looks for a person who does not exist.", "/Users?count=1&filter=" + url.QueryEscape(`userName eq "nobody-`+made.ID+`"`), secret, http.StatusOK},
		{"It lists people.", "/Users?count=1", secret, http.StatusOK},
		{"It lists groups.", "/Groups?count=1", secret, http.StatusOK},
		{"It refuses a wrong token.", "/Users?count=1", secret + "x", http.StatusUnauthorized},
	} {
		all = append(all, play(ctx, q, t.what, t.path, t.token, t.status))
	}
	return all, nil
}

// play sends a request, and says whether the answer is as it should be.
func play(ctx context.Context, q *request, what, path, token string, status int) trialStep {
	step := trialStep{What: what}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, q.tenant.Address+path, http.NoBody)
	if err != nil {
		step.Outcome = "The address of the endpoint is not valid."
		return step
	}
	r.RequestURI = r.URL.RequestURI() // as a server would set it
	r.RemoteAddr = "127.0.0.1:0"
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Accept", "application/scim+json")
	w := &answer{header: http.Header{}}
	q.tenant.Endpoint.ServeHTTP(w, r)
	step.IsGood = w.status == status
	step.Outcome = fmt.Sprintf("answered %d", w.status)
	var failure struct{ Detail string }
	if json.Unmarshal(w.body.Bytes(), &failure) == nil && failure.Detail != "" && !step.IsGood {
		step.Outcome += ": " + failure.Detail
	}
	return step
}

// answer keeps the beginning of an answer.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// maxAnswer is how many bytes of an answer are kept.
const maxAnswer = 64 << 10

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.body.Write(b[:min(len(b), max(0, maxAnswer-a.body.Len()))])
	return len(b), nil
}
