package browsertest

import (
	"flag"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/scimkit/scim/console/browsertest/browser"
)

var update = flag.Bool("update", false, "write the pictures of docs/console.md")

// A new administrator finds out why a person is missing, by keyboard alone.
func TestFindFailureByKeyboard(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	tab.Go(s.URL + "/provisioning/")
	tab.Has("Okta is connected.", "1 problem needs you")
	tab.TabTo("see what failed")
	tab.Press()
	tab.Has("userName is taken")
	tab.TabTo("userName is taken")
	tab.Press()
	tab.Has("Why it failed", "userName is taken", "Somebody has this value already", "Whoever administers the identity provider can solve this.")
	tab.TabTo("Show both bodies")
	tab.Press()
	tab.Has(`"userName": "ADA@acme.test"`, `"scimType": "uniqueness"`)
}

// The main act of each page, by keyboard alone.
func TestActsByKeyboard(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	base := s.URL + "/provisioning/"
	for _, row := range []struct {
		name, path string
		act        func()
		want       string
	}{
		{"the first key leads to the content", "", func() {
			tab.Do(chromedp.KeyEvent(kb.Tab))
			if first := tab.Focused(); first != "Skip to the content" {
				t.Errorf("the first key leads to %q", first)
			}
		}, "Okta is connected."},
		{"make a token", "connection", func() {
			tab.TabTo("Name of the new token")
			tab.Do(chromedp.KeyEvent("Entra"))
			tab.TabTo("Make a token")
			tab.Press()
		}, "Copy it now. Nobody can show it again."},
		{"test the endpoint", "connection", func() { tab.TabTo("Test the endpoint"); tab.Press() }, "It refuses a wrong token."},
		{"search a person's requests", "activity", func() {
			tab.TabTo("Person, group or request id")
			tab.Do(chromedp.KeyEvent("bob@acme.test"))
			tab.Press()
		}, "Deactivate"},
		{"look at a person", "people", func() { tab.TabTo("Ada Lovelace"); tab.Press() }, "through the group Editors"},
		{"preview another role", "groups/" + s.group, func() { tab.TabTo("Show what would change"); tab.Press() }, "Nothing was changed now."},
		{"confirm a role", "groups", func() { tab.TabTo("Confirm"); tab.Press() }, "Editors"},
		{"try a request again", "", func() {
			tab.TabTo("What has failed")
			tab.Press()
			tab.TabTo("Create person")
			tab.Press()
			tab.TabTo("Try again without changing anything")
			tab.Press()
		}, "The same answer as then: it still fails."},
		{"look for who has the value", "activity?f=failed", func() {
			tab.TabTo("Create person")
			tab.Press()
			tab.TabTo("look for ADA@acme.test")
			tab.Press()
		}, "Ada Lovelace"},
		{"from health to what failed", "health", func() { tab.TabTo("1"); tab.Press() }, "userName is taken"},
		{"look at health", "", func() { tab.TabTo("Health"); tab.Press() }, "No client is in trouble"},
	} {
		tab.Go(base + row.path)
		row.act()
		if shown := tab.Text(); !strings.Contains(shown, row.want) {
			t.Errorf("%s: the page does not show %q:\n%s", row.name, row.want, shown)
		}
	}
	tab.Go(base + "people/" + s.person)
	tab.Has("role: Editors and Owners")
}

// A list says that something new has come, and copies are made with a script. Without one the page is whole.
func TestScript(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	tab.Go(s.URL + "/provisioning/activity")
	s.send(200, "GET", "/Users", "")
	if err := s.journal.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	tab.Do(chromedp.WaitVisible(chromedp.CSS("[data-live]")), chromedp.WaitVisible(chromedp.CSS("[data-clock]")))
	tab.Has("Something new has come.")
	tab.Do(browser.Scripts(false), chromedp.Navigate(s.URL+"/provisioning/connection"))
	tab.Has("https://app.acme.test/scim/v2", "Make a token", "Steps in your identity provider")
	tab.Do(browser.Scripts(true))
}
