package scimtest

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
)

const (
	errorURN = "urn:ietf:params:scim:api:messages:2.0:Error"
	listURN  = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
)

// laws lists what is wrong with an answer, independently of the transcript. have is the
// decoded body.
func laws(method string, a *http.Response, body []byte, have any) (bad []string) {
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	status := a.StatusCode
	for code, header := range map[int]string{
		http.StatusUnauthorized: "WWW-Authenticate", http.StatusMethodNotAllowed: "Allow", http.StatusCreated: "Location",
	} {
		if status == code && a.Header.Get(header) == "" {
			say("%d without %s", status, header)
		}
	}
	bodiless := method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
	switch {
	case bodiless && len(body) > 0:
		say("there must be no body")
		return bad
	case bodiless:
		return bad
	case len(body) == 0:
		say("there must be a body")
		return bad
	}
	if m, _, err := mime.ParseMediaType(a.Header.Get("Content-Type")); err != nil || m != "application/scim+json" {
		say("Content-Type: want application/scim+json, have %q", a.Header.Get("Content-Type"))
	}
	o, ok := have.(map[string]any)
	if !ok {
		say("the body is not a JSON object")
		return bad
	}
	if status >= 400 {
		want := map[string]any{"schemas": []any{errorURN}, "status": strconv.Itoa(status), "detail": "${re:.}"}
		return append(bad, vars{}.compare("body", want, have)...)
	}
	if where, ok := secret("body", have); ok {
		say("%s: a password is never returned", where)
	}
	if s, ok := o["schemas"].([]any); !ok || len(s) == 0 {
		say("body.schemas: want at least one URN, have %s", show(o["schemas"]))
	} else if s[0] == listURN {
		bad = append(bad, listLaws(o)...)
	}
	if meta, ok := o["meta"].(map[string]any); ok {
		for _, header := range []string{"Location", "Content-Location"} {
			if l := a.Header.Get(header); l != "" && meta["location"] != l {
				say("%s is %q, but meta.location %s", header, l, show(meta["location"]))
			}
		}
		if v, tag := meta["version"], a.Header.Get("ETag"); v != nil && tag != "" && v != tag {
			say("ETag is %s, but meta.version %s", tag, show(v))
		}
	}
	return bad
}

func listLaws(o map[string]any) (bad []string) {
	all, ok := o["Resources"].([]any)
	if !ok {
		return []string{"body.Resources: want an array, even an empty one, have " + show(o["Resources"])}
	}
	if n, ok := o["totalResults"].(json.Number); !ok {
		bad = append(bad, "body.totalResults: want a number, have "+show(o["totalResults"]))
	} else if i, err := n.Int64(); err != nil || i < int64(len(all)) {
		bad = append(bad, fmt.Sprintf("body.totalResults: %s is less than the %d resources there are", n, len(all)))
	}
	if n, ok := o["itemsPerPage"]; ok && n != json.Number(strconv.Itoa(len(all))) {
		bad = append(bad, fmt.Sprintf("body.itemsPerPage: want %d, have %s", len(all), show(n)))
	}
	return bad
}

// secret finds a member with the name "password".
func secret(at string, v any) (where string, found bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if name == "password" {
				return at + ".password", true
			}
			if where, found = secret(at+"."+name, value); found {
				return where, true
			}
		}
	case []any:
		for i, value := range v {
			if where, found = secret(fmt.Sprintf("%s[%d]", at, i), value); found {
				return where, true
			}
		}
	}
	return "", false
}
