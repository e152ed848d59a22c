package conformance

import (
	"fmt"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// hostile is a request that tries to make the server large or slow.
type hostile struct {
	name, method, target string
	body                 func() string
	status               int
	reason               string
}

func hostileRequests() []hostile {
	none := func() string { return "" }
	times := strings.Repeat
	ops := func(n int, op func(i int) string) func() string {
		return func() string {
			var b strings.Builder
			b.WriteString(`{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`)
			for i := range n {
				if i > 0 {
					b.WriteByte(',')
				}
				b.WriteString(op(i))
			}
			b.WriteString("]}")
			return b.String()
		}
	}
	user := func(rest string) func() string {
		return func() string { return `{"userName":"h@example.com",` + rest + `}` }
	}
	deep := func(open, end string) string { return times(open, 10_000) + "1" + times(end, 10_000) }
	return []hostile{
		{"deep objects", "POST", "/Users", user(`"name":` + deep(`{"a":`, "}")), 400, "10,000 levels"},
		{"deep arrays", "POST", "/Users", user(`"unknown":` + deep("[", "]")), 400, "also below an attribute that is ignored"},
		{"deep PATCH", "PATCH", "/Users/u1", func() string { return `{"Operations":` + deep("[", "]") + `}` }, 400, "10,000 levels"},
		{"deep search", "POST", "/Users/.search", func() string { return `{"x":` + deep("[", "]") + `}` }, 400, "10,000 levels"},
		{"open brackets", "POST", "/Users", func() string { return times("[", 1<<20) }, 400, "1 MiB of them"},
		{"user over 1 MiB", "POST", "/Users", user(`"title":"` + times("x", 1<<20) + `"`), 413, "the limit of bodies"},
		{"group over 16 MiB", "POST", "/Groups", func() string { return `{"displayName":"` + times("x", 17<<20) + `"}` }, 413, "the limit of groups"},
		{"group of 16 MiB", "PUT", "/Groups/g1", func() string {
			return `{"displayName":"g","members":[{"value":"u1"}` + times(`,{"value":"u1"}`, 1_100_000) + `]}`
		}, 413, "a million times the same member"},
		{"group of strangers", "PUT", "/Groups/g1", func() string {
			var b strings.Builder
			b.WriteString(`{"displayName":"g","members":[{"value":"u1"}`)
			for i := range 49_999 {
				fmt.Fprintf(&b, `,{"value":"s%07d"}`, i)
			}
			return b.String() + "]}"
		}, 400, "50,000 members that do not exist; the answer names a few of them"},
		{"many names", "POST", "/Users", func() string {
			var b strings.Builder
			b.WriteString(`{"userName":"h@example.com"`)
			for i := range 60_000 {
				fmt.Fprintf(&b, `,"x%d":1`, i)
			}
			return b.String() + "}"
		}, 201, "unknown attributes are ignored, however many"},
		{"duplicated names", "POST", "/Users", user(`"title":"a"` + times(`,"title":"a"`, 80_000)), 400, "which one counts is nobody's guess"},
		{"many e-mails", "POST", "/Users", user(`"emails":` + values(35_000)), 413, "35,000 of them: an attribute has at most 10,000"},
		{"10,000 e-mails", "POST", "/Users", user(`"emails":` + values(10_000)), 201, "the limit itself"},
		{"invalid UTF-8", "POST", "/Users", user(`"title":"` + times("\xff", 500_000) + `"`), 400, "RFC 8259, Section 8.1"},
		{"escapes", "POST", "/Users", user(`"title":"` + times(`\u00e9`, 32_768) + `"`), 201, "escapes shrink when they are read, to the limit of a string"},
		{"more escapes", "POST", "/Users", user(`"title":"` + times(`\u00e9`, 150_000) + `"`), 413, "the limit of a string"},
		{"a long number", "POST", "/Users", user(`"title":` + times("9", 1_000_000)), 400, "it is no string"},
		{"10,000 operations", "PATCH", "/Users/u1", ops(10_000, func(i int) string { return fmt.Sprintf(`{"op":"replace","path":"title","value":"t%d"}`, i) }), 200, "one after the other"},
		{"9,999 e-mails by PATCH", "PATCH", "/Users/u1", ops(9_999, func(i int) string {
			return fmt.Sprintf(`{"op":"add","path":"emails","value":[{"value":"e%d"}]}`, i)
		}), 200, "each is compared with those before, and one was there"},
		{"10,000 members by PATCH", "PATCH", "/Groups/g1", ops(10_000, func(i int) string {
			return fmt.Sprintf(`{"op":"add","path":"members","value":[{"value":"s%d"}]}`, i)
		}), 400, "nobody is provisioned"},
		{"10,000 value filters", "PATCH", "/Users/u1", func() string {
			return ops(10_000, func(i int) string {
				if i == 0 {
					return `{"op":"add","path":"emails","value":[{"value":"a"}` + times(`,{"value":"b","display":"c"}`, 5_000) + `]}`
				}
				return fmt.Sprintf(`{"op":"add","path":"emails[value eq \"%d\"].display","value":"c"}`, i)
			})()
		}, 413, "each looks at all e-mails and finds none: what a PATCH may cost is limited"},
		{"filter of 100 kB", "GET", "/Users?filter=title+eq+%22" + times("x", 100_000) + "%22", none, 400, "the limit is 4 kB"},
		{"filter of 10,000 terms", "POST", "/Users/.search", func() string {
			return `{"filter":"id pr` + times(` or id pr`, 10_000) + `"}`
		}, 400, "the limit is 4 kB"},
		{"nested filter", "GET", "/Users?filter=" + times("(", 1_000) + "id+pr" + times(")", 1_000), none, 400, "the limit is 32 levels"},
		{"filter of negations", "GET", "/Users?filter=" + times("not(", 500) + "id+pr" + times(")", 500), none, 400, "the limit is 32 levels"},
		{"id with a slash", "GET", "/Users/..%2F..%2Fetc%2Fpasswd", none, 404, "it is an id like any other"},
		{"id with a NUL", "GET", "/Users/a%00", none, 404, "there is no such address"},
		{"id of 500 kB", "GET", "/Users/" + times("x", 500_000), none, 414, "no id is that long"},
		{"path of slashes", "GET", times("/", 500_000) + "Users/u1", none, 414, "a few of them are passed over"},
		{"path of segments", "GET", times("/x", 250_000) + "/Users", none, 414, "the answer would repeat it for every resource"},
		{"path into nothing", "GET", times("/x", 250_000), none, 414, "there is nothing either"},
		{"huge count", "GET", "/Users?count=9223372036854775807", none, 200, "it is cut"},
		{"huge index", "GET", "/Users?startIndex=9223372036854775807&count=200&sortBy=title&sortOrder=descending", none, 200, "it is behind the end"},
		{"huge index at the root", "GET", "/?startIndex=9223372036854775807&count=200", none, 400, "it is beyond what the root reaches"},
		{"count that is no int", "GET", "/Users?count=99999999999999999999", none, 400, "it does not fit"},
		{"negative count", "GET", "/Users?count=-9223372036854775808&startIndex=-1", none, 200, "RFC 7644, Section 3.4.2.4: as 0 and 1"},
		{"many parameters", "GET", "/Users?" + times("a=b&", 200_000), none, 400, "net/url stops at 10,000"},
		{"many attributes", "GET", "/Users?attributes=" + times("emails.value,", 50_000), none, 400, "no schema has as many"},
		{"many unknown attributes", "POST", "/Users/.search", func() string {
			return `{"excludedAttributes":["x"` + times(`,"urn:x:y"`, 80_000) + `]}`
		}, 400, "though they name nothing"},
		{"a thousand attributes", "GET", "/Users?attributes=" + times("emails.value,", 1000), none, 200, "the limit itself"},
		{"cursor of 500 kB", "GET", "/Users?cursor=" + times("A", 500_000), none, 400, "nobody made it"},
	}
}

// TestMemoryBound repeats requests that try to exhaust the server. The server must refuse
// or finish each one quickly, and free its memory.
func TestMemoryBound(t *testing.T) {
	const grow, peak, slow = 64 << 20, 768 << 20, 20 * time.Second
	for store, change := range routeHandlers {
		t.Run(store, func(t *testing.T) {
			heap := watchHeap(t)
			for _, tt := range hostileRequests() {
				t.Run(tt.name, func(t *testing.T) {
					h := seededHandler(t, change)
					body := tt.body()
					before := heap.live()
					rounds := 2
					if testhost.UnderRace {
						rounds = 1
					}
					for range rounds {
						heap.reset()
						r := httptest.NewRequest(tt.method, "/", strings.NewReader(body))
						u, err := r.URL.Parse("http://example.com" + tt.target)
						if err != nil {
							t.Fatal(err)
						}
						r.URL, r.RequestURI = u, tt.target
						w := testhost.NewCountingWriter()
						start := time.Now()
						h.ServeHTTP(w, r)
						took := time.Since(start)
						if w.Status != tt.status && (tt.status != 201 || w.Status != 409) {
							t.Errorf("status %d, want %d: %s", w.Status, tt.status, tt.reason)
						}
						if took > slow {
							t.Errorf("it took %v", took)
						}
						if p := heap.peak(); p > before+peak {
							t.Errorf("the heap grew by %d MiB meanwhile", (p-before)>>20)
						}
						if w.Size > 64<<10+4*int64(len(body)+len(tt.target)) {
							t.Errorf("%d bytes in answer to %d", w.Size, len(body)+len(tt.target))
						}
						if testing.Verbose() {
							t.Logf("%d in %v, peak %d MiB", w.Status, took.Round(time.Millisecond), (max(heap.peak(), before)-before)>>20)
						}
					}
					if after := heap.live(); after > before+grow {
						t.Errorf("%d MiB are not given back", (after-before)>>20)
					}
					if w := play(h, "GET /Users?count=1\n\n"); w.Code != 200 {
						t.Errorf("afterwards a list is %d", w.Code)
					}
					runtime.KeepAlive(h)
				})
			}
		})
	}
}

// heapWatch samples the size of the heap.
type heapWatch struct {
	mu  sync.Mutex
	top uint64
}

func watchHeap(t *testing.T) *heapWatch {
	h := &heapWatch{}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				metrics.Read(s)
				h.mu.Lock()
				h.top = max(h.top, s[0].Value.Uint64())
				h.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() { close(stop); <-done })
	return h
}

func (h *heapWatch) reset() { h.mu.Lock(); h.top = 0; h.mu.Unlock() }

func (h *heapWatch) peak() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.top
}

// live is the size of the reachable heap.
func (h *heapWatch) live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestHostileHeaders sends headers that try to put another host, an extra line or a script
// into the answer. TestBaseURL covers trusted headers.
func TestHostileHeaders(t *testing.T) {
	proxy := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	long := "evil." + strings.Repeat("x.", 200) + "example"
	tests := []struct {
		name    string
		trusted bool
		host    string
		header  string
		value   string
		reason  string
	}{
		{"another host", false, "", "X-Forwarded-Host", "evil.example", "any client can send it"},
		{"another scheme", false, "", "X-Forwarded-Proto", "evil", "any client can send it"},
		{"prefix", false, "", "X-Forwarded-Prefix", "/evil", "it is not used, whoever sends it"},
		{"prefix from the proxy", true, "", "X-Forwarded-Prefix", "/evil", "it is not used, whoever sends it"},
		{"Forwarded", false, "", "Forwarded", "for=192.0.2.1;host=evil.example;proto=https", "RFC 7239 is not used"},
		{"Forwarded from the proxy", true, "", "Forwarded", "host=evil.example", "RFC 7239 is not used"},
		{"original address", true, "", "X-Original-URL", "/evil", "some frameworks believe it"},
		{"rewritten address", true, "", "X-Rewrite-URL", "/evil", "some frameworks believe it"},
		{"method", true, "", "X-HTTP-Method-Override", "DELETE", "a GET stays one"},
		{"script from the proxy", true, "", "X-Forwarded-Host", `"><script>evil()</script>`, "a proxy passes on what clients send"},
		{"line end from the proxy", true, "", "X-Forwarded-Host", "a.example\r\nSet-Cookie: evil=1", "one header must not become two"},
		{"user from the proxy", true, "", "X-Forwarded-Host", "app.example@evil.example", "what is before the @ only looks like the host"},
		{"path from the proxy", true, "", "X-Forwarded-Host", "evil.example/a", "a host has no path"},
		{"query from the proxy", true, "", "X-Forwarded-Host", "evil.example?a", "a host has no query"},
		{"scheme from the proxy", true, "", "X-Forwarded-Proto", "javascript:evil", "http or https"},
		{"long host from the proxy", true, "", "X-Forwarded-Host", long, "it would be repeated for each resource"},
		{"line end in the host", false, "a.example\r\nSet-Cookie: evil=1", "", "", "net/http refuses it; other servers may not"},
		{"quotes in the host", false, `evil".example`, "", "", "it would end an attribute of HTML"},
		{"space in the host", false, "evil.example x", "", "", "no host has one"},
		{"encoded script in the host", false, "%3Cevil%3E", "", "", "nobody decodes it on the way"},
		{"long host", false, long, "", "", "it would be repeated for each resource"},
		{"accept", false, "", "Accept", "evil/evil, */*", "what is asked for does not come back"},
		{"content type", false, "", "Content-Type", "application/json; evil", "nor what is sent"},
		{"tag", false, "", "If-None-Match", "W/\"evil\"\r\nevil", "nor what it is compared with"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := seededHandler(t, func(c *scim.Config) {
				routeHandlers["memory"](c)
				if tt.trusted {
					c.TrustedProxies = proxy
				}
			})
			for _, line := range []string{"GET /Users/u1", "GET /Groups", "GET /Schemas", "GET /Nope", "POST /Users"} {
				method, target, _ := strings.Cut(line, " ")
				r := httptest.NewRequest(method, target, strings.NewReader(`{"userName":"c@example.com"}`))
				if tt.host != "" {
					r.Host = tt.host
				}
				if tt.header != "" {
					r.Header.Set(tt.header, tt.value)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if s := fmt.Sprint(w.Header(), w.Body); strings.Contains(strings.ToLower(s), "evil") {
					t.Errorf("%s: %s: %.300s", line, tt.reason, s)
				}
				if err := wellFormed(w, 1<<10); err != nil {
					t.Errorf("%s: %v", line, err)
				}
			}
			if w := play(h, "GET /Users/u1\n\n"); w.Code != 200 {
				t.Errorf("afterwards the user is %d", w.Code)
			}
		})
	}
}
