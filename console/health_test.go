package console_test

import (
	"errors"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/memory"
)

func TestHealth(t *testing.T) {
	day := func(ago, good, failed int, client string) journal.Summary {
		at := now.AddDate(0, 0, -ago)
		s := journal.Summary{Day: at.Truncate(24 * time.Hour), Client: client, Label: "Label of " + client, Reads: good, LastContact: at.Add(-time.Hour)}
		if failed > 0 {
			s.Failures = []journal.FailureCount{{Status: 409, Type: "uniqueness", Requests: failed}}
		}
		return s
	}
	week := func(first, last int) (all []journal.Summary) {
		for i := first; i <= last; i++ {
			all = append(all, day(i, 20, 0, "okta"))
		}
		return all
	}
	for _, row := range []struct {
		name  string
		all   []journal.Summary
		wants []string
	}{
		{"nothing", nil, []string{"Nothing has come in 14 days", "No client is in trouble"}},
		{"all is well", week(0, 7), []string{"No client is in trouble", "160 requests in 14 days, 0 of them failed", "Label of okta", "1 hour ago"}},
		{"many fail", []journal.Summary{day(0, 20, 5, "okta"), day(1, 0, 0, "okta")}, []string{"Label of okta: 5 of 25 requests have failed since yesterday.", "25 requests in 14 days, 5 of them failed"}},
		{"few fail", []journal.Summary{day(0, 20, 4, "okta")}, []string{"No client is in trouble", `<span class="st b">4</span>`}},
		{"few requests", []journal.Summary{day(0, 0, 9, "okta")}, []string{"No client is in trouble"}},
		{"it came each day, and is silent", week(2, 8), []string{"Label of okta has sent nothing for 2 days. Before, it came nearly every day."}},
		{"it comes once a week", []journal.Summary{day(6, 20, 0, "okta"), day(13, 20, 0, "okta")}, []string{"No client is in trouble"}},
		{"a key is gone", []journal.Summary{{Day: now, Unreadable: journal.KeyGone, Reads: 3}}, []string{"the key of this entry is gone", "3 requests"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "").start()
			w.entries.summaries = map[string][]journal.Summary{"": row.all}
			w.wants(w.get(200, "/health"), row.wants...)
		})
	}
	w := newWorld(t, "").start()
	if _, _, err := w.tokens.Tenant("").Issue(t.Context(), tokens.Request{Label: "Okta <i>", Expires: now.Add(72 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	w.wants(w.get(200, "/health"), "The token &#34;Okta &lt;i&gt;&#34; ends in 3 days.")
	w.entries.err = errors.New("secret")
	w.wants(w.get(503, "/health"), "The journal cannot be read now", "!No client is in trouble", "!secret")
}

func TestConnectionTest(t *testing.T) {
	w := newWorld(t, "").start()
	w.post(404, "/connection/test", nil)
	h, err := scim.New(scim.Config{Store: memory.New(), Auth: w.tokens, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	w.tenant.Endpoint = scim.Mount("/scim/v2", h, nil)
	w.viewer.May = console.May{}
	w.wants(w.get(200, "/connection"), "!Test the endpoint")
	w.post(403, "/connection/test", nil)
	w.viewer.May = everything
	w.wants(w.get(200, "/connection"), "Test the endpoint")
	page := w.post(200, "/connection/test", nil)
	w.wants(page, `<span class="st">right</span> It refuses who has another token. <span class="soft">answered 401`, "It lists groups.", "!wrong</span>")
	list := w.list()
	if len(list) != 1 || list[0].IsValid(now.Add(time.Second)) || len(w.acts) != 1 || w.acts[0].Kind != console.TestConnection {
		t.Errorf("tokens %+v, acts %+v", list, w.acts)
	}
	w.tenant.Endpoint = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		w.Write([]byte(`{"detail":"<i>down"}`)) //nolint:errcheck // the recorder takes all
	})
	w.wants(w.post(200, "/connection/test", nil), `<span class="st b">wrong</span> It lists people. <span class="soft">answered 500: &lt;i&gt;down`, "!right</span>")
}
