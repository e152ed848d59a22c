package match

import (
	"strings"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fold"
	"github.com/scimkit/scim/internal/model"
)

// SortKey is the value by which lists sort d when the client asks for attribute a (RFC
// 7644, Section 3.4.2.3). For a multi-valued attribute it is the primary element, otherwise
// the first one. For a complex one it is the "value". It is the zero Value if there is
// none. It is also the zero Value for attributes that never leave the server, because the
// order would reveal their values.
func SortKey(d *doc.Document, a *model.Attribute) doc.Value {
	for up := a; up != nil; up = up.Parent {
		if isHidden(up) || up.Kind == model.Any {
			return doc.Value{}
		}
	}
	if a.Kind == model.Complex {
		sub := a.Lookup("value")
		if sub == nil || isHidden(sub) {
			return doc.Value{}
		}
		a = sub
	}
	if a.Meta {
		return metaValue(d, a)
	}
	fields, v := d.Values, doc.Value{}
	for _, step := range stepsTo(d.Type.Root, a) {
		v = doc.Get(fields, step)
		if step.Multi {
			v = representative(v.Kids(), step)
		}
		fields = v.Kids()
	}
	return v
}

// representative is the element that stands for the list.
func representative(elements []doc.Value, a *model.Attribute) doc.Value {
	if len(elements) == 0 {
		return doc.Value{}
	}
	if primary := a.Lookup("primary"); primary != nil {
		for _, e := range elements {
			if e.Field(primary).Text == "true" {
				return e
			}
		}
	}
	return elements[0]
}

// SortLength is how many characters of a text count in the order of a list. A cursor holds
// them, so a longer text must not make it long.
const SortLength = 256

// isText reports whether values of a are ordered as texts.
func isText(a *model.Attribute) bool {
	return a.Kind == model.String || a.Kind == model.Reference || a.Kind == model.Binary
}

// sortText is the part of a text of a that decides the order: folded unless a is
// case-exact, and cut.
func sortText(a *model.Attribute, text string) string {
	if !a.CaseExact && a.Kind != model.Binary {
		text = fold.Key(text)
	}
	return cutText(text)
}

// cutText returns the first SortLength characters of a text.
func cutText(text string) string {
	if len(text) <= SortLength {
		return text
	}
	n := 0
	for i := range text {
		if n == SortLength {
			return text[:i]
		}
		n++
	}
	return text
}

// placeText is the text of a sort key in a Place. A number or a date may have any number of
// digits, of which only those count that are compared.
func placeText(key doc.Value) string {
	switch a := key.Attr; {
	case isText(a):
		return sortText(a, key.Text)
	case len(key.Text) <= SortLength:
	case a.Kind == model.DateTime:
		if t, ok := parseInstant(key.Text); ok {
			return time.Unix(t.sec, int64(t.nano)).UTC().Format(time.RFC3339Nano)
		}
	default:
		if n, ok := parseNumber(key.Text); ok {
			return n.text()
		}
	}
	return cutText(key.Text)
}

// Compare orders two sort keys of attribute a: strings by the attribute's case rule, dates
// as instants, numbers as numbers, false before true. The zero Value comes last. Of texts
// only the first SortLength characters count.
func Compare(a *model.Attribute, x, y doc.Value) int {
	if x.Attr == nil || y.Attr == nil {
		return rank(x.Attr != nil, y.Attr != nil)
	}
	a = leafOf(a)
	switch a.Kind {
	case model.Integer, model.Decimal:
		return compareParsed(x.Text, y.Text, parseNumber, number.compare)
	case model.DateTime:
		return compareParsed(x.Text, y.Text, parseInstant, instant.compare)
	case model.String, model.Reference:
		if !a.CaseExact && fold.IsASCII(x.Text) && fold.IsASCII(y.Text) {
			return asciiFoldCompare(cutText(x.Text), cutText(y.Text))
		}
	case model.Boolean:
		return strings.Compare(x.Text, y.Text) // "false" < "true"
	}
	return strings.Compare(sortText(a, x.Text), sortText(a, y.Text))
}

// compareParsed compares the parsed values of two texts. Texts that do not parse come last,
// in the order of the text.
func compareParsed[T any](x, y string, parse func(string) (T, bool), compare func(x, y T) int) int {
	m, okX := parse(x)
	n, okY := parse(y)
	switch {
	case okX && okY:
		return compare(m, n)
	case okX || okY:
		return rank(okX, okY)
	}
	return strings.Compare(cutText(x), cutText(y))
}

// leafOf is the attribute whose values SortKey returns for a.
func leafOf(a *model.Attribute) *model.Attribute {
	if a.Kind == model.Complex {
		if v := a.Lookup("value"); v != nil {
			return v
		}
	}
	return a
}

// rank puts existing values before missing ones.
func rank(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}
