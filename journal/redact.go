package journal

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/text/unicode/norm"
)

// redacted stands for what is taken out, and notShown for the value of a header or a parameter of
// the address that the journal does not know.
const (
	redacted = "[redacted]"
	notShown = "[not shown]"
)

// redactor knows the attributes whose values are taken out: "password", and those that the
// application names.
type redactor struct {
	names   map[string]bool // folded
	longest int             // bytes of the longest name
	headers []string        // headers that the application shows

	decoders sync.Pool // *jsontext.Decoder
}

func newRedactor(names, headers []string) *redactor {
	r := &redactor{names: map[string]bool{}}
	r.decoders.New = func() any { return jsontext.NewDecoder(&bytes.Buffer{}) }
	for _, n := range names {
		n = foldName(n)
		r.names[n], r.longest = true, max(r.longest, len(n))
	}
	for _, h := range headers {
		r.headers = append(r.headers, http.CanonicalHeaderKey(h))
	}
	return r
}

// foldName is how names compare. Letters that look like ASCII ones count as these.
func foldName(s string) string { return strings.ToLower(norm.NFKC.String(s)) }

// mentions reports whether a text names a secret attribute. It undoes percent-encoding first, as
// often as a client may apply it.
func (r *redactor) mentions(s string) bool {
	if isHarmless(r, s) {
		return false
	}
	for range maxDecodings {
		if folded := foldName(s); isPassword(folded) || len(r.names) > 0 && r.hasName(folded) {
			return true
		}
		decoded := decode(s)
		if decoded == s {
			return false
		}
		s = decoded
	}
	return true // nobody encodes so often by mistake
}

// maxDecodings is how often a text may be encoded.
const maxDecodings = 4

// isPassword reports whether a folded text has the name of the password in it.
func isPassword(s string) bool { return strings.Contains(strings.ToLower(s), "password") }

// decode undoes percent-encoding once, and leaves alone what is not well-formed.
func decode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if b, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				out = append(out, b...)
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// hasName reports whether one of the words of a folded text is a name. A word is what an attribute's name
// can be (RFC 7643, Section 2.1).
func (r *redactor) hasName(s string) bool {
	for word := range strings.FieldsFuncSeq(s, func(c rune) bool { return !isNameRune(c) }) {
		if len(word) <= r.longest && r.names[word] {
			return true
		}
	}
	return false
}

func isNameRune(c rune) bool {
	return c == '-' || c == '_' || c == '$' || unicode.IsLetter(c) || unicode.IsDigit(c)
}

// isNotable are the bytes that isHarmless looks at: all others are plain.
var isNotable = func() (all [256]bool) {
	for c := range all {
		all[c] = c == '\\' || c == '%' || c >= 0x80 || c == 'p' || c == 'P'
	}
	return all
}()

// isHarmless reports whether a part of JSON text certainly mentions no secret: most texts are short and
// plain. It looks at the text as it is written, so an escape is not harmless.
func isHarmless(r *redactor, raw string) bool {
	for i := range len(raw) {
		if !isNotable[raw[i]] {
			continue
		}
		if raw[i]|0x20 != 'p' || len(raw)-i >= len("password") && strings.EqualFold(raw[i:i+len("password")], "password") {
			return false
		}
	}
	if len(r.names) == 0 {
		return true
	}
	start := 0
	for i := range len(raw) {
		if !isNameRune(rune(raw[i])) {
			if isName(r, raw[start:i]) {
				return false
			}
			start = i + 1
		}
	}
	return !isName(r, raw[start:])
}

func isName(r *redactor, word string) bool {
	return len(word) > 0 && len(word) <= r.longest && r.names[strings.ToLower(word)]
}

// shownHeaders are those whose values hold no credential.
var shownHeaders = setOf("Accept", "Allow", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Etag", "If-Match", "If-None-Match",
	"Location", "Ratelimit", "Ratelimit-Policy", "Retry-After", "User-Agent", "Www-Authenticate", "X-Request-Id")

func setOf(all ...string) map[string]bool {
	m := map[string]bool{}
	for _, s := range all {
		m[s] = true
	}
	return m
}

// maxHeaders is how many headers an entry has, and maxHeader how many bytes of each.
const (
	maxHeaders = 60
	maxHeader  = 1 << 10
)

// header copies what may be shown of a header.
func (r *redactor) header(h http.Header) []Field {
	out := make([]Field, 0, min(len(h), maxHeaders))
	for name, values := range h {
		if len(out) == maxHeaders {
			break
		}
		f := Field{clip(name, maxHeader), notShown}
		if shownHeaders[name] || slices.Contains(r.headers, name) && !isCredential(name) {
			f.Value = clip(strings.Join(values, ", "), maxHeader)
		}
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// isCredential reports whether a header is never shown.
func isCredential(name string) bool {
	switch name {
	case "Authorization", "Cookie", "Proxy-Authorization", "Set-Cookie":
		return true
	}
	return false
}

// texts redacts the values of a header. It reports whether there was a secret.
func (r *redactor) texts(fields []Field) (found bool) {
	for i, f := range fields {
		if r.mentions(f.Value) {
			fields[i].Value, found = redacted, true
		}
		if r.mentions(f.Name) && f.Value != notShown {
			fields[i].Value = redacted
		}
	}
	return found
}

// shownParams are the parameters of SCIM (RFC 7644, Section 3.4.2; RFC 9865), and one of Entra.
var shownParams = []string{"attributes", "excludedattributes", "filter", "sortby", "sortorder", "startindex", "count", "cursor", "aadoptscim062020"}

// maxURL is how many bytes of an address the journal shows.
const maxURL = 8 << 10

// url returns an address without secrets. It reports whether there was one. The value of an unknown parameter may
// be a token, so it is not shown.
func (r *redactor) url(path, query string) (text string, found bool) {
	isCut := len(query) > maxURL
	path, query = clip(path, maxURL), clip(query, maxURL)
	if r.mentions(path) {
		path, found = "/"+redacted, true
	}
	if query == "" {
		return path, found
	}
	var b strings.Builder
	b.WriteString(path)
	mark := byte('?')
	for part := range strings.SplitSeq(query, "&") {
		b.WriteByte(mark)
		mark = '&'
		name, value, has := strings.Cut(part, "=")
		plain, err := url.QueryUnescape(name)
		isShown := err == nil && slices.Contains(shownParams, strings.ToLower(plain))
		if !isShown {
			name = notShown // it may itself be the secret, as in "?TOKEN"
		}
		b.WriteString(name)
		if !has {
			continue
		}
		b.WriteByte('=')
		decoded, err := url.QueryUnescape(value)
		switch {
		case !isShown || strings.EqualFold(plain, "filter") && (isCut || !isFindable(decoded)):
			b.WriteString(notShown)
		case strings.Contains(value, ";"): // some clients write it for "&"
			b.WriteString(notShown)
		case err != nil || r.mentions(decoded) || r.mentions(value):
			b.WriteString(redacted)
			found = true
		default:
			b.WriteString(value)
		}
	}
	return b.String(), found
}

// clip returns at most n bytes of a text, as valid UTF-8.
func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
