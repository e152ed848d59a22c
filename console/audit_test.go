package console_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

// Each act of the console leaves an entry: done, with an id that does not exist, without the right, and in a tenant that cannot be
// read. Pages that are only read leave none.
func TestEveryActIsAudited(t *testing.T) {
	forms := map[string]url.Values{ // by the paths of all acts
		"activity/{id}/bodies": nil, "activity/{id}/again": nil, "connection/test": nil, "connection/links/end": nil, "connection/links/{id}/end": nil, "connection/tokens/{id}/revoke": nil,
		"groups/pending":                {"key": {"eA"}, "decision": {"confirm"}},
		"connection/tokens":             {"label": {"Okta"}, "life": {"90"}},
		"connection/tokens/{id}/rotate": {"overlap": {"0"}},
		"connection/links":              {"life": {"1"}, "opens": {"all"}, "tokens": {"1"}},
	}
	all := console.Acts()
	for path, kind := range all {
		form, ok := forms[path]
		if !ok {
			t.Errorf("no form of the act %s: add it here", path)
		}
		for _, row := range []struct {
			name   string
			change func(w *world)
			status []int
		}{
			{"done, or with an unknown id", func(*world) {}, []int{200, 303, 404, 409}},
			{"without the right", func(w *world) { w.viewer.May = console.May{} }, []int{403}},
			{"a tenant that cannot be read", func(w *world) { w.unusable = errors.New("down") }, []int{503}},
			{"a tenant that is gone", func(w *world) { w.unusable = scim.ErrNotFound }, []int{404}},
		} {
			w := newAudited(t)
			row.change(w)
			answer := w.do(http.MethodPost, "/"+strings.ReplaceAll(path, "{id}", "nothing"), form)
			if !slices.Contains(row.status, answer.Code) {
				t.Errorf("%s, %s: status %d\n%s", path, row.name, answer.Code, w.log.String())
			}
			if len(w.acts) != 1 || w.acts[0].Kind != kind || w.acts[0].Viewer != "ann" || (w.acts[0].Err != nil) != (answer.Code >= 400) {
				t.Errorf("%s, %s: status %d, acts %+v", path, row.name, answer.Code, w.acts)
			}
			if strings.Contains(path, "{id}") && w.acts[0].Object != "nothing" {
				t.Errorf("%s, %s: the act is about %q", path, row.name, w.acts[0].Object)
			}
			if !strings.Contains(w.log.String(), `msg="scim console: `+string(kind)+`" viewer=ann`) {
				t.Errorf("%s, %s: the log has no line of it: %s", path, row.name, w.log.String())
			}
		}
	}
	w := newAudited(t)
	for _, path := range console.Pages() {
		w.do(http.MethodGet, "/"+strings.ReplaceAll(strings.ReplaceAll(path, "{id}", "nothing"), "{$}", ""), nil)
	}
	if len(w.acts) != 0 {
		t.Errorf("pages that are read leave acts: %+v", w.acts)
	}
}

// newAudited returns a world with everything that a viewer can act on.
func newAudited(t *testing.T) *world {
	t.Helper()
	p := newProduct(t)
	h, err := scim.New(scim.Config{Store: memory.New(), Auth: p.tokens, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	p.tenant.Endpoint = scim.Mount("/scim/v2", h, nil)
	p.setup = newSetup()
	return p.start()
}

// A viewer who sees a tenant as its administrators do reads what they read, and does nothing.
func TestSeeAs(t *testing.T) {
	w := newWorld(t, "acme", "other", "")
	w.viewer.May, w.viewer.SeeAs = console.May{}, &console.May{Tokens: true, Bodies: true}
	w.start()
	e := exchange("POST", 201, journal.Detail{})
	e.Tenant, e.Request = "acme", &journal.Body{Text: `{"userName":"cas"}`, Size: 18}
	id := w.entries.add(e).ID
	w.wants(w.get(200, "/t/acme/connection"), `href="../../as/acme/">See this as an administrator`, "!You see these pages as", "!Make a token")

	page := w.get(200, "/as/acme/connection")
	w.wants(page, "You see these pages as an administrator of <b>Name of acme</b> sees them", `href="../../t/acme/">End this`, "Make a token", `href="../../as/acme/activity"`, "!All tenants", "!See this as", "!../../t/acme/activity")
	w.wants(w.get(200, "/as/acme/activity/"+id), "Show both bodies", "End this")
	w.get(200, "/as/acme/activity/newest")
	for _, path := range []string{"/as/acme/nothing", "/as/acme/activity/nothing"} {
		w.wants(w.get(404, path), "End this", "There is no such page")
	}
	want := []string{"connection false", "activity/" + id + " false", "activity/nothing true"}
	for path := range console.Acts() {
		path = strings.ReplaceAll(path, "{id}", id)
		w.wants(w.post(403, "/as/acme/"+path, url.Values{"label": {"x"}, "life": {"90"}}), "You only look at these pages", "End this", "!userName")
		want = append(want, path+" true")
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS"} {
		w.body(403, w.do2(method, "/as/acme/"))
		want = append(want, " true")
	}
	var got []string
	for _, a := range w.acts {
		if a.Kind != console.SeeAs || a.Viewer != "ann" || a.Tenant != "acme" {
			t.Errorf("act %+v", a)
		}
		got = append(got, fmt.Sprint(a.Object, " ", a.Err != nil))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"/as/hidden/", "/as/hidden/connection", "/as/~/", "/as/"} { // a tenant that the viewer does not see, or none
		w.get(404, path)
		w.post(404, path, nil)
	}
	w.viewer.SeeAs = nil
	for path := range console.Acts() {
		w.post(404, "/as/acme/"+path, nil)
	}
	w.get(404, "/as/acme/")
	if len(w.acts) != len(want) || len(w.list()) != 0 {
		t.Errorf("%d acts, tokens %+v", len(w.acts), w.list())
	}
}
