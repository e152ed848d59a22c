package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// setupPage is what a set-up link shows.
type setupPage struct {
	Address string
	// Maker made the link, which works until Expires.
	Maker   string
	Expires time.Time
	// Tone and Lead say whether requests arrive, and Rest what else to know.
	Tone, Lead, Rest string
	// Newest is the newest entry that this is about; "" if there is none.
	Newest string
	// Tokens were made by the link, and Left is how many more it may make.
	Tokens []tokenView
	Left   int
	Fresh  *freshToken
	// CanTest says that there is an endpoint to test, and Trial is what came of the test.
	CanTest bool
	Trial   []trialStep
	Guides  []guide
	// Wrong says what in a form is wrong.
	Wrong string
}

// maxTrials is how many tests of the endpoint a link may do. Each leaves a record among the tokens.
const maxTrials = 30

func showSetup(ctx context.Context, q *request) error {
	return renderSetup(ctx, q, http.StatusOK, &setupPage{})
}

// renderSetup shows the page of a link.
func renderSetup(ctx context.Context, q *request, status int, body *setupPage) error {
	now := q.c.o.Now()
	body.Address, body.Maker, body.Expires, body.Guides = q.tenant.Address, string(q.link.Maker), q.link.Expires, guides()
	body.CanTest = q.tenant.Endpoint != nil
	made := q.ownTokens()
	body.Left = max(0, q.link.Tokens-len(made))
	for _, t := range made {
		body.Tokens = append(body.Tokens, viewOf(t, now))
	}
	p := &page{Title: "Connect your identity provider", Root: rootOf(q.r), Viewer: q.viewer, Tenant: q.name(), Body: body}
	p.Base = p.Root + "l/" + q.link.ID + "/"
	if err := body.arrivals(ctx, q, made); err != nil {
		p.Down = whyDown(ctx, q, err)
	}
	q.c.render(q.w, q.r, status, "setup", p)
	return nil
}

// ownTokens returns the tokens that the link of a request has made, without those of tests.
func (q *request) ownTokens() []tokens.Token {
	return slices.DeleteFunc(slices.Clone(q.list), func(t tokens.Token) bool { return !q.link.madeBy(t) || t.Label == trialLabel })
}

// arrivals says whether requests arrive with the tokens of the link. Other clients of the tenant, and what was asked for, are not
// shown.
func (p *setupPage) arrivals(ctx context.Context, q *request, made []tokens.Token) error {
	newest, refused, err := newestBySetup(ctx, q, made)
	if err != nil {
		return err
	}
	now := q.c.o.Now()
	switch {
	case newest != nil:
		p.Newest = newest.ID
		p.Tone, p.Lead = "good", "Requests arrive."
		p.Rest = "The last one came " + agoOf(newest.Time, now) + ", with the token “" + shorten(labelOf(made, newest.Detail.Client)) + "”."
		if newest.Status >= 400 || newest.Status == 0 {
			p.Tone = "warn"
			p.Rest += fmt.Sprintf(" It was not accepted (%d). Ask whoever sent you this link to look at it.", newest.Status)
		}
	case len(made) == 0:
		p.Tone, p.Lead = "warn", "Nothing is connected yet."
		p.Rest = "Make a token, and enter it with the address in your identity provider."
	default:
		p.Tone, p.Lead = "warn", "Waiting for the first request."
		p.Rest = "Enter the address and the token in your identity provider, and test the connection there."
	}
	if refused != nil && (newest == nil || refused.ID > newest.ID) {
		p.Newest = refused.ID
		p.Tone = "bad"
		p.Rest += " A request was refused " + agoOf(refused.Time, now) + ". Look whether the whole token is in your identity provider."
	}
	return nil
}

// newestBySetup returns the newest exchange with a token of the link, and the newest refused request since the link was made. Nil:
// there is none.
func newestBySetup(ctx context.Context, q *request, made []tokens.Token) (accepted, refused *journal.Entry, err error) {
	for _, t := range made {
		all, err := q.c.o.Journal.Find(ctx, journal.Query{Tenant: q.id, Kind: journal.Exchange, Client: t.Client, Limit: 1})
		if err != nil {
			return nil, nil, err
		}
		if len(all) > 0 && all[0].Detail != nil && (accepted == nil || all[0].ID > accepted.ID) {
			accepted = &all[0]
		}
	}
	i := slices.IndexFunc(q.list, func(t tokens.Token) bool { return t.ID == q.link.ID })
	all, err := q.c.o.Journal.Find(ctx, journal.Query{Tenant: q.id, Kind: journal.Refused, From: q.list[i].Created, Limit: 1})
	if err != nil || len(all) == 0 {
		return accepted, nil, err
	}
	return accepted, &all[0], nil
}

// showSetupNewest tells the script whether something has come since.
func showSetupNewest(ctx context.Context, q *request) error {
	var body setupPage
	if err := body.arrivals(ctx, q, q.ownTokens()); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q.w.Write([]byte(body.Newest)) //nolint:errcheck // the browser is gone
	return nil
}

// issueBySetup makes a token.
func issueBySetup(ctx context.Context, q *request) error {
	label := strings.TrimSpace(q.r.PostFormValue("label"))
	life, ok := lives()[q.r.PostFormValue("life")]
	if !ok || life == 0 { // Only viewers make tokens that never end.
		return errForm
	}
	body := &setupPage{}
	if body.Wrong = labelFault(label); body.Wrong != "" {
		return renderSetup(ctx, q, http.StatusBadRequest, body)
	}
	secret, made, err := q.issueOnce(ctx, tokens.Request{Label: label, Maker: q.link.makerOf(), Scopes: q.link.Scopes, Expires: q.c.o.Now().Add(life)})
	audit(ctx, q, made.ID, err)
	if body.Wrong = whyNot(err, "makes no more tokens"); body.Wrong != "" {
		return renderSetup(ctx, q, http.StatusConflict, body)
	}
	if err != nil {
		return err
	}
	body.Fresh = &freshToken{secret, made, q.tenant.Address, "./"}
	return renderSetup(ctx, q, http.StatusOK, body)
}

// whyNot is what a page says if a link may do no more, or if another request uses it. "": err is another one, or nil.
func whyNot(err error, doesNo string) string {
	switch {
	case errors.Is(err, errSpent):
		return "This link " + doesNo + ". Ask whoever sent it for a new one."
	case errors.Is(err, errBusy):
		return "Somebody makes a token with this link at this moment. Try again in a few seconds."
	}
	return ""
}

// busyLinks are the set-up links that make a token now. Its zero value is ready.
type busyLinks struct {
	mu  sync.Mutex
	all map[string]bool
}

// take reports whether no other request makes a token with a link. Then call leave.
func (b *busyLinks) take(link string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all[link] {
		return false
	}
	if b.all == nil {
		b.all = map[string]bool{}
	}
	b.all[link] = true
	return true
}

func (b *busyLinks) leave(link string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.all, link)
}

// issueOnce makes a token, unless the link has made all that it may. Other processes can make one at the same time, so it counts
// again afterwards, and revokes what is too much before anybody has seen the secret.
func (q *request) issueOnce(ctx context.Context, r tokens.Request) (secret string, made tokens.Token, err error) {
	if !q.c.busy.take(q.link.ID) {
		return "", tokens.Token{}, errBusy
	}
	defer q.c.busy.leave(q.link.ID)
	limit, count := q.link.Tokens, func(list []tokens.Token) int { q.list = list; return len(q.ownTokens()) }
	if r.Label == trialLabel {
		limit, count = maxTrials, q.countTrials
	}
	list, err := q.tenant.Tokens.List(ctx)
	if err != nil {
		return "", tokens.Token{}, err
	}
	if count(list) >= limit {
		return "", tokens.Token{}, errSpent
	}
	if secret, made, err = q.tenant.Tokens.Issue(ctx, r); err != nil {
		return "", tokens.Token{}, err
	}
	if list, err = q.tenant.Tokens.List(ctx); err == nil && count(list) > limit {
		err = errSpent
	}
	if err != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.c.o.Timeout)
		defer cancel()
		if failed := q.tenant.Tokens.Revoke(last, made.ID); failed != nil {
			q.c.o.Log.ErrorContext(last, "scim console: a token that a set-up link may not make is not revoked; nobody has its secret", "tenant", q.id, "token", made.ID, "error", failed)
		}
		return "", made, err
	}
	return secret, made, nil
}

// countTrials returns how many tests the link has done.
func (q *request) countTrials(list []tokens.Token) int {
	return len(slices.DeleteFunc(slices.Clone(list), func(t tokens.Token) bool { return !q.link.madeBy(t) || t.Label != trialLabel }))
}

// testBySetup tests the endpoint.
func testBySetup(ctx context.Context, q *request) error {
	body := &setupPage{}
	var err error
	body.Trial, err = q.test(ctx, q.link.makerOf(), q.issueOnce)
	if body.Wrong = whyNot(err, "does no more tests"); body.Wrong != "" {
		return renderSetup(ctx, q, http.StatusConflict, body)
	}
	if err != nil {
		return err
	}
	return renderSetup(ctx, q, http.StatusOK, body)
}

// makerName returns the maker of a token for people: without the id of a set-up link.
func makerName(t tokens.Token) string {
	name, _, isBySetup := strings.Cut(t.Maker, " (set-up link ")
	if !isBySetup {
		return t.Maker
	}
	return cmp.Or(name, "somebody") + ", by a set-up link"
}
