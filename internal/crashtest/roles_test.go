package crashtest

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/mariatest"
)

// rows calls row for each row of a query.
func rows(db *sql.DB, row func(scan func(...any) error) error, query string) error {
	all, err := db.Query(query)
	if err != nil {
		return err
	}
	defer all.Close() //nolint:errcheck // Err tells
	for all.Next() {
		if err := row(all.Scan); err != nil {
			return err
		}
	}
	return all.Err()
}

// byHand is the role that each user was given by hand.
func (d *database) byHand() (hand map[string]string, err error) {
	for end := time.Now().Add(time.Minute); ; pause() { // while the database is being started again
		hand = make(map[string]string)
		err = rows(d.db, func(scan func(...any) error) error {
			var user, role string
			err := scan(&user, &role)
			hand[user] = role
			return err
		}, "SELECT user_id, role FROM held WHERE by_hand = 1")
		if err == nil || time.Now().After(end) {
			return hand, err
		}
	}
}

// give is a grant in the ledger or, without a source, a role that a user holds.
type give struct {
	User, Role, Source string
	ByHand             bool
}

// checkRoles compares the tables. Every user must hold exactly the roles of the groups, if
// active, and the roles given by hand. The ledger must say the same.
func (d *database) checkRoles(t *testing.T, when string) {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	active, roleOf := map[string]bool{}, map[string]string{}
	check(rows(d.db, func(scan func(...any) error) error {
		var typ, id, doc string
		if err := scan(&typ, &id, &doc); err != nil {
			return err
		}
		var r resource
		if err := json.Unmarshal([]byte(doc), &r); err != nil {
			return err
		}
		if typ == "User" {
			active[id] = r.Active
		} else if slices.Contains(roleNames, r.DisplayName) {
			roleOf[id] = r.DisplayName
		}
		return nil
	}, "SELECT type, id, doc FROM scim_resources WHERE deleted = 0"))

	links := map[string]string{}
	check(rows(d.db, func(scan func(...any) error) error {
		var source scim.Source
		var text string
		if err := scan(&source, &text); err != nil {
			return err
		}
		var roles []struct {
			ID        string
			Confirmed bool
		}
		group, _ := source.Group()
		if err := json.Unmarshal([]byte(text), &roles); err != nil || len(roles) != 1 || !roles[0].Confirmed {
			return fmt.Errorf("link of %s: roles %s, error %v", source, text, err)
		}
		links[group] = roles[0].ID
		return nil
	}, "SELECT source, roles FROM scim_links WHERE source LIKE 'group:%'"))
	if diff := cmp.Diff(roleOf, links); diff != "" {
		t.Errorf("%s: links of groups to roles (-want +got):\n%s", when, diff)
	}

	var held, entries []give
	byHand := map[give]bool{}
	check(rows(d.db, func(scan func(...any) error) error {
		var g give
		var hand bool
		err := scan(&g.User, &g.Role, &hand)
		held = append(held, g)
		if hand {
			byHand[g] = true
		}
		return err
	}, "SELECT user_id, role, by_hand FROM held"))
	check(rows(d.db, func(scan func(...any) error) error {
		var g give
		err := scan(&g.User, &g.Role, &g.Source, &g.ByHand)
		entries = append(entries, g)
		return err
	}, "SELECT user_id, role_id, source, by_hand FROM scim_grants WHERE state = ''"))

	var wantHeld, wantEntries []give
	for g := range byHand {
		wantHeld = append(wantHeld, g)
	}
	check(rows(d.db, func(scan func(...any) error) error {
		var group, user string
		err := scan(&group, &user)
		if role := roleOf[group]; role != "" && active[user] {
			hand := byHand[give{User: user, Role: role}]
			wantHeld = append(wantHeld, give{User: user, Role: role})
			wantEntries = append(wantEntries, give{user, role, "group:" + group, hand})
		}
		return err
	}, "SELECT group_id, member_id FROM scim_members"))
	if diff := cmp.Diff(inOrder(wantHeld), inOrder(held)); diff != "" {
		t.Errorf("%s: roles held (-want +got):\n%s", when, diff)
	}
	if diff := cmp.Diff(inOrder(wantEntries), inOrder(entries)); diff != "" {
		t.Errorf("%s: entries of the ledger (-want +got):\n%s", when, diff)
	}
}

// inOrder returns the entries in order and without duplicates.
func inOrder(all []give) []give {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b give) int {
		return slices.Compare([]string{a.User, a.Role, a.Source}, []string{b.User, b.Role, b.Source})
	})
	return slices.Compact(all)
}

// checkAll checks what must always be true in the database. Roles are right immediately,
// reconciling finds nothing to do, and every row has its resource.
func (d *database) checkAll(t *testing.T, c *client) {
	t.Helper()
	d.checkRoles(t, "before reconciling")
	if a := c.do(http.MethodPost, "/reconcile", nil); a.status != http.StatusOK || string(a.body) != "0" {
		t.Errorf("reconciling: %d, changes of roles: %s, want none", a.status, a.body)
	}
	d.checkRoles(t, "after reconciling")
	if d.mapped {
		d.none(t, apart)
	}
	d.none(t, map[string]string{
		"members without user":          "SELECT count(*) FROM scim_members m WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = m.member_id AND r.type = m.member_type AND r.deleted = 0)",
		"members without group":         "SELECT count(*) FROM scim_members m WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = m.group_id AND r.type = 'Group' AND r.deleted = 0)",
		"look-ups without user":         "SELECT count(*) FROM scim_lookups l WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = l.id AND r.type = l.type AND r.deleted = 0)",
		"users without look-up":         "SELECT count(*) FROM scim_resources r WHERE r.type = 'User' AND r.doc LIKE '%\"emails\"%' AND NOT EXISTS (SELECT 1 FROM scim_lookups l WHERE l.id = r.id AND l.type = r.type)",
		"roles held by nobody":          "SELECT count(*) FROM held h WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = h.user_id AND r.type = 'User' AND r.deleted = 0)",
		"entries of nobody":             "SELECT count(*) FROM scim_grants g WHERE NOT EXISTS (SELECT 1 FROM scim_resources r WHERE r.id = g.user_id AND r.type = 'User' AND r.deleted = 0)",
		"names that two users have":     "SELECT count(*) FROM (SELECT user_name FROM scim_resources WHERE type = 'User' AND deleted = 0 GROUP BY user_name HAVING count(*) > 1) x",
		"users whose name has no index": "SELECT count(*) FROM scim_resources WHERE type = 'User' AND user_name IS NULL",
	})
	if d.postgres || d.mariadb {
		return
	}
	var result string
	if err := d.db.QueryRow("PRAGMA integrity_check").Scan(&result); err != nil || result != "ok" {
		t.Errorf("the file: %s, error %v", result, err)
	}
}

// none runs queries that must return the number 0.
func (d *database) none(t *testing.T, queries map[string]string) {
	t.Helper()
	for what, query := range queries {
		var n int
		if d.mariadb {
			query, _ = mariatest.Statement(query)
		}
		if err := d.db.QueryRow(query).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s: %d, error %v", what, n, err)
		}
	}
}
