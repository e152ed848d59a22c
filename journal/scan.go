package journal

import "errors"

// scanner goes through the tokens of a text that is JSON, or the beginning of JSON: check has looked at it. It is
// several times as fast as a decoder.
type scanner struct {
	src   string
	isCut bool // src is only the beginning
	at    int
	end   int // of the last token that is whole
}

// errCut says that the text ends within a value.
var errCut = errors.New("journal: the text ends within a value")

// peek goes to the next token, and returns its first byte; 0 at the end of the text.
func (s *scanner) peek() byte {
	for ; s.at < len(s.src); s.at++ {
		switch c := s.src[s.at]; c {
		case ' ', '\t', '\r', '\n', ':', ',':
		default:
			return c
		}
	}
	return 0
}

// bracket goes behind a bracket or a brace.
func (s *scanner) bracket() {
	s.at++
	s.end = s.at
}

// scalar returns the next token, which is a string with its quotes, a number, or a word.
func (s *scanner) scalar() (raw string, err error) {
	isText := s.peek() == '"'
	start, i := s.at, s.at
	if isText {
		for i++; i < len(s.src) && s.src[i] != '"'; i++ {
			if s.src[i] == '\\' {
				i++
			}
		}
		i++ // behind the quote
	} else {
		for i < len(s.src) && !isBetween(s.src[i]) {
			i++
		}
	}
	if i > len(s.src) || !isText && i == len(s.src) && s.isCut || start == len(s.src) {
		return "", errCut
	}
	if i == start {
		return "", errNoValue
	}
	s.at, s.end = i, i
	return s.src[start:i], nil
}

// isBetween reports whether a byte ends a number or a word.
func isBetween(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', ':', ']', '}', '[', '{', '"':
		return true
	}
	return false
}

// errNoValue says that check has not looked at the text.
var errNoValue = errors.New("journal: no value")

// skip goes behind the next value.
func (s *scanner) skip() error {
	before := s.end
	for depth := 0; ; {
		switch s.peek() {
		case '{', '[':
			depth++
			s.at++
		case '}', ']':
			depth--
			s.at++
		default:
			if _, err := s.scalar(); err != nil {
				s.end = before
				return err
			}
		}
		if depth <= 0 {
			s.end = s.at
			return nil
		}
	}
}
