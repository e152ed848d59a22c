package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/scimkit/scim/console/browsertest/browser"
)

// makeLink makes a set-up link by keyboard, and returns it.
func (s *site) makeLink(tab *browser.Tab) string {
	s.t.Helper()
	tab.Go(s.URL + "/provisioning/connection")
	tab.TabTo("Make a set-up link")
	tab.Press()
	tab.Has("Whoever has it can make tokens here", "Copy it now.")
	link := browser.Ask(tab, chromedp.Text(chromedp.CSS("#link")))
	if !strings.HasPrefix(link, s.URL+"/connect/#") {
		s.t.Fatalf("the link is %q", link)
	}
	return link
}

// openLink opens a link, and returns the address of its page.
func (s *site) openLink(tab *browser.Tab, link string) string {
	s.t.Helper()
	tab.Go(link)
	tab.TabTo("Go on")
	tab.Press()
	return browser.Ask(tab, chromedp.Evaluate[string]("location.href"))
}

// Somebody without an account connects the identity provider, by keyboard, from a link on a page of another site. The secret of
// the link is in no address and no Referer that a server sees, and not in the history.
func TestSetupLinkByKeyboard(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	link := s.makeLink(tab)
	_, code, _ := strings.Cut(link, "#")
	mail := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<main><a href="%s">Set-up link</a></main>`, link) //nolint:errcheck // the browser is gone
	}))
	defer mail.Close()
	tab.Go(strings.Replace(mail.URL, "127.0.0.1", "localhost", 1)) // another site: cookies do not look at ports
	tab.TabTo("Set-up link")
	tab.Press()
	tab.Has("You need no account")
	if at := browser.Ask(tab, chromedp.Evaluate[string]("location.href")); at != s.URL+"/connect/" {
		t.Errorf("the address still has the secret: %s", at)
	}
	tab.TabTo("Go on")
	tab.Press()
	tab.Has("ann@acme.test gave you this page", "Nothing is connected yet.")
	if shown := browser.Ask(tab, chromedp.Text(chromedp.CSS("body"))); strings.Contains(shown, "Ada") || strings.Contains(shown, "Activity") {
		t.Errorf("the page shows more than the connection: %s", shown)
	}
	if cookies := browser.Ask(tab, chromedp.Evaluate[string]("document.cookie")); cookies != "" {
		t.Errorf("a script can read %q", cookies)
	}
	tab.TabTo("Name of the new token")
	tab.Do(chromedp.KeyEvent("Okta"))
	tab.TabTo("Make a token")
	tab.Press()
	tab.Has("Copy it now. Nobody can show it again.", "2 more tokens")
	tab.TabTo("I have copied it")
	tab.Press()
	tab.Has("Waiting for the first request.")
	tab.TabTo("Test the endpoint")
	tab.Press()
	tab.Has("It refuses a wrong token.")
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, text := range s.seen {
		if strings.Contains(text, code[:40]) || strings.Contains(text, code[len(code)-40:]) {
			t.Errorf("the server sees the secret in %q", text)
		}
	}
}

// Without a script somebody pastes the link.
func TestSetupLinkWithoutScript(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	link := s.makeLink(tab)
	tab.Do(browser.Scripts(false))
	tab.Go(s.URL + "/connect/")
	tab.TabTo("The link, or what it has behind #")
	tab.Do(chromedp.KeyEvent(link))
	tab.Follow(chromedp.KeyEvent(kb.Enter))
	tab.Has("ann@acme.test gave you this page")
	tab.Do(browser.Scripts(true))
}

// The staff sees a tenant as its administrators do, cannot act, and ends it.
func TestSeeAsByKeyboard(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "acme", "other")
	tab.Go(s.URL + "/provisioning/t/acme/connection")
	tab.TabTo("See this as an administrator")
	tab.Press()
	banner := func() string { return browser.Ask(tab, chromedp.Text(chromedp.CSS(".banner"))) }
	if got := banner(); !strings.Contains(got, "as an administrator of Acme acme sees them") {
		t.Errorf("the banner says %q", got)
	}
	tab.TabTo("Connection")
	tab.Press()
	tab.TabTo("Name of the new token")
	tab.Do(chromedp.KeyEvent("Okta"))
	tab.Press()
	tab.Has("You may not do this", "Nothing was changed.")
	banner()
	tab.TabTo("People")
	tab.Press()
	tab.Has("Ada Lovelace")
	banner()
	tab.TabTo("End this")
	tab.Press()
	if at := browser.Ask(tab, chromedp.Evaluate[string]("location.href")); at != s.URL+"/provisioning/t/acme/" {
		t.Errorf("it ends at %s", at)
	}
}
