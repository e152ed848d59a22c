package main

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/console"
	"github.com/scimkit/scim/journal"

	"github.com/scimkit/scim/examples/internal/page"
)

// site makes the pages: the visits of one's own teams, and the administrators' pages.
func (a *app) site(e *page.Env, j *journal.Journal) (*page.Site, error) {
	s := &page.Site{Name: "fieldbook", Product: "Fieldbook", Password: e.Password, Log: e.Log, Find: a.find, Load: a.person}
	s.Page("/", "My teams", a.mine)
	s.AdminPage("/people", "People and teams", a.people)
	s.AdminPage("/settings", "SCIM settings", func(ctx context.Context, _ page.Person) (page.View, error) { return a.settingsPage(ctx, e.URL) })
	s.Tokens("/tokens", a.tokens, nil)
	s.Action("/join", "/people", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "Put into the team by hand. A pushed list without this person takes nobody out. Once Okta pushes this person, Okta decides."},
			a.join(ctx, f.Get("team"), f.Get("person"))
	})
	s.Action("/toggle", "/settings", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "Saved. It counts from the next request on."}, a.flip(ctx, f.Get("name"), f.Get("on") == "true")
	})
	s.Action("/choose", "/settings", func(ctx context.Context, _ page.Person, f url.Values) (page.Flash, error) {
		return page.Flash{Text: "Saved. Put the same into Okta."}, a.choose(ctx, strings.TrimSpace(f.Get("base")), f.Get("field"))
	})
	s.Action("/secret", "/settings", func(ctx context.Context, _ page.Person, _ url.Values) (page.Flash, error) {
		secret, err := a.newSecret(ctx)
		return page.Flash{Text: "The new password of " + basicUser + ". Nothing can show it again.", Secret: secret}, err
	})
	return s, s.Console("Provisioning", j, a.tokens, func(context.Context, string) (console.Tenant, error) {
		return console.Tenant{Name: "Fieldbook", Address: e.URL + a.last.Load().Base, Directory: a.store}, nil
	})
}

// join puts a person into a team by hand.
func (a *app) join(ctx context.Context, team, person string) error {
	done, err := a.db.ExecContext(ctx, `INSERT INTO team_members (team_id, person_id)
		SELECT t.id, p.id FROM teams t, people p WHERE t.name = $1 AND p.login = $2 ON CONFLICT DO NOTHING`, team, person)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		return page.Refused("Nothing was changed: the person is in the team already, or one of the two is not there any more.")
	}
	return err
}

// find looks for somebody at the log-in.
func (a *app) find(r *http.Request, login string) (key string, err error) {
	err = a.db.QueryRowContext(r.Context(), "SELECT id FROM people WHERE lower(login) = lower($1) AND status = 'active'", login).Scan(&key)
	if errors.Is(err, sql.ErrNoRows) {
		return "", page.ErrOut
	}
	return key, err
}

// person reads somebody at each click: who was deactivated is out.
func (a *app) person(r *http.Request, key string) (p page.Person, err error) {
	p.ID = key
	err = a.db.QueryRowContext(r.Context(), "SELECT login, trim(given_name || ' ' || family_name), is_admin FROM people WHERE id = $1 AND status = 'active'", key).
		Scan(&p.Email, &p.Name, &p.IsAdmin)
	if errors.Is(err, sql.ErrNoRows) {
		return p, page.ErrOut
	}
	if p.IsAdmin {
		p.Standing = "administrator"
	}
	return p, err
}

// mine shows the teams of a person.
func (a *app) mine(ctx context.Context, p page.Person) (page.View, error) {
	rows, err := page.Texts(ctx, a.db, `SELECT t.name FROM teams t JOIN team_members m ON m.team_id = t.id WHERE m.person_id = $1 ORDER BY t.name`, p.ID)
	t := &page.Table{Head: []string{"Team"}, Empty: "You are in no team."}
	for _, r := range rows {
		t.Rows = append(t.Rows, []page.Cell{page.Text(r[0])})
	}
	return page.View{Title: "My teams", Sections: []page.Section{{Table: t}}}, err
}

// people shows who and what is there, and where it came from.
func (a *app) people(ctx context.Context, _ page.Person) (page.View, error) {
	d := &page.Directory{Store: a.store, User: scim.UserType(), Group: scim.GroupType(), Clients: a.clientNames}
	people, err := d.People(ctx, "", "")
	if err != nil {
		return page.View{}, err
	}
	teams, err := d.Groups(ctx, "Teams")
	if err != nil {
		return page.View{}, err
	}
	var names, logins []page.Option
	for query, into := range map[string]*[]page.Option{
		"SELECT name FROM teams ORDER BY name LIMIT 200": &names, "SELECT login FROM people ORDER BY login LIMIT 200": &logins,
	} {
		rows, err := page.Texts(ctx, a.db, query)
		if err != nil {
			return page.View{}, err
		}
		for _, r := range rows {
			*into = append(*into, page.Option{Value: r[0], Text: r[0]})
		}
	}
	teams.Forms = []page.Form{{Action: "/join", Button: "Put into the team by hand", Fields: []page.Field{
		{Name: "person", Label: "Person", Options: logins}, {Name: "team", Label: "Team", Options: names}}}}
	return page.View{Sections: []page.Section{people, teams}}, nil
}

// clientNames names clients by the labels of their tokens.
func (a *app) clientNames(ctx context.Context) (map[string]string, error) {
	names := make(map[string]string)
	list, err := a.tokens.Tenant("").List(ctx)
	for _, t := range list {
		names[t.Client] = t.Label
	}
	return names, err
}

func (a *app) settingsPage(ctx context.Context, address string) (page.View, error) {
	s, err := a.load(ctx)
	if err != nil {
		return page.View{}, err
	}
	var actions, modes []page.Toggle
	for i, x := range switches {
		t := page.Toggle{Action: "/toggle", Name: x.column, Label: x.name, On: s.on[x.column]}
		if i < 4 {
			actions = append(actions, t)
			continue
		}
		if x.column == oauthMode && a.oauth == nil {
			t.Greyed, t.Note = true, "Start the program with -issuer, -keys and -audience."
		} else if x.column == oauthMode {
			t.Note = "The authorization server has printed its endpoints, the client id and the secret."
		}
		modes = append(modes, t)
	}
	var options []page.Option
	for _, f := range fields {
		options = append(options, page.Option{Value: f, Text: f})
	}
	return page.View{Sections: []page.Section{
		{Title: "SCIM connector", Note: "Put these into Okta: the base URL, and the unique identifier field for users.", Code: address + s.Base,
			Forms: []page.Form{{Action: "/choose", Button: "Save", Fields: []page.Field{
				{Name: "base", Label: "Path of the base URL", Value: s.Base},
				{Name: "field", Label: "Unique identifier field", Value: s.Field, Options: options}}}}},
		{Title: "Supported provisioning actions", Note: "An action that is off is refused. What takes access away is never off: deactivating people, removing members, deleting teams.", Toggles: actions},
		{Title: "Authentication modes", Note: "The user name for Basic Auth is " + basicUser + ".", Toggles: modes,
			Forms: []page.Form{{Action: "/secret", Button: "New password for Basic Auth"}}},
	}}, nil
}
