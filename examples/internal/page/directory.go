package page

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// Directory makes the tables of people, groups and roles, each with where it came from.
type Directory struct {
	// Store has the people and groups, and the ledger.
	Store interface {
		scim.Store
		scim.Ledger
	}
	// User and Group are the types of the store. Group is nil if the application has no groups.
	User, Group *scim.ResourceType
	// Reconciler is the application's handle on roles. Nil: there are no roles.
	Reconciler *scim.Reconciler
	// Roles lists the roles that an administrator can give by hand.
	Roles func(ctx context.Context) ([]scim.Role, error)
	// Clients returns the names of the clients by Principal.ID, such as the labels of their tokens. It may be nil.
	Clients func(ctx context.Context) (map[string]string, error)
	// RoleOf names a role. Nil: by its Name.
	RoleOf func(r scim.Role) string
}

// most is the largest number of people or groups on a page.
const most = 200

// People lists the people, whence each came, and the roles of each with their sources. If give and take are
// actions of the site, they get the fields user and role.
func (d *Directory) People(ctx context.Context, give, take string) (Section, error) {
	groups, err := d.names(ctx)
	if err != nil {
		return Section{}, err
	}
	users, err := d.Store.List(ctx, d.User, &scim.Query{Limit: most})
	if err != nil {
		return Section{}, err
	}
	origins, err := d.Origins(ctx, refsOf(users.Resources)...)
	if err != nil {
		return Section{}, err
	}
	var options []Option
	if give != "" {
		roles, err := d.Roles(ctx)
		if err != nil {
			return Section{}, err
		}
		for _, r := range roles {
			options = append(options, Option{RoleKey(r), d.roleName(r)})
		}
	}
	t := &Table{Head: []string{"Person", "From", "Roles, and why", "By hand"}, Empty: "Nobody yet."}
	for _, u := range users.Resources {
		row, err := d.person(ctx, u, groups, options, give, take)
		if errors.Is(err, scim.ErrNotFound) {
			continue // deleted since the list was made
		}
		if err != nil {
			return Section{}, err
		}
		row[1] = origins[u.Ref()]
		t.Rows = append(t.Rows, row)
	}
	return Section{Title: "People", Table: t}, nil
}

func (d *Directory) person(ctx context.Context, u *scim.Resource, groups map[scim.Source]string, options []Option, give, take string) ([]Cell, error) {
	name := Cell{Text: u.String("userName"), Small: u.String("displayName")}
	if !u.Active() {
		name.Tags = []Tag{{"inactive", "warn"}}
	}
	row := []Cell{name, {}, {}, {}}
	if d.Reconciler == nil {
		return row, nil
	}
	all, err := d.Reconciler.Explain(ctx, u.ID())
	if err != nil {
		return nil, err
	}
	names := make(map[string]string) // the ledger has the name that a role had when it was given
	for _, o := range options {
		names[o.Value] = o.Text
	}
	for _, x := range all {
		name := cmp.Or(names[RoleKey(x.Role)], d.roleName(x.Role))
		row[2].Tags = append(row[2].Tags, Tag{name + ": " + how(x, groups), kindOf(x.State)})
	}
	slices.SortFunc(row[2].Tags, func(a, b Tag) int { return strings.Compare(a.Text, b.Text) })
	if len(all) == 0 {
		row[2].Text = "none"
	}
	if give != "" {
		fields := []Field{Hidden("user", u.ID()), {Name: "role", Label: "Role", Options: options}}
		row[3].Forms = append(row[3].Forms, Form{Action: give, Fields: fields, Button: "Give"})
	}
	for _, x := range all {
		if take != "" && (x.State == scim.StateByHand || x.State == scim.StateBoth) {
			row[3].Forms = append(row[3].Forms, Form{Action: take, Button: "Take away: " + d.roleName(x.Role),
				Fields: []Field{Hidden("user", u.ID()), Hidden("role", RoleKey(x.Role))}})
		}
	}
	return row, nil
}

// Groups lists the groups under a title, whence each came, how many people each has, and what it gives. Each
// has the forms, with a field group.
func (d *Directory) Groups(ctx context.Context, title string, forms ...Form) (Section, error) {
	groups, err := d.Store.List(ctx, d.Group, &scim.Query{Limit: most})
	if err != nil {
		return Section{}, err
	}
	var sources []scim.Source
	for _, g := range groups.Resources {
		sources = append(sources, scim.GroupSource(g.ID()))
	}
	links, err := d.Store.Links(ctx, sources)
	if err != nil {
		return Section{}, err
	}
	origins, err := d.Origins(ctx, refsOf(groups.Resources)...)
	if err != nil {
		return Section{}, err
	}
	gives := make(map[scim.Source][]Tag)
	for _, l := range links {
		for _, r := range l.Roles {
			gives[l.Source] = append(gives[l.Source], Tag{d.roleName(r.Role), "good"})
		}
	}
	t := &Table{Head: []string{"Name", "From", "Members"}, Empty: "None yet."}
	if d.Reconciler != nil {
		t.Head = append(t.Head, "Gives the role", "")
	}
	for _, g := range groups.Resources {
		count, err := d.count(ctx, g)
		if err != nil {
			return Section{}, err
		}
		row := []Cell{Text(g.String("displayName")), origins[g.Ref()], Text(count)}
		t.Rows = append(t.Rows, row)
		if d.Reconciler == nil {
			continue
		}
		role := Cell{Tags: gives[scim.GroupSource(g.ID())]}
		if len(role.Tags) == 0 {
			role.Text = "nothing"
		}
		var act Cell
		for _, f := range forms {
			f.Fields = append(slices.Clone(f.Fields), Hidden("group", g.ID()))
			act.Forms = append(act.Forms, f)
		}
		t.Rows[len(t.Rows)-1] = append(row, role, act)
	}
	return Section{Title: title, Table: t}, nil
}

// count returns how many users are members of a group.
func (d *Directory) count(ctx context.Context, g *scim.Resource) (string, error) {
	store, ok := d.Store.(scim.MemberStore)
	if !ok {
		return "", nil
	}
	page, err := store.Members(ctx, g.ID(), scim.Ref{}, most)
	if err != nil {
		return "", err
	}
	if len(page) == most {
		return fmt.Sprintf("%d or more", most), nil
	}
	return fmt.Sprint(len(page)), nil
}

// Origins says where people and groups came from. Those that are not there any more may be left out.
func (d *Directory) Origins(ctx context.Context, refs ...scim.Ref) (map[scim.Ref]Cell, error) {
	all := make(map[scim.Ref]Cell)
	c, ok := d.Store.(scim.Claimer)
	if !ok {
		return all, nil
	}
	var clients map[scim.Ref]string
	var names map[string]string
	if k, ok := d.Store.(scim.ClientKeeper); ok && d.Clients != nil && len(refs) > 0 {
		var err error
		if clients, err = k.ClientsOf(ctx, refs); err != nil {
			return nil, err
		}
		if names, err = d.Clients(ctx); err != nil {
			return nil, err
		}
	}
	for _, ref := range refs {
		isClaimed, err := c.IsClaimed(ctx, ref)
		if err != nil {
			return nil, err
		}
		all[ref] = Cell{Tags: []Tag{{"made here", ""}}}
		if isClaimed {
			all[ref] = Cell{Tags: []Tag{{"SCIM", "good"}}, Small: cmp.Or(names[clients[ref]], clients[ref])}
		}
	}
	return all, nil
}

func refsOf(all []*scim.Resource) (refs []scim.Ref) {
	for _, r := range all {
		refs = append(refs, r.Ref())
	}
	return refs
}

// names returns the names of the groups as sources of roles.
func (d *Directory) names(ctx context.Context) (map[scim.Source]string, error) {
	names := make(map[scim.Source]string)
	if d.Group == nil {
		return names, nil
	}
	groups, err := d.Store.List(ctx, d.Group, &scim.Query{Limit: most})
	if err != nil {
		return nil, err
	}
	for _, g := range groups.Resources {
		names[scim.GroupSource(g.ID())] = g.String("displayName")
	}
	return names, nil
}

func (d *Directory) roleName(r scim.Role) string {
	switch {
	case d.RoleOf != nil:
		return d.RoleOf(r)
	case r.Name != "":
		return r.Name
	}
	return r.ID
}

// RoleKey returns a text for a form that says which role is meant. RoleOfKey reads it.
func RoleKey(r scim.Role) string { return r.Scope + "|" + r.ID }

// RoleOfKey returns the role, without its name.
func RoleOfKey(key string) scim.Role {
	i := strings.LastIndex(key, "|")
	return scim.Role{Scope: key[:max(i, 0)], ID: key[i+1:]}
}

// Give gives a role by hand. change writes it into the application's tables.
func (d *Directory) Give(ctx context.Context, user, roleKey string, change func(ctx context.Context, r scim.Role) error) (Flash, error) {
	role := RoleOfKey(roleKey)
	err := d.Reconciler.GiveByHand(ctx, user, role, func(ctx context.Context) error { return change(ctx, role) })
	return Flash{Text: "The role was given by hand. The identity provider does not take it away."}, err
}

// Take takes a role that was given by hand. change deletes it from the application's tables.
func (d *Directory) Take(ctx context.Context, user, roleKey string, change func(ctx context.Context, r scim.Role) error) (Flash, error) {
	role := RoleOfKey(roleKey)
	still, err := d.Reconciler.TakeByHand(ctx, user, role, func(ctx context.Context) error { return change(ctx, role) })
	if err == nil && len(still) > 0 {
		names, err := d.names(ctx)
		if err != nil {
			return Flash{}, err
		}
		return Flash{Text: "Taken by hand. The role stays, because it is also given by " + sourceNames(still, names) + "."}, nil
	}
	return Flash{Text: "The role was taken."}, err
}

// how says why a person has a role.
func how(x scim.Explanation, groups map[scim.Source]string) string {
	from := sourceNames(x.Sources, groups)
	switch x.State {
	case scim.StateGranted:
		return from
	case scim.StateByHand:
		return "by hand"
	case scim.StateBoth:
		return "by hand, and " + from
	default:
		return string(x.State) + ": " + strings.TrimPrefix(x.Reason, string(x.State)+": ")
	}
}

func sourceNames(sources []scim.Source, groups map[scim.Source]string) string {
	var all []string
	for _, s := range sources {
		if path, _, ok := s.Attribute(); ok {
			all = append(all, "attribute "+path[strings.LastIndex(path, ":")+1:])
			continue
		}
		all = append(all, "group "+groups[s])
	}
	slices.Sort(all)
	return strings.Join(all, " and ")
}

func kindOf(s scim.RoleState) string {
	switch s {
	case scim.StateGranted, scim.StateBoth:
		return "good"
	case scim.StateByHand:
		return ""
	}
	return "warn"
}
