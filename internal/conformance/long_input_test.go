package conformance

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// noteType keeps attributes that no schema has, under the names that clients send.
var noteType = newType(scim.TypeConfig{Name: "Note", Endpoint: "/Notes", Description: "Anything", KeepUnknown: true,
	Schema: schema.Schema{ID: "urn:example:params:scim:schemas:Note", Attributes: schema.Attributes{schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{Name: "text"}))}}})

// Neither an error nor a log line repeats a long text of a client.
func TestErrorsAndLogsAreShort(t *testing.T) {
	long := strings.Repeat("looooong", 12_500)
	arg := url.QueryEscape(long[:60_000])
	patch := func(op string) string { return `{"Operations":[` + op + `]}` }
	bulk := func(op string) string {
		return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + op + `]}`
	}
	for _, strict := range []bool{false, true} {
		var log bytes.Buffer
		h := testhost.Handler(t, func(c *scim.Config) {
			c.Strict, c.Types = strict, []*scim.ResourceType{scim.UserType(), scim.GroupType(), noteType}
			c.Log = slog.New(slog.NewJSONHandler(&log, nil))
		})
		const schemas = `"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],`
		user := "/Users/" + testhost.Create(t, h, "/Users", `{`+schemas+`"userName":"a","emails":[{"value":"a@example.com","type":"work"}]}`)
		note := "/Notes/" + testhost.Create(t, h, "/Notes", `{"schemas":["urn:example:params:scim:schemas:Note"],"text":"a"}`)
		for _, tt := range []struct{ method, target, body string }{
			{"GET", "/" + long, ""},
			{"GET", "/Users/" + long, ""},
			{"GET", "/Users/" + long[:1800], ""},
			{"GET", "/Users?filter=" + arg, ""},
			{"GET", "/Users?filter=" + long[:4000] + "+eq+1", ""},
			{"GET", "/Users?filter=userName+" + long[:4000] + "+1", ""},
			{"GET", "/Users?filter=userName+eq+" + long[:4000], ""},
			{"GET", "/Users?filter=active+eq+%22" + long[:4000] + "%22", ""},
			{"GET", "/Users?filter=meta.created+gt+%22" + long[:4000] + "%22", ""},
			{"GET", "/Users?filter=emails%5B" + long[:4000] + "+eq+1%5D", ""},
			{"GET", "/Users?filter=" + long[:2000] + "%5Btype+eq+1%5D", ""},
			{"GET", "/Groups?filter=members+co+%22" + long[:4000] + "%22", ""},
			{"GET", "/?filter=" + long[:4000] + "+eq+1", ""},
			{"GET", "/?sortBy=" + arg, ""},
			{"GET", "/Users?sortBy=" + arg, ""},
			{"GET", "/Users?sortOrder=" + arg + "&sortBy=userName", ""},
			{"GET", "/Users?attributes=" + arg + "&excludedAttributes=" + arg, ""},
			{"GET", "/Users?count=" + arg, ""},
			{"GET", "/Users?startIndex=" + arg, ""},
			{"GET", "/Users?cursor=" + arg, ""},
			{"GET", "/Users?" + arg + "/=1", ""},
			{"GET", "/Schemas/" + long[:1800], ""},
			{strings.ToUpper(long), "/Users", ""},
			{"POST", "/.search", `{"filter":"` + long[:4000] + ` eq 1"}`},
			{"POST", "/.search", `{"sortBy":"` + long + `"}`},
			{"POST", "/.search", `{"sortOrder":"` + long + `","sortBy":"id"}`},
			{"POST", "/.search", `{"count":"` + long + `"}`},
			{"POST", "/.search", `{"` + long + `":1,"` + long + `":2}`},
			{"POST", "/.search", `{"schemas":["` + long + `"]}`},
			{"POST", "/Users", `"` + long + `"`},
			{"POST", "/Users", long},
			{"POST", "/Users", `{"schemas":["` + long + `"],"userName":1}`},
			{"POST", "/Users", `{` + schemas + `"userName":"b","active":"` + long + `"}`},
			{"POST", "/Users", `{` + schemas + `"userName":"b","` + long + `":"\u0000"}`},
			{"POST", "/Users", `{` + schemas + `"userName":"b","` + long + `":1,"` + long + `":2}`},
			{"POST", "/Users", `{` + schemas + `"userName":1,"name":{"` + long + `":1}}`},
			{"POST", "/Users", `{` + schemas + `"userName":"b","emails":[{"value":5,"` + long + `":1}]}`},
			{"POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":"` + long + `"}]}`},
			{"POST", "/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"g","members":[{"value":"a","type":"` + long + `"}]}`},
			{"POST", "/Notes", `{"schemas":["urn:example:params:scim:schemas:Note"],"` + long + `":"\u0000"}`},
			{"POST", "/Notes", `{"schemas":["urn:example:params:scim:schemas:Note"],"` + long + `":1,"` + strings.ToUpper(long) + `":2}`},
			{"PATCH", note, patch(`{"op":"add","value":{"` + long + `":1,"` + strings.ToUpper(long) + `":2}}`)},
			{"PATCH", note, patch(`{"op":"add","path":"` + long + `[value eq 1]","value":1}`)},
			{"PATCH", user, patch(`{"op":"` + long + `","path":"title","value":"x"}`)},
			{"PATCH", user, patch(`{"op":"add","path":"` + long + `","value":"\u0000"}`)},
			{"PATCH", user, patch(`{"op":"add","path":"emails[` + long[:4000] + ` eq 1]","value":"x"}`)},
			{"PATCH", user, patch(`{"op":"replace","path":"emails[type eq \"` + long[:4000] + `\"].nope","value":"x"}`)},
			{"PATCH", user, patch(`{"op":"replace","path":"emails[type ne \"` + long[:4000] + `\" and type eq \"work\" and value eq \"b\"].value","value":5}`)},
			{"PATCH", user, patch(`{"op":"add","path":"name.` + long + `","value":5}`)},
			{"PATCH", user, patch(`{"op":"add","path":"active","value":"` + long + `"}`)},
			{"PATCH", user, patch(`{"op":"remove","path":"userName","value":"` + long + `"}`)},
			{"PATCH", user, patch(`{"op":"add","value":{"name":{"` + long + `":1},"active":7}}`)},
			{"PATCH", user, `{"` + long + `":1,"` + long + `":2}`},
			{"POST", "/Bulk", bulk(`{"method":"` + long + `","path":"/Users","bulkId":"b","data":{}}`)},
			{"POST", "/Bulk", bulk(`{"method":"POST","path":"` + long + `","bulkId":"b","data":{}}`)},
			{"POST", "/Bulk", bulk(`{"method":"DELETE","path":"/Users/` + long + `"}`)},
			{"POST", "/Bulk", bulk(`{"method":"DELETE","path":"/Users/bulkId:` + long + `"}`)},
			{"POST", "/Bulk", `{"` + long + `":1,"` + long + `":2}`},
		} {
			log.Reset()
			r := httptest.NewRequest("GET", "/", strings.NewReader(tt.body))
			r.Method, r.RequestURI = tt.method, tt.target
			if u, err := url.Parse(tt.target); err == nil {
				r.URL = u
			}
			r.Header.Set("Authorization", "Bearer "+testhost.Secret)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			short := fmt.Sprintf("%.30s %.60s %.100s", tt.method, tt.target, tt.body)
			if w.Code < 400 && !strings.HasPrefix(tt.target, "/Bulk") && strict {
				t.Errorf("%s: %d, want a refusal", short, w.Code)
			}
			answer := w.Body.String()
			if i := strings.Index(answer, `"response"`); i >= 0 {
				answer = answer[i:] // the rest repeats the bulkId and the address
			}
			if w.Code >= 400 || strings.HasPrefix(tt.target, "/Bulk") {
				if len(answer) > 800 {
					t.Errorf("%s: the error has %d bytes: %.200s", short, len(answer), answer)
				}
			}
			if log.Len() > 4000 {
				t.Errorf("%s: the log has %d bytes", short, log.Len())
			}
		}
	}
}

// A cursor holds a part of the sort value, whatever the length of the value. The next page
// begins at the right place, also if the last resource has gone.
func TestACursorIsShort(t *testing.T) {
	for name, store := range map[string]scim.Store{"memory": memory.New(), "bare": testhost.NewBareStore()} {
		t.Run(name, func(t *testing.T) {
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			h := testhost.Handler(t, func(c *scim.Config) {
				c.Store, c.Types = store, []*scim.ResourceType{scim.UserType(), probeType}
				c.Now = func() time.Time { at = at.Add(time.Second); return at }
			})
			digits := strings.Repeat("1", 20_000)
			begin := strings.Repeat("é<", 10_000)
			for _, tt := range []struct {
				by     string
				values []string // JSON, in order
			}{
				{"text", []string{`"` + begin + `2"`, `"` + begin + `1"`, `"` + begin + `3"`, `"ü"`}},
				{"exact", []string{`"` + begin + `2"`, `"` + begin + `1"`, `"` + begin + `3"`, `"ü"`}},
				{"rate", []string{"0." + digits, "0.2" + digits, "0.3" + digits, "4"}},
				{"when", []string{`"2026-01-01T00:00:00.` + digits + `Z"`, `"2026-01-01T00:00:00.2` + digits + `+00:00"`, `"2026-01-01T00:00:01.` + digits + `Z"`, `"2026-01-01T00:00:02Z"`}},
			} {
				var ids []string
				for _, v := range tt.values {
					ids = append(ids, testhost.Create(t, h, "/Probes", `{"`+tt.by+`":`+v+`,"urn:example:params:scim:schemas:extension:Extra":{"colour":"c"},"list":["`+tt.by+`"]}`))
				}
				var got []string
				cursor := ""
				for range len(ids) + 1 {
					res := testhost.Do(t, h, "GET", "/Probes?count=1&attributes=id&filter=list+eq+%22"+tt.by+"%22&sortBy="+tt.by+"&cursor="+cursor, "")
					body := testhost.Decode(t, res)
					list, _ := body["Resources"].([]any)
					if res.StatusCode != http.StatusOK || len(list) != 1 {
						t.Fatalf("%s: %d %v", tt.by, res.StatusCode, body)
					}
					id := list[0].(map[string]any)["id"].(string)
					got = append(got, id)
					if cursor, _ = body["nextCursor"].(string); cursor == "" {
						break
					}
					if len(cursor) > 2500 {
						t.Errorf("%s: the cursor has %d bytes", tt.by, len(cursor))
					}
					if len(got) == 2 {
						testhost.Do(t, h, "DELETE", "/Probes/"+id, "")
					}
				}
				if diff := cmp.Diff(ids, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tt.by, diff)
				}
			}
		})
	}
}

// Config.Trace shows the beginning of a long address.
func TestATraceOfALongAddressIsShort(t *testing.T) {
	var trace bytes.Buffer
	h := testhost.Handler(t, func(c *scim.Config) { c.Trace = &trace })
	res := testhost.Do(t, h, "GET", "/"+strings.Repeat("x", 900_000), "", "User-Agent: "+strings.Repeat("y", 100_000))
	io.Copy(io.Discard, res.Body) //nolint:errcheck // a recorder
	if res.StatusCode != http.StatusRequestURITooLong || trace.Len() > 30_000 {
		t.Errorf("%d with a trace of %d bytes", res.StatusCode, trace.Len())
	}
}
