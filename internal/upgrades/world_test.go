package upgrades

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
)

var postgres pgtest.Server

// world is a way to use sqlstore.
type world struct {
	name   string
	prefix string
	mapped bool // users and groups are rows of the application
	alone  bool // the ledger is in another database than users and groups
}

var worlds = []world{{name: "own"}, {name: "mapped", prefix: "idp_x2_", mapped: true}, {name: "ledger", prefix: "led_", alone: true}}

// tenants are the tenants of a world: one whose users have any number of roles, and one
// whose users have one.
var tenants = map[string]bool{"first": false, `o'ther "ü"`: true}

// place is a database of a world.
type place struct {
	world
	db *sql.DB
	d  sqlstore.Dialect
	// users is the database of users and groups if the ledger is alone, else nil.
	users *sql.DB
}

// appTables are the tables of the application that is there before any store.
const appTables = `CREATE TABLE held (tenant text NOT NULL, user_id text NOT NULL, role text NOT NULL, PRIMARY KEY (user_id, role));
CREATE TABLE people (id text PRIMARY KEY, org text NOT NULL, email text NOT NULL, status text NOT NULL);
CREATE TABLE teams (id text PRIMARY KEY, org text NOT NULL, title text);
CREATE TABLE team_people (team_id text NOT NULL REFERENCES teams (id), person_id text NOT NULL REFERENCES people (id), PRIMARY KEY (team_id, person_id))`

func (p *place) options(name string) sqlstore.Options {
	o := sqlstore.Options{Tenant: name, Prefix: p.prefix, Now: clock(), Log: slog.New(slog.DiscardHandler)}
	if p.mapped {
		o.Tables = []sqlstore.Table{
			{Type: "User", Name: "people", Key: "id", KeepID: true, Tenant: "org", Columns: []sqlstore.Column{
				{Name: "email", Path: "userName"}, sqlstore.ActiveWhen("status", "active", "left")}},
			{Type: "Group", Name: "teams", Key: "id", KeepID: true, Tenant: "org", Columns: []sqlstore.Column{{Name: "title", Path: "displayName"}}},
		}
		o.Members = &sqlstore.Join{Name: "team_people", Group: "team_id", User: "person_id"}
	}
	return o
}

// migrator is a Store or a Ledger.
type migrator interface {
	Migrate(ctx context.Context) error
}

// schemas are the parts of a world that migrate, for one tenant. The last one is in the
// database under test.
func (p *place) schemas(name string) (*sqlstore.Store, *sqlstore.Ledger, []migrator, error) {
	o := p.options(name)
	if !p.alone {
		store, err := sqlstore.New(p.db, p.d, o)
		return store, nil, []migrator{store}, err
	}
	ledger, err := sqlstore.NewLedger(p.db, p.d, o)
	if err != nil {
		return nil, nil, nil, err
	}
	o.Prefix = ""
	store, err := sqlstore.New(p.users, sqlstore.SQLite, o)
	return store, ledger, []migrator{store, ledger}, err
}

// migrate migrates all that a tenant has.
func (p *place) migrate(ctx context.Context, name string) error {
	_, _, all, err := p.schemas(name)
	if err != nil {
		return err
	}
	for _, m := range all {
		if err := m.Migrate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tenant is a tenant of a place, whose tables are migrated.
type tenant struct {
	*place
	name      string
	exclusive bool
	h         *scim.Handler
	roles     *scim.Reconciler
	newID     string       // the id of the next resource
	changes   atomic.Int64 // calls of ChangeRoles
	events    []string     // of roles
}

// open opens a tenant of the place after its tables were migrated.
func (p *place) open(t *testing.T, name string, exclusive bool) *tenant {
	t.Helper()
	if err := p.migrate(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	store, ledger, _, err := p.schemas(name)
	check(t, err)
	n := &tenant{place: p, name: name, exclusive: exclusive}
	roles := &scim.Roles{Resolver: n, Attributes: []string{"userType"}, Exclusive: exclusive}
	if ledger != nil {
		roles.Ledger, roles.Separate = ledger, true
	}
	n.h, err = scim.New(scim.Config{Store: store, Auth: auth.None(), Roles: roles, BaseURL: "https://app.example.com", Now: clock(),
		NewID: func() string { return n.newID }, Log: slog.New(slog.DiscardHandler),
		OnEvent: func(_ context.Context, e scim.Event) {
			if strings.HasPrefix(string(e.Kind), "role.") || strings.HasPrefix(string(e.Kind), "group.") {
				n.events = append(n.events, fmt.Sprint(e.Kind, " ", e.Resource.ID))
			}
		}})
	check(t, err)
	n.roles, err = n.h.Reconciler(nil)
	check(t, err)
	return n
}

// clock is a clock that begins at the same time at each start.
func clock() func() time.Time {
	var n atomic.Int64
	return func() time.Time {
		return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).Add(time.Duration(n.Add(1)) * time.Millisecond)
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (n *tenant) exec(ctx context.Context, text string, args ...any) error {
	if tx := sqlstore.Tx(ctx, n.db); tx != nil {
		_, err := tx.ExecContext(ctx, text, args...)
		return err
	}
	_, err := n.db.ExecContext(ctx, text, args...)
	return err
}

// ResolveRoles implements scim.RoleResolver.
func (n *tenant) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if r, ok := roleFor[src.Name()]; ok {
		return []scim.Role{r}, nil
	}
	return nil, scim.ErrNoRole
}

// HeldRoles implements scim.RoleResolver.
func (n *tenant) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	query := n.db.QueryContext
	if tx := sqlstore.Tx(ctx, n.db); tx != nil {
		query = tx.QueryContext
	}
	asked := make(map[string]bool)
	for _, id := range userIDs {
		asked[id] = true
	}
	rows, err := query(ctx, "SELECT user_id, role FROM held WHERE tenant = $1 ORDER BY role", n.name)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err tells
	held := make(map[string][]scim.Role)
	for rows.Next() {
		var user, id string
		if err := rows.Scan(&user, &id); err != nil {
			return nil, err
		}
		for _, r := range []scim.Role{viewer, editor, odd, admin, auditor} {
			if r.ID == id && asked[user] {
				held[user] = append(held[user], r)
			}
		}
	}
	return held, rows.Err()
}

// ChangeRoles implements scim.RoleResolver.
func (n *tenant) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	n.changes.Add(1)
	for _, c := range changes {
		for _, r := range c.Revoke {
			if err := n.exec(ctx, "DELETE FROM held WHERE tenant = $1 AND user_id = $2 AND role = $3", n.name, c.UserID, r.ID); err != nil {
				return err
			}
		}
		for _, r := range c.Grant {
			if err := n.exec(ctx, "INSERT INTO held (tenant, user_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", n.name, c.UserID, r.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// id is the id of a user or a group. Tables of the application are shared by tenants.
func (n *tenant) id(name string) string {
	if n.exclusive {
		return "x-" + name
	}
	return name
}

type object = map[string]any

// do makes a request and returns the answer.
func (n *tenant) do(t *testing.T, method, path string, body any) []byte {
	t.Helper()
	text, err := json.Marshal(body)
	check(t, err)
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(string(text)))
	r.Header.Set("Content-Type", "application/scim+json")
	n.h.ServeHTTP(w, r)
	if w.Code >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

func (n *tenant) user(t *testing.T, name, userType string) {
	t.Helper()
	n.newID = n.id(name)
	body := object{"userName": name + "@example.com", "active": true, "externalId": "ext-" + name}
	if userType != "" {
		body["userType"] = userType
	}
	n.do(t, http.MethodPost, "/Users", body)
}

func (n *tenant) group(t *testing.T, name, displayName string, members ...string) {
	t.Helper()
	n.newID = n.id(name)
	var refs []object
	for _, m := range members {
		refs = append(refs, object{"value": n.id(m)})
	}
	n.do(t, http.MethodPost, "/Groups", object{"displayName": displayName, "members": refs})
}

// patch sends one operation of a PATCH.
func (n *tenant) patch(t *testing.T, endpoint, name, op, path string, value any) {
	t.Helper()
	o := object{"op": op, "path": path}
	if value != nil {
		o["value"] = value
	}
	n.do(t, http.MethodPatch, "/"+endpoint+"/"+strings.ReplaceAll(n.id(name), "%", "%25"), object{"Operations": []object{o}})
}

func (n *tenant) rename(t *testing.T, name, displayName string) {
	t.Helper()
	n.patch(t, "Groups", name, "replace", "displayName", displayName)
}

func (n *tenant) active(t *testing.T, name string, active bool) {
	t.Helper()
	n.patch(t, "Users", name, "replace", "active", active)
}

func (n *tenant) remove(t *testing.T, endpoint, name string) {
	t.Helper()
	n.do(t, http.MethodDelete, "/"+endpoint+"/"+n.id(name), nil)
}

// byHand gives a role in the application.
func (n *tenant) byHand(t *testing.T, name string, role scim.Role) {
	t.Helper()
	check(t, n.roles.GiveByHand(t.Context(), n.id(name), role, func(ctx context.Context) error {
		return n.exec(ctx, "INSERT INTO held (tenant, user_id, role) VALUES ($1, $2, $3)", n.name, n.id(name), role.ID)
	}))
}

func (n *tenant) confirm(t *testing.T, group string, role scim.Role, users ...string) {
	t.Helper()
	for i, u := range users {
		users[i] = n.id(u)
	}
	check(t, n.roles.Confirm(t.Context(), n.id(group), role, users...))
}

func (n *tenant) confirmValue(t *testing.T, value string, role scim.Role) {
	t.Helper()
	check(t, n.roles.ConfirmValue(t.Context(), "userType", value, role))
}

// view is what a tenant shows: what clients read, and what Explain says of each user.
type view struct {
	Users, Groups []object
	Explain       map[string][]explained
	// Held are the roles of each user in the application.
	Held map[string][]string
}

// explained is a scim.Explanation in a form that stays.
type explained struct {
	Role, State string
	Protected   bool     `json:",omitempty"`
	Sources     []string `json:",omitempty"`
	Reason      string
}

// look reads what a tenant shows.
func (n *tenant) look(t *testing.T) view {
	t.Helper()
	v := view{Explain: map[string][]explained{}, Held: map[string][]string{}}
	var users, groups struct{ Resources []object }
	check(t, json.Unmarshal(n.do(t, http.MethodGet, "/Users?count=100", nil), &users))
	check(t, json.Unmarshal(n.do(t, http.MethodGet, "/Groups?count=100", nil), &groups))
	v.Users, v.Groups = users.Resources, groups.Resources
	for _, r := range append(v.Users, v.Groups...) {
		delete(r, "meta") // Versions are random.
	}
	for _, u := range v.Users {
		id := u["id"].(string)
		list, err := n.roles.Explain(t.Context(), id)
		check(t, err)
		for _, e := range list {
			x := explained{Role: e.Role.ID, State: string(e.State), Protected: e.Role.Protected, Reason: e.Reason}
			for _, s := range e.Sources {
				x.Sources = append(x.Sources, string(s))
			}
			v.Explain[id] = append(v.Explain[id], x)
		}
		held, err := n.HeldRoles(t.Context(), []string{id})
		check(t, err)
		for _, r := range held[id] {
			v.Held[id] = append(v.Held[id], r.ID)
		}
	}
	return v
}

// all runs Reconciler.All to its end.
func (n *tenant) all(t *testing.T) {
	t.Helper()
	for next, more := "", true; more; more = next != "" {
		var err error
		next, err = n.roles.All(t.Context(), next)
		check(t, err)
	}
}
