// Package roletables resolves roles in two tables of the application.
package roletables

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/apptables"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/mapping"
)

// Tables are the RoleTables of package sqlstore, which convert to them.
type Tables struct {
	Roles             string
	ID, Name          string
	Weight, Protected string
	Tenant            string
	Holders           string
	User, Role        string
	Insert            func(user, role string) map[string]any
}

// New returns a scim.RoleResolver over two tables, and looks whether they exist.
func New(ctx context.Context, db *database.DB, t Tables) (scim.RoleResolver, error) {
	var err error
	for what, name := range map[string]string{"Roles": t.Roles, "ID": t.ID, "Name": t.Name, "Holders": t.Holders, "User": t.User, "Role": t.Role} {
		if !dialect.IsName(name) {
			err = errors.Join(err, fmt.Errorf("sqlstore: RoleTables: %s %q: needs the name of a table or column", what, name))
		}
	}
	for what, name := range map[string]string{"Weight": t.Weight, "Protected": t.Protected, "Tenant": t.Tenant} {
		if name != "" && !dialect.IsName(name) {
			err = errors.Join(err, fmt.Errorf("sqlstore: RoleTables: %s %q: needs the name of a column", what, name))
		}
	}
	if err != nil {
		return nil, err
	}
	err = db.Retry(ctx, func() error {
		return errors.Join(apptables.CheckNames(ctx, db, t.Roles, "", mapping.NonEmpty(t.ID, t.Name, t.Weight, t.Protected, t.Tenant)...), apptables.CheckNames(ctx, db, t.Holders, "", t.User, t.Role))
	})
	if err != nil {
		return nil, err
	}
	return &resolver{db, t}, nil
}

// resolver is a scim.RoleResolver.
type resolver struct {
	db *database.DB
	t  Tables
}

// columns are those of a role, as r, that method role scans.
func (r *resolver) columns() string {
	text := "CAST(r." + r.t.ID + " AS text), r." + r.t.Name
	for _, c := range []string{r.t.Weight, r.t.Protected} {
		if c == "" {
			text += ", NULL"
		} else {
			text += ", r." + c
		}
	}
	return text
}

// role scans a role, and more.
func (r *resolver) role(scan func(dest ...any) error, more ...any) (role scim.Role, err error) {
	var name *string
	var weight *float64 // The column may be numeric.
	var protected *bool
	if err := scan(append([]any{&role.ID, &name, &weight, &protected}, more...)...); err != nil {
		return role, err
	}
	if name != nil {
		role.Name = *name
	}
	if weight != nil {
		role.Weight = int(*weight)
	}
	role.Protected = protected != nil && *protected
	return role, nil
}

// mine is the condition that a role, as r, belongs to the tenant.
func (r *resolver) mine(w *dialect.Arguments) string {
	if r.t.Tenant == "" {
		return "1 = 1"
	}
	return "r." + r.t.Tenant + " = " + w.Add(r.db.Tenant)
}

// find lists the roles that satisfy a condition, in order of id.
func (r *resolver) find(ctx context.Context, w *dialect.Arguments, condition, lock string) (all []scim.Role, err error) {
	err = r.db.EachAppRow(ctx, w, "SELECT "+r.columns()+" FROM "+r.t.Roles+" AS r WHERE "+r.mine(w)+" AND "+condition+" ORDER BY r."+r.t.ID+lock,
		func(scan func(...any) error) error {
			role, err := r.role(scan)
			all = append(all, role)
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("sqlstore: roles: %w", err)
	}
	return all, nil
}

// ResolveRoles implements scim.RoleResolver.
func (r *resolver) ResolveRoles(ctx context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if len(src.Linked) > 0 {
		ids := make([]string, len(src.Linked))
		for i, role := range src.Linked {
			ids[i] = role.ID
		}
		w := r.db.Arguments()
		linked, err := r.find(ctx, w, "CAST(r."+r.t.ID+" AS text) IN ("+w.AddAll(ids)+")", "")
		if err != nil || len(linked) > 0 {
			return linked, err
		}
	}
	name := src.Name()
	w := r.db.Arguments()
	same, err := r.find(ctx, w, "CAST(r."+r.t.Name+" AS text) IN ("+w.AddAll([]string{name, norm.NFC.String(name), norm.NFD.String(name)})+")", "")
	if err != nil {
		return nil, err
	}
	for _, role := range same { // The column's collation may compare differently.
		if norm.NFC.String(role.Name) == norm.NFC.String(name) {
			return []scim.Role{role}, nil
		}
	}
	if src.Group != nil {
		return nil, scim.ErrNoRole
	}
	return nil, r.refusal(ctx, src)
}

// refusal returns the error that tells a client which roles an attribute can name.
func (r *resolver) refusal(ctx context.Context, src scim.RoleSource) error {
	w := r.db.Arguments()
	var names []string
	err := r.db.EachAppRow(ctx, w, "SELECT r."+r.t.Name+" FROM "+r.t.Roles+" AS r WHERE "+r.mine(w)+" AND r."+r.t.Name+" IS NOT NULL ORDER BY r."+r.t.ID+" LIMIT 21",
		database.Texts(&names))
	if err != nil {
		return fmt.Errorf("sqlstore: roles: %w", err)
	}
	if len(names) > 20 {
		names[20] = "and others"
	}
	return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Err: scim.ErrNoRole,
		Detail: fmt.Sprintf("%s: there is no role %.100q; the roles are %s", src.Attribute, src.Value, strings.Join(names, ", "))}
}

// HeldRoles implements scim.RoleResolver.
func (r *resolver) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	held := make(map[string][]scim.Role, len(userIDs))
	known, err := r.knownIDs(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(known, dialect.MaxArguments) {
		w := r.db.Arguments()
		err := r.db.EachAppRow(ctx, w, "SELECT "+r.columns()+", CAST(h."+r.t.User+" AS text) FROM "+r.t.Holders+" AS h JOIN "+r.t.Roles+" AS r ON r."+r.t.ID+" = h."+r.t.Role+
			" WHERE "+r.mine(w)+" AND h."+r.t.User+" IN ("+w.AddAll(part)+")", func(scan func(...any) error) error {
			var user string
			role, err := r.role(scan, &user)
			held[user] = append(held[user], role)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("sqlstore: roles of %d users: %w", len(userIDs), err)
		}
	}
	return held, nil
}

// knownIDs leaves out ids that no user has, because the type of the column may not accept
// them. The ledger still knows users that the application has hidden: what SCIM gave them
// must be taken.
func (r *resolver) knownIDs(ctx context.Context, userIDs []string) (known []string, err error) {
	for _, from := range []string{
		r.db.Dialect.Each(r.db.Dialect.Texts("$2"), "resources", "u", "u.tenant = $1 AND u.type = 'User' AND u.deleted = 0 AND u.id = w.value", ""),
		r.db.Dialect.Each(r.db.Dialect.Texts("$2"), "grants", "g", "g.tenant = $1 AND g.user_id = w.value", ""),
	} {
		err = r.db.Each(ctx, database.Texts(&known), "SELECT w.value"+from, dialect.List(dialect.Distinct(userIDs)))
		if err != nil {
			return nil, fmt.Errorf("sqlstore: look up %d users: %w", len(userIDs), err)
		}
	}
	return dialect.Distinct(known), nil
}

// ChangeRoles implements scim.RoleResolver. It compares the role as a text. This keeps the
// database from reading everybody who has the role, because the users are few.
func (r *resolver) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	give, take := map[string][]string{}, map[string][]string{} // They are users, by role.
	for _, c := range changes {
		for _, role := range c.Grant {
			give[role.ID] = append(give[role.ID], c.UserID)
		}
		for _, role := range c.Revoke {
			take[role.ID] = append(take[role.ID], c.UserID)
		}
	}
	err := r.db.Write(ctx, func(ctx context.Context) error {
		for _, role := range slices.Sorted(maps.Keys(take)) {
			for part := range slices.Chunk(dialect.Distinct(take[role]), dialect.MaxArguments) {
				w := r.db.Arguments()
				if err := r.db.ExecApp(ctx, w, "DELETE FROM "+r.t.Holders+" WHERE CAST("+r.t.Role+" AS text) = "+w.Add(role)+
					" AND "+r.t.User+" IN ("+w.AddAll(part)+")"); err != nil {
					return err
				}
			}
		}
		for _, role := range slices.Sorted(maps.Keys(give)) {
			err := r.grant(ctx, role, dialect.Distinct(give[role]))
			if database.IsDangling(err) { // The application has just deleted a user or the role.
				return fmt.Errorf("%w: %w", database.ErrMoved, err)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("sqlstore: change the roles of %d users: %w", len(changes), err)
	}
	return nil
}

// grant gives a role to users who do not have it.
func (r *resolver) grant(ctx context.Context, role string, users []string) error {
	lock := ""
	if r.db.Dialect == dialect.Postgres {
		lock = " FOR KEY SHARE" // Nobody can delete the role before this is committed.
	}
	w := r.db.Arguments()
	known, err := r.find(ctx, w, "CAST(r."+r.t.ID+" AS text) = "+w.Add(role), lock)
	if err != nil {
		return err
	}
	if len(known) == 0 {
		return fmt.Errorf("role %q: %w", role, scim.ErrNoRole)
	}
	for part := range slices.Chunk(users, dialect.MaxArguments) {
		has := make(map[string]bool)
		w := r.db.Arguments()
		err := r.db.EachAppRow(ctx, w, "SELECT CAST("+r.t.User+" AS text) FROM "+r.t.Holders+" WHERE CAST("+r.t.Role+" AS text) = "+w.Add(role)+
			" AND "+r.t.User+" IN ("+w.AddAll(part)+")", func(scan func(...any) error) error {
			var user string
			err := scan(&user)
			has[user] = true
			return err
		})
		if err != nil {
			return err
		}
		rows := make([][]mapping.Setting, 0, len(part))
		for _, user := range part {
			if has[user] {
				continue
			}
			row := []mapping.Setting{{Column: r.t.User, Value: user}, {Column: r.t.Role, Value: role}}
			if r.t.Insert != nil {
				row = append(row, mapping.SettingsOf(r.t.Insert(user, role))...)
			}
			rows = append(rows, row)
		}
		if _, err := apptables.InsertMissing(ctx, r.db, r.t.Holders, rows); err != nil {
			return err
		}
	}
	return nil
}
