package browsertest

import (
	"os"
	"path/filepath"
	"testing"

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

// axe-core finds nothing serious on any page, light and dark, and nothing is wider than a phone.
func TestAccessible(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	many := newSite(t, "", "other")
	for _, p := range s.places() {
		tab.Check(p.name, s.URL+"/provisioning/"+p.path)
	}
	tab.Check("tenants", many.URL+"/provisioning/")
	for _, p := range s.setupPlaces(tab, many) {
		tab.Check(p.name, p.path)
	}
}

// setupPlaces are the pages around set-up links, and one that is seen as an administrator sees it, by their addresses.
func (s *site) setupPlaces(tab *browser.Tab, many *site) []place {
	link := s.makeLink(tab)
	return []place{
		{"door", link}, {"setup", s.openLink(tab, link)}, {"links", s.URL + "/provisioning/connection"}, {"see-as", many.URL + "/provisioning/as/other/connection"}, {"tenants", many.URL + "/provisioning/"},
	}
}

// The pictures of docs/console.md can be drawn. With -update they are.
func TestPictures(t *testing.T) {
	tab, s := browser.Open(t), newSite(t, "")
	want := map[string]string{"overview": "1280", "request": "1280", "person": "390-dark", "setup": "1280"} // in docs/console.md
	dir := os.Getenv("SCIM_PICTURES")                                                                       // all pages, for people who look at them
	places := s.places()
	for i := range places {
		places[i].path = s.URL + "/provisioning/" + places[i].path
	}
	for _, p := range append(places, s.setupPlaces(tab, newSite(t, "", "other"))...) {
		for _, view := range []struct {
			name, scheme string
			width        int64
		}{{"1280", "light", 1280}, {"390-dark", "dark", 390}, {"1280-dark", "dark", 1280}, {"390", "light", 390}} {
			if want[p.name] != view.name && dir == "" {
				continue
			}
			picture := tab.Picture(p.path, view.scheme, view.width)
			if len(picture) < 2000 {
				t.Errorf("%s: a picture of %d bytes", p.name, len(picture))
			}
			file := filepath.Join("..", "..", "docs", "console", p.name+"-"+view.name+".png")
			if dir != "" {
				file = filepath.Join(dir, p.name+"-"+view.name+".png")
			} else if !*update {
				continue
			}
			if err := os.WriteFile(file, picture, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}
