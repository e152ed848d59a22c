package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/examples/internal/page"
	"github.com/scimkit/scim/journal"
)

// site is the pages of the application.
func (a *app) site(e *page.Env, log *journal.Journal) (*page.Site, error) {
	s := &page.Site{Name: e.Name, Product: "OfficeRnD Hybrid", Password: e.Password, Log: e.Log, Find: a.find, Load: a.load}
	s.Page("/", "My office", a.home)
	s.AdminPage("/employees", "Employees", a.employees)
	s.AdminPage("/teams", "Teams", a.teams)
	s.AdminPage("/bookings", "Bookings of Formers", a.bookings)
	s.AdminPage("/integrations", "Settings/Integrations", a.integrations)
	s.Action("/employees/admin", "/employees", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "Saved."}, a.setAdmin(ctx, f.Get("user"), f.Get("is") == "true")
	})
	s.Action("/teams/add", "/teams", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "The team is there."}, a.addTeam(ctx, f.Get("name"))
	})
	s.Action("/bookings/cancel", "/bookings", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "The booking was cancelled."}, a.cancel(ctx, f.Get("id"))
	})
	s.Action("/integrations/switch", "/integrations", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		on := f.Get("on") == "true"
		switch {
		case f.Get("name") == "sso":
			return page.Flash{Text: "Saved."}, a.change(ctx, func(s *settings) error { s.hasSSO = on; return nil })
		case on:
			return a.activate(ctx)
		}
		return page.Flash{Text: "SCIM is off."}, a.change(ctx, func(s *settings) error { s.TurnOff(); return nil })
	})
	s.Action("/integrations/replace", "/integrations", func(ctx context.Context, p page.Person, f url.Values) (page.Flash, error) {
		secret, _, err := a.tokens.Tenant(office).Rotate(ctx, f.Get("id"), tokens.Rotation{Maker: p.Email})
		return page.Flash{Text: "The old secret has ended. Copy the new one now: it is not shown again.", Secret: secret}, err
	})
	return s, s.Console("Provisioning", log, a.tokens, func(context.Context, string) (console.Tenant, error) {
		return console.Tenant{Name: "OfficeRnD Hybrid", Address: e.URL + "/scim/v2", Directory: a.store}, nil
	})
}

func (a *app) home(ctx context.Context, p page.Person) (page.View, error) {
	names, err := a.teamsOf(ctx, p.ID)
	if err != nil {
		return page.View{}, err
	}
	rows, err := page.Texts(ctx, a.db, "SELECT desk, day FROM bookings WHERE CAST(employee_id AS text) = $1 ORDER BY day DESC, id", p.ID)
	booked := &page.Table{Head: []string{"Desk", "Day"}, Empty: "None."}
	for _, row := range rows {
		booked.Rows = append(booked.Rows, []page.Cell{page.Text(row[0]), page.Text(row[1])})
	}
	return page.View{Sections: []page.Section{{Title: "Your teams", Table: &page.Table{Head: []string{"Team"}, Rows: [][]page.Cell{{teamsCell(names[p.ID])}}}},
		{Title: "Your bookings", Table: booked}}}, err
}

// teamsCell shows the primary team, and then the additional ones.
func teamsCell(names []string) page.Cell {
	c := page.Cell{Text: "none"}
	for i, n := range names {
		c.Text = ""
		if i == 0 {
			c.Tags = append(c.Tags, page.Tag{Text: "primary: " + n, Kind: "good"})
			continue
		}
		c.Tags = append(c.Tags, page.Tag{Text: n})
	}
	return c
}

func (a *app) employees(ctx context.Context, _ page.Person) (page.View, error) {
	rows, err := page.Texts(ctx, a.db, "SELECT id, email, first_name, last_name, status, is_gone, is_admin FROM employees ORDER BY email LIMIT 200")
	if err != nil {
		return page.View{}, err
	}
	names, err := a.teamsOf(ctx, "")
	if err != nil {
		return page.View{}, err
	}
	var refs []scim.Ref
	for _, row := range rows {
		refs = append(refs, scim.Ref{Type: "User", ID: row[0]})
	}
	origins, err := a.directory.Origins(ctx, refs...)
	t := &page.Table{Head: []string{"Employee", "From", "Teams", "Administrator"}}
	for i, row := range rows {
		name := page.Cell{Text: row[1], Small: row[2] + " " + row[3]}
		if row[4] == "former" {
			name.Tags = []page.Tag{{Text: "Former", Kind: "warn"}}
		}
		from := origins[refs[i]]
		if row[5] == "true" || row[5] == "1" {
			from = page.Cell{Tags: []page.Tag{{Text: "SCIM", Kind: "good"}}, Small: "deleted by the client"}
		}
		isAdmin := row[6] == "true" || row[6] == "1"
		admin := page.Cell{Text: "no"}
		button := "Make administrator"
		if isAdmin {
			admin.Text, admin.Small, button = "yes", "by hand", "Take away"
		}
		if row[4] == "active" {
			admin.Forms = []page.Form{{Action: "/employees/admin", Button: button, Fields: []page.Field{page.Hidden("user", row[0]), page.Hidden("is", fmt.Sprint(!isAdmin))}}}
		}
		t.Rows = append(t.Rows, []page.Cell{name, from, teamsCell(names[row[0]]), admin})
	}
	return page.View{Sections: []page.Section{{Table: t}}}, err
}

func (a *app) teams(ctx context.Context, _ page.Person) (page.View, error) {
	s, err := a.directory.Groups(ctx, "")
	s.Forms = []page.Form{{Action: "/teams/add", Button: "Add a team", Fields: []page.Field{{Name: "name", Label: "Name"}}}}
	return page.View{Sections: []page.Section{s}}, err
}

// bookings lists the bookings of Formers. An administrator cancels the future ones by hand.
func (a *app) bookings(ctx context.Context, _ page.Person) (page.View, error) {
	rows, err := page.Texts(ctx, a.db, `SELECT b.id, e.email, b.desk, b.day FROM bookings b JOIN employees e ON e.id = b.employee_id
		WHERE e.status = 'former' ORDER BY b.day DESC, b.id`)
	t := &page.Table{Head: []string{"Employee", "Desk", "Day", ""}, Empty: "None."}
	for _, row := range rows {
		last := page.Text("past")
		if row[3] >= today() {
			last = page.Cell{Forms: []page.Form{{Action: "/bookings/cancel", Button: "Cancel", Fields: []page.Field{page.Hidden("id", row[0])}}}}
		}
		t.Rows = append(t.Rows, []page.Cell{page.Text(row[1]), page.Text(row[2]), page.Text(row[3]), last})
	}
	return page.View{Lead: "Bookings stay when somebody leaves. Cancel here what nobody will use.", Sections: []page.Section{{Table: t}}}, err
}

func (a *app) integrations(ctx context.Context, _ page.Person) (page.View, error) {
	s, err := readSettings(ctx, a.db)
	if err != nil {
		return page.View{}, err
	}
	note := "Activate it to get the base URL and the secret."
	switch isOn := s.State == "on"; {
	case isOn && s.hasSSO:
		note = "Base URL: " + a.url + "/scim/v2"
	case isOn:
		note = "Stopped: clients get 503 until single sign-on is configured again."
	}
	toggles := page.Section{Toggles: []page.Toggle{
		{Action: "/integrations/switch", Name: "sso", Label: "Single sign-on", On: s.hasSSO},
		{Action: "/integrations/switch", Name: "scim", Label: "SCIM User Provisioning", Note: note, On: s.State == "on"}}}
	secret, err := a.secret(ctx)
	if err != nil || s.State != "on" && secret == nil {
		return page.View{Sections: []page.Section{toggles}}, err
	}
	if secret == nil {
		return page.View{Sections: []page.Section{toggles, {Title: "SCIM Secret", Note: "There is none yet.",
			Forms: []page.Form{{Action: "/integrations/switch", Button: "Make the secret", Fields: []page.Field{page.Hidden("name", "scim"), page.Hidden("on", "true")}}}}}}, nil
	}
	return page.View{Sections: []page.Section{toggles, {Title: "SCIM Secret",
		Note: "The secret cannot be shown again, because only a hash of it is kept.",
		Table: &page.Table{Head: []string{"Secret", "Fingerprint", ""}, Rows: [][]page.Cell{{page.Text(secret.Prefix + "…" + secret.Last4), page.Text(secret.Fingerprint()),
			{Forms: []page.Form{{Action: "/integrations/replace", Button: "Replace", Fields: []page.Field{page.Hidden("id", secret.ID)}}}}}}}}}}, nil
}
