package filterlang

import (
	"fmt"
	"strings"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/secret"
)

// start checks the length and refuses an empty text.
func (p *parser) start() error {
	if len(p.text) > p.lim.Length {
		return fault.New(p.scimType, "%s: it is %d bytes long, the limit is %d", p.what, len(p.text), p.lim.Length)
	}
	if p.space(); p.pos == len(p.text) {
		return fault.New(p.scimType, "%s: it is empty, expected an attribute name", p.what)
	}
	return nil
}

func (p *parser) end(expected string) error {
	if p.space(); p.pos < len(p.text) {
		return p.failExpecting(expected)
	}
	return nil
}

// enter reads an opening parenthesis or bracket.
func (p *parser) enter() error {
	if p.depth == p.lim.Depth {
		return p.fail(p.pos, "parentheses and brackets are nested deeper than the limit of %d", p.lim.Depth)
	}
	p.depth++
	p.pos++
	return nil
}

// leave reads the closing parenthesis or bracket.
func (p *parser) leave(close byte, expected string) error {
	if p.space(); !p.at(close) {
		return p.failExpecting(expected)
	}
	p.depth--
	p.pos++
	return nil
}

// node counts one node of the tree.
func (p *parser) node() error {
	if p.nodes++; p.nodes > p.lim.Nodes {
		return p.fail(p.pos, "conditions and operators are more than the limit of %d", p.lim.Nodes)
	}
	return nil
}

func (p *parser) space() {
	for p.pos < len(p.text) && p.text[p.pos] == ' ' {
		p.pos++
	}
}

func (p *parser) at(c byte) bool { return p.pos < len(p.text) && p.text[p.pos] == c }

// keyword reads word, which is in lower case, if it comes next. It reports whether it did.
func (p *parser) keyword(word string) bool {
	p.space()
	end := p.pos + len(word)
	if end > len(p.text) || !isWord(p.text[p.pos:end], word) || end < len(p.text) && isPathByte(p.text[end]) {
		return false
	}
	p.pos = end
	return true
}

// operator reads a comparison operator and returns it in lower case.
func (p *parser) operator() (filter.CompareOperator, error) {
	p.space()
	end := p.pos
	for end < len(p.text) && isPathByte(p.text[end]) {
		end++
	}
	for _, op := range [...]filter.CompareOperator{
		filter.EQ, filter.PR, filter.NE, filter.CO, filter.SW, filter.EW, filter.GT, filter.GE, filter.LT, filter.LE,
	} {
		if isWord(p.text[p.pos:end], string(op)) {
			p.pos = end
			return op, nil
		}
	}
	return "", p.failExpecting("an operator (eq, ne, co, sw, ew, gt, ge, lt, le or pr)")
}

// attrPath reads [URI ":"] attrName [subAttr]. The URI ends at the last colon. Dots before
// it, as in "2.0", belong to the URI.
func (p *parser) attrPath() (filter.AttributePath, error) {
	var path filter.AttributePath
	colon := -1
	for i := p.pos; i < len(p.text) && isPathByte(p.text[i]); i++ {
		if p.text[i] == ':' {
			colon = i
		}
	}
	if colon >= 0 && !p.at(':') {
		uri := p.text[p.pos:colon]
		path.URIPrefix = &uri
		p.pos = colon + 1
	}
	var err error
	if path.AttributeName, err = p.name(); err == nil && p.at('.') {
		path.SubAttribute, err = p.subAttribute()
	}
	if err == nil && p.at('.') {
		err = p.failExpecting("one sub-attribute at most")
	}
	return path, err
}

// subAttribute reads a dot and a name.
func (p *parser) subAttribute() (*string, error) {
	p.pos++
	name, err := p.name()
	if err != nil {
		return nil, err
	}
	return &name, nil
}

// name reads an attribute name. It may begin with "$" (RFC 7643, Section 2.1), as in
// "$ref".
func (p *parser) name() (string, error) {
	start, end := p.pos, p.pos
	if p.at('$') {
		end++
	}
	if end == len(p.text) || !isAlpha(p.text[end]) {
		return "", p.failExpecting(`an attribute name, which is a letter and then letters, digits, "-" and "_"`)
	}
	for end < len(p.text) && isNameByte(p.text[end]) {
		end++
	}
	p.pos = end
	return p.text[start:end], nil
}

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isNameByte(c byte) bool { return isAlpha(c) || isDigit(c) || c == '-' || c == '_' }

// isPathByte reports whether c may stand in a name or in the URI before it. A URI may have
// every character of RFC 3986 without a meaning in filters.
func isPathByte(c byte) bool {
	return isNameByte(c) || strings.IndexByte(".:/#%+=@~", c) >= 0
}

// isWord reports whether s is word, in any ASCII case. word is in lower case.
func isWord(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i]|0x20 != word[i] {
			return false
		}
	}
	return true
}

// fail makes an error at a byte of the text.
func (p *parser) fail(at int, format string, args ...any) error {
	return fault.New(p.scimType, "%s, position %d: %s", p.what, at+1, fmt.Sprintf(format, args...))
}

// failExpecting makes the error for unexpected text.
func (p *parser) failExpecting(what string) error {
	found := "the end"
	if p.pos < len(p.text) {
		rest := p.text[p.pos:]
		if i := strings.IndexByte(rest, ' '); i > 0 {
			rest = rest[:i]
		}
		found = p.quote(rest)
	}
	return p.fail(p.pos, "expected %s, not %s", what, found)
}

// quote quotes a client's text.
func (p *parser) quote(s string) string {
	if secret.IsIn(p.text) {
		return secret.Redacted
	}
	return fault.QuoteTo(40, s)
}
