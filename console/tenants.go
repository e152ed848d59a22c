package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
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
	// Unread is how many tenants could not be read in time.
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

// showTenants lists the tenants of a viewer, those in trouble first.
func (c *Console) showTenants(w http.ResponseWriter, r *http.Request, v Viewer) {
	ctx, cancel := context.WithTimeout(r.Context(), c.o.Timeout)
	defer cancel()
	body := &tenantList{RequestID: strings.TrimSpace(r.URL.Query().Get("request"))}
	p := &page{Title: "Tenants", Root: rootOf(r), Viewer: v, Home: c.o.Home, Body: body}
	if body.RequestID != "" {
		if path := c.findRequest(ctx, v, body.RequestID); path != "" {
			redirect(w, path)
			return
		}
	}
	// A list of thousands is read in parts: what was read is remembered, and the next page goes on.
	reading, stop := context.WithTimeout(ctx, c.o.Timeout/2)
	defer stop()
	for _, id := range v.Tenants {
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
	slices.SortStableFunc(body.Rows, func(a, b tenantRow) int {
		return cmp.Or(b.share()-a.share(), strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)))
	})
	c.render(w, r, http.StatusOK, "tenants", p)
}

// share is how many of a hundred requests have failed; 1 for fewer.
func (t *tenantRow) share() int {
	if t.Failed == 0 {
		return 0
	}
	return max(1, t.Failed*100/t.Requests)
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
