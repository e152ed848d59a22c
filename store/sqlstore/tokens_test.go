package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/sqlitetest"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// everyDatabase runs a test on each database, also on MariaDB. The tests of tokens are short.
func everyDatabase(t *testing.T, test func(t *testing.T, db *sql.DB, d sqlstore.Dialect)) {
	t.Run("SQLite", func(t *testing.T) { test(t, relaxed(t), sqlstore.SQLite) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, postgres.DB(t), sqlstore.Postgres) })
	t.Run("MariaDB", func(t *testing.T) { test(t, mariadb.DB(t), sqlstore.MariaDB) })
}

func newTokens(t *testing.T, db *sql.DB, d sqlstore.Dialect, prefix string) *sqlstore.Tokens {
	t.Helper()
	s, err := sqlstore.NewTokens(db, d, sqlstore.Options{Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func manage(t *testing.T, s tokens.Store, o tokens.Options) *tokens.Tokens {
	t.Helper()
	all, err := tokens.New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Nothing is left of a tenant that is erased, and another one keeps its tokens.
func TestTokensOfErasedTenant(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newTokens(t, db, d, "")
		all := manage(t, s, tokens.Options{})
		var secrets []string
		for _, tenant := range []string{"acme", "acme", "acme ", "other"} {
			secret, _, err := all.Tenant(tenant).Issue(t.Context(), tokens.Request{})
			if err != nil {
				t.Fatal(err)
			}
			secrets = append(secrets, secret)
		}
		for _, tenant := range []string{"acme", "acme", "nobody", "\x00"} {
			if err := s.EraseTenant(t.Context(), tenant); err != nil {
				t.Fatal(tenant, err)
			}
		}
		for i, want := range []int{401, 401, 200, 200} {
			if got := statusWith(t, all, secrets[i]); got != want {
				t.Errorf("token %d: %d, want %d", i, got, want)
			}
		}
		if list, err := all.Tenant("acme").List(t.Context()); err != nil || len(list) > 0 {
			t.Errorf("left: %v, %v", list, err)
		}
	})
}

// statusWith is the status of a request with a secret.
func statusWith(t *testing.T, all scim.Authenticator, secret string) int {
	t.Helper()
	r := httptest.NewRequest("GET", "/Users", nil)
	r.Header.Set("Authorization", "Bearer "+secret)
	_, err := all.Authenticate(r)
	if err == nil {
		return http.StatusOK
	}
	e, ok := errors.AsType[*scim.Error](err)
	if !ok {
		t.Fatalf("%T: %v", err, err)
	}
	return e.Status
}

func TestTokens(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		tables := 0
		storetest.RunTokens(t, func(t *testing.T) tokens.Store {
			tables++
			return newTokens(t, db, d, "t"+strings.Repeat("x", tables)+"_")
		})
	})
}

func TestNewTokensListsMistakes(t *testing.T) {
	_, err := sqlstore.NewTokens(nil, 0, sqlstore.Options{Tenant: "acme"})
	for _, want := range []string{"db is nil", "unknown dialect 0", "Tenant of NewTokens"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not tell of %s", err, want)
		}
	}
}

// No column has a secret. Another process obeys a revocation at once without a cache, and a token of
// another tenant cannot be touched.
func TestTokensOverSQL(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		one := manage(t, newTokens(t, db, d, ""), tokens.Options{CacheFor: tokens.MaxCacheFor})
		two := manage(t, newTokens(t, db, d, ""), tokens.Options{})
		secret, issued, err := one.Tenant("acme").Issue(t.Context(), tokens.Request{Label: "Okta", Maker: "ann"})
		if err != nil {
			t.Fatal(err)
		}
		var row string
		text := "SELECT concat(hash, id, tenant, client, label, maker, prefix, last4, coalesce(scopes, ''), successor) FROM scim_tokens"
		if d == sqlstore.SQLite {
			text = "SELECT hash || id || tenant || client || label || maker || prefix || last4 || coalesce(scopes, '') || successor FROM scim_tokens"
		}
		if err := db.QueryRow(text).Scan(&row); err != nil || strings.Contains(row, secret[5:20]) || !strings.Contains(row, issued.Fingerprint()) {
			t.Errorf("the row is %q, error %v", row, err)
		}
		for name, all := range map[string]*tokens.Tokens{"one": one, "two": two} {
			if got := statusWith(t, all, secret); got != 200 {
				t.Errorf("process %s: %d", name, got)
			}
		}
		if err := two.Tenant("other").Revoke(t.Context(), issued.ID); !errors.Is(err, scim.ErrNotFound) {
			t.Errorf("another tenant's Revoke: %v", err)
		}
		if err := one.Tenant("acme").Revoke(t.Context(), issued.ID); err != nil {
			t.Fatal(err)
		}
		for name, all := range map[string]*tokens.Tokens{"one": one, "two": two} {
			if got := statusWith(t, all, secret); got != 401 {
				t.Errorf("process %s after Revoke: %d", name, got)
			}
		}
		list, err := two.Tenant("acme").List(t.Context())
		if err != nil || len(list) != 1 || list[0].LastUsed.IsZero() || list[0].Revoked.IsZero() {
			t.Errorf("list %+v, error %v", list, err)
		}
	})
}

// Rotations at once make one successor. Requests go on meanwhile, and none is let in after a
// revocation.
func TestTokensAtOnce(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newTokens(t, db, d, "")
		all := manage(t, s, tokens.Options{CacheFor: time.Second})
		acme := all.Tenant("acme")
		secret, issued, err := acme.Issue(t.Context(), tokens.Request{})
		if err != nil {
			t.Fatal(err)
		}
		const n = 6
		won := make(chan string, n)
		parallel(t, n, func(i int) error {
			if i == 0 {
				if got := statusWith(t, all, secret); got != 200 {
					t.Errorf("during the overlap: %d", got)
				}
				return nil
			}
			next, _, err := acme.Rotate(t.Context(), issued.ID, tokens.Rotation{Overlap: time.Hour})
			if err == nil {
				won <- next
			} else if !errors.Is(err, tokens.ErrRotated) {
				return err
			}
			return nil
		})
		if len(won) != 1 {
			t.Fatalf("%d rotations have made a token, want one", len(won))
		}
		next := <-won
		list, err := acme.List(t.Context())
		if err != nil || len(list) != 2 {
			t.Fatalf("%d tokens, error %v", len(list), err)
		}
		ended := make(chan struct{})
		parallel(t, 4, func(i int) error {
			if i == 0 {
				defer close(ended)
				return acme.Revoke(t.Context(), list[0].ID)
			}
			for {
				isOver := false
				select {
				case <-ended:
					isOver = true
				default:
				}
				if got := statusWith(t, all, next); isOver {
					if got != 401 {
						t.Errorf("after Revoke: %d", got)
					}
					return nil
				}
			}
		})
	})
}

// In a transaction of the application a token counts once it has committed.
func TestTokensInTransaction(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		all := manage(t, newTokens(t, db, d, ""), tokens.Options{})
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := sqlstore.WithTx(t.Context(), db, tx)
		secret, issued, err := all.Tenant("acme").Issue(ctx, tokens.Request{})
		if err == nil {
			err = all.Tenant("acme").Revoke(ctx, issued.ID)
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if list, err := all.Tenant("acme").List(t.Context()); len(list) > 0 || err != nil || statusWith(t, all, secret) != 401 {
			t.Errorf("%+v is there after a rollback, error %v", list, err)
		}
	})
}

// A database that is down, and tables that are not there, are 503: a client that gets 401 takes its
// token for revoked. The answer has no internals.
func TestTokensDown(t *testing.T) {
	open := func(driver, dsn string) *sql.DB {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() }) //nolint:errcheck // the test is over
		return db
	}
	closed := open(sqlitetest.Driver, sqlitetest.FastDSN(filepath.Join(t.TempDir(), "scim.db")))
	closed.Close() //nolint:errcheck // it was never open
	for name, c := range map[string]struct {
		db *sql.DB
		d  sqlstore.Dialect
	}{
		"no server": {open(pgtest.Driver, "postgres://nobody@127.0.0.1:1/none?sslmode=disable&connect_timeout=2"), sqlstore.Postgres},
		"no table":  {relaxed(t), sqlstore.SQLite},
		"closed":    {closed, sqlstore.SQLite},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := sqlstore.NewTokens(c.db, c.d, sqlstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			r := httptest.NewRequest("GET", "/Users", nil)
			r.Header.Set("Authorization", "Bearer x")
			_, err = manage(t, s, tokens.Options{}).Authenticate(r)
			e, ok := errors.AsType[*scim.Error](err)
			if !ok || e.Status != 503 || e.RetryAfter <= 0 || regexp.MustCompile(`127|sql|table|closed`).MatchString(e.Detail) {
				t.Errorf("error %#v, want 503 with Retry-After", err)
			}
		})
	}
}

// The look-up of a request, and the list of a tenant, use an index.
func TestTokensPlan(t *testing.T) {
	db := relaxed(t)
	s := newTokens(t, db, sqlstore.SQLite, "")
	for text, index := range map[string]string{
		sqlstore.TokenByHashQuery: "PRIMARY KEY .hash=",
		sqlstore.TokensQuery:      "INDEX scim_tokens_tenant .tenant=",
	} {
		text = strings.NewReplacer("{p}", "scim_", "$1", "?1").Replace(text)
		p := plan(t, db, sqlstore.SQLite, text, []any{"x"})
		if !regexp.MustCompile(index).MatchString(p) || strings.Contains(p, "TEMP B-TREE") {
			t.Errorf("want %s:\n%s\n%s", index, text, p)
		}
	}
	if _, err := s.ByHash(context.Background(), [32]byte{}); !errors.Is(err, scim.ErrNotFound) {
		t.Error(err)
	}
}

// A row whose scopes are damaged is an error: read as nil they would give everything.
func TestTokensDamagedScopes(t *testing.T) {
	db := relaxed(t)
	s := newTokens(t, db, sqlstore.SQLite, "")
	x := tokens.Token{ID: "a", Scopes: []string{"read"}}
	if err := s.Insert(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	for scopes, isRead := range map[string]bool{`["read"]`: true, `[]`: true, `null`: false, ``: false, `"read"`: false, `[1]`: false} {
		if _, err := db.Exec("UPDATE scim_tokens SET scopes = ?", scopes); err != nil {
			t.Fatal(err)
		}
		got, err := s.ByHash(t.Context(), x.Hash)
		if diff := cmp.Diff(isRead, err == nil && got.Scopes != nil); diff != "" {
			t.Errorf("scopes %s: %+v, error %v", scopes, got, err)
		}
	}
}

// Uninstall removes the table of tokens, and leaves one of the application with its name.
func TestTokensUninstall(t *testing.T) {
	everyDatabase(t, func(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
		s := newTokens(t, db, d, "")
		if err := s.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("CREATE TABLE scim_tokens (tenant varchar(9), hash varchar(9))"); err != nil {
			t.Fatalf("the table is left: %v", err)
		}
		if err := s.Uninstall(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("DROP TABLE scim_tokens"); err != nil {
			t.Errorf("a table of the application is gone: %v", err)
		}
	})
}
