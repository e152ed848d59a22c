package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// slowReader is a writer that works with the store before it takes each piece.
type slowReader struct {
	*httptest.ResponseRecorder
	before func(piece int)
	pieces int
}

func (w *slowReader) Write(b []byte) (int, error) {
	w.before(w.pieces)
	w.pieces++
	return w.ResponseRecorder.Write(b)
}

// While a client takes its time over a long group, the store has the database's one connection
// for others. They change the group, and those who stay in it appear once.
func TestASlowReaderHoldsNoConnection(t *testing.T) {
	for _, on := range []struct {
		d    sqlstore.Dialect
		open func(testing.TB) *sql.DB
	}{
		{sqlstore.SQLite, relaxed},
		{sqlstore.Postgres, func(tb testing.TB) *sql.DB { return postgres.DB(tb) }},
	} {
		t.Run(on.d.String(), func(t *testing.T) {
			const n = 3000
			db := on.open(t)
			c := newCrowd(t, db, on.d, n)
			path := c.join(t, on.d, "Everybody", n-1)
			db.SetMaxOpenConns(1)
			var want []string
			for i := range n - 1 {
				if i%3 > 0 {
					want = append(want, userID(i))
				}
			}
			w := &slowReader{ResponseRecorder: httptest.NewRecorder(), before: func(piece int) {
				// The piece has about 400 members. A third of those before and behind it leave.
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				var leave []scim.Ref
				for i := 3 * (piece % 2); i < n; i += 6 {
					leave = append(leave, scim.Ref{Type: "User", ID: userID(i)})
				}
				come := []scim.Ref{{Type: "User", ID: userID(n - 1)}}
				if _, _, err := c.s.ChangeMembers(ctx, strings.TrimPrefix(path, "/Groups/"), come, leave); err != nil {
					t.Errorf("change at piece %d: %v", piece, err)
				}
			}}
			c.h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", path, nil))
			var body struct{ Members []struct{ Value string } }
			if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil || w.Code != http.StatusOK || w.pieces < 3 {
				t.Fatalf("%d in %d pieces: %v", w.Code, w.pieces, err)
			}
			var got []string
			others, last := map[string]bool{}, ""
			for _, m := range body.Members {
				if m.Value <= last {
					t.Errorf("%s comes behind %s: twice, or out of order", m.Value, last)
				}
				last = m.Value
				if _, stays := slices.BinarySearch(want, m.Value); stays {
					got = append(got, m.Value)
				} else {
					others[m.Value] = true
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("who stays is not whole (-want +got):\n%s", diff)
			}
			if !others[userID(n-1)] || len(others) >= n/3 {
				t.Errorf("of the others %d appear; want who came, and not all who left", len(others))
			}
		})
	}
}
