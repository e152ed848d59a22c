package main

import (
	"context"
	"net/url"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/journal"
)

// site is the pages of the application.
func (a *app) site(e *page.Env, log *journal.Journal) (*page.Site, error) {
	s := &page.Site{Name: e.Name, Product: "Rootly", Password: e.Password, Log: e.Log, Find: a.find, Load: a.load, Choices: a.choices}
	s.Page("/", "Home", a.home)
	s.AdminPage("/members", "Members", a.members)
	s.AdminPage("/groups", "Groups", a.groups)
	s.AdminPage("/sso", "Integrations > SSO", a.sso)
	s.Tokens("/tokens", a.tokens, nil)
	s.AdminPage("/support", "Support", a.support)
	a.actions(s)
	return s, s.Console("SCIM Logs", log, a.tokens, func(_ context.Context, id string) (console.Tenant, error) {
		if c := a.customers[id]; c != nil {
			return console.Tenant{Name: id, Address: e.URL + "/scim", Directory: c.store}, nil
		}
		return console.Tenant{}, scim.ErrNotFound
	})
}

// actions are what administrators do, each in their own team, and what the vendor's support does in any.
func (a *app) actions(s *page.Site) {
	own := func(path, back, done string, do func(ctx context.Context, c *customer, f url.Values) error) {
		s.Action(path, back, func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
			c := a.customers[p.Tenant]
			if c == nil {
				return page.Flash{}, page.Refused("You are in no team.")
			}
			return page.Flash{Text: done}, do(ctx, c, f)
		})
	}
	s.Action("/members/give", "/members", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		c := a.customers[p.Tenant]
		if c == nil {
			return page.Flash{}, page.Refused("You are in no team.")
		}
		return c.directory.Give(ctx, f.Get("user"), f.Get("role"), func(ctx context.Context, r scim.Role) error { return c.give(ctx, f.Get("user"), r) })
	})
	s.Action("/members/take", "/members", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		c := a.customers[p.Tenant]
		if c == nil {
			return page.Flash{}, page.Refused("You are in no team.")
		}
		return c.directory.Take(ctx, f.Get("user"), f.Get("role"), func(ctx context.Context, r scim.Role) error { return c.take(ctx, f.Get("user"), r) })
	})
	own("/members/invite", "/members", "Invited.", func(ctx context.Context, c *customer, f url.Values) error {
		_, err := a.db.ExecContext(ctx, "INSERT INTO invitations (team_id, email) VALUES ($1, $2) ON CONFLICT DO NOTHING", c.id, f.Get("email"))
		return err
	})
	own("/groups/add", "/groups", "The group is there.", func(ctx context.Context, c *customer, f url.Values) error {
		return a.addGroup(ctx, c.id, f.Get("name"))
	})
	own("/sso/map", "/sso", "Mapped.", func(ctx context.Context, c *customer, f url.Values) error {
		return a.mapRole(ctx, c, f.Get("group"), f.Get("role"))
	})
	own("/sso/switch", "/sso", "Saved.", func(ctx context.Context, c *customer, f url.Values) error {
		return a.switchOwn(ctx, c, f.Get("name"), f.Get("on") == "true")
	})
	s.Action("/support/switch", "/support", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		id, name, _ := strings.Cut(f.Get("name"), "/")
		if !a.isSupport(ctx, p) || a.customers[id] == nil {
			return page.Flash{}, page.Refused("Only the support of the vendor switches this.")
		}
		return page.Flash{Text: "Saved."}, a.switchSupport(ctx, a.customers[id], name, f.Get("on") == "true")
	})
}

// switchOwn is what an administrator can switch.
func (a *app) switchOwn(ctx context.Context, c *customer, name string, on bool) error {
	switch {
	case name == "sso":
		return a.change(ctx, c.id, func(_ context.Context, t *team) error { t.SSO = on; return nil })
	case name == "scim" && on:
		return a.turnOn(ctx, c.id)
	case name == "scim":
		return a.change(ctx, c.id, func(_ context.Context, t *team) error { t.Switch.TurnOff(); return nil })
	case name == "google" && on:
		return a.startSync(ctx, c.id)
	case name == "google":
		return a.change(ctx, c.id, func(_ context.Context, t *team) error { t.Switch.StopSync(); return nil })
	case name == "roles":
		return a.setGroupRoles(ctx, c, on)
	}
	return page.Refused("Only the support of the vendor switches this: write to support@rootly.test.")
}

// switchSupport is what only the vendor's support can switch.
func (a *app) switchSupport(ctx context.Context, c *customer, name string, on bool) error {
	if name == "phones" {
		return a.setPhoneSync(ctx, c, on)
	}
	return a.setGroupSync(ctx, c, on)
}

func (a *app) home(ctx context.Context, p page.Person) (page.View, error) {
	if p.Tenant == "" {
		return page.View{Lead: "You are in no organisation at the moment."}, nil
	}
	rows, err := page.Texts(ctx, a.db, "SELECT g.name FROM groups g JOIN group_members m ON m.group_id = g.id WHERE g.team_id = $1 AND g.in_app AND CAST(m.user_id AS text) = $2 ORDER BY g.name", p.Tenant, p.ID)
	t := &page.Table{Head: []string{"Your groups"}, Empty: "You are in no group."}
	for _, row := range rows {
		t.Rows = append(t.Rows, []page.Cell{page.Text(row[0])})
	}
	return page.View{Lead: "No incidents.", Sections: []page.Section{{Table: t}}}, err
}

func (a *app) members(ctx context.Context, p page.Person) (page.View, error) {
	c := a.customers[p.Tenant]
	if c == nil {
		return page.View{Lead: "You are in no team."}, nil
	}
	people, err := c.directory.People(ctx, "/members/give", "/members/take")
	if err != nil {
		return page.View{}, err
	}
	phones, err := page.Texts(ctx, a.db, "SELECT u.email, p.e164 FROM phones p JOIN users u ON u.id = p.user_id WHERE p.team_id = $1 ORDER BY u.email, p.e164", c.id)
	t := &page.Table{Head: []string{"Person", "Verified number"}, Empty: "None."}
	for _, row := range phones {
		t.Rows = append(t.Rows, []page.Cell{page.Text(row[0]), page.Text(row[1])})
	}
	return page.View{Sections: []page.Section{people, {Title: "Telephone numbers", Table: t},
		{Title: "Invite", Note: "A client can add a person of another organisation after an invitation, or if the domain of the address is yours.",
			Forms: []page.Form{{Action: "/members/invite", Button: "Invite", Fields: []page.Field{{Name: "email", Label: "E-mail address"}}}}}}}, err
}

// groups shows the application's groups, and whether a client has taken them over.
func (a *app) groups(ctx context.Context, p page.Person) (page.View, error) {
	c := a.customers[p.Tenant]
	if c == nil {
		return page.View{Lead: "You are in no team."}, nil
	}
	rows, err := page.Texts(ctx, a.db, "SELECT g.id, g.name, g.released FROM groups g WHERE g.team_id = $1 AND g.in_app ORDER BY g.name LIMIT 200", c.id)
	if err != nil {
		return page.View{}, err
	}
	members, err := page.Texts(ctx, a.db, `SELECT m.group_id, u.email FROM group_members m JOIN users u ON u.id = m.user_id
		JOIN memberships t ON t.team_id = m.team_id AND t.user_id = m.user_id WHERE m.team_id = $1 AND t.status = 'active' ORDER BY u.email`, c.id)
	if err != nil {
		return page.View{}, err
	}
	who := make(map[string]page.Cell)
	for _, m := range members {
		who[m[0]] = page.Cell{Tags: append(who[m[0]].Tags, page.Tag{Text: m[1]})}
	}
	t := &page.Table{Head: []string{"Group", "From", "Members"}, Empty: "None yet."}
	var refs []scim.Ref
	for _, row := range rows {
		refs = append(refs, scim.Ref{Type: "Group", ID: row[0]})
	}
	origins, err := c.directory.Origins(ctx, refs...)
	for i, row := range rows {
		from := origins[refs[i]]
		if row[2] == "true" || row[2] == "1" { // a client has released it
			from = page.Cell{Tags: []page.Tag{{Text: "made here"}}}
		}
		t.Rows = append(t.Rows, []page.Cell{page.Text(row[1]), from, who[row[0]]})
	}
	return page.View{Sections: []page.Section{{Title: "Groups", Table: t,
		Forms: []page.Form{{Action: "/groups/add", Button: "Add a group", Fields: []page.Field{{Name: "name", Label: "Name"}}}}}}}, err
}

// sso is the page of the switches, and of the roles that groups give.
func (a *app) sso(ctx context.Context, p page.Person) (page.View, error) {
	c := a.customers[p.Tenant]
	if c == nil {
		return page.View{Lead: "You are in no team."}, nil
	}
	t, err := readTeam(ctx, a.db, c.id)
	if err != nil {
		return page.View{}, err
	}
	toggle := func(name, label, note string, on, greyed bool) page.Toggle {
		return page.Toggle{Action: "/sso/switch", Name: name, Label: label, Note: note, On: on, Greyed: greyed}
	}
	scimGroups, err := c.store.List(ctx, scim.GroupType(), &scim.Query{Limit: 200})
	if err != nil {
		return page.View{}, err
	}
	mapped, err := page.Texts(ctx, a.db, "SELECT group_id, role FROM role_mappings WHERE team_id = $1", c.id)
	roleOf := make(map[string]string)
	for _, row := range mapped {
		roleOf[row[0]] = row[1]
	}
	options := []page.Option{{Text: "no role"}}
	for _, r := range rolesInTeam {
		options = append(options, page.Option{Value: r.ID, Text: r.Name})
	}
	address := "Address: " + a.url + "/scim, for every team. The token tells the team."
	if t.Switch.State == "on" && !t.SSO {
		address = "Stopped: clients get 503 until single sign-on is configured again."
	}
	note := "Members of a group get its role."
	if !t.GroupRoles {
		note = "Groups give no role until “Assign roles to SCIM groups” is on."
	}
	table := &page.Table{Head: []string{"SCIM group", "Role"}, Empty: "No groups yet."}
	for _, g := range scimGroups.Resources {
		table.Rows = append(table.Rows, []page.Cell{page.Text(g.String("displayName")), {Forms: []page.Form{{Action: "/sso/map", Button: "Map",
			Fields: []page.Field{page.Hidden("group", g.ID()), {Name: "role", Label: "Role", Options: options, Value: roleOf[g.ID()]}}}}}})
	}
	return page.View{Sections: []page.Section{
		{Toggles: []page.Toggle{
			toggle("sso", "Single sign-on", "The SCIM endpoint needs it.", t.SSO, false),
			toggle("scim", "SCIM", address, t.Switch.State == "on", false),
			toggle("google", "Google Directory Sync", "Not together with SCIM.", t.Switch.OtherSync != "", false),
			toggle("roles", "Assign roles to SCIM groups", "Of several, the role with the greatest weight counts.", t.GroupRoles, false),
			toggle("groups", "Sync SCIM groups to teams", "The support of the vendor switches this.", t.GroupSync, true),
			toggle("phones", "Sync telephone numbers", "The support of the vendor switches this.", t.Phones, true)}},
		{Title: "Role Assignment", Note: note, Table: table}}}, err
}

// support is the page of the vendor's support.
func (a *app) support(ctx context.Context, p page.Person) (page.View, error) {
	if !a.isSupport(ctx, p) {
		return page.View{Lead: "Only the support of the vendor switches the syncs of groups and of telephone numbers. Write to support@rootly.test."}, nil
	}
	rows, err := page.Texts(ctx, a.db, "SELECT id FROM teams ORDER BY id")
	var v page.View
	for _, row := range rows {
		t, err := readTeam(ctx, a.db, row[0])
		if err != nil {
			return v, err
		}
		v.Sections = append(v.Sections, page.Section{Title: t.Name, Toggles: []page.Toggle{
			{Action: "/support/switch", Name: t.ID + "/groups", Label: "Sync SCIM groups to teams", On: t.GroupSync},
			{Action: "/support/switch", Name: t.ID + "/phones", Label: "Sync telephone numbers", On: t.Phones}}})
	}
	return v, err
}
