// Package adapter is an example of a scim.Store. It has the five methods and
// transactions, over one table, with database/sql, for PostgreSQL and SQLite. Read it and
// copy from it: an application has its own tables in the place of accounts.
package adapter

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Schema is the table. It has columns for look-ups, and the rest as the client sent it.
const Schema = `CREATE TABLE IF NOT EXISTS accounts (
	type text NOT NULL, id text NOT NULL, login_key text, -- scim.Fold of the userName
	created bigint NOT NULL, modified bigint NOT NULL, version text NOT NULL, doc text NOT NULL,
	PRIMARY KEY (type, id), UNIQUE (login_key))`

// Store is a scim.Store and a scim.Transactor. It is also a scim.Ledger, because it
// embeds one. The calls of that ledger join its transactions.
type Store struct {
	*sqlstore.Ledger
	DB   *sql.DB
	Lock string // what follows a SELECT to lock its rows: " FOR UPDATE" in PostgreSQL
}

// InTx puts the transaction into the context. conn finds it there, as do the ledger and
// the application's scim.RoleResolver. If the database aborts the transaction because of
// another one, InTx runs it again.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if sqlstore.Tx(ctx, s.DB) != nil {
		return fn(ctx) // a nested call joins
	}
	for try := 1; ; try++ {
		err := s.once(ctx, fn)
		var state interface{ SQLState() string } // PostgreSQL's drivers
		if try == 10 || !errors.As(err, &state) || state.SQLState() != "40P01" && state.SQLState() != "40001" {
			return err
		}
	}
}

func (s *Store) once(ctx context.Context, fn func(ctx context.Context) error) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit there is nothing to roll back
	if err := fn(sqlstore.WithTx(ctx, s.DB, tx)); err != nil {
		return err
	}
	return tx.Commit()
}

func (s *Store) conn(ctx context.Context) sqlstore.DBTX {
	if tx := sqlstore.Tx(ctx, s.DB); tx != nil {
		return tx
	}
	return s.DB
}

// Create leaves uniqueness to the index. If it looked first, two concurrent calls could
// both succeed.
func (s *Store) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	doc, err := r.MarshalJSON()
	if err != nil {
		return nil, err
	}
	m := r.Meta()
	res, err := s.conn(ctx).ExecContext(ctx, `INSERT INTO accounts (type, id, login_key, created, modified, version, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`,
		r.Type().Name(), m.ID, loginKey(r), m.Created.UnixMicro(), m.LastModified.UnixMicro(), m.Version, string(doc))
	if err != nil {
		return nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, errors.Join(err, scim.Conflict("userName"))
	}
	return s.Get(ctx, r.Ref())
}

// loginKey returns the unique key of a user. Other types have none.
func loginKey(r *scim.Resource) any {
	if name := r.String("userName"); name != "" {
		return scim.Fold(name)
	}
	return nil
}

// Get returns a resource.
func (s *Store) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	return s.get(ctx, ref, "")
}

func (s *Store) get(ctx context.Context, ref scim.Ref, lock string) (found *scim.Resource, err error) {
	for r, err := range s.rows(ctx, ref.Type, "id = $2"+lock, ref.ID) {
		if err != nil {
			return nil, err
		}
		found = r
	}
	if found == nil {
		return nil, scim.ErrNotFound
	}
	return found, nil
}

var types = map[string]*scim.ResourceType{"User": scim.UserType(), "Group": scim.GroupType()}

// rows yields the resources that a condition finds. A client may ask for a text that
// PostgreSQL refuses. No row can have it, so rows then yields nothing.
func (s *Store) rows(ctx context.Context, typ, condition string, args ...any) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		for _, arg := range args {
			if text, ok := arg.(string); ok && (strings.Contains(text, "\x00") || !utf8.ValidString(text)) {
				return
			}
		}
		rows, err := s.conn(ctx).QueryContext(ctx, "SELECT id, created, modified, version, doc FROM accounts WHERE type = $1 AND "+condition,
			append([]any{typ}, args...)...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close() //nolint:errcheck // Err tells
		for rows.Next() {
			var m scim.Meta
			var created, modified int64
			var doc []byte
			var r *scim.Resource
			err := rows.Scan(&m.ID, &created, &modified, &m.Version, &doc)
			if err == nil {
				m.Created, m.LastModified = time.UnixMicro(created), time.UnixMicro(modified)
				r, err = types[typ].Bind(m, doc, nil)
			}
			if !yield(r, err) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// List uses an index for the look-up that clients make before each create. For all other
// queries it reads every resource, and scim.Scan filters, sorts, counts and cuts out the
// page. A faster store uses Query.IDs and scim.TranslateFilter.
func (s *Store) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if name, ok := q.Filter.Eq("userName"); ok && t == scim.UserType() {
		return scim.Scan(q, s.rows(ctx, t.Name(), "login_key = $2", scim.Fold(name)))
	}
	if id, ok := q.Filter.Eq("id"); ok {
		return scim.Scan(q, s.rows(ctx, t.Name(), "id = $2", id))
	}
	return scim.Scan(q, s.rows(ctx, t.Name(), "1 = 1"))
}

// Update locks the row, so that no other call changes it while fn runs.
func (s *Store) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (out *scim.Resource, err error) {
	err = s.InTx(ctx, func(ctx context.Context) error {
		before, err := s.get(ctx, ref, s.Lock)
		if err != nil {
			return err
		}
		after, err := fn(before)
		if out = after; err != nil || after == before {
			return err
		}
		doc, err := after.MarshalJSON()
		if err != nil {
			return err
		}
		if taken, err := s.taken(ctx, after); err != nil || taken {
			return errors.Join(err, scim.Conflict("userName"))
		}
		_, err = s.conn(ctx).ExecContext(ctx, "UPDATE accounts SET login_key = $3, modified = $4, version = $5, doc = $6 WHERE type = $1 AND id = $2",
			ref.Type, ref.ID, loginKey(after), after.Meta().LastModified.UnixMicro(), after.Meta().Version, string(doc))
		return err
	})
	return out, err
}

// taken looks for another user with the same name before an error ends the transaction.
// For two concurrent calls the index decides, and the later one fails.
func (s *Store) taken(ctx context.Context, r *scim.Resource) (bool, error) {
	for other, err := range s.rows(ctx, r.Type().Name(), "login_key = $2", loginKey(r)) {
		if err != nil || other.ID() != r.ID() {
			return true, err
		}
	}
	return false, nil
}

// Delete erases the row.
func (s *Store) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	return s.InTx(ctx, func(ctx context.Context) error {
		before, err := s.get(ctx, ref, s.Lock)
		if err == nil {
			err = check(before)
		}
		if err == nil {
			_, err = s.conn(ctx).ExecContext(ctx, "DELETE FROM accounts WHERE type = $1 AND id = $2", ref.Type, ref.ID)
		}
		return err
	})
}
