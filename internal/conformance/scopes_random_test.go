package conformance

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
)

// guesser makes random requests of a client that looks for what it may not know.
type guesser struct {
	*rand.Rand
	tags []string // ETags that it has seen
}

func (g *guesser) one(of ...string) string { return of[g.IntN(len(of))] }

// path is an attribute, in one of its spellings.
func (g *guesser) path() string {
	p := g.one("roles", "roles", "roles.value", "roles.display", "roles.primary", "userType", "entitlements", "entitlements.value",
		"name", "name.honorificPrefix", "name.givenName", enterprise, enterprise+":costCenter", enterprise+".costCenter", "costCenter",
		enterprise+":department", "department", "manager", "manager.value", "groups", "groups.value", "groups.display", "title", "nickName",
		"emails", "emails.value", "active", "userName", "externalId", "meta", "meta.lastModified", "meta.version", "meta.created", "schemas", "id")
	switch g.IntN(6) {
	case 0:
		p = strings.ToUpper(p)
	case 1:
		if !strings.HasPrefix(p, "urn:") {
			p = core + ":" + p
		}
	}
	return p
}

func (g *guesser) literal() string {
	return g.one(`"ZetaAdmin"`, `"ZetaEditor"`, `"Zeta"`, `"ZetaE"`, `"ZetaDr"`, `"ZetaCost"`, `"4"`, `"5"`, `"R"`, `"ann"`, `""`, `true`, `null`, `1`, `"2026-01-15T00:00:00Z"`)
}

// filter is a filter, or one for the brackets of a path.
func (g *guesser) filter(depth int, path func() string) string {
	switch n := g.IntN(8); {
	case depth > 0 && n < 2:
		return g.filter(depth-1, path) + g.one(" and ", " or ") + g.filter(depth-1, path)
	case depth > 0 && n == 2:
		return "not (" + g.filter(depth-1, path) + ")"
	case depth > 0 && n == 3:
		return path() + "[" + g.filter(0, g.part) + "]"
	case n == 4:
		return path() + " pr"
	}
	return path() + " " + g.one("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le") + " " + g.literal()
}

func (g *guesser) part() string {
	return g.one("value", "display", "type", "primary", "$ref", "honorificPrefix", "costCenter", "lastModified", "version", "givenName")
}

// value is the value of an operation.
func (g *guesser) value() string {
	switch g.IntN(4) {
	case 0:
		return g.literal()
	case 1:
		return g.object(2)
	}
	return g.one(`[]`, `[{}]`, `{}`, `[{"value":"ZetaAdmin"}]`, `[{"value":"ZetaEditor","primary":true}]`, `[{"value":"R","type":"work"}]`,
		`{"value":"4"}`, `{"givenName":"x","honorificPrefix":"ZetaDr"}`, `{"honorificPrefix":null}`, `{"costCenter":"ZetaCost","department":"D"}`,
		`false`, `"`+strings.Repeat("l", g.IntN(3500))+`"`, `"{\"userType\":\"R\"}"`)
}

// object is an object of attributes.
func (g *guesser) object(depth int) string {
	var fields []string
	seen := map[string]bool{}
	for range 1 + g.IntN(3) {
		name := g.path()
		if seen[strings.ToLower(name)] {
			continue
		}
		seen[strings.ToLower(name)] = true
		v := g.literal()
		if depth > 0 {
			v = g.value()
		}
		fields = append(fields, strconv.Quote(name)+":"+v)
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (g *guesser) patch() string {
	var ops []string
	for range 1 + g.IntN(3) {
		path := g.path()
		switch g.IntN(4) {
		case 0:
			path += "[" + g.filter(1, g.part) + "]" + g.one("", "", ".display", ".value", ".givenName", ".costCenter")
		case 1:
			path = ""
		}
		verb, value := g.one("add", "replace", "remove"), g.value()
		if verb == "remove" && g.IntN(3) > 0 {
			value = ""
		}
		ops = append(ops, op(verb, path, value))
	}
	return scopedPatch(ops...)
}

func (g *guesser) user() string {
	b := `{"userName":` + g.one(`"ann"`, `"ben"`, `"new`+fmt.Sprint(g.IntN(1000))+`"`) + `,"active":` + g.one("true", "true", "false")
	if o := g.object(2); g.IntN(3) > 0 {
		b += "," + o[1:len(o)-1]
	}
	return b + "}"
}

// request makes a request for users, without deletions.
func (g *guesser) request() (method, target, body string) {
	id := fmt.Sprint(1 + g.IntN(3))
	switch g.IntN(10) {
	case 0:
		return "POST", "/Users", g.user()
	case 1, 2:
		return "PUT", "/Users/" + id, g.user()
	case 3, 4, 5:
		return "PATCH", g.one("/Users/"+id, "/Users/"+id, "/Me"), g.patch()
	case 6:
		return "GET", "/Users/" + id + g.one("", "?attributes=", "?excludedAttributes=") + url.QueryEscape(g.path()), ""
	case 7:
		return "POST", g.one("/Users/.search", "/.search"), `{` + search + `,"filter":` + strconv.Quote(g.filter(2, g.path)) + `,"sortBy":` + strconv.Quote(g.path()) + `}`
	}
	q := url.Values{}
	if g.IntN(3) > 0 {
		q.Set("filter", g.filter(2, g.path))
	}
	if g.IntN(2) > 0 {
		q.Set("sortBy", g.path())
	}
	q.Set(g.one("startIndex", "count", "x"), fmt.Sprint(g.IntN(4)))
	return "GET", g.one("/Users?", "/Users?", "/?") + q.Encode(), ""
}

// bulk wraps writes of users in one request.
func (g *guesser) bulk() string {
	var ops []string
	for i := range 1 + g.IntN(4) {
		method, target, body := g.request()
		if method == "GET" || target == "/Me" || strings.HasSuffix(target, ".search") {
			method, target, body = "PATCH", "/Users/1", g.patch()
		}
		o := fmt.Sprintf(`{"method":%q,"path":%q,"bulkId":"b%d"`, method, target, i)
		if len(g.tags) > 0 && g.IntN(3) == 0 {
			o += fmt.Sprintf(`,"version":%q`, g.one(g.tags...))
		}
		ops = append(ops, o+`,"data":`+body+`}`)
	}
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// change is a change of something hidden.
func (g *guesser) change() (method, target, body string) {
	id := fmt.Sprint(1 + g.IntN(3))
	role := g.one(`"ZetaNew"`, `"ZetaE"`, `"ZetaDr"`)
	switch g.IntN(4) {
	case 0:
		return "PATCH", "/Groups/" + g.one("4", "5"), scopedPatch(op(g.one("add", "remove"), "members", `[{"value":"`+id+`"}]`))
	case 1:
		return "PATCH", "/Users/" + id, scopedPatch(op(g.one("add", "replace"), g.one("roles", "entitlements"), `[{"value":`+role+`}]`))
	case 2:
		return "PATCH", "/Users/" + id, scopedPatch(op("replace", g.one("userType", enterprise+":costCenter", "name.honorificPrefix"), role))
	}
	return "PATCH", "/Users/" + id, scopedPatch(op("remove", g.one("roles", "userType", enterprise+":costCenter", "name.honorificPrefix"), ""))
}

// overScopedStores calls test with each store and with the number of its requests. SCIM_GUESSES is that of the fast ones.
func overScopedStores(test func(name string, newStore func(*testing.T) scim.Store, n int)) {
	n, _ := strconv.Atoi(os.Getenv("SCIM_GUESSES"))
	if least := 400; !testhost.UnderRace {
		n = max(n, least)
	} else {
		n = max(n, least/8) // one goroutine has no races
	}
	for name, newStore := range scopedStores() {
		if name == "memory" || name == "bare" {
			test(name, newStore, n)
		} else {
			test(name, newStore, n/8) // which take as long as all over memory
		}
	}
}

// Random requests with a token for users get the same answers from two endpoints that differ
// only in what is hidden, and change nothing of it.
func TestUsersScopeGuesses(t *testing.T) {
	overScopedStores(func(name string, newStore func(*testing.T) scim.Store, n int) {
		for seed := range uint64(2) {
			t.Run(fmt.Sprint(name, seed), func(t *testing.T) {
				guess(t, scopedTwins(t, newStore, nil), &guesser{Rand: rand.New(rand.NewPCG(seed, 1))}, n)
			})
		}
		if name != "memory" {
			return
		}
		t.Run("strict", func(t *testing.T) { // an error names what is wrong, where a tolerance would be silent
			twins := scopedTwins(t, newStore, func(c *scim.Config) {
				c.Without = slices.DeleteFunc(scim.Tolerances(), func(n scim.Tolerance) bool { return n == "missing-schemas" || n == "remove-by-value" })
			})
			guess(t, twins, &guesser{Rand: rand.New(rand.NewPCG(2, 1))}, n)
		})
	})
}

// tally counts answers by status.
type tally map[int]int

// expect checks that n random requests had each of these answers. Fewer than 400 may miss one by chance.
func (all tally) expect(t *testing.T, n int, statuses ...int) {
	t.Helper()
	for _, status := range statuses {
		if n >= 400 && all[status] == 0 {
			t.Errorf("no request was answered %d, so the requests try too little: %v", status, all)
		}
	}
}

func guess(t *testing.T, twins [2]*scopedWorld, g *guesser, n int) {
	statuses := tally{}
	for i := range n {
		if g.IntN(5) == 0 {
			method, target, body := g.change()
			twins[0].must(method, target, body)
		}
		before := hiddenOf(twins)
		method, target, body := g.request()
		if g.IntN(5) == 0 {
			method, target, body = "POST", "/Bulk", g.bulk()
		}
		var header []string
		if len(g.tags) > 0 && g.IntN(3) == 0 {
			header = []string{g.one("If-Match: ", "If-None-Match: ") + g.one(g.tags...)}
		}
		first, second := ask(twins, "users", i, method, target, body, header...)
		statuses[first.Status]++
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("%d: %s %s %s %s: the answer depends on what is hidden:\n%s", i, method, target, body, header, diff)
		}
		if strings.Contains(first.Body, `"lastModified":`) || strings.Contains(first.Body, "Zeta") && !strings.Contains(target+body, "Zeta") && first.Status == 200 && method == "GET" && strings.Contains(first.Body, `"roles"`) {
			t.Fatalf("%d: %s %s %s: the answer shows what is hidden: %s", i, method, target, body, first.Body)
		}
		if diff := cmp.Diff(before, hiddenOf(twins)); diff != "" {
			t.Fatalf("%d: %s %s %s: what is hidden has changed (-before +after):\n%s", i, method, target, body, diff)
		}
		if tag := first.etag(); tag != "" && len(g.tags) < 20 {
			g.tags = append(g.tags, tag)
		}
	}
	statuses.expect(t, n, 200, 201, 400, 403, 412)
}
