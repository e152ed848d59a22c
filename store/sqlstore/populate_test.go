package sqlstore_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// mark stands in the filled tables' template where each row has its own number.
const mark = "73519248"

// userID and userName are those of the i-th user of populate.
func userID(i int) string { return strings.Replace(template, mark, fmt.Sprintf("%08d", i), 1) }

func userName(i int) string { return fmt.Sprintf("Person%08d@example.com", i) }

// template is the id in the template.
const template = "01932c4e-8f00-7000-8000-0000" + mark

// bulkUser is a user of about a kilobyte, as providers send it.
const bulkUser = `{"externalId":"00u` + mark + `","userName":"Person` + mark + `@example.com","name":{"formatted":"Dr. Eva ` + mark + ` Holm","familyName":"Holm","givenName":"Eva","honorificPrefix":"Dr."},
"displayName":"Eva ` + mark + ` Holm","nickName":"Evi","profileUrl":"https://people.example.com/` + mark + `","title":"Engineer","userType":"Employee","preferredLanguage":"da-DK","locale":"da-DK","timezone":"Europe/Copenhagen","active":true,
"emails":[{"value":"person` + mark + `@example.com","type":"work","primary":true}],"phoneNumbers":[{"value":"+45 32 ` + mark + `","type":"work"}],
"addresses":[{"type":"work","streetAddress":"Havnegade 12","locality":"København","postalCode":"1058","country":"DK","primary":true}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"` + mark + `","costCenter":"4130","organization":"Example","department":"Quays"}}`

// populate stores n users past the store, as rows like that of one which it has stored
// itself, and lets the database look at them. They were created one microsecond after
// the other.
func populate(tb testing.TB, db *sql.DB, d sqlstore.Dialect, s *sqlstore.Store, n int) {
	tb.Helper()
	u, err := scim.UserType().Bind(scim.Meta{ID: template, Version: "1", Created: epoch, LastModified: epoch}, []byte(bulkUser), nil)
	if err != nil {
		tb.Fatal(err)
	}
	create(tb, s, u)
	pragma := func(value string) {
		if d == sqlstore.SQLite {
			if _, err := db.Exec("PRAGMA synchronous = " + value); err != nil {
				tb.Fatal(err)
			}
		}
	}
	db.SetMaxOpenConns(1)
	pragma("OFF")
	search := own("search")
	if d == sqlstore.Postgres {
		search = "CAST(" + own("CAST(search AS text)") + " AS jsonb)"
	}
	for i := 0; i < n; i += 20_000 {
		for _, text := range []string{
			"INSERT INTO scim_resources (tenant, type, id, collection, deleted, created, modified, version, user_name, external_id, display_name, doc, search, claimed, display)" + series +
				" SELECT tenant, type, " + own("id") + ", collection, deleted, created + i, modified + i, version, " + own("user_name") + ", " + own("external_id") + ", " +
				own("display_name") + ", " + own("doc") + ", " + search + ", claimed, " + own("display") + " FROM series, scim_resources WHERE id = '" + template + "'",
			"INSERT INTO scim_lookups (tenant, type, path, value, id)" + series +
				" SELECT tenant, type, path, " + own("value") + ", " + own("id") + " FROM series, scim_lookups WHERE id = '" + template + "'",
		} {
			if _, err := db.Exec(text, i, min(i+20_000, n)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	pragma("FULL")
	db.SetMaxOpenConns(20)
	if err := s.Delete(tb.Context(), u.Ref(), func(*scim.Resource) error { return nil }); err != nil {
		tb.Fatal(err)
	}
	analyze(tb, db, d)
}

// series is the numbers from $1 to below $2.
const series = " WITH RECURSIVE series(i) AS (SELECT CAST($1 AS bigint) UNION ALL SELECT i + 1 FROM series WHERE i + 1 < CAST($2 AS bigint))"

// own is a text of the template as it is in the row with the number i.
func own(text string) string {
	return "replace(" + text + ", '" + mark + "', substr(CAST(100000000 + i AS text), 2))"
}

// analyze does what autovacuum does within a minute.
func analyze(tb testing.TB, db *sql.DB, d sqlstore.Dialect) {
	tb.Helper()
	text := "ANALYZE"
	if d == sqlstore.Postgres {
		text = "VACUUM ANALYZE"
	}
	if _, err := db.Exec(text); err != nil {
		tb.Fatal(err)
	}
}
