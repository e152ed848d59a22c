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
