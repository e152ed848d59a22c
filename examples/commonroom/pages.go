package main

import (
	"context"
	"net/url"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/journal"
)

// site is the pages of the application.
func (a *app) site(e *page.Env, log *journal.Journal) (*page.Site, error) {
	s := &page.Site{Name: e.Name, Product: "Common Room", Password: e.Password, Log: e.Log, Find: a.find, Load: a.load}
	s.Page("/", "Home", a.home)
	s.AdminPage("/people", "Users and Roles", a.people)
	s.AdminPage("/groups", "SCIM groups", a.groups)
	s.Tokens("/tokens", a.tokens, a.remark)
	s.Action("/people/give", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return a.directory.Give(ctx, f.Get("user"), f.Get("role"), func(ctx context.Context, r scim.Role) error { return a.give(ctx, f.Get("user"), r) })
	})
	s.Action("/people/take", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return a.directory.Take(ctx, f.Get("user"), f.Get("role"), func(ctx context.Context, r scim.Role) error { return a.take(ctx, f.Get("user"), r) })
	})
	s.Action("/people/forget", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "The account was deleted, and its address is free."}, a.forget(ctx, f.Get("email"))
	})
	s.Action("/roles/add", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "There is a role " + f.Get("name") + " now."}, a.addRole(ctx, f.Get("name"))
	})
	s.Action("/roles/rename", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "The role was renamed. Groups that are linked to it stay linked."}, a.renameRole(ctx, f.Get("id"), f.Get("name"))
	})
	s.Action("/roles/delete", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "The role was deleted. Its group stays and gives nothing."}, a.deleteRole(ctx, f.Get("id"))
	})
	s.Action("/groups/release", "/groups", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "The group was released: nobody has a role through it any more."}, a.roles.Release(ctx, f.Get("group"))
	})
	return s, s.Console("Provisioning", log, a.tokens, func(context.Context, string) (console.Tenant, error) {
		return console.Tenant{Name: "Common Room", Address: e.URL + "/scim/v2", Directory: a.store}, nil
	})
}

func (a *app) home(ctx context.Context, p page.Person) (page.View, error) {
	rows, err := page.Texts(ctx, a.db, "SELECT r.name FROM roles r JOIN account_roles h ON h.role_id = r.id WHERE h.uid = $1 ORDER BY r.name", p.ID)
	t := &page.Table{Head: []string{"Your roles"}, Empty: "You have no role."}
	for _, row := range rows {
		t.Rows = append(t.Rows, []page.Cell{page.Text(row[0])})
	}
	return page.View{Lead: "Welcome to the community.", Sections: []page.Section{{Table: t}}}, err
}

// people shows users with their roles, and the roles.
func (a *app) people(ctx context.Context, _ page.Person) (page.View, error) {
	people, err := a.directory.People(ctx, "/people/give", "/people/take")
	if err != nil {
		return page.View{}, err
	}
	former, err := page.Texts(ctx, a.db, "SELECT email, name FROM accounts WHERE status = 'replaced' ORDER BY email")
	if err != nil {
		return page.View{}, err
	}
	for _, row := range former {
		people.Table.Rows = append(people.Table.Rows, []page.Cell{{Text: row[0], Small: row[1], Tags: []page.Tag{{Text: "replaced by a new account", Kind: "warn"}}}, {}, {}, {
			Forms: []page.Form{{Action: "/people/forget", Button: "Delete", Fields: []page.Field{page.Hidden("email", row[0])}}}}})
	}
	rows, err := page.Texts(ctx, a.db, "SELECT r.id, r.name, (SELECT count(*) FROM account_roles h WHERE h.role_id = r.id) FROM roles r ORDER BY r.name")
	t := &page.Table{Head: []string{"Role", "Held by", ""}, Empty: "There are no roles."}
	for _, row := range rows {
		id := page.Hidden("id", row[0])
		t.Rows = append(t.Rows, []page.Cell{page.Text(row[1]), page.Text(row[2]), {Forms: []page.Form{
			{Action: "/roles/rename", Button: "Rename", Fields: []page.Field{id, {Name: "name", Label: "Name", Value: row[1]}}},
			{Action: "/roles/delete", Button: "Delete", Fields: []page.Field{id}}}}})
	}
	return page.View{Sections: []page.Section{people,
		{Title: "Roles", Table: t, Note: "A group that a client pushes needs a role of its name.",
			Forms: []page.Form{{Action: "/roles/add", Button: "Add a role", Fields: []page.Field{{Name: "name", Label: "Name"}}}}}}}, err
}

// groups shows the pushed groups. An administrator can release one that its client has left behind.
func (a *app) groups(ctx context.Context, _ page.Person) (page.View, error) {
	groups, err := a.directory.Groups(ctx, "Groups", page.Form{Action: "/groups/release", Button: "Release"})
	groups.Note = "Release a group if the identity provider has unlinked it and left it here."
	return page.View{Sections: []page.Section{groups}}, err
}

// remark says if the maker of a token is no Admin any more.
func (a *app) remark(ctx context.Context, t tokens.Token) (string, error) {
	if t.Maker == "the program" {
		return "", nil
	}
	admins, err := page.Texts(ctx, a.db, "SELECT 1 FROM accounts WHERE email = $1 AND status = 'active' AND permission = 'Admin'", t.Maker)
	if err != nil || len(admins) > 0 {
		return "", err
	}
	return "the maker is no Admin any more", nil
}
