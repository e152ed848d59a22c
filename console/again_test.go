package console_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"
)

// sent is an exchange with both bodies.
func sent(method, url string, status int, request, response string) journal.Entry {
	e := exchange(method, status, journal.Detail{Client: "okta", URL: "/scim/v2" + url, RequestHeader: []journal.Field{{Name: "Content-Type", Value: "application/scim+json"}}})
	if request != "" {
		e.Request = &journal.Body{Text: request}
	}
	if response != "" {
		e.Response = &journal.Body{Text: response}
	}
	return e
}

const errorOf = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"STATUS","detail":"DETAIL"}`

// A request of the journal is answered again, and nothing happens.
func TestTryAgain(t *testing.T) {
	p := newProduct(t)
	p.tenant.Preview = p.roles
	ann := p.user("ann", "true")
	user := func(name string) string { return strings.NewReplacer("NAME", name, "ACTIVE", "true").Replace(userOf) }
	op := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"add","path":"members","value":[{"value":"` + ann + `"}]}]}`
	group := p.create("/Groups", `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Editor"}`)
	failed := func(status, detail string) string {
		return strings.NewReplacer("STATUS", status, "DETAIL", detail).Replace(errorOf)
	}
	for _, row := range []struct {
		name  string
		entry journal.Entry
		wants []string
	}{
		{"it reads the same", sent("GET", "/Users?filter=userName+eq+%22nobody%22", 200, "", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`),
			[]string{"dot good", "The same answer as then.", "!What differs", "!still fails"}},
		{"it still fails", sent("GET", "/Users/none", 404, "", failed("404", "User none: not found")), []string{"It would fail in another way now.", "<code>detail</code>", "!It would succeed"}},
		{"it failed, and would succeed", sent("POST", "/Users", 409, user("ben"), failed("409", "userName: taken")),
			[]string{"dot good", "It would succeed now.", "<code>status</code></th><td><code>409</code></td><td><code>201</code>", "<code>userName</code></th><td><code>absent</code></td><td><code>&#34;ben&#34;"}},
		{"it was done", sent("POST", "/Users", 201, user("ann"), user("ann")), []string{"dot warn", "It would not succeed a second time.", "That is to be expected", "<td><code>409</code>"}},
		{"it gives a role", sent("PATCH", "/Groups/"+group, 204, op, ""), []string{"The same answer as then.", "<li>ann &lt;i&gt; would get the role Editor</li>"}},
		{"another answer", sent("GET", "/Users/"+ann, 200, "", strings.ReplaceAll(user("ann"), "ann <i>", "Ann <b>")), []string{"another answer than then", "&#34;Ann \\u003cb\\u003e&#34;", "!<b>&#34;"}},
		{"a body that is not whole", func() journal.Entry {
			e := sent("POST", "/Users", 201, user("x"), "")
			e.Request.Note = journal.TooLong
			return e
		}(), []string{"It cannot be tried again: the body: only the beginning is kept."}},
		{"another address", exchange("GET", 200, journal.Detail{URL: "/other/Users"}), []string{"It cannot be tried again: the address does not begin with /scim/v2."}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := *p.world
			w.T = t
			id := w.entries.add(row.entry).ID
			w.wants(w.get(200, "/activity/"+id), "Try again without changing anything", "!The same answer")
			w.wants(w.post(200, "/activity/"+id+"/again", nil), row.wants...)
		})
	}
	if p.held[ann]["r1"] {
		t.Error("the role is given")
	}
	page, err := p.tenant.Directory.List(t.Context(), scim.UserType(), &scim.Query{Total: true})
	if err != nil || page.Total != 1 {
		t.Errorf("%d users, %v", page.Total, err)
	}
	for i, a := range p.acts {
		if a.Kind != console.TryAgain || a.Err != nil {
			t.Errorf("act %d is %+v", i, a)
		}
	}
	if len(p.acts) != 8 {
		t.Errorf("%d acts", len(p.acts))
	}
}

// previews is an application that cannot preview, or does it badly.
type previews struct {
	unable, err error
	isSlow      bool
	begun, end  chan struct{}
}

func (p previews) CanPreview() error { return p.unable }

func (p previews) PreviewRequest(ctx context.Context, _ scim.Request, _ string, _ int) (*scim.Foreseen, error) {
	if p.begun != nil {
		close(p.begun)
		<-p.end
	}
	if p.isSlow {
		<-ctx.Done()
		return &scim.Foreseen{Status: http.StatusServiceUnavailable}, nil
	}
	return nil, p.err
}

// Where nothing can be tried, the page says why, and the address does not exist.
func TestTryAgainRefused(t *testing.T) {
	may := everything
	may.Bodies = false
	read := sent("GET", "/Users", 200, "", "{}")
	for _, row := range []struct {
		name    string
		preview console.Previewer
		may     console.May
		entry   journal.Entry
		status  int
		page    []string
	}{
		{"the application does not offer it", nil, everything, read, 404, []string{"!How it would end now"}},
		{"the viewer may not", previews{}, may, read, 403, []string{"You may not try this request again", "!Try again without"}},
		{"the store cannot take back", previews{unable: errors.New("secret")}, everything, read, 404, []string{"where a change cannot be taken back", "!secret", "!Try again without"}},
		{"a refused request", previews{}, everything, journal.Entry{Head: journal.Head{Kind: journal.Refused, Status: 401}, Detail: &journal.Detail{}}, 404, []string{"!Try again without"}},
		{"a broken connection", previews{}, everything, sent("GET", "/Users", 0, "", ""), 404, []string{"!Try again without"}},
		{"an erased entry", previews{}, everything, journal.Entry{Head: journal.Head{Status: 200}, Unreadable: journal.Erased}, 404, []string{"!Try again without"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := newWorld(t, "").start()
			w.tenant.Preview, w.viewer.May = row.preview, row.may
			id := w.entries.add(row.entry).ID
			w.wants(w.get(200, "/activity/"+id), row.page...)
			w.post(row.status, "/activity/"+id+"/again", nil)
			if len(w.acts) != 1 || w.acts[0].Err == nil {
				t.Errorf("acts %+v", w.acts)
			}
		})
	}
}

// An application that fails, is slow, or is busy with another one, tells nothing of itself.
func TestTryAgainFails(t *testing.T) {
	w := newWorld(t, "")
	w.timeout = 500 * time.Millisecond
	w.start()
	id := w.entries.add(sent("GET", "/Users", 200, "", "{}")).ID
	w.tenant.Preview = previews{err: errors.New("secret: the disk is full")}
	w.wants(w.post(200, "/activity/"+id+"/again", nil), "It could not be tried now.", "!secret")
	w.wants(w.log.String(), "secret: the disk is full")
	w.tenant.Preview = previews{isSlow: true}
	w.wants(w.post(200, "/activity/"+id+"/again", nil), "It took too long, and was stopped.", "!503")
	busy := previews{begun: make(chan struct{}), end: make(chan struct{})}
	w.tenant.Preview = busy
	done := make(chan int, 1)
	go func() { done <- w.do(http.MethodPost, "/activity/"+id+"/again", nil).Code }()
	<-busy.begun
	w.wants(w.post(429, "/activity/"+id+"/again", nil), "Another request is being tried at this moment.")
	close(busy.end)
	if status := <-done; status != 200 {
		t.Errorf("the first one answers %d", status)
	}
	w.tenant.Preview = previews{err: errors.New("free again")}
	w.post(200, "/activity/"+id+"/again", nil)
	if got := kinds(w.acts); len(got) != 4 || w.acts[0].Object != id || w.acts[0].Err == nil {
		t.Errorf("acts %+v", w.acts)
	}
}
