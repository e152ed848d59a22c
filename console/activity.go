package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// activity is the list of exchanges.
type activity struct {
	Filters []filterLink
	// Form is what the search form shows again.
	Form struct{ Text, From, To, Client, Filter string }
	// Clients are those among which the form lets choose.
	Clients []tokens.Token
	Rows    []row
	// Newest is the id of the newest entry of the tenant, for the script.
	Newest string
	// Older is the query of the next page; "" if there is none. IsFirst says that this is the first one.
	Older   string
	IsFirst bool
	// IsFiltered says that the page does not show everything.
	IsFiltered bool
	// Wrong says what in the address is not understood.
	Wrong string
}

// filterLink is a link that chooses what the list shows.
type filterLink struct {
	Query, Name string
	IsCurrent   bool
}

const (
	perPage = 50
	// maxRead is how many entries a page reads, if the journal cannot choose those that it shows.
	maxRead = 2000
)

// filters are the choices of the list, by their name in the address.
func filters() []struct{ key, name string } {
	return []struct{ key, name string }{{"", "All"}, {"failed", "Failed"}, {"changes", "Changes"}, {"reads", "Look-ups"}, {"refused", "Refused"}}
}

func anyEntry(*journal.Entry) bool { return true }

// choose turns a filter into what the journal can answer, and what is left to choose.
func choose(filter string, q *journal.Query) func(*journal.Entry) bool {
	switch filter {
	case "failed":
		return func(e *journal.Entry) bool {
			return e.Kind != journal.Gap && (e.Status >= 400 || e.Status == 0 || e.Detail != nil && len(e.Detail.Operations) > 0)
		}
	case "changes":
		q.Kind = journal.Exchange
		return func(e *journal.Entry) bool { return !isRead(e) }
	case "reads":
		q.Kind = journal.Exchange
		return isRead
	case "refused":
		q.Kind = journal.Refused
	}
	return anyEntry
}

// isRead reports whether an exchange changes nothing.
func isRead(e *journal.Entry) bool {
	return e.Method == http.MethodGet || e.Method == http.MethodHead ||
		e.Method == http.MethodPost && e.Detail != nil && strings.Contains(e.Detail.URL, "/.search")
}

func showActivity(ctx context.Context, q *request) error {
	body := activity{}
	p := q.c.newPage(q, "activity", "Activity", &body)
	find := body.read(q.r.URL.Query(), q.id)
	status := http.StatusOK
	list, err := q.tokens(ctx)
	if err == nil {
		err = fill(ctx, q, &body, list, find)
	}
	if err != nil {
		p.Down, status = whyDown(ctx, q, err), http.StatusServiceUnavailable
	}
	q.c.render(q.w, q.r, status, "activity", p)
	return nil
}

// read reads the address of the list.
func (a *activity) read(form url.Values, tenant string) journal.Query {
	find := journal.Query{Tenant: tenant, Client: form.Get("client"), After: form.Get("after"), Limit: perPage}
	a.Form.Text, a.Form.From, a.Form.To = strings.TrimSpace(form.Get("q")), form.Get("from"), form.Get("to")
	a.Form.Client, a.Form.Filter = find.Client, form.Get("f")
	a.IsFirst = find.After == ""
	for _, f := range filters() {
		values := url.Values{"f": {f.key}, "q": {a.Form.Text}, "from": {a.Form.From}, "to": {a.Form.To}, "client": {a.Form.Client}}
		a.Filters = append(a.Filters, filterLink{queryOf(values), f.name, f.key == a.Form.Filter})
	}
	var wrong []string
	for _, by := range []struct {
		text string
		to   *time.Time
		add  time.Duration
	}{{a.Form.From, &find.From, 0}, {a.Form.To, &find.To, 24 * time.Hour}} {
		if by.text == "" {
			continue
		}
		day, err := time.Parse(time.DateOnly, by.text)
		if err != nil {
			wrong = append(wrong, by.text)
			continue
		}
		*by.to = day.Add(by.add)
	}
	if len(wrong) > 0 {
		a.Wrong = "Write days as 2026-01-31. Not understood: " + strings.Join(wrong, ", ")
	}
	a.IsFiltered = a.Form.Filter != "" || a.Form.Text != "" || a.Form.From != "" || a.Form.To != "" || a.Form.Client != ""
	return find
}

// queryOf writes the query of an address, without what is empty.
func queryOf(values url.Values) string {
	for k, v := range values {
		if v[0] == "" {
			delete(values, k)
		}
	}
	if len(values) == 0 {
		return "?"
	}
	return "?" + values.Encode()
}

// fill reads the entries of the list.
func fill(ctx context.Context, q *request, a *activity, list []tokens.Token, find journal.Query) error {
	for _, t := range list {
		if !slices.ContainsFunc(a.Clients, func(k tokens.Token) bool { return k.Client == t.Client }) {
			a.Clients = append(a.Clients, t)
		}
	}
	var err error
	if a.Newest, err = newestID(ctx, q); err != nil {
		return err
	}
	isShown := choose(a.Form.Filter, &find)
	var after string
	if a.Rows, after, err = search(ctx, q, list, find, a.Form.Text, isShown); err != nil {
		return err
	}
	if after != "" {
		a.Older = queryOf(url.Values{"f": {a.Form.Filter}, "q": {a.Form.Text}, "from": {a.Form.From}, "to": {a.Form.To}, "client": {a.Form.Client}, "after": {after}})
	}
	return nil
}

// search finds the entries about what somebody has typed: a person, a group, or the id of a request.
func search(ctx context.Context, q *request, list []tokens.Token, find journal.Query, text string, isShown func(*journal.Entry) bool) ([]row, string, error) {
	if text == "" {
		return rows(ctx, q, list, find, isShown)
	}
	var all []row
	next := ""
	for _, set := range []func(q *journal.Query){
		func(q *journal.Query) { q.Person = text },
		func(q *journal.Query) { q.Group = text },
		func(q *journal.Query) { q.RequestID = text },
	} {
		by := find
		set(&by)
		rows, after, err := rows(ctx, q, list, by, isShown)
		if err != nil {
			return nil, "", err
		}
		all, next = append(all, rows...), max(next, after)
	}
	// What is older than the end of one of the lists comes with the next page.
	all = slices.DeleteFunc(all, func(r row) bool { return r.ID < next })
	slices.SortFunc(all, func(a, b row) int { return cmp.Compare(b.ID, a.ID) })
	return slices.CompactFunc(all, func(a, b row) bool { return a.ID == b.ID }), next, nil
}

// rows reads a page of entries that isShown wants. after is where the next page begins; "" if nothing follows.
func rows(ctx context.Context, q *request, list []tokens.Token, find journal.Query, isShown func(*journal.Entry) bool) (all []row, after string, err error) {
	want, known := find.Limit, &lookup{ctx: ctx, q: q}
	for read := 0; read < maxRead; {
		page, err := q.c.o.Journal.Find(ctx, find)
		if err != nil {
			return nil, "", err
		}
		for i := range page {
			read++
			find.After = page[i].ID
			if isShown(&page[i]) {
				all = append(all, rowOf(&page[i], list, known))
			}
			if len(all) == want {
				return all, find.After, nil
			}
		}
		if len(page) < find.Limit {
			return all, "", nil
		}
		find.Limit = 200 // Few of them are shown.
	}
	return all, find.After, nil
}

// newestID returns the id of the newest entry of the tenant; "" if there is none.
func newestID(ctx context.Context, q *request) (string, error) {
	e, err := newest(ctx, q, "")
	if err != nil || e == nil {
		return "", err
	}
	return e.ID, nil
}

// showNewest tells the script whether something has come since.
func showNewest(ctx context.Context, q *request) error {
	id, err := newestID(ctx, q)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	q.w.Write([]byte(id)) //nolint:errcheck // the browser is gone
	return nil
}
