package conformance

import (
	"bytes"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// The password of the tests begins with letters that no message has.
const hunter = "zqxjzq"

// misplaced are requests with a password where none belongs, or in a body that is not
// valid.
var misplaced = []struct{ name, method, target, body string }{
	{"bad surrogate, POST", "POST", "/Users", `{"userName":"a","password":"\ud800` + hunter + `"}`},
	{"bad surrogate pair, POST", "POST", "/Users", `{"userName":"a","password":"\ud800\u007a` + hunter + `"}`},
	{"bad escape, POST", "POST", "/Users", `{"userName":"a","password":"\` + hunter + `"}`},
	{"bad surrogate, PATCH", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"password","value":"\ud800` + hunter + `"}]}`},
	{"bad escape, PATCH", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"password","value":"\` + hunter + `"}]}`},
	{"no quotes, PATCH", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"password","value":` + hunter + `}]}`},
	{"bad surrogate in a string with an object", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","value":"{\"password\":\"\\ud800` + hunter + `\"}"}]}`},
	{"string with an object", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","value":"{\"password\":` + hunter + `}"}]}`},
	{"string with an escaped object", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","value":"{\"p\\u0061ssword\":` + hunter + `}"}]}`},
	{"bad surrogate, bulk", "POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","bulkId":"b","data":{"password":"\ud800` + hunter + `"}}]}`},
	{"bad surrogate, search", "POST", "/.search", `{"filter":"password eq \"\ud800` + hunter + `\""}`},
	{"bad surrogate, unknown name", "POST", "/Users", `{"userName":"a","\ud800` + hunter + `":"password"}`},
	{"path with a filter", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"password[value eq \"` + hunter + `\"]","value":"x"}]}`},
	{"path with a filter and a part", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"password[value eq \"` + hunter + `\"].x","value":"x"}]}`},
	{"path with a filter that is cut off", "PATCH", "/Users/1", `{"Operations":[{"op":"remove","path":"password[value eq ` + hunter + `"}]}`},
	{"path with a URN and a filter", "PATCH", "/Users/1", `{"Operations":[{"op":"add","path":"urn:ietf:params:scim:schemas:core:2.0:User:password[value eq ` + hunter + `]"}]}`},
	{"path without a value", "PATCH", "/Users/1", `{"Operations":[{"op":"add","path":"password eq ` + hunter + `"}]}`},
	{"path, encoded", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"p%61ssword%20eq%20` + hunter + `","value":"x"}]}`},
	{"names twice", "PUT", "/Users/1", `{"userName":"a","password eq ` + hunter + `":1,"password eq ` + hunter + `":2}`},
	{"unknown name", "PUT", "/Users/1", `{"userName":"a","password eq ` + hunter + `":1}`},
	{"value of another attribute", "PUT", "/Users/1", `{"userName":"a","active":"password=` + hunter + `"}`},
	{"path in a bulk", "POST", "/Bulk", `{"Operations":[{"method":"PATCH","path":"/Users?filter=password eq \"` + hunter + `\"","data":{}}]}`},
	{"filter", "GET", "/Users?filter=" + url.QueryEscape(`password eq "`+hunter+`"`), ""},
	{"value filter", "GET", "/Users?filter=" + url.QueryEscape(`password[value eq "`+hunter+`"]`), ""},
	{"filter without quotes", "GET", "/Users?filter=" + url.QueryEscape(`password eq `+hunter+` x`), ""},
	{"filter in single quotes", "GET", "/Users?filter=" + url.QueryEscape(`password eq '`+hunter+`'`), ""},
	{"filter that is cut off", "GET", "/Users?filter=" + url.QueryEscape(`password eq "`+hunter), ""},
	{"filter with a bad escape", "GET", "/Users?filter=" + url.QueryEscape(`password eq "\`+hunter+`"`), ""},
	{"filter, encoded twice", "GET", "/Users?filter=" + url.QueryEscape(url.PathEscape(`password eq "`+hunter+`"`)), ""},
	{"filter, encoded three times", "GET", "/Users?filter=" + url.QueryEscape(url.QueryEscape(url.QueryEscape(`password eq "`+hunter+`"`))), ""},
	{"filter, a letter encoded twice", "GET", "/Users?filter=" + url.QueryEscape(`p%61ssword%20eq%20`+hunter), ""},
	{"filter of the root", "GET", "/?filter=" + url.QueryEscape(url.PathEscape(`password eq "`+hunter+`"`)), ""},
	{"filter in a search", "POST", "/Users/.search", `{"filter":"password[value eq \"` + hunter + `\"]"}`},
	{"encoded filter in a search", "POST", "/.search", `{"filter":"password%20eq%20%22` + hunter + `%22"}`},
	{"sortBy", "GET", "/Users?sortBy=password%3D" + hunter, ""},
	{"attributes", "GET", "/Users/1?attributes=password%3D" + hunter, ""},
	{"address", "GET", "/Users/password%20eq%20" + hunter, ""},
	{"address, encoded twice", "GET", "/Users/p%2561ssword%2520eq%2520" + hunter, ""},
	{"address that is nothing", "GET", "/password=" + hunter, ""},
	{"key with a look-alike letter", "PUT", "/Users/1", `{"userName":"a","pa` + "\u017f\u017f" + `word":"` + hunter + `"}`},
	{"key in wide letters", "PUT", "/Users/1", `{"userName":"a","` + "\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44" + `":"` + hunter + `"}`},
	{"key in capitals", "PUT", "/Users/1", `{"userName":"a","PASSWORD":"` + hunter + `"}`},
	{"key encoded", "PUT", "/Users/1", `{"userName":"a","p%61ssword":"` + hunter + `"}`},
	{"path with a look-alike letter", "PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"pa` + "\u017f\u017f" + `word","value":"` + hunter + `"}]}`},
}

// No answer, log line or trace repeats a password, even if it stands where none belongs.
func TestNothingRepeatsAPassword(t *testing.T) {
	for _, strictly := range []bool{false, true} {
		for _, tt := range misplaced {
			name := tt.name
			if strictly {
				name += ", strict"
			}
			t.Run(name, func(t *testing.T) {
				var log, trace bytes.Buffer
				h := testhost.Handler(t, func(c *scim.Config) {
					c.Strict, c.NewID, c.Trace = strictly, func() string { return "1" }, &trace
					c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				})
				testhost.Create(t, h, "/Users", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ann"}`)
				body := tt.body
				if strictly {
					body = strings.Replace(body, `{"userName"`, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName"`, 1)
					body = strings.Replace(body, `{"Operations"`, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp","urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations"`, 1)
				}
				res := testhost.Do(t, h, tt.method, tt.target, body)
				answer, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode >= 500 {
					t.Errorf("status %d", res.StatusCode)
				}
				for where, text := range map[string]string{"answer": string(answer), "log": log.String(), "trace": trace.String()} {
					if strings.Contains(text, hunter[:2]) || strings.Contains(text, "'z'") {
						t.Errorf("the %s repeats the password (status %d):\n%s", where, res.StatusCode, text)
					}
				}
			})
		}
	}
}

// What is no password stays readable: a client needs to know what was wrong.
func TestErrorsStillNameTheAttribute(t *testing.T) {
	h := testhost.Handler(t, func(c *scim.Config) { c.NewID = func() string { return "1" } })
	testhost.Create(t, h, "/Users", `{"userName":"ann"}`)
	for _, tt := range []struct{ method, target, body, want string }{
		{"GET", "/Users?filter=" + url.QueryEscape(`password eq "x"`), "", "password is never returned and cannot be used in a filter"},
		{"PATCH", "/Users/1", `{"Operations":[{"op":"replace","path":"password[value eq \"x\"]","value":"x"}]}`, "password has a single value"},
		{"PUT", "/Users/1", `{"userName":"a","password":1}`, "password: needs a string"},
		{"PUT", "/Users/1", `{"userName":"a","active":"yes"}`, `active: needs true or false, got "yes"`},
	} {
		detail, _ := testhost.Decode(t, testhost.Do(t, h, tt.method, tt.target, tt.body))["detail"].(string)
		if !strings.Contains(detail, tt.want) {
			t.Errorf("%s %s %s: the detail is %q, want %q in it", tt.method, tt.target, tt.body, detail, tt.want)
		}
	}
}
