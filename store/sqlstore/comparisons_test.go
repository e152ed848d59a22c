package sqlstore_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Terms that an index answers are free. The others count for the resources that it finds.
func TestComparisonsThatAnIndexAnswersAreFree(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newStore(t, db, d, sqlstore.Options{})
		for i := range 20 {
			create(t, s, user(t, fmt.Sprint("u", i), map[string]any{"displayName": "same", "externalId": fmt.Sprint("x", i),
				"emails": []any{map[string]any{"value": "same@example.com"}}}))
		}
		co := func(n int) string {
			return "(" + strings.Repeat(`title co "x" or `, n-1) + `title co "y")`
		}
		for filter, want := range map[string]bool{
			strings.Repeat(`userName eq "u1" or `, 50) + `userName eq "u2"`:                       true,
			`userName eq "u1" and ` + co(10):                                                      true,
			`(userName eq "u1" or externalId eq "x2" or emails.value eq "none") and ` + co(10):    true,
			`displayName eq "same" and title co "x"`:                                              true,
			`displayName eq "same" and ` + co(10):                                                 false,
			`emails.value eq "same@example.com" and ` + co(10):                                    false,
			`emails[value eq "same@example.com" and (type co "a" or type co "b" or type co "c")]`: false,
			`emails[value eq "none" and (type co "a" or type co "b" or type co "c")]`:             true,
			`not (userName eq "u1") and not (userName eq "u2") and not (userName eq "u3")`:        false,
			`title co "x"`: true,
			co(2):          true,
			co(3):          false,
		} {
			f, err := scim.ParseFilter(scim.UserType(), filter)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.List(t.Context(), scim.UserType(), &scim.Query{Filter: f, Limit: 10, Total: true, MaxComparisons: 50})
			var e *scim.Error
			if refused := errors.As(err, &e) && e.Type == "tooMany"; refused == want || err != nil && !refused {
				t.Errorf("%.90s: allowed is %v, want %v: %v", filter, !refused, want, err)
			}
		}
	})
}

// manySearches is a filter of n terms that an index of userName answers.
func manySearches(n int) string {
	return strings.Repeat(`userName co "none" or `, n-1) + `userName co "nobody"`
}

// A search or an order that no index answers goes through a limited number of resources. The error names
// the attributes. With an index there is no limit, unless it finds too many.
func TestSearchesAreLimited(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		plain := newStore(t, db, d, sqlstore.Options{})
		for i := range 20 {
			create(t, plain, user(t, fmt.Sprint("user", i), map[string]any{"displayName": fmt.Sprint("User ", i), "title": "Engineer"}))
		}
		stores := map[bool]*sqlstore.Store{false: plain}
		if d != sqlstore.MariaDB {
			stores[true] = newStore(t, db, d, sqlstore.Options{Indexes: []sqlstore.Index{{Attribute: "userName", Contains: true}, {Attribute: "title"}}})
		}
		for _, c := range []struct {
			filter, sortBy string
			most           int
			without, with  string // what the error says
		}{
			{`userName co "ser1"`, "", 19, "19 comparisons with Users, for userName co:", ""},
			{`userName co "ser1"`, "", 20, "", ""},
			{`userName sw "user1"`, "", 19, "userName sw", ""},
			{`userName co "user"`, "", 19, "userName co", "userName co"},
			{`title eq "engineer"`, "", 19, "title eq", "title eq"},
			{`userName co "ser1" and displayName co "1"`, "", 19, "userName co, displayName co", ""},
			{`userName co "ser1" or displayName co "1"`, "", 39, "userName co, displayName co", "userName co, displayName co"},
			{`userName co "ser1" and displayName co "1"`, "", 10, "userName co", "userName co, displayName co"},
			{manySearches(8), "", 100, "userName co", ""},
			{manySearches(9), "", 100, "userName co", "userName co"},
			{"", "userName", 19, "sortBy userName", ""},
			{"", "displayName", 19, "sortBy displayName", "sortBy displayName"},
			{"", "displayName", 20, "", ""},
			{`displayName pr`, "displayName", 39, "sortBy displayName, displayName pr", "sortBy displayName, displayName pr"},
			{`displayName pr`, "displayName", 40, "", ""},
			{`userName eq "user3"`, "displayName", 1, "", ""},
			{"", "", 1, "", ""},
		} {
			q := &scim.Query{SortBy: c.sortBy, Limit: 5, Total: true, MaxComparisons: c.most}
			if c.filter != "" {
				f, err := scim.ParseFilter(scim.UserType(), c.filter)
				if err != nil {
					t.Fatal(err)
				}
				q.Filter = f
			}
			for isIndexed, s := range stores {
				want := c.without
				if isIndexed {
					want = c.with
				}
				_, err := s.List(t.Context(), scim.UserType(), q)
				var e *scim.Error
				if want == "" && err != nil || want != "" && (!errors.As(err, &e) || e.Status != 400 || e.Type != "tooMany" || !strings.Contains(e.Detail, want)) {
					t.Errorf("%s sorted by %q, at most %d, with indexes: %v: got %v, want %q", c.filter, c.sortBy, c.most, isIndexed, err, want)
				}
			}
		}
	})
}
