package scimtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
)

// field is a header line, or a check line.
type field struct {
	line        int
	name, value string
}

// step is one exchange, or one check.
type step struct {
	check *field

	line           int
	method, target string
	header         []field
	body           string

	answerLine, status int
	wantHeader         []field
	wantLine           int // where want begins; 0: no body is expected
	want               any
}

var (
	requestLine = regexp.MustCompile(`^([A-Z]+) (/\S*)$`)
	fieldLine   = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*):\s*(.*)$`)
)

// parser reads a transcript line by line.
type parser struct {
	name  string
	lines []string
	at    int // index of the next line
}

func (p *parser) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.name, line, fmt.Sprintf(format, args...))
}

// more reports whether a line is left. It skips comments.
func (p *parser) more() bool {
	for p.at < len(p.lines) && strings.HasPrefix(p.lines[p.at], "#") {
		p.at++
	}
	return p.at < len(p.lines)
}

func (p *parser) peek() string { return strings.TrimRight(p.lines[p.at], " \t\r") }

func (p *parser) skipEmpty() {
	for p.more() && p.peek() == "" {
		p.at++
	}
}

// parse reads a transcript.
func parse(name, text string) ([]*step, error) {
	p := &parser{name: name, lines: strings.Split(text, "\n")}
	p.skipEmpty()
	var defaults []field
	for p.more() && !requestLine.MatchString(p.peek()) {
		fields, err := p.fields()
		if err != nil {
			return nil, err
		}
		if len(fields) == 0 {
			return nil, p.errorf(p.at+1, "an answer without a request")
		}
		defaults = append(defaults, fields...)
		p.skipEmpty()
	}
	var steps []*step
	for p.skipEmpty(); p.more(); p.skipEmpty() {
		s, err := p.step(defaults)
		if err != nil {
			return nil, err
		}
		steps = append(steps, s)
	}
	return steps, nil
}

func (p *parser) step(defaults []field) (*step, error) {
	line := p.at + 1
	if m := fieldLine.FindStringSubmatch(p.peek()); m != nil {
		p.at++
		if !strings.Contains(m[2]+" ", " = ") {
			return nil, p.errorf(line, "a check is written \"name: argument = result\"")
		}
		return &step{check: &field{line, m[1], m[2]}}, nil
	}
	m := requestLine.FindStringSubmatch(p.peek())
	if m == nil {
		return nil, p.errorf(line, "neither a request, such as \"GET /Users\", nor a check: %s", p.peek())
	}
	p.at++
	s := &step{line: line, method: m[1], target: m[2]}
	var err error
	if s.header, err = p.fields(); err != nil {
		return nil, err
	}
	s.body = p.block(func(l string) bool { return strings.HasPrefix(l, ">>") })
	for _, d := range defaults {
		if !has(s.header, d.name) && (s.body != "" || !strings.EqualFold(d.name, "Content-Type")) {
			s.header = append(s.header, d)
		}
	}
	if !p.more() {
		return nil, p.errorf(line, "the request has no answer: a line \">> status\" is missing")
	}
	s.answerLine = p.at + 1
	if s.status, err = strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(p.peek(), ">>"))); err != nil {
		return nil, p.errorf(s.answerLine, "an answer is written \">> status\"")
	}
	p.at++
	if s.wantHeader, err = p.fields(); err != nil {
		return nil, err
	}
	p.skipEmpty()
	start := p.at
	body := p.block(func(l string) bool { return requestLine.MatchString(l) || fieldLine.MatchString(l) })
	if body == "" {
		return s, nil
	}
	s.wantLine = start + 1
	if s.want, err = decode([]byte(body)); err != nil {
		at := 0
		if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
			at = strings.Count(body[:syntax.Offset], "\n")
		}
		return nil, p.errorf(s.wantLine+at, "the expected body: %v", err)
	}
	return s, nil
}

// fields reads header lines up to an empty line, a request or an answer.
func (p *parser) fields() ([]field, error) {
	var all []field
	for ; p.more() && p.peek() != "" && !strings.HasPrefix(p.peek(), ">>") && !requestLine.MatchString(p.peek()); p.at++ {
		m := fieldLine.FindStringSubmatch(p.peek())
		if m == nil {
			return nil, p.errorf(p.at+1, "not a header (a body begins behind an empty line): %s", p.peek())
		}
		all = append(all, field{p.at + 1, textproto.CanonicalMIMEHeaderKey(m[1]), m[2]})
	}
	return all, nil
}

// block reads a body: all lines up to one that does not belong to it. It replaces
// comments by empty lines, so that line numbers stay right.
func (p *parser) block(end func(line string) bool) string {
	var lines []string
	for ; p.at < len(p.lines); p.at++ {
		l := p.lines[p.at]
		if strings.HasPrefix(l, "#") {
			l = ""
		}
		if end(strings.TrimRight(l, " \t\r")) {
			break
		}
		lines = append(lines, l)
	}
	body := strings.Join(lines, "\n")
	if strings.TrimSpace(body) == "" {
		return ""
	}
	return body
}

func has(fields []field, name string) bool {
	for _, f := range fields {
		if strings.EqualFold(f.name, name) {
			return true
		}
	}
	return false
}

// decode reads exactly one JSON value. It keeps numbers as they are written.
func decode(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the JSON value")
	}
	return v, nil
}
