// Command mapstore is an application that had users and roles before it had SCIM.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"maps"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

type Account struct { // a user, or a team, which has no login
	Login, Email string
	SCIM         *scim.Resource // new: what the client sent
}

type App struct {
	mu       sync.Mutex
	accounts map[scim.Ref]Account
	roles    []string
	holds    map[string][]scim.Role // by the user's id
}

func (a *App) Volatile()             {} // the data is lost when the program ends
func (a *App) lock() (unlock func()) { a.mu.Lock(); return a.mu.Unlock }

func (a *App) get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if ctx.Err() != nil || a.accounts[ref].SCIM == nil {
		return nil, cmp.Or(ctx.Err(), scim.ErrNotFound)
	}
	return a.accounts[ref].SCIM, nil
}

func (a *App) put(r *scim.Resource) (*scim.Resource, error) {
	login := scim.Fold(r.String("userName"))
	for ref, u := range a.accounts {
		if login != "" && ref != r.Ref() && scim.Fold(u.Login) == login {
			return nil, scim.Conflict("userName")
		}
	}
	a.accounts[r.Ref()] = Account{r.String("userName"), r.Primary("emails"), r}
	return r, nil
}

func (a *App) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	defer a.lock()()
	if _, err := a.get(ctx, r.Ref()); err != scim.ErrNotFound {
		return nil, cmp.Or(err, scim.Conflict("id"))
	}
	return a.put(r)
}

func (a *App) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	defer a.lock()()
	return a.get(ctx, ref)
}

func (a *App) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	defer a.lock()()
	return scim.Scan(q, func(yield func(*scim.Resource, error) bool) {
		for ref := range a.accounts {
			if ref.Type == t.Name() && !yield(a.get(ctx, ref)) {
				return
			}
		}
	})
}

func (a *App) Update(ctx context.Context, ref scim.Ref,
	fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	defer a.lock()()
	r, err := a.get(ctx, ref)
	if err == nil {
		r, err = fn(r)
	}
	if err == nil {
		r, err = a.put(r)
	}
	return r, err
}

func (a *App) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	defer a.lock()()
	r, err := a.get(ctx, ref)
	if err == nil {
		err = check(r)
	}
	if err == nil {
		delete(a.accounts, ref)
	}
	return err
}

func (a *App) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if name := src.Name(); slices.Contains(a.roles, name) {
		return []scim.Role{{ID: name, Name: name}}, nil
	}
	return nil, scim.ErrNoRole
}

func (a *App) HeldRoles(_ context.Context, ids []string) (map[string][]scim.Role, error) {
	defer a.lock()()
	held := map[string][]scim.Role{}
	for _, id := range ids {
		held[id] = a.holds[id]
	}
	return held, nil
}

func (a *App) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	defer a.lock()()
	unknown := func(r scim.Role) bool { return !slices.Contains(a.roles, r.ID) }
	next := maps.Collect(maps.All(a.holds)) // a copy: all or nothing
	for _, c := range changes {
		if ctx.Err() != nil || slices.ContainsFunc(c.Grant, unknown) {
			return cmp.Or(ctx.Err(), scim.ErrNoRole)
		}
		in := func(r scim.Role) bool { return slices.Contains(slices.Concat(c.Revoke, c.Grant), r) }
		next[c.UserID] = append(slices.DeleteFunc(slices.Clone(next[c.UserID]), in), c.Grant...)
	}
	a.holds = next
	return nil
}

func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer a.lock()()
	fmt.Fprintln(w, "Who holds which role:", a.holds)
}

func main() {
	app := &App{accounts: map[scim.Ref]Account{}, roles: []string{"Editor", "Viewer"}}
	h, err := scim.New(scim.Config{Auth: auth.Bearer(auth.TokenOf(os.Getenv("SCIM_TOKEN"))),
		Store: app, Roles: &scim.Roles{Resolver: app, Ledger: memory.NewLedger()}})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal((&http.Server{Addr: "localhost:8080", Handler: scim.Mount("/scim/v2", h, app),
		ReadHeaderTimeout: time.Minute, ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute,
		IdleTimeout: 2 * time.Minute}).ListenAndServe())
}
