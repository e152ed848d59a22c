package browsertest

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"

	"github.com/scimkit/scim/console/browsertest/browser"
)

// pages returns the paths of the pages in the menu, by their names. The console has tests of its own.
func (s *session) pages() map[string]string {
	s.Helper()
	s.show("/")
	pages := make(map[string]string)
	for _, link := range browser.Ask(s.tab, chromedp.AttributesAll(chromedp.CSSAll("nav a"))) {
		if path := link["href"]; path != "/provisioning/" {
			pages[strings.Trim("home"+strings.ReplaceAll(path, "/", "-"), "-")] = path
		}
	}
	if len(pages) < 3 {
		s.Errorf("the menu has the pages %q only", pages)
	}
	return pages
}

// draw draws a page in each width and colour into the folder SCIM_PICTURES, for people who look at them.
func (s *session) draw(name, path string) {
	s.Helper()
	dir := os.Getenv("SCIM_PICTURES")
	if dir == "" {
		return
	}
	for label, width := range map[string]int64{"1280": 1280, "390": 390} {
		for _, scheme := range []string{"light", "dark"} {
			file := filepath.Join(dir, strings.Join([]string{s.name, name, label, scheme}, "-")+".png")
			if err := os.WriteFile(file, s.tab.Picture(s.url+path, scheme, width), 0o644); err != nil {
				s.Fatal(err)
			}
		}
	}
}
