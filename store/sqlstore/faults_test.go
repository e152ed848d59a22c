package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// While the database fails nobody is told anything that is not so, and afterwards
// nothing is missing, half there, or stuck.
func TestFaults(t *testing.T) {
	for _, failure := range storetest.Failures() {
		faults := func(t *testing.T, options func(tenant string) sqlstore.Options, make func(t testing.TB, db *sql.DB, d sqlstore.Dialect)) {
			databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
				var dsn string
				storetest.RunFaults(t, func(t *testing.T) storetest.Faulty {
					fresh := d == sqlstore.SQLite || dsn == ""
					if fresh {
						dsn = newDSN(t, d)
					}
					f := &storetest.Failing{Base: db.Driver(), DSN: dsn, Failure: failure}
					few := sql.OpenDB(f)
					few.SetMaxOpenConns(4)            // so that one that is lost is missed
					t.Cleanup(func() { few.Close() }) //nolint:errcheck // the test is over
					if fresh {
						make(t, few, d)
					}
					return storetest.Faulty{Store: newStore(t, few, d, options(t.Name())), Break: f.Break, Heal: f.Heal}
				})
			})
		}
		t.Run(failure.Name, func(t *testing.T) {
			faults(t, func(tenant string) sqlstore.Options { return sqlstore.Options{Tenant: tenant} }, func(testing.TB, *sql.DB, sqlstore.Dialect) {})
		})
		t.Run(failure.Name+", mapped", func(t *testing.T) { faults(t, appOptions, makeApp) })
	}
}

// givenUp is how PostgreSQL says that a transaction can be run again.
type givenUp struct{}

func (givenUp) Error() string    { return "could not serialize access" }
func (givenUp) SQLState() string { return "40001" }

// What the database gives up for the sake of others is run again, wherever that
// happens, and is there once.
func TestRunsAgain(t *testing.T) {
	databases(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		f := &storetest.Failing{Base: db.Driver(), DSN: newDSN(t, d), Failure: storetest.Failure{Err: givenUp{}, Once: true}}
		db = sql.OpenDB(f)
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		s := newStore(t, db, d, sqlstore.Options{})
		g := create(t, s, group(t, "Everybody"))
		const most = 40
		for after := range most {
			name := fmt.Sprint("u", after)
			r, runs := user(t, name, map[string]any{"emails": []any{map[string]any{"value": name}}}), 0
			f.Break(after)
			err := s.InTx(t.Context(), func(ctx context.Context) error {
				runs++
				if _, err := s.Create(ctx, r); err != nil {
					return err
				}
				if _, err := s.Update(ctx, r.Ref(), func(r *scim.Resource) (*scim.Resource, error) {
					return r.With(map[string]any{"userName": name + "-renamed"})
				}); err != nil {
					return err
				}
				_, _, err := s.ChangeMembers(ctx, g.ID(), []scim.Ref{r.Ref()}, nil)
				return err
			})
			if err != nil {
				t.Fatalf("given up after %d calls: %v", after, err)
			}
			members, err := s.Members(t.Context(), g.ID(), scim.Ref{}, 100)
			if diff := cmp.Diff([]string{name + "-renamed"}, find(t, s, `emails.value eq "`+name+`"`)); diff != "" || len(members) != after+1 || err != nil {
				t.Errorf("given up after %d calls: %d members, error %v, and users (-want +got):\n%s", after, len(members), err, diff)
			}
			if runs == 1 && after > 1 {
				return // the transaction had fewer calls
			}
		}
		t.Errorf("the transaction has more than %d calls, or is never given up", most)
	})
}
