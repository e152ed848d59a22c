package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Whatever the clients of one organisation do, what another one sees stays as it is: its users with
// their versions, its teams and their members, its memberships in the application. People are
// in several organisations, under any policy of the application.
func TestMappedOrgsProperty(t *testing.T) {
	steps := 150
	if os.Getenv("SCIM_LONG") == "1" {
		steps = 3000
	}
	inOrgs(t, func(a app) {
		seed := rand.Uint64()
		a.t.Logf("seed %d", seed)
		h := &orgHistory{app: a, random: rand.New(rand.NewPCG(seed, 1))}
		for i, org := range []string{"o", "p", "q"} {
			find := byEmail(a.db, a.d)
			o := orgOptions(org, func(ctx context.Context, r *scim.Resource) (any, error) {
				if h.refuses {
					return nil, nil
				}
				return find(ctx, r)
			})
			if i == 1 {
				o = retiring(o)
			}
			h.orgs = append(h.orgs, a.of(o))
		}
		for n := range steps {
			if h.step(n); a.t.Failed() {
				return
			}
		}
	})
}

// orgHistory is a random history of organisations in one database.
type orgHistory struct {
	app
	random  *rand.Rand
	orgs    []app
	refuses bool // refuses says that the application lets nobody in whom it has already.
}

// step makes a random step. A client's step is one of one organisation.
func (h *orgHistory) step(n int) {
	actor := h.random.IntN(len(h.orgs))
	org := h.orgs[actor]
	h.refuses = h.random.IntN(3) == 0
	if h.random.IntN(4) == 0 {
		h.applicationWrites(actor)
		return
	}
	before := make([][]string, len(h.orgs))
	for i := range h.orgs {
		before[i] = h.view(i)
	}
	what, err := h.clientWrites(org)
	var refusal *scim.Error
	if err != nil && !errors.Is(err, scim.ErrNotFound) && !errors.As(err, &refusal) {
		h.t.Fatalf("step %d: organisation %d %s: %v", n, actor, what, err)
	}
	for i := range h.orgs {
		if i == actor && err == nil {
			continue
		}
		if diff := cmp.Diff(before[i], h.view(i)); diff != "" {
			h.t.Fatalf("step %d: organisation %d %s (%v); organisation %d sees (-before +after):\n%s", n, actor, what, err, i, diff)
		}
	}
}

// view is what an organisation sees, and what the application has of it.
func (h *orgHistory) view(i int) (all []string) {
	h.t.Helper()
	org := h.orgs[i]
	for _, typ := range []*scim.ResourceType{scim.UserType(), scim.GroupType()} {
		page, err := org.s.List(h.t.Context(), typ, &scim.Query{Limit: 1000})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, r := range page.Resources {
			text, err := r.MarshalJSON()
			if err != nil {
				h.t.Fatal(err)
			}
			line := fmt.Sprint(typ.Name(), r.ID(), string(text), r.Meta().Version)
			if typ.Name() == "Group" {
				line += fmt.Sprint(org.members(r.ID()))
			}
			all = append(all, line)
		}
	}
	rows, err := h.db.Query(says(h.d, "SELECT user_id, status, coalesce(title, '-') FROM org_members WHERE org_id = '"+[]string{"o", "p", "q"}[i]+"' ORDER BY user_id"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // Err reports it
	for rows.Next() {
		var id, status, title string
		if err := rows.Scan(&id, &status, &title); err != nil {
			h.t.Fatal(err)
		}
		all = append(all, "row "+id+" "+status+" "+title)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return all
}

// name is one of few names, in one of few spellings.
func (h *orgHistory) name() string {
	name := fmt.Sprintf("u%d@x.com", h.random.IntN(6))
	if h.random.IntN(4) == 0 {
		name = strings.ToUpper(name)
	}
	return name
}

// clientWrites makes a random write of a client.
func (h *orgHistory) clientWrites(org app) (what string, err error) {
	ctx := h.t.Context()
	values := map[string]any{}
	for path, value := range map[string]any{"displayName": fmt.Sprint("n", h.random.IntN(9)), "title": fmt.Sprint("t", h.random.IntN(9)), "active": h.random.IntN(2) == 0, "nickName": "x"} {
		if h.random.IntN(2) == 0 {
			values[path] = value
		}
	}
	ref := scim.Ref{Type: "User", ID: fmt.Sprint(1 + h.random.IntN(8))}
	switch h.random.IntN(7) {
	case 0, 1:
		name := h.name()
		if h.random.IntN(2) == 0 {
			_, err = org.s.Create(ctx, user(h.t, name, values))
			return "creates " + name, err
		}
		values["userName"] = name
		return "adopts " + name, h.adopt(org, bind(h.t, scim.UserType(), values))
	case 2:
		return "deletes " + ref.ID, org.s.Delete(ctx, ref, func(*scim.Resource) error { return nil })
	case 3:
		values["userName"] = h.name()
		fallthrough
	case 4:
		_, err = org.s.Update(ctx, ref, func(r *scim.Resource) (*scim.Resource, error) { return r.With(values) })
		return fmt.Sprint("updates ", ref.ID, " to ", values), err
	case 5:
		_, err = org.s.Create(ctx, group(h.t, "team"))
		return "creates a team", err
	default:
		team := fmt.Sprint(1 + h.random.IntN(6))
		var add, remove []scim.Ref
		if h.random.IntN(3) > 0 {
			add = []scim.Ref{ref}
		} else {
			remove = []scim.Ref{ref}
		}
		_, _, err = org.s.ChangeMembers(ctx, team, add, remove)
		return fmt.Sprint("changes team ", team, ": ", add, remove), err
	}
}

// adopt creates a user as the handler does with the rule Adopt.
func (h *orgHistory) adopt(org app, r *scim.Resource) error {
	return org.s.InTx(h.t.Context(), func(ctx context.Context) error {
		c := &scim.Change{Op: scim.OpCreate, After: r}
		if err := org.s.Adopt(sqlstore.SameName)(ctx, c); err != nil {
			return err
		}
		if c.Adopt == "" {
			_, err := org.s.Create(ctx, r)
			return err
		}
		_, err := org.s.Update(ctx, scim.Ref{Type: "User", ID: c.Adopt}, func(was *scim.Resource) (*scim.Resource, error) { return c.After.WithMeta(was.Meta()), nil })
		return err
	})
}

// applicationWrites makes a random write of the application, which all organisations may see.
func (h *orgHistory) applicationWrites(actor int) {
	id, org := 1+h.random.IntN(8), []string{"o", "p", "q"}[actor]
	text := []string{
		fmt.Sprintf("UPDATE users SET name = 'app%d' WHERE id = %d", h.random.IntN(9), id),
		fmt.Sprintf("UPDATE org_members SET status = 'suspended' WHERE user_id = %d AND org_id = '%s'", id, org),
		fmt.Sprintf("INSERT INTO org_members (org_id, user_id) SELECT '%s', u.id FROM users u WHERE u.id = %d AND NOT EXISTS (SELECT 1 FROM org_members m WHERE m.user_id = u.id AND m.org_id = '%[1]s')", org, id),
		fmt.Sprintf("DELETE FROM org_members WHERE user_id = %d AND org_id = '%s'", id, org),
		fmt.Sprintf("DELETE FROM users WHERE id = %d AND id > 5", id),
	}[h.random.IntN(5)]
	h.exec(text)
}
