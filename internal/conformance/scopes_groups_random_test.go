package conformance

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// groupGuesser makes random requests of a client for groups that looks for what users are like.
type groupGuesser struct{ *guesser }

func (g groupGuesser) path() string {
	p := g.one("members", "members.value", "members.display", "members.$ref", "members.type", "displayName", "externalId", "id", "meta",
		"meta.created", "meta.lastModified", "userName", "active", "title", "roles")
	if g.IntN(6) == 0 {
		return strings.ToUpper(p)
	}
	return p
}

func (g groupGuesser) part() string {
	return g.one("value", "value", "display", "type", "$ref", "userName", "active")
}

func (g groupGuesser) literal() string {
	return g.one(`"1"`, `"2"`, `"3"`, `"4"`, `"x"`, `"User"`, `"Group"`, `"Zeta Ann"`, `"zeta.ann"`, `"staff"`, `""`, `true`, `"../Users/1"`)
}

func (g groupGuesser) filter(depth int) string {
	switch n := g.IntN(6); {
	case depth > 0 && n == 0:
		return g.filter(depth-1) + g.one(" and ", " or ") + g.filter(depth-1)
	case depth > 0 && n == 1:
		return "not (" + g.filter(depth-1) + ")"
	case n == 2:
		return "members[" + g.part() + g.one(" eq ", " sw ", " ne ") + g.literal() + "]"
	case n == 3:
		return g.path() + " pr"
	}
	return g.path() + " " + g.one("eq", "ne", "co", "sw", "gt") + " " + g.literal()
}

func (g groupGuesser) members() string {
	var all []string
	for range g.IntN(4) {
		m := `{"value":` + g.one(`"1"`, `"2"`, `"3"`, `"4"`, `"5"`, `"x"`)
		all = append(all, m+g.one(``, ``, `,"display":"Zeta Ann"`, `,"type":"User"`, `,"type":"Group"`)+`}`)
	}
	return "[" + strings.Join(all, ",") + "]"
}

func (g groupGuesser) patch() string {
	var ops []string
	for range 1 + g.IntN(3) {
		switch g.IntN(5) {
		case 0:
			ops = append(ops, op("remove", "members["+g.part()+" "+g.one("eq", "sw", "ne")+" "+g.literal()+"]"+g.one("", "", ".display"), ""))
		case 1:
			ops = append(ops, op(g.one("add", "replace"), "", `{"members":`+g.members()+`,"displayName":"`+g.one("staff", "zeta.ann", "more")+`"}`))
		case 2:
			ops = append(ops, op(g.one("add", "replace"), "members["+g.part()+" eq "+g.literal()+"]."+g.part(), g.literal()))
		default:
			ops = append(ops, op(g.one("add", "replace", "remove"), g.one("members", "members", g.path()), g.members()))
		}
	}
	return scopedPatch(ops...)
}

func (g groupGuesser) request() (method, target, body string) {
	id := fmt.Sprint(4 + g.IntN(2))
	group := `{"displayName":"` + g.one("staff", "board", "zeta.ann") + `","members":` + g.members() + `}`
	switch g.IntN(9) {
	case 0:
		return "POST", "/Groups", group
	case 1:
		return "PUT", "/Groups/" + id, group
	case 2, 3, 4:
		return "PATCH", "/Groups/" + id + g.one("", "?attributes=members"), g.patch()
	case 5:
		return "POST", g.one("/Groups/.search", "/.search", "/Users/.search"), `{` + search + `,"filter":` + strconv.Quote(g.filter(2)) + `,"sortBy":` + strconv.Quote(g.path()) + `}`
	case 6:
		user := "/Users/" + g.one("1", "2", "3", "x")
		return g.one("GET", "PATCH", "PUT", "DELETE"), user, g.one(scopedPatch(op("replace", "active", "false")), `{"userName":"zeta.ann","members":[]}`)
	}
	q := url.Values{}
	if g.IntN(3) > 0 {
		q.Set("filter", g.filter(2))
	}
	if g.IntN(3) == 0 {
		q.Set("sortBy", g.path())
	}
	q.Set(g.one("attributes", "excludedAttributes", "count"), g.one("members.display", "members", "displayName", "3"))
	return "GET", g.one("/Groups?", "/Groups?", "/Groups/"+id+"?", "/?", "/Users?") + q.Encode(), ""
}

// change is a change of a user that a client for groups may not know.
func (g groupGuesser) change() (method, target, body string) {
	attribute := g.one("displayName", "title", "nickName", "name.givenName")
	return "PATCH", "/Users/" + g.one("1", "2", "3"), scopedPatch(op("replace", attribute, g.one(`"Zeta Ann"`, `"Zeta New"`, `"zeta.ann"`)))
}

// Random requests with a token for groups get the same answers from two endpoints with the same groups, whose
// users differ in all but their ids, and change no user.
func TestGroupsScopeGuesses(t *testing.T) {
	overScopedStores(func(name string, newStore func(*testing.T) scim.Store, n int) {
		t.Run(name, func(t *testing.T) {
			var twins [2]*scopedWorld
			for i := range twins {
				w := newScopedWorld(t, newStore(t), nil)
				twins[i] = w
				who := []string{`{"userName":"zeta.ann","displayName":"Zeta Ann","title":"Zeta","roles":[{"value":"ZetaAdmin"}]}`, `{"userName":"bob","active":false}`}
				w.must("POST", "/Users", who[i])
				w.must("POST", "/Users", who[1-i])
				w.must("POST", "/Users", `{"userName":"cy"}`)
				w.must("POST", "/Groups", `{"displayName":"staff","members":[{"value":"1"},{"value":"2"}]}`)
				w.must("POST", "/Groups", `{"displayName":"board","members":[{"value":"4","type":"Group"}]}`)
			}
			guessOfGroups(t, twins, groupGuesser{&guesser{Rand: rand.New(rand.NewPCG(7, 1))}}, n)
		})
	})
}

func guessOfGroups(t *testing.T, twins [2]*scopedWorld, g groupGuesser, n int) {
	statuses := tally{}
	for i := range n {
		if g.IntN(5) == 0 {
			method, target, body := g.change()
			twins[0].must(method, target, body)
		}
		before := usersOf(twins)
		method, target, body := g.request()
		first, second := ask(twins, "groups", i, method, target, body)
		for _, r := range []*reply{&first, &second} {
			r.Header.Del("Etag") // random, as is meta.version
			r.Header.Del("Content-Length")
			r.Body = versions.ReplaceAllString(r.Body, "version")
		}
		statuses[first.Status]++
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("%d: %s %s %s: the answer depends on users:\n%s", i, method, target, body, diff)
		}
		if strings.Contains(first.Body, "Zeta New") {
			t.Fatalf("%d: %s %s %s: the answer shows a user: %s", i, method, target, body, first.Body)
		}
		if diff := cmp.Diff(before, usersOf(twins)); diff != "" {
			t.Fatalf("%d: %s %s %s: users have changed (-before +after):\n%s", i, method, target, body, diff)
		}
	}
	statuses.expect(t, n, 200, 201, 204, 400, 403)
}

// usersOf returns all users, without what their groups are to them.
func usersOf(twins [2]*scopedWorld) (all []string) {
	for _, w := range twins {
		all = append(all, w.send("all", "GET", "/Users?attributes=userName,displayName,title,nickName,name,active", "").Body)
	}
	return all
}
