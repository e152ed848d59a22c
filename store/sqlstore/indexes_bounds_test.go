package sqlstore_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

// boundaryTexts are next to each other in an index, or have a meaning in LIKE, in JSON or in patterns.
var boundaryTexts = []string{
	"an", "ann", "anna", "anm", "anm\U0010FFFF", "ano", "ANN", "ann ", " ann", "ann\t",
	"a\uD7FF", "a\uE000", "a\U0010FFFF", "a\U0010FFFFz", "b", "\U0010FFFF",
	"100%", "100", "1000", "100%abc", "100xabc", `abc\def`, `abcdef`, "abc_def", "abcxdef", "a_c", "abc", `a\c`, `a\\c`, `a"c`, `a'c`, "a/c", "a\nc", "a\u2028c", "\u00fcber", "U\u0308ber", "\U0001F600x",
	strings.Repeat("x", 255), strings.Repeat("x", 256), strings.Repeat("x", 257), strings.Repeat("x", 256) + "y", strings.Repeat("\U0001F600", 300),
}

// Each comparison of each text with each other one has the answers of the memory store, with the indexes.
func TestIndexBounds(t *testing.T) {
	oracle := memory.New()
	bound := func(i int, text string) *scim.Resource {
		return user(t, fmt.Sprintf("u%03d", i), map[string]any{"displayName": text, "externalId": "x" + text, "emails": []any{
			map[string]any{"value": text, "type": "work"}, map[string]any{"value": fmt.Sprint("other", i), "type": "home"}}})
	}
	for i, text := range boundaryTexts {
		create(t, oracle, bound(i, text))
	}
	indexes := []sqlstore.Index{{Attribute: "displayName", Contains: true}, {Attribute: "externalId", Contains: true}, {Attribute: "emails.value", Contains: true}}
	for d, db := range map[sqlstore.Dialect]*sql.DB{sqlstore.SQLite: relaxed(t), sqlstore.Postgres: postgres.DB(t)} {
		t.Run(d.String(), func(t *testing.T) {
			s := newStore(t, db, d, sqlstore.Options{Indexes: indexes})
			for i, text := range boundaryTexts {
				create(t, s, bound(i, text))
			}
			found := 0
			for _, op := range []string{"eq", "sw", "ew", "co", "gt", "ge", "lt", "le"} {
				for _, text := range boundaryTexts {
					literal := string(testhost.Must(json.Marshal(text)))
					filters := []string{"displayName " + op + " " + literal, "externalId " + op + " " + string(testhost.Must(json.Marshal("x"+text)))}
					if len(op) == 2 && strings.Contains("eq sw ew co", op) {
						filters = append(filters, `emails[type eq "work" and value `+op+" "+literal+"]")
					}
					for _, filter := range filters {
						want, got := find(t, oracle, filter), find(t, s, filter)
						slices.Sort(want)
						slices.Sort(got)
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("%s (-want +got):\n%s", filter, diff)
						}
						found += len(want)
					}
				}
			}
			if found < 1000 {
				t.Errorf("the filters find %d users in all: they test too little", found)
			}
		})
	}
}
