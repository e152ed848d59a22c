package upgrades

import (
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim"
)

// ledger is what the tests need of a sqlstore.Store or sqlstore.Ledger.
type ledger interface {
	scim.Ledger
	scim.PendingLedger
}

// ledgerOf is the ledger of a tenant.
func (p *place) ledgerOf(t *testing.T, name string) ledger {
	t.Helper()
	store, alone, _, err := p.schemas(name)
	check(t, err)
	if alone != nil {
		return alone
	}
	return store
}

// rowsBefore reads grants and links from tables of before, by tenant.
func (p *place) rowsBefore(t *testing.T) (grants map[string][]scim.Grant, links map[string][]scim.Link) {
	t.Helper()
	grants, links = map[string][]scim.Grant{}, map[string][]scim.Link{}
	each := func(query string, row func(rows *sql.Rows) error) {
		rows, err := p.db.Query(query)
		check(t, err)
		defer rows.Close() //nolint:errcheck // Err tells
		for rows.Next() {
			check(t, row(rows))
		}
		check(t, rows.Err())
	}
	each("SELECT tenant, user_id, role_id, source, at, by_hand, waiting FROM "+p.tablePrefix()+"grants", func(rows *sql.Rows) error {
		var tenant string
		var g scim.Grant
		var at int64
		var waiting bool
		err := rows.Scan(&tenant, &g.UserID, &g.RoleID, &g.Source, &at, &g.ByHand, &waiting)
		g.At = time.UnixMicro(at).UTC()
		if waiting {
			g.State = scim.GrantWaitsForReturn
		}
		grants[tenant] = append(grants[tenant], g)
		return err
	})
	each("SELECT tenant, group_id, role_id, role_name, weight, protected, confirmed FROM "+p.tablePrefix()+"links", func(rows *sql.Rows) error {
		var tenant, key string
		var r scim.LinkedRole
		err := rows.Scan(&tenant, &key, &r.Role.ID, &r.Role.Name, &r.Role.Weight, &r.Role.Protected, &r.Confirmed)
		source := scim.Source(key)
		if !strings.HasPrefix(key, "group:") && !strings.HasPrefix(key, "attr:") {
			source = scim.GroupSource(key)
		}
		links[tenant] = append(links[tenant], scim.Link{Source: source, Roles: []scim.LinkedRole{r}})
		return err
	})
	return grants, links
}

// The upgraded ledger has each grant and each link of before, with everything in it, page
// by page.
func TestLedger(t *testing.T) {
	places(t, func(t *testing.T, p *place) {
		grants, links := p.rowsBefore(t)
		for name := range tenants {
			check(t, p.migrate(t.Context(), name))
			l := p.ledgerOf(t, name)
			users := map[string]bool{}
			for _, g := range grants[name] {
				users[g.UserID] = true
			}
			var ids []string
			for id := range users {
				ids = append(ids, id)
			}
			got, err := l.Grants(t.Context(), ids)
			check(t, err)
			inOrder := cmpopts.SortSlices(func(a, b scim.Grant) bool {
				return a.UserID+a.RoleID+string(a.Source) < b.UserID+b.RoleID+string(b.Source)
			})
			if diff := cmp.Diff(grants[name], got, inOrder); diff != "" || len(got) < 5 {
				t.Errorf("grants of tenant %s (-before +after):\n%s", name, diff)
			}
			var all []scim.Link
			for after := scim.Source(""); ; after = all[len(all)-1].Source {
				page, err := l.AllLinks(t.Context(), after, 3)
				check(t, err)
				if all = append(all, page...); len(page) < 3 {
					break
				}
			}
			bySource := cmpopts.SortSlices(func(a, b scim.Link) bool { return a.Source < b.Source })
			if diff := cmp.Diff(links[name], all, bySource); diff != "" || len(all) < 4 {
				t.Errorf("links of tenant %s (-before +after):\n%s", name, diff)
			}
			open, waiting := 0, 0
			for _, g := range grants[name] {
				if g.State != scim.GrantGiven {
					waiting++
				}
			}
			for after := (scim.Grant{}); ; open++ {
				page, err := l.OpenGrants(t.Context(), after, 1)
				check(t, err)
				if len(page) == 0 {
					break
				}
				after = page[0]
			}
			if open != waiting || open == 0 {
				t.Errorf("tenant %s: %d open grants, want %d", name, open, waiting)
			}
			check(t, l.SetNote(t.Context(), scim.Note{Kind: "k", Key: "k", Text: name}))
			notes, err := l.Notes(t.Context(), "k", "", 10)
			if err != nil || len(notes) != 1 || notes[0].Text != name {
				t.Errorf("tenant %s: notes %v, error %v", name, notes, err)
			}
		}
	})
}
