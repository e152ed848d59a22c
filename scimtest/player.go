package scimtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
)

// player plays one transcript.
type player struct {
	file   string
	target Target
	base   *url.URL
	vars   vars
}

func newPlayer(file string, target Target) (*player, error) {
	if target.URL == "" {
		target.URL = DefaultURL
	}
	base, err := url.Parse(target.URL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("scimtest: Target.URL %q is not an absolute address", target.URL)
	}
	return &player{file, target, base, vars{"base": strings.TrimRight(target.URL, "/"), "token": target.Token}}, nil
}

func (p *player) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", p.file, line, fmt.Sprintf(format, args...))
}

func (p *player) step(s *step) error {
	if s.check != nil {
		return p.check(s.check)
	}
	r, err := p.request(s)
	if err != nil {
		return p.errorf(s.line, "%v", err)
	}
	w := httptest.NewRecorder()
	p.target.Handler.ServeHTTP(w, r)
	return p.judge(s, w.Result(), w.Body.Bytes())
}

func (p *player) check(c *field) error {
	fn := p.target.Checks[c.name]
	if fn == nil {
		return p.errorf(c.line, "there is no check %q: Target.Checks has %q", c.name, slices.Sorted(maps.Keys(p.target.Checks)))
	}
	line, err := p.vars.expand(c.value+" ", verbatim)
	if err != nil {
		return p.errorf(c.line, "%v", err)
	}
	arg, want, _ := strings.Cut(line, " = ")
	if have := strings.TrimSpace(fn(strings.TrimSpace(arg))); have != strings.TrimSpace(want) {
		return p.errorf(c.line, "%s: %s: want %q, have %q", c.name, arg, strings.TrimSpace(want), have)
	}
	return nil
}

// request makes a request in the form in which a server reads it from the wire.
func (p *player) request(s *step) (*http.Request, error) {
	target, err := p.vars.expand(s.target, verbatim)
	if err != nil {
		return nil, err
	}
	body, err := p.vars.expand(s.body, inJSON)
	if err != nil {
		return nil, err
	}
	// The empty line before ">>" belongs to the transcript, not to the body.
	body = strings.TrimSpace(body)
	var head strings.Builder
	fmt.Fprintf(&head, "%s %s%s HTTP/1.1\r\n", s.method, strings.TrimRight(p.base.EscapedPath(), "/"), target)
	fields := slices.Clone(s.header)
	if !has(fields, "Host") {
		fields = append(fields, field{name: "Host", value: p.base.Host})
	}
	if !has(fields, "Authorization") && p.target.Token != "" {
		fields = append(fields, field{name: "Authorization", value: "Bearer " + p.target.Token})
	}
	for _, f := range fields {
		if f.value == absent {
			continue
		}
		value, err := p.vars.expand(f.value, verbatim)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&head, "%s: %s\r\n", f.name, value)
	}
	fmt.Fprintf(&head, "Content-Length: %d\r\n\r\n", len(body))
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head.String() + body)))
	if err != nil {
		return nil, fmt.Errorf("this is no request: %w", err)
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r, nil
}

// judge compares an answer with the expected one.
func (p *player) judge(s *step, answer *http.Response, body []byte) error {
	var bad []string
	note := func(line int, format string, args ...any) { bad = append(bad, p.errorf(line, format, args...).Error()) }
	if answer.StatusCode != s.status {
		note(s.answerLine, "status: want %d, have %d", s.status, answer.StatusCode)
	}
	var have any
	if len(body) > 0 {
		var err error
		if have, err = decode(body); err != nil {
			note(s.answerLine, "the body is not JSON: %v", err)
		}
	}
	for _, l := range laws(s.method, answer, body, have) {
		note(s.answerLine, "%s", l)
	}
	// If the status is wrong, do not report the rest: it differs for the same reason.
	if answer.StatusCode == s.status {
		if s.wantLine > 0 {
			for _, d := range p.vars.compare("body", s.want, have) {
				note(s.wantLine, "%s", d)
			}
		}
		for _, f := range s.wantHeader {
			values := answer.Header.Values(f.name)
			switch {
			case f.value == absent && len(values) > 0:
				note(f.line, "%s: want it absent, have %q", f.name, values)
			case f.value == absent:
			case len(values) == 0:
				note(f.line, "%s: want %q, it is absent", f.name, f.value)
			default:
				if err := p.vars.match(f.value, strings.Join(values, ", ")); err != nil {
					note(f.line, "%s: %v", f.name, err)
				}
			}
		}
	}
	if bad == nil {
		return nil
	}
	return fmt.Errorf("%s\n%s", strings.Join(bad, "\n"), p.dump(s, answer, body))
}

// dump shows an exchange to people.
func (p *player) dump(s *step, answer *http.Response, body []byte) string {
	target, err := p.vars.expand(s.target, verbatim)
	if err != nil {
		target = s.target
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s %s was answered:\n%s\n", p.file, s.line, s.method, target, answer.Status)
	for _, name := range slices.Sorted(maps.Keys(answer.Header)) {
		fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(answer.Header[name], ", "))
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") != nil {
		pretty.Reset()
		pretty.Write(body)
	}
	return b.String() + "\n" + pretty.String()
}
