package match

import (
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// matchMeta compares the attributes that a document keeps beside its values: schemas, id
// and those of meta. meta.location depends on the request, so it counts as absent.
func (n *node) matchMeta(s *scope) bool {
	d := s.doc
	if d == nil {
		return n.holds(s, &absent)
	}
	a := n.steps[len(n.steps)-1]
	switch a.Name {
	case "schemas":
		urn := doc.Simple(a, d.Type.URN)
		if n.holds(s, &urn) {
			return true
		}
		for i := range d.Values {
			v := &d.Values[i]
			if urn.Text = v.Attr.Name; v.Attr.Extension && len(v.Kids()) > 0 && n.holds(s, &urn) {
				return true
			}
		}
		return false
	case "created", "lastModified":
		t := timeOf(d, a)
		if n.mode == modeInstant && n.op != opCO && n.op != opSW && n.op != opEW && !n.null && !t.IsZero() {
			return n.holdsFor(true, instantOf(t).compare(n.at)) // faster than comparing the text
		}
	}
	v := metaValue(d, a)
	return n.holds(s, &v)
}

// timeOf returns the time as precisely as clients see it. So a filter for newer resources
// than an answer does not find the answer itself.
func timeOf(d *doc.Document, a *model.Attribute) time.Time {
	t := d.Modified
	if a.Name == "created" {
		t = d.Created
	}
	return t.Truncate(time.Microsecond)
}

// metaValue is the value of one of those attributes, and of schemas the first. It is the
// zero Value if there is none.
func metaValue(d *doc.Document, a *model.Attribute) doc.Value {
	text := ""
	switch a.Name {
	case "schemas":
		text = d.Type.URN
	case "id":
		text = d.ID
	case "resourceType":
		text = d.Type.Name
	case "version":
		text = d.Version
	case "created", "lastModified":
		if t := timeOf(d, a); !t.IsZero() {
			text = t.UTC().Format(time.RFC3339Nano)
		}
	}
	if text == "" {
		return doc.Value{}
	}
	return doc.Simple(a, text)
}
