package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/journal/replay"
)

// Previewer answers a request of a client without doing what it asks. *scim.Reconciler implements it.
type Previewer interface {
	// CanPreview says why the other method cannot be used. Nil: it can.
	CanPreview() error
	PreviewRequest(ctx context.Context, r scim.Request, after string, limit int) (*scim.Foreseen, error)
}

var _ Previewer = (*scim.Reconciler)(nil)

// again is what came of trying a request again.
type again struct {
	// Tone is "good", "warn" or "bad", and Lead the sentence that says how it would end now.
	Tone, Lead string
	// Why says more. "": there is no more.
	Why         string
	Differences []replay.Difference
	// Roles are what would be granted and revoked.
	Roles []string
}

// maxRoleLines is how many changes of roles a page shows.
const maxRoleLines = 20

// canTry says whether an exchange can be tried again, and if not, why: "" if the page need not say it.
func (q *request) canTry(e *journal.Entry) (ok bool, why string) {
	switch {
	case e.Kind != journal.Exchange || e.Detail == nil || e.Status == 0 || q.tenant.Preview == nil:
		return false, ""
	case !q.viewer.May.Bodies:
		return false, "You may not try this request again, because the outcome shows what is in the bodies."
	case q.tenant.Preview.CanPreview() != nil:
		return false, "This request cannot be tried again without changing anything: the application keeps people, or what gave them their roles, where a change cannot be taken back."
	}
	return true, ""
}

// tryAgain plays a request in a transaction that is rolled back, and shows how the answer differs.
func tryAgain(ctx context.Context, q *request) error {
	switch {
	case !q.viewer.May.Bodies:
		return errForbidden
	case q.tenant.Preview == nil:
		return scim.ErrNotFound
	}
	e, err := q.c.o.Journal.Get(ctx, q.id, q.r.PathValue("id"))
	if err != nil {
		return err
	}
	if ok, _ := q.canTry(&e); !ok {
		return scim.ErrNotFound
	}
	select {
	case q.c.trying <- struct{}{}:
	default: // A dry run holds locks of the store, so there is one at a time.
		return renderEntry(ctx, q, http.StatusTooManyRequests, entryPage{Again: &again{Tone: "warn", Lead: "Another request is being tried at this moment.", Why: "Try again in a few seconds."}})
	}
	defer func() { <-q.c.trying }()
	// The page has to be written too.
	limited, cancel := context.WithTimeout(ctx, q.c.o.Timeout*3/5)
	defer cancel()
	r, err := replay.One(limited, e, replay.Dry(q.tenant.Preview, pathOf(q.tenant.Address), scim.Principal{ID: e.Detail.Client, Tenant: q.id}))
	audit(ctx, q, e.ID, err)
	var outcome *again
	switch {
	case limited.Err() != nil: // Its answer may be that of a request which has no time left.
		outcome = &again{Tone: "warn", Lead: "It took too long, and was stopped.", Why: "Nothing has changed."}
	case err != nil:
		outcome = &again{Tone: "warn", Lead: "It could not be tried now.", Why: "Nothing has changed. The log of the application says why."}
	default:
		outcome = outcomeOfAgain(&r, &lookup{ctx: ctx, q: q})
	}
	return renderEntry(ctx, q, http.StatusOK, entryPage{Again: outcome})
}

// pathOf returns the path of the endpoint.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.EscapedPath()
}

// outcomeOfAgain says how the answer of now differs.
func outcomeOfAgain(r *replay.Result, known *lookup) *again {
	then, now := r.Entry.Status, r.Status
	a := &again{Tone: "warn", Differences: r.Differences}
	switch {
	case r.Skipped != "":
		a.Lead, a.Why = "It cannot be tried again: "+r.Skipped+".", "Nothing has changed."
	case len(r.Differences) == 0 && then >= http.StatusBadRequest:
		a.Tone, a.Lead = "bad", "The same answer as then: it still fails."
	case len(r.Differences) == 0:
		a.Tone, a.Lead = "good", "The same answer as then."
	case then >= http.StatusBadRequest && now < http.StatusBadRequest:
		a.Tone, a.Lead = "good", "It would succeed now."
	case then < http.StatusBadRequest && now >= http.StatusBadRequest:
		a.Lead = "It would not succeed a second time."
		if then == http.StatusCreated && now == http.StatusConflict || r.Entry.Method == http.MethodDelete && now == http.StatusNotFound {
			a.Why = "That is to be expected: then it succeeded, and what it did is still so."
		}
	case now >= http.StatusBadRequest:
		a.Tone, a.Lead = "bad", "It would fail in another way now."
	default:
		a.Lead = "It would succeed, with another answer than then."
	}
	name := naming(r.Entry.Detail, known)
	for i, c := range r.Changes {
		if i == maxRoleLines {
			a.Roles = append(a.Roles, fmt.Sprintf("and %s more", countOf(len(r.Changes)-i, "person", "people")))
			break
		}
		who := name(scim.Ref{Type: "User", ID: c.UserID})
		for _, of := range c.Grant {
			a.Roles = append(a.Roles, who+" would get the role "+roleName(of))
		}
		for _, of := range c.Revoke {
			a.Roles = append(a.Roles, who+" would lose the role "+roleName(of))
		}
	}
	return a
}
