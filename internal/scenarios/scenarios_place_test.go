package scenarios

import (
	"context"
	"slices"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// The kinds of worlds for role scenarios.
const (
	joint    = "joint"    // roles commit with the store's transaction
	separate = "separate" // the store has transactions, roles live elsewhere
	bare     = "bare"     // the five methods of scim.Store, a ledger beside them
)

// place says where worlds keep their data. Another store needs another row in places.
type place struct {
	name  string
	kinds []string
	// longKinds are played by .ci/long only: the same database plays the other kind, and other
	// places play this one.
	longKinds []string
	// slow says that a test with a thousand repetitions would take minutes here.
	slow bool
	// crawls says that even fewer repetitions take too long under the race detector. Then
	// only concurrent tests run, because sequential requests have no races.
	crawls bool
	// half says which scenarios TestRoles plays here, if not 0: 1 for every other one from the first on, and 2 for those
	// between. The place with the other half has the same kind in another database. .ci/long plays all in both.
	half int
	// onlyLong says that the scenarios take a quarter of an hour here, so .ci/long plays them.
	onlyLong bool
	// open makes the shared data of a test's worlds, such as a database.
	open func(t *testing.T) site
}

var places = []place{
	{name: "memory", kinds: []string{joint, separate}, open: func(*testing.T) site { return inMemory }},
	{name: "bare", kinds: []string{bare}, open: func(*testing.T) site { return inMaps }},
	{name: "SQLite", kinds: []string{joint}, longKinds: []string{separate}, half: 1, slow: true, crawls: testhost.UnderRace,
		open: onSQL(sqliteFile, ownTables)},
	{name: "PostgreSQL", kinds: []string{separate}, longKinds: []string{joint}, half: 1, slow: true, crawls: testhost.UnderRace, open: onSQL(postgresServer, ownTables)},
	{name: "MariaDB", kinds: []string{joint, separate}, slow: true, onlyLong: true, crawls: testhost.UnderRace, open: onSQL(mariadbServer, ownTables)},
	{name: "SQLite, mapped", kinds: []string{separate}, longKinds: []string{joint}, half: 2, slow: true, crawls: testhost.UnderRace, open: onAppTables(sqliteFile)},
	{name: "PostgreSQL, mapped", kinds: []string{joint}, longKinds: []string{separate}, half: 2, slow: true, crawls: testhost.UnderRace, open: onAppTables(postgresServer)},
	{name: "MariaDB, mapped", kinds: []string{joint, separate}, slow: true, onlyLong: true, crawls: testhost.UnderRace, open: onAppTables(mariadbServer)},
}

// everywhere runs a test in every place and for every kind of world there.
func everywhere(t *testing.T, test func(t *testing.T, in setting)) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			if p.onlyLong && !long {
				t.Skip("SCIM_LONG is not set")
			}
			site, kinds := p.open(t), p.kinds
			if long {
				kinds = slices.Concat(p.kinds, p.longKinds)
			}
			for _, kind := range kinds {
				t.Run(kind, func(t *testing.T) { test(t, setting{kind, p.half, p.slow, p.crawls, site}) })
			}
		})
	}
}

// setting has everything that differs between worlds.
type setting struct {
	kind         string
	half         int
	slow, crawls bool
	site         site
}

// inMemorySetting is the setting of a kind in memory.
func inMemorySetting(kind string) setting {
	if kind == bare {
		return setting{kind: kind, site: inMaps}
	}
	return setting{kind: kind, site: inMemory}
}

// site makes the host of a new world, separate from all others.
type site func(w *world) host

// host is an application's side of a world.
type host struct {
	store  scim.Store
	ledger scim.Ledger       // nil: the store is one
	roles  testhost.RoleRows // roles that commit with the store; nil: there are none
	// another opens the same store as another process.
	another func() scim.Store
	// bulk stores resources.
	bulk func(rs []*scim.Resource) error
	// lock locks an account in the application. nil: the application keeps its locks
	// outside the store.
	lock func(user string) (isLocked func() bool)
}

// complete is a store with every capability.
type complete interface {
	scim.Store
	scim.Transactor
	scim.MemberStore
	scim.Ledger
	listingLedger
	scim.GrantCounter
	scim.TenantLocker
}

// hostOf makes a host with a store with every capability, and with roles that commit with
// it. another opens the same store as another process.
func hostOf(w *world, s complete, roles testhost.RoleRows, another func() complete) host {
	stepped := func(s complete) scim.Store {
		edge := &edgeStore{steppedStore{s, w}, steppedLedger{s, w}, openLedger{s, s, w}, s}
		if sources, ok := s.(scim.SourceLedger); ok {
			return &sourceStore{edge, sources}
		}
		return edge
	}
	return host{store: stepped(s), roles: roles, another: func() scim.Store { return stepped(another()) },
		bulk: func(rs []*scim.Resource) error {
			return s.InTx(ctx(), func(ctx context.Context) error {
				for _, r := range rs {
					if _, err := s.Create(ctx, r); err != nil {
						return err
					}
				}
				return nil
			})
		}}
}

// inMemory keeps everything in the memory store.
func inMemory(w *world) host {
	s := testhost.UndoStore{Store: memory.New(memory.Now(w.now))}
	return hostOf(w, s, testhost.UndoRoles{RoleMaps: testhost.NewRoleMaps()}, func() complete { return s })
}

// inMaps uses the smallest store.
func inMaps(w *world) host {
	s := testhost.NewBareStore()
	stepped := &steppedStore{s, w}
	return host{store: stepped, ledger: newBareLedger(w), another: func() scim.Store { return stepped },
		bulk: func(rs []*scim.Resource) error {
			s.Put(rs)
			return nil
		}}
}
