package pagetest

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Browser is somebody at the pages of the program.
type Browser struct {
	t    *testing.T
	url  string
	http *http.Client
	// Host is sent as the host name; "" means that of the address.
	Host string
}

// LogIn logs a person in. The status is 303, or 403 if the person cannot log in.
func (r *Running) LogIn(email string) (b *Browser, status int) {
	r.t.Helper()
	return r.LogInAt("", email)
}

// LogInAt logs a person in at a host name.
func (r *Running) LogInAt(host, email string) (b *Browser, status int) {
	r.t.Helper()
	jar, _ := cookiejar.New(nil) //nolint:errcheck // it never fails
	b = &Browser{t: r.t, url: r.URL, http: noRedirects(), Host: host}
	b.http.Jar = jar
	status, _, _ = b.send("POST", "/login", url.Values{"email": {email}, "password": {r.Password}})
	return b, status
}

// In returns the browser for a part of a test.
func (b *Browser) In(t *testing.T) *Browser {
	in := *b
	in.t = t
	return &in
}

func (b *Browser) send(method, path string, form url.Values) (status int, body, location string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Host = b.Host
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res.StatusCode, string(raw), res.Header.Get("Location")
}

// Status returns the status of a page. 303 means that the browser is sent to the log-in.
func (b *Browser) Status(path string) int {
	b.t.Helper()
	status, _, _ := b.send("GET", path, nil)
	return status
}

var tags = regexp.MustCompile(`<[^>]*>`)

// Lines returns the rows of the page's tables: the texts of the cells with " | " in between, without forms.
func (b *Browser) Lines(path string) []string {
	b.t.Helper()
	var lines []string
	for _, row := range regexp.MustCompile(`(?s)<tr><td.*?</tr>`).FindAllString(b.Page(path), -1) {
		row = regexp.MustCompile(`(?s)<form.*?</form>`).ReplaceAllString(row, "")
		row = strings.ReplaceAll(strings.ReplaceAll(row, "</td>", " | "), "<small>", " · ")
		row = html.UnescapeString(tags.ReplaceAllString(row, ""))
		lines = append(lines, strings.TrimRight(strings.Join(strings.Fields(row), " "), " |"))
	}
	return lines
}

// Line returns the row of a page's tables that begins with a text, or "".
func (b *Browser) Line(path, start string) string {
	b.t.Helper()
	for _, line := range b.Lines(path) {
		if strings.HasPrefix(line, start) {
			return line
		}
	}
	return ""
}

// Page returns the HTML of a page.
func (b *Browser) Page(path string) string {
	b.t.Helper()
	status, body, _ := b.send("GET", path, nil)
	if status != http.StatusOK {
		b.t.Fatalf("%s: %d, want 200", path, status)
	}
	return body
}

var flash = regexp.MustCompile(`(?s)<section class="card flash( bad)?" role="status"><p>(.*?)</p>(?:<pre id="secret">(.*?)</pre>)?`)

// Post sends a form, and reads the page to which it leads. It returns the message there, and the secret that is shown
// once. It fails the test if the message is one of a failure.
func (b *Browser) Post(path string, form url.Values) (text, secret string) {
	b.t.Helper()
	text, secret, ok := b.Try(path, form)
	if !ok {
		b.t.Fatalf("%s %v: %s", path, form, text)
	}
	return text, secret
}

// Try is Post for a form that may fail. ok reports whether it worked.
func (b *Browser) Try(path string, form url.Values) (text, secret string, ok bool) {
	b.t.Helper()
	status, body, location := b.send("POST", path, form)
	if status != http.StatusSeeOther {
		return strings.TrimSpace(html.UnescapeString(tags.ReplaceAllString(body, " "))), "", false
	}
	m := flash.FindStringSubmatch(b.Page(location))
	if m == nil {
		return "", "", location != "/login"
	}
	return html.UnescapeString(m[2]), html.UnescapeString(m[3]), m[1] == ""
}

// Send sends a form whose answer is no page of the site, and returns what came.
func (b *Browser) Send(path string, form url.Values) (status int, body string) {
	b.t.Helper()
	status, body, _ = b.send("POST", path, form)
	return status, html.UnescapeString(tags.ReplaceAllString(body, ""))
}

// Option returns the value of the option with a text in one of the page's lists, or "".
func (b *Browser) Option(path, text string) string {
	b.t.Helper()
	return find(`<option value="([^"]*)"[^>]*>`+regexp.QuoteMeta(html.EscapeString(text))+`</option>`, b.Page(path))
}

// Field returns the value of a field in the row that begins with a text, or "".
func (b *Browser) Field(path, start, name string) string {
	b.t.Helper()
	_, row, _ := strings.Cut(b.Page(path), `<tr><td data-head="`)
	for _, row := range strings.Split(row, `<tr><td data-head="`) {
		_, text, _ := strings.Cut(row, ">")
		if strings.HasPrefix(tags.ReplaceAllString(text, ""), html.EscapeString(start)) {
			return find(`name="`+name+`" value="([^"]*)"`, row)
		}
	}
	return ""
}

func find(pattern, text string) string {
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return html.UnescapeString(m[1])
}
