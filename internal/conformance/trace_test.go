package conformance

import (
	"bytes"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// The trace never has a password, wherever a client puts it.
func TestTraceRedactsPasswords(t *testing.T) {
	const bulk = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`
	tests := []struct {
		name, method, target, body string
		reason                     string
	}{
		{"filter", "GET", `/Users?filter=password+eq+%22hunter2%22`, "", "it is refused, and was sent"},
		{"escaped filter", "GET", `/Users?filter=%70assw%6Frd+eq+%22hunter2%22`, "", "the server reads it unescaped"},
		{"filter in other letters", "GET", `/Users?filter=PassWord+eq+%22hunter2%22`, "", "names are case-insensitive"},
		{"broken query", "GET", `/Users?filter=pass%zzword+eq+%22hunter2%22`, "", "nobody knows what is in it"},
		{"in the path", "GET", `/Users/password=hunter2`, "", "as good as a filter"},
		{"search", "POST", "/Users/.search", `{"filter":"password eq \"hunter2\""}`, "as in a query"},
		{"escaped search", "POST", "/Users/.search", `{"filter":"p\u0061ssword eq \"hunter2\""}`, "as in a query"},
		{"search with an error that repeats it", "POST", "/Users/.search", `{"filter":"password eq hunter2"}`, "the answer must not say it"},
		{"path of a PATCH", "PATCH", "/Users/u", `{"Operations":[{"op":"replace","path":"password eq \"hunter2\"","value":"v"}]}`, "it is refused"},
		{"value of a PATCH", "PATCH", "/Users/u", `{"Operations":[{"op":"replace","path":"password","value":"hunter2"}]}`, "as it should be"},
		{"path twice", "PATCH", "/Users/u", `{"Operations":[{"op":"replace","path":"password","path":"title","value":"hunter2"}]}`, "which one counts is nobody's guess"},
		{"op of a PATCH", "PATCH", "/Users/u", `{"Operations":[{"op":"password=hunter2","path":"title","value":"v"}]}`, "the answer repeats it"},
		{"name of a member", "PATCH", "/Users/u", `{"Operations":[{"op":"add","value":{"password eq \"hunter2\"":1}}]}`, "the answer may repeat it"},
		{"any text", "POST", "/Users", `{"userName":"a","title":"the password is hunter2"}`, "nobody knows"},
		{"in a Bulk", "POST", "/Bulk", bulk + `{"method":"PATCH","path":"/Users/x","data":[{"op":"replace","path":"password","value":"hunter2"}]}]}`, "in the same form"},
		{"path of a Bulk", "POST", "/Bulk", bulk + `{"method":"DELETE","path":"/Users?filter=password eq \"hunter2\""}]}`, "the answer repeats it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			h := testhost.Handler(t, func(c *scim.Config) { c.Trace = &b })
			testhost.Do(t, h, tt.method, tt.target, tt.body)
			if b.Len() == 0 || strings.Contains(b.String(), "hunter2") {
				t.Errorf("%s; the trace is:\n%s", tt.reason, &b)
			}
		})
	}
}

// The trace shows all other text.
func TestTraceShowsTheRest(t *testing.T) {
	var b bytes.Buffer
	h := testhost.Handler(t, func(c *scim.Config) { c.Trace = &b })
	testhost.Do(t, h, "POST", "/Users/.search", `{"attributes":["password","userName"],"filter":"title eq \"boss\""}`)
	testhost.Do(t, h, "GET", "/Users?filter=nope+eq+%22x%22", "")
	for _, want := range []string{`"password"`, `"title eq \"boss\""`, `/Users?filter=nope+eq+%22x%22`, `"nope\" is not known`} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the trace lacks %s:\n%s", want, &b)
		}
	}
}
