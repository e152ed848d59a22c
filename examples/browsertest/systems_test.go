package browsertest

import (
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/scimkit/scim/console/browsertest/browser"
	"github.com/scimkit/scim/examples/internal/pagetest"
)

// system is an example of a product: what differs between its pages and those of the others.
type system struct {
	name string
	// host is where its pages and its endpoint are; "" means at the address that the terminal shows.
	host string
	// admin signs in. base is the path of the endpoint. patches is that of pagetest.Okta.
	admin, base string
	patches     bool
	// connect switches SCIM on and returns the token. Nil: the terminal shows a token.
	connect func(s *session) (token string)
	// push pushes a group with Ada as its member. arrives is the page that shows it then, with the text shows.
	push           func(o pagetest.Okta)
	arrives, shows string
	// byHand gives somebody a role by hand on the page people, which says so in the text given.
	byHand        func(s *session)
	people, given string
	// console is the name of the console in the menu.
	console string
	// wrong is the body of a user that is refused, and reason is why.
	wrong, reason string
}

// pushGroup pushes a group with a new person in it.
func pushGroup(name, email string) func(o pagetest.Okta) {
	return func(o pagetest.Okta) { o.Push(name, o.Assign(email, "Ada", "Bo", "")) }
}

var systems = []system{
	{name: "commonroom", admin: "ann@example.com", base: "/scim/v2", patches: true,
		push: pushGroup("Community Manager", "ada@example.com"), arrives: "/groups", shows: "Community Manager",
		byHand: func(s *session) { s.pressIn("vic@example.com", "Sales", "Give") }, people: "/people", given: "Sales: by hand",
		console: "Provisioning", wrong: pagetest.User("not-an-address", "No", "One", ""), reason: "userName"},
	{name: "officernd", admin: "ola@example.com", base: "/scim/v2", patches: true,
		push: pushGroup("Design", "ada@example.com"), arrives: "/teams", shows: "Design",
		byHand: func(s *session) { s.pressIn("nat@example.com", "", "Make administrator") }, people: "/employees", given: "Saved.",
		console: "Provisioning", wrong: pagetest.User("not-an-address", "No", "One", ""), reason: "userName"},
	{name: "rootly", admin: "ann@acme.test", base: "/scim", patches: true,
		push: pushGroup("On-call", "ada@acme.test"), arrives: "/sso", shows: "On-call",
		byHand: func(s *session) { s.pressIn("con@partner.test", "Responder", "Give") }, people: "/members", given: "Responder: by hand",
		console: "SCIM Logs", wrong: pagetest.User("not-an-address", "No", "One", ""), reason: "userName"},
	{name: "jotform", host: "acme.localhost", admin: "ana@acme.example", base: "/API/enterprise/scim",
		connect: func(s *session) string {
			s.show("/security")
			s.flip("Single sign-on")
			s.flip("SCIM Provisioning")
			return s.secret()
		},
		push: func(o pagetest.Okta) {
			o.Assign("ada@acme.example", "Ada", "Bo", `,"jotform_group_role":"Team Editor"`)
		},
		arrives: "/people", shows: "Team Editor: attribute jotform_group_role",
		byHand: func(s *session) { s.pressIn("sam@acme.example", "Editor", "Give") }, people: "/people", given: "Editor: by hand",
		console: "Provisioning", wrong: pagetest.User("kim@acme.example", "Kim", "Day", `,"jotform_user_role":"Team Editor"`), reason: "Team Editor"},
	{name: "oktaaiw", admin: "ada@fieldbook.example", base: "/scim/v2",
		push: pushGroup("South", "eve@fieldbook.example"), arrives: "/people", shows: "South",
		byHand: func(s *session) { s.press("Put into the team by hand") }, people: "/people", given: "Put into the team by hand.",
		console: "Provisioning", wrong: pagetest.User("ben@fieldbook.example", "Ben", "Roe", ""), reason: "userName"},
}

// An administrator connects a client to each product, and sees what it did.
func TestSystems(t *testing.T) {
	tab := browser.Open(t)
	programs := build(t)
	for _, what := range systems {
		t.Run(what.name, func(t *testing.T) {
			s := begin(t, tab, programs, what)

			s.show(s.arrives)
			s.lacks(s.shows)
			s.push(s.okta)
			s.tab.Do(chromedp.Reload())
			s.tab.Has(s.shows)

			s.show(s.people)
			s.byHand(s)
			s.tab.Has(s.given)

			s.open(s.console)
			s.open("Connection")
			s.tab.Do(chromedp.SendKeys(chromedp.CSS("[name=label]"), "A new client"))
			s.press("Make a token")
			s.tab.Has("Copy it now.")
			client := s.client(s.secret())
			client.Want(200, "GET", "/Users?startIndex=1&count=2", "")
			if status := client.Do("POST", "/Users", s.wrong).Status; status/100 != 4 {
				t.Errorf("the user that is wrong: %d", status)
			}

			s.open("Connection")
			s.tab.Do(chromedp.Click(`//li[contains(., "A new client")]//summary[.="Revoke"]`))
			s.press("Revoke “A new client”")
			client.Want(401, "GET", "/Users?startIndex=1&count=2", "")

			s.open("Activity")
			s.open("Failed")
			s.until(s.reason)
			s.tab.Follow(chromedp.Click(`//table//tr[contains(., "` + s.reason + `")]//a`))
			s.tab.Has("Why it failed", s.reason)

			for name, path := range s.pages() {
				s.tab.Check(name, s.url+path)
				s.draw(name, path)
			}
		})
	}
}
