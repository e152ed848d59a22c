package console

import (
	"net/url"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// about is whom a request is about, as links to their pages.
type about struct {
	Links []link
	// More is how many others the request names.
	More int
}

// maxAbout is how many links a page has to those whom a request is about.
const maxAbout = 5

// aboutOf returns links to the people and groups that a request names. Those that have no id, because they could not be created,
// get a link that looks for who has the name. What was deleted has no page, and who is not here no link.
func aboutOf(q *request, d *journal.Detail, known *lookup) (a about) {
	if q.tenant.Directory == nil {
		return about{}
	}
	gone, seen := map[scim.Ref]bool{}, map[string]bool{}
	for _, c := range d.Changes {
		gone[refOf(c)] = c.Op == scim.OpDelete
	}
	name := naming(d, known)
	for _, t := range d.Touched {
		root, ok := map[string]string{"User": "people", "Group": "groups"}[t.Type]
		ref := scim.Ref{Type: t.Type, ID: t.ID}
		if !ok || gone[ref] {
			continue
		}
		l := link{Path: root + "/" + segmentOf(t.ID), Text: touchedName(t)}
		switch {
		case t.ID == "" && l.Text == "":
			continue
		case t.ID == "":
			l.Path, l.Text = root+queryOf(url.Values{"q": {l.Text}}), "look for "+l.Text
		}
		path := l.Path
		switch {
		case seen[path]:
			continue
		case len(a.Links) == maxAbout:
			a.More++
			continue
		case t.ID != "" && l.Text == t.ID:
			if l.Text = name(ref); l.Text == known.name(ref) && known.find(ref) == "" {
				l.Path, l.Text = "", l.Text+" (not here)"
			}
		}
		seen[path] = true
		a.Links = append(a.Links, l)
	}
	return a
}
