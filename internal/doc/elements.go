package doc

import (
	"slices"

	"github.com/scimkit/scim/internal/model"
)

// Elements writes a list that no document holds, such as members that are read page by
// page. Its elements are complex and have texts.
type Elements struct {
	parts []elementPart
	key   string
	some  bool // the list has an element
}

// elementPart is a selected sub-attribute. at is its place among the texts of an element.
// prefix is the JSON with which its values begin, after the quote.
type elementPart struct {
	key    string
	order  int
	at     int
	prefix []byte
}

// NewElements makes a list for the attribute a. names are the sub-attributes, in the order
// in which Append gets their texts. It skips those that sel does not select or a lacks.
func NewElements(a *model.Attribute, sel *Selection, names ...string) *Elements {
	e := &Elements{key: a.Key, parts: make([]elementPart, 0, len(names))}
	var p *pick
	if sel != nil {
		p, _ = sel.root.part(a)
	}
	for at, name := range names {
		s := a.Lookup(name)
		if s == nil {
			continue
		}
		if _, ok := p.part(s); !ok {
			continue
		}
		e.parts = append(e.parts, elementPart{key: s.Key, order: s.Order, at: at})
	}
	slices.SortFunc(e.parts, func(x, y elementPart) int { return x.order - y.order })
	return e
}

// Begin reopens the object at the end of dst and begins the list.
func (e *Elements) Begin(dst []byte) []byte {
	dst = append(dst[:len(dst)-1], ',')
	dst = append(dst, e.key...)
	return append(dst, '[')
}

// Prefix makes the values of the sub-attribute names[at] begin with prefix, in elements that
// follow. So Append need not get a beginning that many elements share.
func (e *Elements) Prefix(at int, prefix string) {
	for i := range e.parts {
		if p := &e.parts[i]; p.at == at {
			p.prefix = appendText(p.prefix[:0], prefix)
		}
	}
}

// Append appends an element. It leaves out empty texts, and the element if all are empty.
func (e *Elements) Append(dst []byte, texts ...string) []byte {
	begun := false
	for i := range e.parts {
		p := &e.parts[i]
		if texts[p.at] == "" {
			continue
		}
		switch {
		case begun:
			dst = append(dst, ',')
		case e.some:
			dst = append(dst, ',', '{')
		default:
			dst = append(dst, '{')
		}
		begun = true
		dst = append(dst, p.key...)
		dst = append(dst, '"')
		dst = append(dst, p.prefix...)
		dst = appendText(dst, texts[p.at])
		dst = append(dst, '"')
	}
	if begun {
		e.some = true
		dst = append(dst, '}')
	}
	return dst
}

// End ends the list and the object.
func (e *Elements) End(dst []byte) []byte { return append(dst, ']', '}') }
