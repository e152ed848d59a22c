// Package sqlstore is a scim.Store in tables of its own, in SQLite or PostgreSQL,
// over database/sql. It has every capability that the roles engine can use:
// transactions, memberships as edges, and the ledger.
//
//	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN("scim.db")) // modernc.org/sqlite
//	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
//	err = store.Migrate(ctx)
//
// The application opens the database, with the driver of its choice, and closes it.
// One Store is one tenant; many of them share the tables of one database, and any
// number of processes may serve one tenant.
//
// # Transactions
//
// Store.InTx puts its transaction into the context. A RoleResolver over the same
// database finds it with Store.DB or Tx, and what it writes commits together with
// the resources.
//
// PostgreSQL runs them at READ COMMITTED, with row locks, which are waited for. All
// that decides is read after the lock is taken, and at this level each statement sees
// what was committed before it began; at REPEATABLE READ it would see what was there
// before the lock, and have to give up. Uniqueness is left to a unique index. The locks:
// Update and Delete lock the resource; ChangeMembers locks the group, and keeps the
// members from being deleted meanwhile; Grants locks the users in order of id. In
// SQLite a transaction has the database to itself (BEGIN IMMEDIATE); readers see what
// was there before (WAL).
//
// Serialization failures, deadlocks and busy files are tried again a few times. If
// that does not help, or the database cannot be reached, the error is an *scim.Error,
// 503 with RetryAfter.
package sqlstore

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapped"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/notes"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

var (
	_ scim.Store       = (*Store)(nil)
	_ scim.Transactor  = (*Store)(nil)
	_ scim.MemberStore = (*Store)(nil)
	_ scim.Ledger      = (*Store)(nil)
	_ scim.Ledger      = (*Ledger)(nil)

	_ scim.SourceLedger = (*Store)(nil)
)

// Options are the settings of New and NewLedger. All may be left out.
type Options struct {
	// Tenant keeps apart what Stores with other tenants keep in the same tables.
	Tenant string
	// Types are the resource types that are kept; nil: UserType and GroupType. Give
	// the handler the same values. NewLedger does not need them.
	Types []*scim.ResourceType
	// Prefix begins the names of the tables and indexes: lower case letters, digits
	// and underscores; "scim_" by default.
	Prefix string
	// Tables map types onto tables that the application has; others are kept in tables of
	// this package. Members does the same with memberships; nil: they are kept here.
	Tables  []Table
	Members *Join
	// Log is told of rows of the application that cannot be shown; nil: slog.Default().
	Log *slog.Logger
	// KeepDeleted labels the rows of deleted resources, with the time, instead of
	// erasing them. Either way they are unknown afterwards, and their unique values
	// free. Their memberships are erased.
	KeepDeleted bool
	// Now is the clock for Membership.Since and the labels; time.Now by default.
	Now func() time.Time
}

// Store keeps the resources, memberships and ledger of one tenant. It is safe for
// concurrent use.
type Store struct {
	ledger
	resources *owntables.Resources
	members   *owntables.Members
	app       *mapped.Follower // of the tables of the application, if there are any
	triggers  *notes.Triggers
}

// New returns the Store of a tenant in db. It does not talk to the database: call
// Migrate once before its first use. Its error lists every mistake in o.
func New(db *sql.DB, d Dialect, o Options) (*Store, error) {
	b, err := newBase(db, d, o)
	s := &Store{ledger: ledger{b, owntables.NewLedger(b.db, true)},
		resources: owntables.NewResources(b.db, make(map[string]search.Type), o.KeepDeleted), members: owntables.NewMembers(b.db)}
	if o.Types == nil {
		o.Types = []*scim.ResourceType{scim.UserType(), scim.GroupType()}
	}
	for _, t := range o.Types {
		if _, twice := s.resources.Types[t.Name()]; twice {
			err = errors.Join(err, fmt.Errorf("sqlstore: Types has two types %q", t.Name()))
		}
		if !typeNames.MatchString(t.Name()) {
			err = errors.Join(err, fmt.Errorf("sqlstore: type %q: a name needs to be of letters, digits and underscores", t.Name()))
		}
		for _, a := range t.Attrs() {
			if strings.ContainsAny(a.Path, `"'\#?{}`) || dialect.HasPlaceholder(a.Path) {
				err = errors.Join(err, fmt.Errorf("sqlstore: type %s: attribute %q cannot be used in SQL", t.Name(), a.Path))
			}
		}
		s.resources.Types[t.Name()] = search.NewType(t, slices.ContainsFunc(o.Tables, func(m Table) bool { return m.Type == t.Name() }))
	}
	bound, e := mapping.Bind(s.resources.Types, declarations(o.Tables), (*mapping.Join)(o.Members), o.Tenant)
	if err = errors.Join(err, e); err != nil {
		return nil, err
	}
	join := (*mapping.Join)(o.Members)
	s.app = mapped.New(b.db, s.resources, s.members, s.own, bound, join, cmp.Or(o.Log, slog.Default()))
	s.triggers = notes.NewTriggers(b.db, bound, slices.Sorted(maps.Keys(bound)), join)
	return s, nil
}

// typeNames also lets a collection, which begins with one, be of one tenant only.
var typeNames = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

var prefixes = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,29}$`)

func newBase(db *sql.DB, d Dialect, o Options) (*base, error) {
	if o.Prefix == "" {
		o.Prefix = "scim_"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	if db == nil {
		err = errors.Join(err, errors.New("sqlstore: db is nil"))
	}
	if d != SQLite && d != Postgres {
		err = errors.Join(err, fmt.Errorf("sqlstore: unknown %s: say sqlstore.SQLite or sqlstore.Postgres", d))
	}
	if !prefixes.MatchString(o.Prefix) {
		err = errors.Join(err, fmt.Errorf("sqlstore: Prefix %q: at most 30 lower case letters, digits and underscores, not beginning with a digit", o.Prefix))
	}
	if len(dialect.Storable([]string{o.Tenant})) == 0 {
		err = errors.Join(err, fmt.Errorf("sqlstore: Tenant %q: needs UTF-8 without U+0000", o.Tenant))
	}
	return &base{database.New(db, dialect.Dialect(d), o.Tenant, o.Prefix, o.Now)}, err
}

// SQLiteDSN is the data source name, for the driver modernc.org/sqlite, of a database
// in a file, which is made if it is not there. Transactions begin with BEGIN
// IMMEDIATE, which this package needs: one that reads first and writes later would fail
// as soon as somebody else has written. Writers wait for one another for up to ten
// seconds, readers for nobody (WAL).
//
// Each commit is on the disk before it is reported (synchronous=FULL): after a power
// loss the database is whole and has everything that was committed, if the disk keeps
// what it says it has written. The files file-wal and file-shm belong to the database:
// copy all three, or use VACUUM INTO. WAL does not work on network file systems.
func SQLiteDSN(file string) string {
	u := url.URL{Path: filepath.ToSlash(file)}
	return "file:" + strings.ReplaceAll(u.EscapedPath(), ":", "%3A") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_txlock=immediate"
}
