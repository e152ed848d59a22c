package console

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
)

// connection is the page by which a client is connected.
type connection struct {
	Standing *standing
	Address  string
	// HasTokens says that tokens are made here.
	HasTokens bool
	Tokens    []tokenView
	// Ended are the tokens that let nobody in any more.
	Ended []tokenView
	// CanTest says that the viewer may test the endpoint. Trial is what came of it.
	CanTest bool
	Trial   []trialStep
	Guides  []guide
	// Fresh is a token that was just made. Nil: none was.
	Fresh *freshToken
	// Links are the set-up links. Nil: the viewer makes none.
	Links *linkList
	// Wrong says what in the form is wrong.
	Wrong string
	// Label is what the form shows again.
	Label string
}

// freshToken is a token with its secret, which is shown once. Address is that of the endpoint, and Next leads to the page again.
type freshToken struct {
	Secret string
	tokens.Token
	Address, Next string
}

// tokenView is a token as the list shows it.
type tokenView struct {
	tokens.Token
	State string
	Tone  string
	// IsValid says that it lets requests in, and CanRotate that it has no successor.
	IsValid, CanRotate bool
}

func showConnection(ctx context.Context, q *request) error {
	return renderConnection(ctx, q, http.StatusOK, &connection{})
}

// renderConnection shows the page.
func renderConnection(ctx context.Context, q *request, status int, body *connection) error {
	p := q.c.newPage(q, "connection", "Connection", body)
	body.Address, body.Guides = q.tenant.Address, guides()
	body.HasTokens = q.tenant.Tokens != nil
	body.CanTest = q.viewer.May.Tokens && q.tenant.Endpoint != nil && body.HasTokens
	var all []tokens.Token
	var err error
	if body.HasTokens {
		all, err = q.tenant.Tokens.List(ctx)
	}
	hasNews := body.Fresh != nil || body.Links != nil && body.Links.Fresh != ""
	if err != nil && !hasNews {
		return err
	}
	listErr := err // What is new is shown all the same: nobody can read it again.
	list := withoutLinks(all)
	if links := q.linksOf(all); links != nil {
		if body.Links != nil {
			links.Fresh, links.FreshEnds = body.Links.Fresh, body.Links.FreshEnds
		}
		body.Links = links
	}
	now := q.c.o.Now()
	for _, t := range list {
		if v := viewOf(t, now); v.IsValid {
			body.Tokens = append(body.Tokens, v)
		} else {
			body.Ended = append(body.Ended, v)
		}
	}
	if body.Standing, err = findStanding(ctx, q, list); err != nil {
		p.Down = whyDown(ctx, q, err)
	}
	if listErr != nil {
		q.c.o.Log.ErrorContext(ctx, "scim console: the list of tokens is missing", "tenant", q.id, "viewer", q.viewer.ID, "error", listErr)
		body.Standing, p.Down = nil, "The list of tokens cannot be read now. What is new is made: copy it."
	}
	q.c.render(q.w, q.r, status, "connection", p)
	return nil
}

// viewOf says how a token stands.
func viewOf(t tokens.Token, now time.Time) tokenView {
	t.Maker = makerName(t)
	v := tokenView{Token: t, IsValid: t.IsValid(now)}
	v.CanRotate = v.IsValid && t.Successor == ""
	switch {
	case !t.Revoked.IsZero():
		v.State, v.Tone = "revoked "+agoOf(t.Revoked, now), "b"
	case !v.IsValid:
		v.State, v.Tone = "expired "+agoOf(t.Expires, now), "b"
	case t.Successor != "":
		v.State, v.Tone = "replaced, ends "+agoOf(t.Expires, now), "w"
	case !t.Expires.IsZero():
		v.State = "valid, ends " + agoOf(t.Expires, now)
		if t.Expires.Sub(now) < 14*24*time.Hour {
			v.Tone = "w"
		}
	default:
		v.State = "valid"
	}
	return v
}

// mayChangeTokens refuses viewers who may not, and tenants whose tokens are made elsewhere.
func (q *request) mayChangeTokens() error {
	switch {
	case !q.viewer.May.Tokens:
		return errForbidden
	case q.tenant.Tokens == nil:
		return scim.ErrNotFound
	}
	return nil
}

// lives are how long a token may be valid, by the value in the form.
func lives() map[string]time.Duration {
	return map[string]time.Duration{"never": 0, "90": 90 * 24 * time.Hour, "365": 365 * 24 * time.Hour}
}

func issueToken(ctx context.Context, q *request) error {
	if err := q.mayChangeTokens(); err != nil {
		return err
	}
	label := strings.TrimSpace(q.r.PostFormValue("label"))
	life, ok := lives()[q.r.PostFormValue("life")]
	if !ok {
		return errForm
	}
	body := &connection{Label: label}
	if body.Wrong = labelFault(label); body.Wrong != "" {
		return renderConnection(ctx, q, http.StatusBadRequest, body)
	}
	request := tokens.Request{Label: label, Maker: q.viewer.ID}
	if life > 0 {
		request.Expires = q.c.o.Now().Add(life)
	}
	secret, made, err := q.tenant.Tokens.Issue(ctx, request)
	audit(ctx, q, made.ID, err)
	if err != nil {
		return err
	}
	body.Fresh, body.Label = &freshToken{secret, made, q.tenant.Address, q.base() + "connection"}, ""
	return renderConnection(ctx, q, http.StatusOK, body)
}

// overlaps are how long a replaced token stays valid, by the value in the form.
func overlaps() map[string]time.Duration {
	return map[string]time.Duration{"0": 0, "1": time.Hour, "24": 24 * time.Hour, "168": 7 * 24 * time.Hour}
}

func rotateToken(ctx context.Context, q *request) error {
	if err := q.mayChangeTokens(); err != nil {
		return err
	}
	overlap, ok := overlaps()[q.r.PostFormValue("overlap")]
	if !ok {
		return errForm
	}
	id := q.r.PathValue("id")
	if err := q.mustBeLink(ctx, id, false); err != nil {
		return err
	}
	secret, made, err := q.tenant.Tokens.Rotate(ctx, id, tokens.Rotation{Overlap: overlap, Maker: q.viewer.ID})
	audit(ctx, q, id, err)
	body := &connection{}
	switch {
	case errors.Is(err, tokens.ErrRotated):
		body.Wrong = "This token was replaced already. Replace its successor instead."
		return renderConnection(ctx, q, http.StatusConflict, body)
	case errors.Is(err, tokens.ErrEnded):
		body.Wrong = "This token has ended. Make a new one."
		return renderConnection(ctx, q, http.StatusConflict, body)
	case err != nil:
		return err
	}
	body.Fresh = &freshToken{secret, made, q.tenant.Address, q.base() + "connection"}
	return renderConnection(ctx, q, http.StatusOK, body)
}

func revokeToken(ctx context.Context, q *request) error {
	if err := q.mayChangeTokens(); err != nil {
		return err
	}
	id := q.r.PathValue("id")
	err := q.tenant.Tokens.Revoke(ctx, id)
	audit(ctx, q, id, err)
	if err != nil {
		return err
	}
	redirect(q.w, q.base()+"connection")
	return nil
}
