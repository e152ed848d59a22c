package page

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/scimkit/scim/auth/tokens"
)

// Tokens adds an administrators' page that makes, lists, replaces and revokes the tokens of the person's
// tenant. remark returns what the list says of a token beside the rest, or ""; it may be nil.
func (s *Site) Tokens(path string, all *tokens.Tokens, remark func(ctx context.Context, t tokens.Token) (string, error)) {
	s.AdminPage(path, "API tokens", func(ctx context.Context, p Person) (View, error) {
		list, err := all.Tenant(p.Tenant).List(ctx)
		if err != nil {
			return View{}, err
		}
		t := &Table{Head: []string{"Token", "Made", "Last used", ""}, Empty: "No tokens yet."}
		for _, k := range list {
			row := tokenRow(path, k)
			if remark != nil {
				text, err := remark(ctx, k)
				if err != nil {
					return View{}, err
				}
				if text != "" {
					row[1].Tags = append(row[1].Tags, Tag{text, "warn"})
				}
			}
			t.Rows = append(t.Rows, row)
		}
		return View{Lead: "A SCIM client sends one of these tokens. A token is shown once, when it is made.", Sections: []Section{
			{Forms: []Form{{Action: path + "/make", Button: "Make a token", Fields: []Field{{Name: "label", Label: "What is it for?"}}}}},
			{Title: "Tokens", Table: t}}}, nil
	})
	s.Action(path+"/make", path, func(ctx context.Context, p Person, f url.Values) (Flash, error) {
		if s.Choices != nil && p.Tenant == "" {
			return Flash{}, Refused("You are in no organisation, so a token of yours would open nothing.")
		}
		if f.Get("label") == "" {
			return Flash{}, Refused("Say what the token is for.")
		}
		secret, _, err := all.Tenant(p.Tenant).Issue(ctx, tokens.Request{Label: f.Get("label"), Maker: p.Email})
		return Flash{Text: "Copy the token now. It is not shown again.", Secret: secret}, err
	})
	s.Action(path+"/replace", path, func(ctx context.Context, p Person, f url.Values) (Flash, error) {
		secret, _, err := all.Tenant(p.Tenant).Rotate(ctx, f.Get("id"), tokens.Rotation{Maker: p.Email})
		return Flash{Text: "The old token has ended. Copy the new one now. It is not shown again.", Secret: secret}, err
	})
	s.Action(path+"/revoke", path, func(ctx context.Context, p Person, f url.Values) (Flash, error) {
		return Flash{Text: "The token has ended."}, all.Tenant(p.Tenant).Revoke(ctx, f.Get("id"))
	})
}

func tokenRow(path string, k tokens.Token) []Cell {
	name := Cell{Text: k.Label, Small: fmt.Sprintf("%s…%s · fingerprint %s", k.Prefix, k.Last4, k.Fingerprint())}
	made := Cell{Text: k.Maker, Small: k.Created.Format(time.DateTime)}
	used := Text("never")
	if !k.LastUsed.IsZero() {
		used = Text(k.LastUsed.Format(time.DateTime))
	}
	if !k.IsValid(time.Now()) {
		name.Tags = []Tag{{"ended", "bad"}}
		return []Cell{name, made, used, {}}
	}
	id := []Field{Hidden("id", k.ID)}
	return []Cell{name, made, used, {Forms: []Form{
		{Action: path + "/replace", Button: "Replace", Fields: id}, {Action: path + "/revoke", Button: "Revoke", Fields: id}}}}
}
