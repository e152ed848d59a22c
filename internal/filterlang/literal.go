package filterlang

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/tolerance"
)

// literal reads compValue: a JSON string, number, boolean or null. It accepts true, false
// and null in any case, as filter-parser does.
func (p *parser) literal() (any, error) {
	p.space()
	if p.at('"') {
		return p.readString()
	}
	start := p.pos
	for p.pos < len(p.text) && strings.IndexByte(" )]", p.text[p.pos]) < 0 {
		p.pos++
	}
	switch word := p.text[start:p.pos]; {
	case word == "":
		return nil, p.failExpecting("a value")
	case isWord(word, "true"):
		return true, nil
	case isWord(word, "false"):
		return false, nil
	case isWord(word, "null"):
		return nil, nil
	default:
		return p.number(start, word)
	}
}

// readString reads a JSON string. It copies only a string with escapes.
func (p *parser) readString() (any, error) {
	start, escaped := p.pos, false
	for p.pos++; ; p.pos++ {
		if p.pos >= len(p.text) {
			return nil, p.fail(start, `expected a closing '"' for the string %s`, p.quote(p.text[start:]))
		}
		c := p.text[p.pos]
		if c == '"' {
			break
		}
		if c < ' ' {
			return nil, p.fail(p.pos, `expected control characters in a string to be escaped, as in \n or \u000a`)
		}
		if c == '\\' {
			escaped = true
			p.pos++
		}
	}
	p.pos++
	text := p.text[start:p.pos]
	if !utf8.ValidString(text) {
		return nil, p.fail(start, "expected UTF-8, the string %s is not", p.quote(text))
	}
	if !escaped {
		return text[1 : len(text)-1], nil
	}
	decoded, err := jsontext.AppendUnquote(nil, text)
	if err != nil {
		return nil, p.fail(start, `expected only the escapes of JSON (\" \\ \/ \b \f \n \r \t and \u with four hexadecimal digits, surrogates in pairs) in the string %s`, p.quote(text))
	}
	return string(decoded), nil
}

// number returns word as a number. It leaves any other word to readUnquoted.
func (p *parser) number(start int, word string) (any, error) {
	switch numeric, integer := isNumber(word); {
	case !numeric:
		return p.readUnquoted(start, word)
	case integer:
		if n, err := strconv.Atoi(word); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return nil, p.fail(start, "expected a number that fits 64 bits, not %s", p.quote(word))
	}
	return f, nil
}

// readUnquoted returns a bare word as a string. It refuses words that look like a mistake
// in the filter. Otherwise the filter would match nothing, and the client would create the
// user again.
func (p *parser) readUnquoted(start int, word string) (any, error) {
	suspect := word[0] == '\'' || strings.ContainsAny(word, `"([`) || !utf8.ValidString(word) ||
		strings.ContainsFunc(word, func(r rune) bool { return r < ' ' || r == 0x7f })
	if suspect || !p.tol.Allow(tolerance.UnquotedLiteral, "") {
		return nil, p.fail(start, `expected a string in double quotes, a number, true, false or null, not %s`, p.quote(word))
	}
	return word, nil
}

// isNumber reports whether s is a JSON number (RFC 8259, Section 6), and
// whether it has neither fraction nor exponent.
func isNumber(s string) (numeric, integer bool) {
	s = strings.TrimPrefix(s, "-")
	rest := digits(s)
	if rest == s || s[0] == '0' && len(rest) < len(s)-1 {
		return false, false
	}
	if rest == "" {
		return true, true
	}
	if rest[0] == '.' {
		frac := rest[1:]
		if rest = digits(frac); rest == frac {
			return false, false
		}
	}
	if rest != "" && rest[0]|0x20 == 'e' {
		exp := rest[1:]
		if exp != "" && (exp[0] == '+' || exp[0] == '-') {
			exp = exp[1:]
		}
		if rest = digits(exp); rest == exp {
			return false, false
		}
	}
	return rest == "", false
}

// digits returns s without its leading digits.
func digits(s string) string {
	for s != "" && isDigit(s[0]) {
		s = s[1:]
	}
	return s
}
