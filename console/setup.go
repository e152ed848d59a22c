package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/auth/tokens"
)

// Setup are the settings of set-up links: see Console.Setup.
type Setup struct {
	// Address is where the application serves what Console.Setup returns, such as
	// "https://app.example.com/provisioning-setup/". Links begin with it. Their cookie gets its path, and is Secure if it
	// begins with "https".
	Address string
	// Keys sign the links: 32 random bytes each. The first one signs, and each of them verifies. To rotate, add a new one
	// behind the others in every process, then put it in front, and remove the old one MaxSetupLife later. A link whose key
	// is gone does not work.
	Keys [][]byte
	// MayStill reports whether a viewer, by Viewer.ID, may still make tokens in a tenant. It is asked for each request of a
	// link, about its maker. False: the link does not work. An error is 503.
	MayStill func(ctx context.Context, viewer, tenant string) (bool, error)
}

// MaxSetupLife is the longest time for which a set-up link works.
const MaxSetupLife = 14 * 24 * time.Hour

// check returns the keys. Its error lists every mistake.
func (s *Setup) check() (linkKeys, error) {
	u, err := url.Parse(s.Address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil || !strings.HasSuffix(u.Path, "/") || strings.ContainsAny(u.EscapedPath(), ";,") {
		err = fmt.Errorf(`console: Setup: Address is %q: use an address like "https://example.com/setup/", with "/" at its end`, s.Address)
	}
	if s.MayStill == nil {
		err = errors.Join(err, errors.New("console: Setup: MayStill is missing"))
	}
	keys, keyErr := newLinkKeys(s.Keys)
	return keys, errors.Join(err, keyErr)
}

// linkLabel is the label of the record of a set-up link. A record is a token of the tenant that opens nothing, and whose secret
// nobody gets. So a link ends in all processes when its record is revoked, also by tokens.Tenant.RevokeAll, and the console
// needs no store for links.
const linkLabel = "Set-up link of the console"

// isLink reports whether a token is the record of a set-up link.
func isLink(t tokens.Token) bool {
	return t.Label == linkLabel && t.Scopes != nil && len(t.Scopes) == 0
}

// maxMaker is how many characters a token's maker has at most.
const maxMaker = 200

// makerOf names a link as the maker of a token: its own maker, and its id. By the id the tokens of a link are counted.
func (l *setupLink) makerOf() string {
	by := " (set-up link " + l.ID + ")"
	maker := []rune(string(l.Maker))
	return string(maker[:min(len(maker), maxMaker-len(by))]) + by
}

// madeBy reports whether a link has made a token.
func (l *setupLink) madeBy(t tokens.Token) bool {
	return strings.HasSuffix(t.Maker, " (set-up link "+l.ID+")")
}

// Setup returns a handler for people who have no account: whoever connects the identity provider at the customer. A viewer who may
// make tokens makes a link for them on the page Connection. The link shows how to connect one tenant, makes tokens and tests
// the endpoint. It shows no person, no group, no request and no other token.
//
// Mount it outside of your log-in, at Options.Setup.Address:
//
//	mux.Handle("/provisioning-setup/", http.StripPrefix("/provisioning-setup", c.Setup()))
//
// It is a handler of its own, so that no page of the console is behind its address, whatever the log-in leaves open. Without
// Options.Setup all of it is 404.
//
// The secret of a link is behind "#" in its address, so it is in no log and in no Referer. When somebody opens the link, it
// moves to a cookie that other sites cannot send. A link ends when it expires, when a viewer ends it, when its maker may no longer
// make tokens, and when tokens.Tenant.RevokeAll revokes the tenant's tokens. This counts in all processes at the next
// request. What is done by a link is audited, as an act of its maker: see Act.SetupLink.
func (c *Console) Setup() http.Handler {
	mux := http.NewServeMux()
	c.addAssets(mux)
	if c.o.Setup != nil {
		mux.HandleFunc("GET /{$}", c.showDoor)
		mux.HandleFunc("POST /{$}", c.openLink)
		mux.HandleFunc("GET /l/{link}/{$}", c.viaLink("", showSetup))
		mux.HandleFunc("GET /l/{link}/newest", c.viaLink("", showSetupNewest))
		mux.HandleFunc("POST /l/{link}/tokens", c.viaLink(IssueToken, issueBySetup))
		mux.HandleFunc("POST /l/{link}/test", c.viaLink(TestConnection, testBySetup))
	}
	notFound := func(w http.ResponseWriter, r *http.Request) {
		title, text := failureTexts(http.StatusNotFound)
		c.render(w, r, http.StatusNotFound, "failure", &page{Title: title, Root: rootOf(r), Body: text})
	}
	mux.HandleFunc("/", notFound)
	return protect(clean(mux, notFound))
}

// showDoor shows where a link leads to: a form that sends its secret. Nothing is known of the link yet, because browsers do not send
// what is behind "#". A program that looks at links in messages learns nothing, and opens nothing.
func (c *Console) showDoor(w http.ResponseWriter, r *http.Request) { c.door(w, r, http.StatusOK, "") }

func (c *Console) door(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	c.render(w, r, status, "door", &page{Title: "Connect your identity provider", Root: rootOf(r), Body: wrong})
}

// openLink moves the secret of a link to a cookie.
func (c *Console) openLink(w http.ResponseWriter, r *http.Request) {
	code := strings.TrimSpace(r.PostFormValue("code"))
	code = code[strings.LastIndexByte(code, '#')+1:] // Somebody may paste the whole link.
	c.withLink(w, r, code, OpenSetupLink, func(ctx context.Context, q *request) error {
		u, err := url.Parse(c.o.Setup.Address)
		if err != nil {
			return err
		}
		http.SetCookie(w, &http.Cookie{Name: linkCookie, Value: code, Path: u.EscapedPath() + "l/" + q.link.ID + "/", HttpOnly: true,
			Secure: u.Scheme == "https", SameSite: http.SameSiteStrictMode})
		audit(ctx, q, q.link.ID, nil)
		redirect(w, "./l/"+q.link.ID+"/")
		return nil
	})
}

// linkCookie is the name of the cookie of a link. Each link has its own: its path has the link's id.
const linkCookie = "scim-setup"

// viaLink answers a page of the link whose id is in the address.
func (c *Console) viaLink(act ActKind, f show) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		code := ""
		for _, cookie := range r.CookiesNamed(linkCookie) {
			if l, err := c.links.read(cookie.Value); err == nil && l.ID == r.PathValue("link") {
				code = cookie.Value
			}
		}
		c.withLink(w, r, code, act, f)
	}
}

// withLink calls f with what a link opens, or says that the link does not work.
func (c *Console) withLink(w http.ResponseWriter, r *http.Request, code string, act ActKind, f show) {
	l, err := c.links.read(code)
	if err != nil {
		c.o.Log.DebugContext(r.Context(), "scim console: an unknown set-up link", "error", err) // Anybody can send one.
		c.dead(w, r)
		return
	}
	v := Viewer{ID: string(l.Maker), Tenants: []string{string(l.Tenant)}}
	q := &request{c: c, w: w, r: r, viewer: v, id: string(l.Tenant), act: act, link: l}
	q.answer(func(ctx context.Context, q *request) error {
		list, err := q.findLink(ctx)
		if err == nil {
			q.list = list
			return f(ctx, q)
		}
		if !errors.Is(err, errLink) {
			return err
		}
		c.o.Log.InfoContext(ctx, "scim console: a set-up link was refused", "link", l.ID, "maker", v.ID, "tenant", q.id, "error", err)
		if act != "" {
			audit(ctx, q, l.ID, err)
		}
		c.dead(w, r)
		return nil
	})
}

// dead says that a link does not work, whatever the reason is.
func (c *Console) dead(w http.ResponseWriter, r *http.Request) {
	c.door(w, r, http.StatusNotFound, "This link does not work here. It has ended, or it was opened in another browser, or a part of it is missing. Open it again, or ask whoever sent it for a new one.")
}

// findLink returns the tokens of the tenant if the link of a request still works, and errLink if not.
func (q *request) findLink(ctx context.Context) ([]tokens.Token, error) {
	l, now := q.link, q.c.o.Now()
	if !now.Before(l.Expires) {
		return nil, fmt.Errorf("%w: it has expired", errLink)
	}
	if q.tenant.Tokens == nil {
		return nil, fmt.Errorf("%w: the tenant has no tokens", errLink)
	}
	list, err := q.tenant.Tokens.List(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(list, func(t tokens.Token) bool { return t.ID == l.ID && isLink(t) && t.IsValid(now) }) {
		return nil, fmt.Errorf("%w: it was ended", errLink)
	}
	may, err := q.c.o.Setup.MayStill(ctx, string(l.Maker), q.id)
	switch {
	case err != nil:
		return nil, err
	case !may:
		return nil, fmt.Errorf("%w: its maker may no longer make tokens", errLink)
	}
	return list, nil
}

// withoutLinks returns the tokens among records.
func withoutLinks(all []tokens.Token) []tokens.Token {
	return slices.DeleteFunc(slices.Clone(all), isLink)
}

// labelFault says what is wrong with the label of a new token. "": nothing is.
func labelFault(label string) string {
	if label == linkLabel || label == trialLabel {
		return "The console uses this name itself. Take another one."
	}
	if label == "" || len(label) > 200 || strings.ContainsFunc(label, func(r rune) bool { return r < ' ' || r == 0xfffd }) {
		return "Give the token a name of at most 200 letters, such as the name of your identity provider."
	}
	return ""
}
