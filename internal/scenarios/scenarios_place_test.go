package scenarios

import (
	"context"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// The kinds of worlds in which role scenarios are played.
const (
	joint    = "joint"    // roles commit with the store's transaction
	separate = "separate" // the store has transactions, roles live elsewhere
	bare     = "bare"     // the five methods of scim.Store, a ledger beside them
)

// place is where worlds keep their things. A further store is a further row of places.
type place struct {
	name  string
	kinds []string
	// slow says that what is repeated a thousand times elsewhere takes minutes here.
	slow bool
	// crawls says that even that is too much, which leaves only what servers do at once:
	// for the race detector, which has nothing to find where requests come one by one.
	crawls bool
	// open makes what the worlds of a test share, such as a database.
	open func(t *testing.T) site
}

var places = []place{
	{name: "memory", kinds: []string{joint, separate}, open: func(*testing.T) site { return inMemory }},
	{name: "bare", kinds: []string{bare}, open: func(*testing.T) site { return inMaps }},
	{name: "SQLite", kinds: []string{joint, separate}, slow: true, crawls: testhost.UnderRace,
		open: onSQL(sqliteFile, ownTables)},
	{name: "PostgreSQL", kinds: []string{joint, separate}, slow: true, crawls: testhost.UnderRace, open: onSQL(postgresServer, ownTables)},
	{name: "SQLite, mapped", kinds: []string{joint}, slow: true, crawls: testhost.UnderRace, open: onSQL(sqliteFile, appTables)},
	{name: "PostgreSQL, mapped", kinds: []string{joint}, slow: true, crawls: testhost.UnderRace, open: onSQL(postgresServer, appTables)},
}

// everywhere runs a test in every place, with the kind of world to make there.
func everywhere(t *testing.T, test func(t *testing.T, in setting)) {
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			site := p.open(t)
			for _, kind := range p.kinds {
				t.Run(kind, func(t *testing.T) { test(t, setting{kind, p.slow, p.crawls, site}) })
			}
		})
	}
}

// setting is all that makes worlds differ.
type setting struct {
	kind         string
	slow, crawls bool
	site         site
}

// usual is the setting of a kind in memory.
func usual(kind string) setting {
	if kind == bare {
		return setting{kind: kind, site: inMaps}
	}
	return setting{kind: kind, site: inMemory}
}

// site makes the host of a new world, which sees nothing of the others.
type site func(w *world) host

// host is an application's side of a world.
type host struct {
	store  scim.Store
	ledger scim.Ledger       // nil: the store is one
	roles  testhost.RoleRows // that commit with the store; nil: there are none
	// another is the store as one more process has it.
	another func() scim.Store
	// bulk stores resources.
	bulk func(rs []*scim.Resource) error
}

// complete is a store that can do everything.
type complete interface {
	scim.Store
	scim.Transactor
	scim.MemberStore
	scim.Ledger
}

// hostOf is a host with a store that can do everything, and with roles that commit with
// it. another makes the same store as one more process has it.
func hostOf(w *world, s complete, roles testhost.RoleRows, another func() complete) host {
	stepped := func(s complete) scim.Store { return &edgeStore{steppedStore{s, w}, steppedLedger{s, w}, s} }
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

// inMaps has the least store.
func inMaps(w *world) host {
	s := testhost.NewBareStore()
	stepped := &steppedStore{s, w}
	return host{store: stepped, ledger: &steppedLedger{memory.NewLedger(), w}, another: func() scim.Store { return stepped },
		bulk: func(rs []*scim.Resource) error {
			s.Put(rs)
			return nil
		}}
}
