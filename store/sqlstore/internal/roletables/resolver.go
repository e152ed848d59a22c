package roletables

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// New returns a scim.RoleResolver over shapes, and looks whether their tables exist. Each
// shape has scopes of its own.
func New(ctx context.Context, db *database.DB, shapes []Shape) (scim.RoleResolver, error) {
	if len(shapes) == 0 {
		return nil, errors.New("sqlstore: RoleResolver: needs a RoleTables or a RoleColumn")
	}
	r := &resolver{db: db}
	for _, declared := range shapes {
		s, err := bind(ctx, db, declared)
		if err != nil {
			return nil, err
		}
		for _, other := range r.shapes {
			if s.overlaps(other) {
				return nil, fmt.Errorf("sqlstore: RoleResolver: %s and %s: the scopes %q and %q are not distinct", other.Holders, s.Holders, other.Scope.Name, s.Scope.Name)
			}
		}
		r.shapes = append(r.shapes, s)
	}
	return r.withCreator()
}

// resolver is a scim.RoleResolver.
type resolver struct {
	db     *database.DB
	shapes []*shape
}

// owner returns the shape that a scope belongs to, or nil.
func (r *resolver) owner(scope string) *shape {
	for _, s := range r.shapes {
		if s.owns(scope) {
			return s
		}
	}
	return nil
}

// ResolveRoles implements scim.RoleResolver.
func (r *resolver) ResolveRoles(ctx context.Context, src scim.RoleSource) (all []scim.Role, err error) {
	var asked []*shape
	var reason error
	for _, s := range r.shapes {
		roles, isAsked, err := s.match(ctx, src)
		var refusal *scim.Error
		switch {
		case errors.Is(err, scim.ErrNoRole), errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError:
			reason = err
		case err != nil:
			return nil, err
		}
		if isAsked {
			asked = append(asked, s)
		}
		all = append(all, roles...)
	}
	switch {
	case len(all) > 0:
		return all, nil
	case reason != nil:
		return nil, reason
	case src.Group != nil:
		return nil, scim.ErrNoRole
	default:
		return nil, r.refusal(ctx, src, asked)
	}
}

// refusal returns the error that tells a client which roles an attribute can name.
func (r *resolver) refusal(ctx context.Context, src scim.RoleSource, asked []*shape) error {
	const most = 20
	var names []string
	for _, s := range asked {
		some, err := s.names(ctx, most+1-len(names))
		if err != nil {
			return err
		}
		names = append(names, some...)
	}
	if len(names) > most {
		names[most] = "and others"
	}
	detail := fmt.Sprintf("%s: there is no role %.100q", src.Attribute, src.Value)
	if len(names) > 0 {
		detail += "; the roles are " + strings.Join(names, ", ")
	}
	return &scim.Error{Status: http.StatusBadRequest, Type: "invalidValue", Err: scim.ErrNoRole, Detail: detail}
}

// HeldRoles implements scim.RoleResolver.
func (r *resolver) HeldRoles(ctx context.Context, userIDs []string) (map[string][]scim.Role, error) {
	held := make(map[string][]scim.Role, len(userIDs))
	known, err := r.knownIDs(ctx, userIDs)
	if err != nil {
		return nil, err
	}
	for part := range slices.Chunk(known, dialect.MaxArguments) {
		for _, s := range r.shapes {
			err := s.held(ctx, part, func(user string, role scim.Role) {
				if !slices.Contains(held[user], role) { // Two rows may say the same.
					held[user] = append(held[user], role)
				}
			})
			if err != nil {
				return nil, fmt.Errorf("sqlstore: roles of %d users: %w", len(userIDs), err)
			}
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

// held calls add for each role that users hold in the shape. It leaves out the base role.
func (s *shape) held(ctx context.Context, users []string, add func(user string, role scim.Role)) error {
	w := s.db.Arguments()
	text := "SELECT " + s.columns() + ", " + s.db.Dialect.AsText("h."+s.User) + ", " + s.id() + ", " + s.scope() + " FROM " + s.Holders + " AS h"
	if s.Roles != "" {
		if s.IsColumn { // Whatever a column holds takes its place.
			text += " LEFT"
		}
		text += " JOIN " + s.Roles + " AS t ON t." + s.ID + " = h." + s.Role
	}
	text += " WHERE " + ofTenant(s, w) + " AND h." + s.Role + " IS NOT NULL AND h." + s.User + " IN (" + w.AddAll(users) + ")"
	if s.Scope.Column != "" {
		text += " AND h." + s.Scope.Column + " IS NOT NULL"
	}
	if s.Tenant != "" && !s.IsColumn {
		text += " AND t." + s.Tenant + " = " + w.Add(s.db.Tenant)
	}
	return s.db.EachAppRow(ctx, w, text, func(scan func(...any) error) error {
		var user, id, scope string
		role, err := scanRole(scan, &user, &id, &scope)
		if err != nil || id == "" || s.isBase(id) {
			return err
		}
		if role.ID == "" { // It is in the List, or unknown to the declaration.
			role = scim.Role{ID: id, Name: id}
			if i := slices.IndexFunc(s.List, func(r scim.Role) bool { return r.ID == id }); i >= 0 {
				role = s.List[i]
			}
		}
		role.Scope = s.Scope.Name + scope
		add(user, role)
		return nil
	})
}

// isBase reports whether a value that is not NULL means that a user has no role. False is
// one too, unless it is in the List.
func (s *shape) isBase(id string) bool {
	if !s.IsColumn {
		return false
	}
	if s.isBool && id == "false" {
		return !slices.ContainsFunc(s.List, func(r scim.Role) bool { return r.ID == id })
	}
	return s.Base != nil && id == s.base
}

// edit is what changes for one user in one scope. give and take are ids of roles.
type edit struct {
	user, scope string
	give, take  []string
}

// ChangeRoles implements scim.RoleResolver.
func (r *resolver) ChangeRoles(ctx context.Context, changes []scim.RoleChange) error {
	edits, err := r.edits(changes)
	if err == nil {
		err = r.db.Write(ctx, func(ctx context.Context) error { return r.carryOut(ctx, edits) })
	}
	if errors.Is(err, errTaken) && database.Tx(ctx, r.db.Pool) != nil {
		err = fmt.Errorf("%w: %w", database.ErrMoved, err) // The transaction that has read the roles can run again.
	}
	if err != nil {
		return fmt.Errorf("sqlstore: change the roles of %d users: %w", len(changes), err)
	}
	return nil
}

// edits sorts changes by shape, user and scope. Each list is in order of user and scope.
func (r *resolver) edits(changes []scim.RoleChange) (map[*shape][]edit, error) {
	type key struct{ user, scope string }
	all := map[key]*edit{}
	of := func(user, scope string) *edit {
		k := key{user, scope}
		if all[k] == nil {
			all[k] = &edit{user: user, scope: scope}
		}
		return all[k]
	}
	for _, c := range changes {
		for _, role := range c.Grant {
			if r.owner(role.Scope) == nil {
				return nil, fmt.Errorf("role %q: scope %q: %w", role.ID, role.Scope, scim.ErrNoRole)
			}
			e := of(c.UserID, role.Scope)
			e.give = append(e.give, role.ID)
		}
		for _, role := range c.Revoke {
			if r.owner(role.Scope) != nil { // Nobody has a role that does not exist.
				e := of(c.UserID, role.Scope)
				e.take = append(e.take, role.ID)
			}
		}
	}
	edits := map[*shape][]edit{}
	for _, e := range all {
		s := r.owner(e.scope)
		edits[s] = append(edits[s], *e)
	}
	for _, list := range edits {
		slices.SortFunc(list, func(a, b edit) int { return cmp.Or(strings.Compare(a.user, b.user), strings.Compare(a.scope, b.scope)) })
	}
	return edits, nil
}

// carryOut makes all edits in the transaction that ctx carries. It looks at the roles to
// give before it writes anything.
func (r *resolver) carryOut(ctx context.Context, edits map[*shape][]edit) error {
	for _, s := range r.shapes {
		for _, p := range sorted(places(edits[s], func(e edit) []string { return e.give })) {
			if err := s.lockExisting(ctx, p); err != nil {
				return err
			}
		}
	}
	for _, s := range r.shapes {
		if len(edits[s]) == 0 {
			continue
		}
		change := s.changeRows
		if s.IsColumn {
			change = s.changeCells
		}
		err := change(ctx, edits[s])
		if database.IsDangling(err) { // The application has just deleted a user or the role.
			err = fmt.Errorf("%w: %w", database.ErrMoved, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place is a role in a scope.
type place struct{ scope, role string }

// places returns users by the roles that part names.
func places(edits []edit, part func(edit) []string) map[place][]string {
	users := map[place][]string{}
	for _, e := range edits {
		for _, role := range part(e) {
			p := place{e.scope, role}
			users[p] = append(users[p], e.user)
		}
	}
	return users
}

// sorted returns the keys in order, so that all transactions write in one order.
func sorted(users map[place][]string) []place {
	return slices.SortedFunc(maps.Keys(users), func(a, b place) int {
		return cmp.Or(strings.Compare(a.scope, b.scope), strings.Compare(a.role, b.role))
	})
}
