package doctest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
	"github.com/scimkit/scim/store/storetest"
)

// What follows, up to the end marker, is in docs/write-a-store.md.

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) scim.Store { return newEmptyStore(t) })
}

// A row of the application, with one new column for what has no column of its own.
type row struct {
	ID, Login, First, Status string
	Created, Modified        time.Time
	Doc                      []byte // what MarshalJSON of the resource gave
}

func load(u row) (*scim.Resource, error) {
	meta := scim.Meta{ID: u.ID, Created: u.Created, LastModified: u.Modified}
	return scim.UserType().Bind(meta, u.Doc, map[string]any{ // columns win over Doc
		"userName": u.Login, "name.givenName": u.First, "active": u.Status == "active"})
}

func (s *sqlRows) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if t.Name() == "User" {
		if name, ok := q.Filter.Eq("userName"); ok { // the look-up before each create
			return scim.Scan(q, s.users(ctx, "login_key = $1", scim.Fold(name)))
		}
		if q.IDs != nil { // members of a group, at most 1,000
			return scim.Scan(q, s.users(ctx, "id = any($1)", q.IDs))
		}
	}
	return s.listAll(ctx, t, q)
}

func (s *sqlRows) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if _, joined := ctx.Value(txKey{}).(transaction); joined {
		return fn(ctx)
	}
	tx, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if err := fn(context.WithValue(ctx, txKey{}, tx)); err != nil {
		return err
	}
	return tx.Commit()
}

type joined struct{ *sqlstore.Ledger }

func (joined) JoinsTransactions() {}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) scim.Store { return newStore(t) }) // empty each time
	storetest.RunRoles(t, func(t *testing.T) storetest.Harness { return harness(t) })
	storetest.RunLedger(t, func(t *testing.T) scim.Ledger { return newLedger(t) })
	storetest.RunTenants(t, func(t *testing.T) (a, b scim.Store) { return newTenant(t, "a"), newTenant(t, "b") })
	storetest.RunFaults(t, func(t *testing.T) storetest.Faulty { return behindAFailingDriver(t) })
	storetest.RunFilters(t, func(t *testing.T, typ *scim.ResourceType) scim.Store { return newStoreFor(t, typ) }, 1000)
}

// The end of what the page shows.

var _ scim.TxLedger = joined{}

type (
	sqlRows     struct{ commits, rollbacks int }
	txKey       struct{}
	transaction interface {
		Commit() error
		Rollback() error
	}
)

func (*sqlRows) users(context.Context, string, any) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		yield(load(row{ID: "1", Login: "ann", First: "Ann", Status: "active", Doc: []byte(`{"userName": "old", "title": "Dr"}`)}))
	}
}

func (s *sqlRows) listAll(_ context.Context, _ *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	return scim.Scan(q, s.users(context.Background(), "", nil))
}

// counted is a transaction that counts how it ends.
type counted struct{ of *sqlRows }

func (c counted) Commit() error   { c.of.commits++; return nil }
func (c counted) Rollback() error { c.of.rollbacks++; return nil }

func (s *sqlRows) begin(context.Context) (transaction, error) { return counted{s}, nil }

// What the contract is tried on: the memory store, and roles in a map.
func newEmptyStore(*testing.T) scim.Store                   { return memory.New() }
func newStore(*testing.T) scim.Store                        { return memory.New() }
func newTenant(*testing.T, string) scim.Store               { return memory.New() }
func newStoreFor(*testing.T, *scim.ResourceType) scim.Store { return memory.New() }
func newLedger(*testing.T) scim.Ledger                      { return memory.NewLedger() }
func behindAFailingDriver(*testing.T) storetest.Faulty {
	f := &failing{Store: memory.New()}
	return storetest.Faulty{Store: f, Break: f.breakAfter, Heal: f.heal}
}

// failing is the memory store, five methods of it, on a database that can be away.
type failing struct {
	scim.Store
	mu     sync.Mutex
	broken bool
	left   int // calls that still succeed
}

var errAway = errors.New("the database is away")

func (f *failing) breakAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken, f.left = true, n
}

func (f *failing) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = false
}

func (f *failing) call() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken && f.left <= 0 {
		return errAway
	}
	f.left--
	return nil
}

func (f *failing) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	return f.Store.Create(ctx, r)
}

func (f *failing) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	return f.Store.Get(ctx, ref)
}

func (f *failing) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	return f.Store.List(ctx, t, q)
}

func (f *failing) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	if err := f.call(); err != nil {
		return nil, err
	}
	return f.Store.Update(ctx, ref, fn)
}

func (f *failing) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	if err := f.call(); err != nil {
		return err
	}
	return f.Store.Delete(ctx, ref, check)
}

// roleMap keeps roles in maps. It is a scim.RoleResolver by Application.ResolveRoles.
type roleMap struct {
	Application
	mu   sync.Mutex
	held map[string][]scim.Role
}

func newRoleMap() *roleMap {
	return &roleMap{held: map[string][]scim.Role{}, Application: Application{roles: []scim.Role{{ID: "1", Name: "Editor"}, {ID: "2", Name: "Viewer"}}}}
}

func (m *roleMap) HeldRoles(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	held := map[string][]scim.Role{}
	for _, user := range userIDs {
		held[user] = m.held[user]
	}
	return held, nil
}

func (m *roleMap) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	next := maps.Clone(m.held)
	for _, c := range changes {
		goes := func(r scim.Role) bool { return slices.Contains(c.Revoke, r) || slices.Contains(c.Grant, r) }
		next[c.UserID] = append(slices.DeleteFunc(slices.Clone(next[c.UserID]), goes), c.Grant...)
		for _, r := range c.Grant {
			if !slices.Contains(m.roles, r) {
				return scim.ErrNoRole
			}
		}
	}
	m.held = next
	return nil
}

func harness(*testing.T) storetest.Harness {
	m, n := newRoleMap(), 0
	return storetest.Harness{Resolver: m, Roles: m.roles, AddUser: func(context.Context) (string, error) {
		n++
		return fmt.Sprint("user", n), nil
	}}
}

// TestWriteAStore runs the pieces of a store over a database that is not there.
func TestWriteAStore(t *testing.T) {
	f, err := scim.ParseFilter(scim.UserType(), `userName eq "ANN" and title eq "dr"`)
	if err != nil {
		t.Fatal(err)
	}
	s := &sqlRows{}
	for _, q := range []*scim.Query{{Filter: f, Limit: 10, Total: true}, {IDs: []string{"1"}, Limit: 10, Total: true}, {Limit: 10, Total: true}} {
		page, err := s.List(t.Context(), scim.UserType(), q)
		if err != nil || page.Total != 1 || page.Resources[0].String("name.givenName") != "Ann" || !page.Resources[0].Active() {
			t.Errorf("List: %v, error %v; want Ann, whose columns win over the document", page, err)
		}
	}
	inside := errors.New("inside")
	for _, want := range []error{inside, nil} {
		err := s.InTx(t.Context(), func(ctx context.Context) error {
			return s.InTx(ctx, func(context.Context) error { return want })
		})
		if err != want {
			t.Errorf("InTx: %v, want %v", err, want)
		}
	}
	if s.commits != 1 || s.rollbacks != 2 {
		t.Errorf("%d commits and %d rollbacks, want one of each, and one after the commit", s.commits, s.rollbacks)
	}
}
