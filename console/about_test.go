package console_test

import (
	"fmt"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
)

// The page of a request leads to those whom it is about.
func TestAbout(t *testing.T) {
	p := newProduct(t)
	ann := p.user("ann", "true")
	touched := func(kind, id string, names ...string) journal.Touched {
		return journal.Touched{Type: kind, ID: id, Names: names}
	}
	var many []journal.Touched
	for i := range 7 {
		many = append(many, touched("User", fmt.Sprint("u", i), fmt.Sprintf("user%d@example.com", i)))
	}
	for _, row := range []struct {
		name   string
		detail journal.Detail
		wants  []string
	}{
		{"somebody who is here", journal.Detail{Touched: []journal.Touched{touched("User", ann)}}, []string{`About: <a href="../people/` + ann + `">ann &lt;i&gt;</a></p>`, "<h1>Create person ann &lt;i&gt; "}},
		{"who is not here", journal.Detail{Touched: []journal.Touched{touched("User", "nobody"), touched("User", ann)}}, []string{`About: person nobody (not here), <a href="../people/` + ann, "<h1>Create person nobody "}},
		{"each once, also a group", journal.Detail{Touched: []journal.Touched{touched("Group", "~/", "Editors"), touched("User", "u", "x"), touched("User", "u")}},
			[]string{`<a href="../groups/~fi8">Editors</a>, <a href="../people/u">x</a></p>`}},
		{"who could not be created", journal.Detail{Touched: []journal.Touched{touched("User", "", "00u", "a&b@example.com")}}, []string{`<a href="../people?q=a%26b%40example.com">look for a&amp;b@example.com</a>`}},
		{"many", journal.Detail{Touched: many}, []string{`<a href="../people/u4">user4@example.com</a>, and 2 more</p>`, "!people/u5"}},
		{"who is gone", journal.Detail{Touched: []journal.Touched{touched("User", "u", "x")}, Changes: []journal.Change{{Op: scim.OpDelete, Type: "User", ID: "u"}}}, []string{"!About:"}},
		{"a type without a page", journal.Detail{Touched: []journal.Touched{touched("Device", "d"), touched("User", "")}}, []string{"!About:"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := *p.world
			w.T = t
			w.wants(w.get(200, "/activity/"+w.entries.add(exchange("POST", 201, row.detail)).ID), row.wants...)
		})
	}
	p.tenant.Directory = nil
	p.wants(p.get(200, "/activity/"+p.entries.add(exchange("POST", 201, journal.Detail{Touched: many})).ID), "!About:")
}

// Somebody who was refused learns whether a token came at all.
func TestWhyRefused(t *testing.T) {
	w := newWorld(t, "").start()
	for _, row := range []struct {
		header []journal.Field
		want   string
	}{
		{[]journal.Field{{Name: "Accept", Value: "*/*"}}, "no token came"},
		{[]journal.Field{{Name: "authorization", Value: "[not shown]"}}, "the token is not known here"},
		{nil, "the token is not known here"},
	} {
		e := exchange("GET", 401, journal.Detail{RequestHeader: row.header, Failure: &journal.Failure{Detail: "send valid credentials"}})
		e.Kind = journal.Refused
		w.wants(w.get(200, "/activity/"+w.entries.add(e).ID), `<li class="x">refused: `+row.want+`</li>`, "send valid credentials")
		w.wants(w.get(200, "/activity?f=refused"), row.want)
	}
}
