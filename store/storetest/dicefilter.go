package storetest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/scimkit/scim"
)

// filter draws a filter with at most depth levels. parts lists the sub-expressions that
// are filters as well. blame uses them to find the part that fails.
func (d *dice) filter(depth int) (text string, parts []string) {
	switch k := d.IntN(10); {
	case depth > 0 && k < 2:
		left, some := d.filter(depth - 1)
		right, more := d.filter(depth - 1)
		return "(" + left + pick(d, []string{" and ", " or "}) + right + ")", slices.Concat(some, more, []string{left, right})
	case depth > 0 && k == 2:
		in, some := d.filter(depth - 1)
		return "not (" + in + ")", append(some, in)
	case depth > 0 && k < 5:
		if a := pick(d, d.attrs); a.MultiValued || a.Type == scim.TypeComplex {
			return a.Path + "[" + d.inside(a, depth-1) + "]", nil
		}
	}
	a := pick(d, d.attrs)
	if d.once(4) { // what clients look for, and stores have indexes for
		if some, ok := d.typ.Attribute(pick(d, []string{"userName", "externalId", "displayName", "emails.value", "id"})); ok {
			a = some
		}
	}
	return d.comparison(a, a.Path), nil
}

// inside draws a filter for the inside of a value path of a.
func (d *dice) inside(a scim.Attribute, depth int) string {
	switch k := d.IntN(10); {
	case depth > 0 && k < 3:
		return "(" + d.inside(a, depth-1) + pick(d, []string{" and ", " or "}) + d.inside(a, depth-1) + ")"
	case depth > 0 && k == 3:
		return "not (" + d.inside(a, depth-1) + ")"
	}
	var subs []scim.Attribute
	for _, s := range d.attrs {
		if s.Parent != nil && s.Parent.Path == a.Path {
			subs = append(subs, s)
		}
	}
	if len(subs) == 0 {
		return d.comparison(a, "value") // the element itself
	}
	s := pick(d, subs)
	return d.comparison(s, below(a.Path, s.Path))
}

func (d *dice) comparison(a scim.Attribute, name string) string {
	operators := []string{"eq", "eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr", "eq null", "ne null"}
	switch a.Type {
	case scim.TypeBoolean, scim.TypeBinary:
		operators = []string{"eq", "ne", "pr", "eq null", "ne null"}
	case scim.TypeInteger, scim.TypeDecimal:
		operators = []string{"eq", "ne", "gt", "ge", "lt", "le", "pr", "eq null", "ne null"}
	}
	switch op := pick(d, operators); op {
	case "pr", "eq null", "ne null":
		return name + " " + op
	default:
		return name + " " + op + " " + d.literal(a, op)
	}
}

// literal draws a literal to compare a with: a value of some resource, in some spelling,
// or any other one.
func (d *dice) literal(a scim.Attribute, op string) string {
	seen := d.seen[a.Path]
	if v, ok := d.typ.Attribute(a.Path + ".value"); ok && a.Type == scim.TypeComplex {
		seen = d.seen[v.Path]
	}
	known := len(seen) > 0 && !d.once(3)
	switch a.Type {
	case scim.TypeBoolean:
		return strconv.FormatBool(d.once(2))
	case scim.TypeInteger, scim.TypeDecimal:
		return pick(d, numbers())
	case scim.TypeDateTime:
		if d.once(3) && (op == "co" || op == "sw" || op == "ew") {
			return pick(d, []string{`"2024-0"`, `"Z"`, `"59:59"`, `""`})
		}
		if known {
			return d.quoted(pick(d, seen))
		}
		return d.quoted(pick(d, dates()))
	case scim.TypeBinary:
		return d.quoted(pick(d, base64s()))
	}
	if !known {
		return d.quoted(pick(d, slices.Concat(texts(), wildTexts(), onlyLiterals())))
	}
	text := pick(d, seen)
	if runes := []rune(text); len(runes) > 1 && d.once(3) {
		text = []string{string(runes[1:]), string(runes[:len(runes)-1]), string(runes[1 : len(runes)-1])}[d.IntN(3)]
	}
	switch d.IntN(10) {
	case 0, 1:
		text = strings.ToUpper(text)
	case 2, 3:
		text = strings.ToLower(text)
	case 4: // just behind it in order
		text += pick(d, []string{"\u0000", "\u0001", " ", "a"})
	}
	return d.quoted(text)
}

// quoted returns a text as a JSON string, in one of the forms that JSON allows.
func (d *dice) quoted(text string) string {
	const short = "\"\\/\b\f\n\r\t"
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		i := strings.IndexRune(short, r)
		switch escaped := i >= 0 && r != '/' || r < ' '; {
		case d.once(8) || escaped && i < 0:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, []string{`\u%04x`, `\u%04X`}[d.IntN(2)], unit)
			}
		case escaped || i >= 0 && d.once(2):
			b.WriteByte('\\')
			b.WriteByte(`"\/bfnrt`[i])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
