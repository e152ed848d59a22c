package browsertest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/scimkit/scim/console/browsertest/browser"
	"github.com/scimkit/scim/journal"
)

// place is a page of the console.
type place struct{ name, path string }

// places are all pages.
func (s *site) places() []place {
	s.t.Helper()
	failed, err := s.journal.Find(s.t.Context(), journal.Query{Class: 4, Limit: 1})
	if err != nil || len(failed) != 1 {
		s.t.Fatalf("%d requests have failed, error %v", len(failed), err)
	}
	return []place{
		{"overview", ""}, {"problems", "problems"}, {"activity", "activity"}, {"request", "activity/" + failed[0].ID}, {"people", "people"},
		{"person", "people/" + s.person}, {"groups", "groups"}, {"group", "groups/" + s.group}, {"health", "health"}, {"connection", "connection"},
		{"failure", "nothing"},
	}
}

// around are the pages around set-up links and of the application's staff, by their addresses.
func (s *site) around(tab *browser.Tab) []place {
	many := newSite(s.t, "", "other", "busy")
	link := s.makeLink(tab)
	return []place{
		{"door", link}, {"setup", s.openLink(tab, link)}, {"dead-link", s.URL + "/connect/l/x/"}, {"links", s.URL + "/provisioning/connection"},
		{"see-as", many.URL + "/provisioning/as/other/connection"}, {"tenants", many.URL + "/provisioning/"}, {"health-with-failures", many.URL + "/provisioning/t/busy/health"},
	}
}

// answer is a page that comes when somebody presses a button on another one.
type answer struct{ name, path, button, typed string }

// answers are all of them.
func (s *site) answers(tab *browser.Tab) []answer {
	places := s.places()
	request := s.URL + "/provisioning/" + places[slices.IndexFunc(places, func(p place) bool { return p.name == "request" })].path
	connection, setup := s.URL+"/provisioning/connection", s.openLink(tab, s.makeLink(tab))
	return []answer{
		{"again", request, "Try again without changing anything", ""}, {"bodies", request, "Show both bodies", ""},
		{"token", connection, "Make a token", "Entra"}, {"test", connection, "Test the endpoint", ""}, {"link", connection, "Make a set-up link", ""},
		{"preview", s.URL + "/provisioning/groups/" + s.group, "Show what would change", ""},
		{"setup-token", setup, "Make a token", "Okta"}, {"setup-test", setup, "Test the endpoint", ""},
		{"forbidden", newSite(s.t, "", "other").URL + "/provisioning/as/other/connection", "Make a token", "Okta"},
	}
}

// press shows an answer.
func (a answer) press(tab *browser.Tab) {
	tab.Go(a.path)
	if a.typed != "" {
		tab.TabTo("Name of the new token")
		tab.Do(chromedp.KeyEvent(a.typed))
	}
	tab.TabTo(a.button)
	tab.Press()
}

// axe-core finds nothing serious on any page, light and dark, and nothing is wider than a phone.
func TestAccessible(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	for _, p := range s.places() {
		tab.Check(p.name, s.URL+"/provisioning/"+p.path)
	}
	for _, p := range s.around(tab) {
		tab.Check(p.name, p.path)
	}
	for _, a := range s.answers(tab) {
		a.press(tab)
		tab.CheckShown(a.name)
	}
}

// The pictures of docs/console.md can be drawn. With -update they are.
func TestPictures(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	dir := os.Getenv("SCIM_PICTURES") // all pages, for people who look at them
	draw := func(name string, show func()) {
		want := map[string]string{"overview": "1280", "request": "1280", "person": "390-dark", "setup": "1280", "health-with-failures": "1280", "again": "1280"}[name] // in docs/console.md
		if want == "" && dir == "" {
			return
		}
		show()
		for _, view := range []struct {
			name, scheme string
			width        int64
		}{{"1280", "light", 1280}, {"390-dark", "dark", 390}, {"1280-dark", "dark", 1280}, {"390", "light", 390}} {
			if view.name != want && dir == "" {
				continue
			}
			picture := tab.PictureShown(view.scheme, view.width)
			if len(picture) < 2000 {
				t.Errorf("%s: a picture of %d bytes", name, len(picture))
			}
			file := filepath.Join("..", "..", "docs", "console", name+"-"+view.name+".png")
			if dir != "" {
				file = filepath.Join(dir, name+"-"+view.name+".png")
			} else if !*update {
				continue
			}
			if err := os.WriteFile(file, picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	places := s.places()
	for i := range places {
		places[i].path = s.URL + "/provisioning/" + places[i].path
	}
	for _, p := range append(places, s.around(tab)...) {
		draw(p.name, func() { tab.Do(chromedp.EmulateViewport(1280, 900)); tab.Go(p.path) })
	}
	for _, a := range s.answers(tab) {
		draw(a.name, func() { tab.Do(chromedp.EmulateViewport(1280, 900)); a.press(tab) })
	}
}
