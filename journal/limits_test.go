package journal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// A long Age keeps everything: no id is as old as the time at which it begins.
func TestLongAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, journal.Options{Age: 1<<63 - 1}, nil)
		go a.j.Run(t.Context()) //nolint:errcheck // Close is called
		a.send("GET", "/Users/none", "")
		time.Sleep(time.Hour)
		if n := len(a.find(journal.Query{From: time.Now().AddDate(-200, 0, 0)})); n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
		if all, _, err := a.j.Problems(t.Context(), "", time.Now().AddDate(-200, 0, 0)); len(all) != 1 || err != nil {
			t.Errorf("%d problems, %v", len(all), err)
		}
		if err := a.j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A body with very many names holds up no other entry.
func TestManyNamesAreFast(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	var b strings.Builder
	b.WriteString(`{"emails":["x"`)
	for i := range 60_000 {
		fmt.Fprintf(&b, `,"%x"`, i)
	}
	b.WriteString("]}")
	a.send("POST", "/Users", b.String())
	begun := time.Now()
	if e := a.last(); e.Request.Note != journal.TooManyNames {
		t.Errorf("note %q", e.Request.Note)
	}
	if d := time.Since(begun); d > 4*time.Second {
		t.Errorf("one entry takes %v", d)
	}
}

// Uploads that never end push out no entry.
func TestEndlessUploads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, journal.Options{}, nil)
		a.j.SetRoom(1 << 20)
		var all []*io.PipeWriter
		for i := range 60 {
			size := 100_000
			if i >= 20 { // These fill what the others have left.
				size = 3000
			}
			in, out := io.Pipe()
			all = append(all, out)
			go io.WriteString(out, `{"x":"`+strings.Repeat("x", size)) //nolint:errcheck // until the end
			go func() {
				r := httptest.NewRequest("POST", "/Users", in)
				r.ContentLength = 200_000
				r.Header.Set("Authorization", "Bearer good")
				r.Header.Set("Content-Type", "application/scim+json")
				a.h.ServeHTTP(httptest.NewRecorder(), r)
			}()
		}
		synctest.Wait()
		for range 50 {
			a.send("GET", "/Users/none", "")
		}
		if n := len(a.find(journal.Query{Limit: 100})); n != 50 {
			t.Errorf("%d entries, want 50", n)
		}
		for _, out := range all {
			out.Close()
		}
		synctest.Wait()
		if n := len(a.find(journal.Query{Limit: 200})); n != 110 {
			t.Errorf("%d entries in the end, want 110", n)
		}
		if used, held := a.j.Used(), a.j.Held(); used != 0 || held != 0 {
			t.Errorf("%d and %d bytes are never given back", used, held)
		}
	})
}

// A bulk request that writes large resources very often fills no memory.
func TestLargeWrites(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	id := a.create("/Users", strings.Replace(ann, `"active"`, `"title":"`+strings.Repeat("x", 20_000)+`","active"`, 1))
	a.find(journal.Query{})
	a.j.SetRoom(400_000)
	var held int64
	const n = 50
	var ops []string
	for i := range n {
		ops = append(ops, fmt.Sprintf(`{"method":"PATCH","path":"/Users/%s","data":{"Operations":[{"op":"replace","value":{"active":%v}}]}}`, id, i%2 == 1))
	}
	h := a.h
	a.h = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(&onWrite{w, func() { held = max(held, a.j.Held()) }}, r)
	})
	if w := a.send("POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`+strings.Join(ops, ",")+`]}`); w.Code != 200 || !strings.Contains(w.Body.String(), `"200"`) {
		t.Fatal(w.Code, w.Body)
	}
	if held < 100_000 || held > 200_000 {
		t.Errorf("a request holds %d bytes of 400000", held)
	}
	e := a.last()
	if c := e.Detail.Changes; len(c) != n || len(c[0].Attributes) == 0 || len(c[n-1].Attributes) != 0 || c[n-1].ID != id {
		t.Errorf("%d changes, the first with %d attributes, the last with %d", len(c), len(c[0].Attributes), len(c[n-1].Attributes))
	}
	if used, held := a.j.Used(), a.j.Held(); used != 0 || held != 0 {
		t.Errorf("%d and %d bytes are never given back", used, held)
	}
}

// onWrite calls f before the body of an answer is written.
type onWrite struct {
	http.ResponseWriter
	f func()
}

func (w *onWrite) Write(p []byte) (int, error) {
	w.f()
	return w.ResponseWriter.Write(p)
}

// broken is a Store that has lost its entries' bodies.
type broken struct{ *journal.Memory }

func (broken) Get(context.Context, string, string) (journal.Record, error) {
	return journal.Record{}, errors.New("down")
}

// An export without bodies is no success.
func TestExportFails(t *testing.T) {
	a := newAppOver(t, broken{journal.NewMemory(1 << 20)}, journal.Options{}, nil)
	a.create("/Users", ann)
	a.find(journal.Query{})
	if err := a.j.ExportJSON(t.Context(), io.Discard, journal.Query{}); err == nil {
		t.Error("no error")
	}
}

// A gap of a tenant without a key holds up no other tenant.
func TestBrokenGap(t *testing.T) {
	down := "acme"
	keys := &wrapperFunc{journal.NewEphemeralKeys(), func(bound []byte) bool { return down != "" && strings.Contains(string(bound), down) }}
	a := newAppOver(t, journal.NewMemory(1<<20), journal.Options{Keys: keys}, func(c *scim.Config) {
		c.Auth = anyone{}
		s := c.Store
		c.Store = nil
		c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
			return &scim.Tenant{ID: p.Tenant, Store: s}, nil
		}
	})
	a.j.SetRoom(20_000)
	for range 100 {
		a.sendAs("acme", "GET", "/Users/none", "")
	}
	a.j.SetRoom(1 << 20)
	a.j.Flush(t.Context()) //nolint:errcheck // it fails for one tenant
	a.sendAs("beta", "GET", "/Users", "")
	if a.j.Flush(t.Context()) == nil {
		t.Error("no error")
	}
	if all, err := a.j.Find(t.Context(), journal.Query{Tenant: "beta"}); len(all) != 1 || err != nil {
		t.Errorf("%d entries of the other tenant, %v", len(all), err)
	}
	down = ""
	total := 0
	for _, e := range a.find(journal.Query{Tenant: "acme", Limit: 200}) {
		total++
		if e.Kind == journal.Gap {
			total += e.Detail.Gap.Entries - 1
		}
	}
	if total != 100 {
		t.Errorf("%d entries and lost ones, want 100", total)
	}
}

// While the key of a tenant fails, it is asked for once in a while, and the entries of others come and go.
func TestBrokenKeyOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		keys := &wrapperFunc{journal.NewEphemeralKeys(), func(bound []byte) bool {
			isAcme := strings.Contains(string(bound), "acme")
			if isAcme {
				calls++
			}
			return isAcme
		}}
		a := newAppOver(t, journal.NewMemory(1<<20), journal.Options{Keys: keys, Age: 2 * time.Hour}, func(c *scim.Config) {
			c.Auth = anyone{}
			s := c.Store
			c.Store = nil
			c.TenantFor = func(_ context.Context, p scim.Principal) (*scim.Tenant, error) {
				return &scim.Tenant{ID: p.Tenant, Store: s}, nil
			}
		})
		for range 50 {
			a.sendAs("acme", "GET", "/Users", "")
		}
		a.sendAs("beta", "GET", "/Users", "")
		if a.j.Flush(t.Context()) == nil || calls != 1 {
			t.Errorf("%d calls in one flush", calls)
		}
		go a.j.Run(t.Context()) //nolint:errcheck // Close is called
		time.Sleep(3 * time.Hour)
		if all, err := a.j.Find(t.Context(), journal.Query{Tenant: "beta"}); len(all) != 0 || err != nil {
			t.Errorf("%d entries are older than Age, %v", len(all), err)
		}
		if a.j.Close(t.Context()) == nil {
			t.Error("Close does not say that entries are lost")
		}
	})
}
