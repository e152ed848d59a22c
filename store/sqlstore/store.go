// Package sqlstore is a scim.Store over database/sql, in SQLite, PostgreSQL or MariaDB. It keeps
// resources in tables of its own, or in tables that the application has. It has every
// capability that the roles engine can use: transactions, memberships as edges, and the
// ledger.
//
//	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN("scim.db")) // modernc.org/sqlite
//	store, err := sqlstore.New(db, sqlstore.SQLite, sqlstore.Options{})
//	err = store.Migrate(ctx)
//
// The application opens the database, with the driver of its choice, and closes it. One
// Store is one tenant. Many tenants share the tables of one database, and any number of
// processes may serve one tenant.
//
// # Transactions
//
// Store.InTx puts its transaction into the context. A RoleResolver over the same database
// finds it with Store.DB or Tx. What the resolver writes commits together with the
// resources.
//
// In PostgreSQL transactions run at READ COMMITTED and take row locks. A transaction waits
// for a lock that another one holds, and reads what it decides on after it has the lock. At
// READ COMMITTED each statement sees what was committed before the statement began. At
// REPEATABLE READ it would see what was committed before the lock, and the transaction
// would have to give up. A unique index keeps userNames unique. These are the locks:
//
//   - Update and Delete lock the resource. Delete also waits for transactions that make it
//     a member of a group.
//   - ChangeMembers locks the group, and keeps others from deleting the members.
//   - Grants locks the users, in order of id.
//
// What a transaction has locked it does not read again, unless the application has begun it.
//
// The handler takes these locks in one order: groups, other resources, users. A transaction
// of the application that calls the Store or the Reconciler should call it first, and then
// write its own rows. Otherwise PostgreSQL may have to abort one of two transactions that
// wait for each other.
//
// In MariaDB transactions run at READ COMMITTED too, for the same reason, and take the same
// locks in the same order. An Update takes FOR UPDATE there, and a transaction that keeps others
// from deleting a row LOCK IN SHARE MODE. Then it excludes updates, too. So InnoDB finds more
// deadlocks than PostgreSQL, and the transactions run again. Locks of names are rows, because
// the locks of GET_LOCK belong to the session.
//
// In SQLite a transaction has the database to itself (BEGIN IMMEDIATE). Readers see what
// was committed before it (WAL).
//
// The store retries serialization failures, deadlocks, lock timeouts of MariaDB and busy files a
// few times. If that does not help, or the database cannot be reached, the error is an
// *scim.Error, 503 with RetryAfter. So it is if the disk is full, or the database only reads, as
// after a failover.
//
// The store keeps nothing in a session of PostgreSQL but in a transaction, so it works behind
// PgBouncer in transaction mode. The driver must not keep prepared statements there: Migrate looks.
//
// If a connection ends before the answer to a commit arrives, the transaction may be
// committed or not. The store does not run it again. It returns the same 503, and the
// client repeats the request. If the transaction was committed, a repeated POST of a user
// gets 409.
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
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
	"github.com/scimkit/scim/store/sqlstore/internal/notes"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/projection"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

var (
	_ scim.Store         = (*Store)(nil)
	_ scim.Transactor    = (*Store)(nil)
	_ scim.MemberStore   = (*Store)(nil)
	_ scim.GroupReader   = (*Store)(nil)
	_ scim.MemberChanger = (*Store)(nil)
	_ scim.Ledger        = (*Store)(nil)
	_ scim.Ledger        = (*Ledger)(nil)

	_ scim.SourceLedger = (*Store)(nil)
)

// Options are the settings of New and NewLedger. All of them are optional.
type Options struct {
	// Tenant separates the data of Stores that share tables.
	Tenant string
	// Types are the resource types that the Store keeps. Nil means UserType and GroupType.
	// Give the handler the same values. NewLedger does not need them.
	Types []*scim.ResourceType
	// Prefix begins the names of the tables and indexes. It has lower case letters, digits
	// and underscores, and is "scim_" by default.
	Prefix string
	// Tables map types onto tables of the application. Other types are kept in tables of
	// this package. Members maps the memberships. If it is nil, they are kept here too.
	Tables  []Table
	Members *Join
	// Log gets warnings about rows of the application that clients cannot see, or not
	// completely. Nil means slog.Default().
	Log *slog.Logger
	// UniqueIDs says that no user and no group have the same id: see scim.UniqueIDs. In its
	// own tables the Store then refuses a user with the id of a group, and the reverse. For
	// Tables it is the application's promise, for example because both keys are UUIDs. Do not
	// set it if a user and a group with the same id may exist already.
	UniqueIDs bool
	// AnyDriver says that Migrate accepts a driver whose errors the Store does not understand,
	// and settings of SQLite and PostgreSQL that it would refuse: see Migrate. Then conflicts may be answered
	// with 500, and requests may fail that would only have to wait.
	AnyDriver bool
	// KeepDeleted labels the rows of deleted resources with the time instead of erasing
	// them. Either way clients no longer find them, their unique values are free, and their
	// memberships are erased.
	KeepDeleted bool
	// Indexes are the attributes by which people search and sort. Migrate creates the indexes, and
	// drops those that are not in the list. Nil leaves all as they are, and uses none. All Stores of
	// a Prefix share the indexes: give each the same list. Each index makes writes slower. They
	// are for SQLite and PostgreSQL.
	Indexes []Index
	// Now is the clock for Membership.Since and the labels. It is time.Now by default.
	Now func() time.Time
}

// Store keeps the resources, memberships and ledger of one tenant. It is safe for
// concurrent use.
type Store struct {
	ledger
	resources *owntables.Resources
	members   *owntables.Members
	app       *projection.Follower // app has the tables of the application, if there are any.
	triggers  *notes.Triggers
	uniqueIDs bool

	hasIndexes bool // hasIndexes says that Options.Indexes is not nil.
}

// New returns the Store of a tenant in db. It does not talk to the database: call Migrate
// before the first use. Its error lists every mistake in o.
func New(db *sql.DB, d Dialect, o Options) (*Store, error) {
	b, err := newBase(db, d, o)
	s := &Store{ledger: ledger{b, owntables.NewLedger(b.db, true)},
		resources: owntables.NewResources(b.db, make(map[string]search.Type), o.KeepDeleted), members: owntables.NewMembers(b.db), uniqueIDs: o.UniqueIDs, hasIndexes: o.Indexes != nil}
	s.resources.UniqueIDs = o.UniqueIDs
	if o.Types == nil {
		o.Types = []*scim.ResourceType{scim.UserType(), scim.GroupType()}
	}
	for _, t := range o.Types {
		if _, twice := s.resources.Types[t.Name()]; twice {
			err = errors.Join(err, fmt.Errorf("sqlstore: Types has two types %q", t.Name()))
		}
		if !typeNames.MatchString(t.Name()) {
			err = errors.Join(err, fmt.Errorf("sqlstore: type %q: a name has letters, digits and underscores only", t.Name()))
		}
		for _, a := range t.Attributes() {
			if strings.ContainsAny(a.Path, `"'\#?{}`) || dialect.HasPlaceholder(a.Path) {
				err = errors.Join(err, fmt.Errorf("sqlstore: type %s: attribute %q cannot be used in SQL", t.Name(), a.Path))
			}
		}
		kept := search.NewType(t, false)
		if i := slices.IndexFunc(o.Tables, func(m Table) bool { return m.Type == t.Name() }); i >= 0 {
			kept.HasTable, kept.Unclaimed = true, search.Unclaimed(o.Tables[i].Unclaimed)
		}
		s.resources.Types[t.Name()] = kept
		if s.resources.Hides(t.Name()) {
			s.members.Hide(t.Name())
		}
	}
	err = errors.Join(err, addIndexes(s, d, o.Indexes))
	bound, e := mapping.Bind(s.resources.Types, declarations(o.Tables), (*mapping.Join)(o.Members), o.Tenant)
	if err = errors.Join(err, e); err != nil {
		return nil, err
	}
	join := (*mapping.Join)(o.Members)
	s.app = projection.New(b.db, s.resources, s.members, s.own, bound, join, b.db.Log)
	if !s.app.IsEmpty() {
		b.db.Before = s.app.Follow
	} else if u, ok := s.resources.Types[search.UserType]; ok {
		s.own.Looks, s.own.RowOf, s.resources.Ledger = u.ResourceType, s.resources.Row, s.own
	}
	s.triggers = notes.NewTriggers(b.db, b.schema, bound, slices.Sorted(maps.Keys(bound)), join)
	return s, nil
}

// typeNames matches names of types. A collection begins with one, so the characters also
// keep collections of tenants apart.
var typeNames = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// prefixes matches what Options.Prefix may be.
var prefixes = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,29}$`)

// maxTenant is how many bytes of a tenant the keys in MariaDB hold.
const maxTenant = 255

// newBase returns what Store and Ledger have in common. Its error lists every mistake in o.
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
	if d < SQLite || d > MariaDB {
		err = errors.Join(err, fmt.Errorf("sqlstore: unknown %s: use sqlstore.SQLite, sqlstore.Postgres or sqlstore.MariaDB", d))
	}
	if !prefixes.MatchString(o.Prefix) {
		err = errors.Join(err, fmt.Errorf("sqlstore: Prefix %q: use at most 30 lower case letters, digits and underscores, and no digit first", o.Prefix))
	}
	if len(dialect.Storable([]string{o.Tenant})) == 0 {
		err = errors.Join(err, fmt.Errorf("sqlstore: Tenant %q: use UTF-8 without U+0000", o.Tenant))
	}
	if d == MariaDB && len(o.Tenant) > maxTenant {
		err = errors.Join(err, fmt.Errorf("sqlstore: Tenant has %d bytes, and MariaDB has room for %d", len(o.Tenant), maxTenant))
	}
	now := func() time.Time { return o.Now().Round(0) } // Drivers may write a monotonic clock into the column.
	b := database.New(db, dialect.Dialect(d), o.Tenant, o.Prefix, now)
	b.AnyDriver, b.Log = o.AnyDriver, cmp.Or(o.Log, slog.Default())
	b.Tables = tableNames(o)
	return &base{b, database.NewSchema(b, migrations)}, err
}

// tableNames returns the names of the application's tables that are mapped.
func tableNames(o Options) (all []string) {
	for _, t := range o.Tables {
		all = append(all, t.Name)
		for _, c := range t.Children {
			all = append(all, c.Name)
		}
		for _, b := range t.Beside {
			all = append(all, b.Name)
		}
	}
	if o.Members != nil {
		all = append(all, o.Members.Name)
	}
	return all
}

// SQLiteDSN returns the data source name of a database in a file. It is the same for the
// drivers modernc.org/sqlite (which registers as "sqlite"), mattn/go-sqlite3 and
// ncruces/go-sqlite3 (both "sqlite3"): each ignores what is meant for another one. SQLite
// creates the file if it does not exist. Transactions begin with BEGIN IMMEDIATE, which this package needs. A transaction that reads first and writes
// later would fail if another one has written meanwhile. Writers wait for one another for
// up to ten seconds. Readers do not wait (WAL). SQLiteDSN switches foreign_keys on, so that
// SQLite obeys the REFERENCES of the application's tables.
//
// Each commit is on the disk before it is reported (synchronous=FULL). After a power loss
// the database is intact and has everything that was committed, if the disk keeps what it
// reports as written. The files file-wal and file-shm belong to the database: copy all
// three, or use VACUUM INTO. WAL does not work on network file systems.
func SQLiteDSN(file string) string {
	u := url.URL{Path: filepath.ToSlash(file)}
	return "file:" + strings.ReplaceAll(u.EscapedPath(), ":", "%3A") + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)" +
		"&_pragma=synchronous(FULL)&_pragma=foreign_keys(ON)&_txlock=immediate" + // modernc, ncruces
		"&_busy_timeout=10000&_journal_mode=WAL&_synchronous=FULL&_foreign_keys=on" // mattn
}
