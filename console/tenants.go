package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim/journal"
)

// tenantList is the first page of a viewer who sees several tenants.
type tenantList struct {
	Rows []tenantRow
	// RequestID is what was searched for, and was not found.
	RequestID string
	// Text is what was searched for in names and ids, and Unnamed is how many names could not be read in time.
	Text    string
	Unnamed int
	// IsLong says that the viewer sees more tenants than a page has, and Total is how many of them fit.
	IsLong bool
	Total  int
	// Previous and Next are the queries of the pages around this one; "" if there is none.
	Previous, Next string
	// Unread is how many tenants of the page could not be read in time.
	Unread int
}

// tenantRow is a tenant as a line of the list.
type tenantRow struct {
	Path, Name string
	// Requests and Failed are those in the last 24 hours, and Last is when the last one came.
	Requests, Failed int
	Last             time.Time
	// Trouble says what is wrong. "": nothing is known to be.
	Trouble string
	read    time.Time
}

// showTenants lists the tenants of a viewer, those in trouble first. It reads the counters of all in two statements, and more
// only about the tenants of the page.
func (c *Console) showTenants(w http.ResponseWriter, r *http.Request, v Viewer) {
	ctx, cancel := context.WithTimeout(r.Context(), c.o.Timeout)
	defer cancel()
	form := r.URL.Query()
	body := &tenantList{RequestID: strings.TrimSpace(form.Get("request")), Text: strings.TrimSpace(form.Get("q")), IsLong: len(v.Tenants) > perPage}
	p := &page{Title: "Tenants", Root: rootOf(r), Viewer: v, Home: c.o.Home, Body: body}
	if body.RequestID != "" {
		if path := c.findRequest(ctx, v, body.RequestID); path != "" {
			redirect(w, path)
			return
		}
	}
	// What was read is remembered, and the next page goes on.
	reading, stop := context.WithTimeout(ctx, c.o.Timeout/2)
	defer stop()
	ids := v.Tenants
	if body.Text != "" {
		ids, body.Unnamed = c.rows.find(reading, ids, body.Text, c.o.Tenant)
	}
	ids, err := rank(reading, c.o.Journal, ids, c.o.Now())
	if err != nil {
		c.o.Log.ErrorContext(ctx, "scim console: the tenants in trouble are not known", "viewer", v.ID, "error", err)
		p.Down = "The journal cannot be read now, so the tenants in trouble are not the first."
	}
	for _, id := range body.cut(ids, form.Get("skip")) {
		row, err := c.tenantRow(reading, id)
		switch {
		case err == nil:
		case reading.Err() != nil:
			body.Unread++
		case row.Path == "":
			c.o.Log.ErrorContext(ctx, "scim console: a tenant is missing in the list", "tenant", id, "viewer", v.ID, "error", err)
			p.Down = "Some tenants cannot be shown now. Try again in a minute."
			continue
		case p.Down == "":
			c.o.Log.ErrorContext(ctx, "scim console: the journal of a tenant cannot be read", "tenant", id, "viewer", v.ID, "error", err)
			p.Down = "The journal cannot be read for all tenants now, so some numbers are missing."
		}
		if row.Path == "" {
			row.Path, row.Name = basePath("", id)[1:], id
		}
		body.Rows = append(body.Rows, row)
	}
	if len(ids) <= perPage {
		slices.SortStableFunc(body.Rows, func(a, b tenantRow) int {
			return cmp.Or(share(b.Requests, b.Failed)-share(a.Requests, a.Failed), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
		})
	}
	c.render(w, r, http.StatusOK, "tenants", p)
}

// cut returns the tenants of the page that begins behind skip of them, and keeps the queries of the pages around it.
func (l *tenantList) cut(ids []string, skip string) []string {
	offset, _ := strconv.Atoi(skip) //nolint:errcheck // 0 is the first page
	offset = min(max(offset, 0), len(ids))
	end := min(offset+perPage, len(ids))
	if end < len(ids) {
		l.Next = queryOf(url.Values{"q": {l.Text}, "skip": {strconv.Itoa(end)}})
	}
	if offset > 0 {
		l.Previous = queryOf(url.Values{"q": {l.Text}, "skip": {strconv.Itoa(max(0, offset-perPage))}})
	}
	l.Total = len(ids)
	return ids[offset:end]
}

// rank returns the tenants in order of the share of requests that have failed in 24 hours, and else in the order in which they come.
func rank(ctx context.Context, j Journal, ids []string, now time.Time) ([]string, error) {
	traffic, err := j.Traffic(ctx, ids, now.Add(-23*time.Hour), now)
	if err != nil {
		return ids, err
	}
	ids = slices.Clone(ids)
	slices.SortStableFunc(ids, func(a, b string) int {
		return share(traffic[b].Requests, traffic[b].Failed) - share(traffic[a].Requests, traffic[a].Failed)
	})
	return ids, nil
}

// share is how many of a hundred requests have failed; 1 for fewer.
func share(requests, failed int) int {
	if failed == 0 {
		return 0
	}
	return max(1, failed*100/requests)
}

const (
	rowFor  = 2 * time.Minute // how long the line of a tenant is not read again
	maxRows = 10_000          // lines that are remembered
)

// tenantRows remembers the lines of tenants. It is safe for concurrent use.
type tenantRows struct {
	mu  sync.Mutex
	all map[string]tenantRow
}

// of returns a line that is not too old.
func (m *tenantRows) of(id string, now time.Time) (tenantRow, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.all[id]
	age := now.Sub(row.read)
	return row, ok && age >= 0 && age < rowFor
}

// nameOf returns the name of a tenant, if a line is remembered.
func (m *tenantRows) nameOf(id string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.all[id]
	return row.Name, ok
}

// find returns the tenants that have a text in their id or name. tenant tells names that are not remembered, and unnamed is how many
// it could not tell in time.
func (m *tenantRows) find(ctx context.Context, ids []string, text string, tenant func(context.Context, string) (Tenant, error)) (found []string, unnamed int) {
	text = strings.ToLower(text)
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), text) }
	for _, id := range ids {
		name, isKnown := m.nameOf(id)
		switch {
		case has(id) || isKnown && has(name):
			found = append(found, id)
		case isKnown:
		case ctx.Err() != nil:
			unnamed++
		default:
			if t, err := tenant(ctx, id); err == nil && has(t.Name) {
				found = append(found, id)
			}
		}
	}
	return found, unnamed
}

// put remembers a line. If there are too many, any other one is forgotten.
func (m *tenantRows) put(id string, row tenantRow) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for other := range m.all {
		if len(m.all) < maxRows {
			break
		}
		delete(m.all, other)
	}
	if m.all == nil {
		m.all = map[string]tenantRow{}
	}
	m.all[id] = row
}

// tenantRow returns the line of a tenant. With an error it has no numbers, and no Path if the application could not tell
// the tenant.
func (c *Console) tenantRow(ctx context.Context, id string) (tenantRow, error) {
	now := c.o.Now()
	if row, ok := c.rows.of(id, now); ok {
		return row, nil
	}
	if ctx.Err() != nil {
		return tenantRow{}, ctx.Err()
	}
	row := tenantRow{Path: "activity", Name: "Requests that belong to no tenant", read: now}
	if id != "" {
		t, err := c.o.Tenant(ctx, id)
		if err != nil {
			return tenantRow{}, err
		}
		row.Path, row.Name = basePath("", id)[1:], cmp.Or(t.Name, id)
	}
	if err := row.addHealth(ctx, c, id); err != nil {
		return tenantRow{Path: row.Path, Name: row.Name}, err
	}
	c.rows.put(id, row)
	return row, nil
}

// addHealth says how the tenant does in the last 24 hours.
func (t *tenantRow) addHealth(ctx context.Context, c *Console, id string) error {
	now := c.o.Now().UTC()
	all, err := c.o.Journal.Summary(ctx, id, now.AddDate(0, 0, 1-healthDays), now)
	if err != nil {
		return err
	}
	clients := clientsOf(all, nil)
	for i := range clients {
		n := clients[i].lastDay(now)
		t.Requests, t.Failed = t.Requests+n[0], t.Failed+n[1]
		if clients[i].Last.After(t.Last) {
			t.Last = clients[i].Last
		}
	}
	troubles, err := c.troublesOf(ctx, id, clients, nil, nil)
	if len(troubles) > 0 {
		t.Trouble = troubles[0].Text
	}
	return err
}

// findRequest finds the page of a request in all tenants of a viewer. "": there is none.
func (c *Console) findRequest(ctx context.Context, v Viewer, requestID string) string {
	for _, id := range v.Tenants {
		all, err := c.o.Journal.Find(ctx, journal.Query{Tenant: id, RequestID: requestID, Limit: 1})
		if err != nil {
			return "" // The list says that the journal cannot be read.
		}
		if len(all) > 0 {
			return basePath(".", id) + "activity/" + all[0].ID
		}
	}
	return ""
}
