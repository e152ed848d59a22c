package storetest

import (
	"fmt"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// filter parses a filter of the suite.
func (t *probe) filter(text string) *scim.Filter {
	f, err := scim.ParseFilter(scim.UserType(), text)
	if err != nil {
		t.Fatalf("storetest parses %s: %v", text, err)
	}
	return f
}

// createPeople stores the users of the filter, sort and keyset steps. It returns them in
// order of creation.
func createPeople(t *probe, s scim.Store) []*scim.Resource {
	mail := func(typ, value string, primary bool) values {
		v := values{"type": typ, "value": value}
		if primary {
			v["primary"] = true
		}
		return v
	}
	var all []*scim.Resource
	for _, u := range []struct {
		name string
		more values
	}{
		{"Ann@Example.com", values{"externalId": "EXT-1", "displayName": "Ann Ångström", "name": values{"familyName": "Ångström", "givenName": "Ann"},
			"emails": []values{mail("work", "Ann@Example.com", true), mail("home", "ann@home.example", false)}, "active": true, "title": "Engineer", department: "R&D"}},
		{"bob@example.com", values{"externalId": "ext-1", "displayName": "bob", "name.familyName": "Zappa",
			"emails": []values{mail("home", "bob@example.com", false), mail("work", "a.bob@example.com", true)}, "active": false, "title": "engineer II"}},
		{"jos\u00e9", values{"externalId": "ext-3", "displayName": "100% _real_", "name.familyName": "\u00c9luard", department: "r&d"}},
		{"o'brien@example.com", values{"displayName": `O'Brien "Bo" \ Co`, "name.familyName": "O'Brien", "active": true, "title": "CEO"}},
		{"carl", values{"displayName": "Carl", "name.familyName": "zappa", "active": false, department: "Sales"}},
		{"dora@example.com", values{"displayName": "100 real", "emails": []values{mail("work", "dora@example.com", false)}, "title": "Sales"}},
		{"ｚｅｎ", values{"externalId": "EXT-7", "name.familyName": "Möller", "active": true, "emails": []values{mail("home", "zen@home.example", false)}}},
	} {
		all = append(all, t.create(s, t.user(u.name, u.more)))
	}
	return all
}

// row is a filter with the predicate that it must agree with.
type row struct {
	filter string
	match  func(r *scim.Resource) bool
}

// rows runs each filter over the users of createPeople. It compares the whole list, the
// total and a page with the predicate.
func rows(list func(t *probe, all []*scim.Resource) []row) func(t *probe, s scim.Store) {
	return func(t *probe, s scim.Store) {
		all := createPeople(t, s)
		for _, row := range list(t, all) {
			var want []*scim.Resource
			for _, r := range all {
				if row.match(r) {
					want = append(want, r)
				}
			}
			f := t.filter(row.filter)
			t.expect(s, scim.UserType(), &scim.Query{Filter: f, Limit: 100, Total: true}, want, len(want))
			t.expect(s, scim.UserType(), &scim.Query{Filter: f}, nil, len(want))
			t.expect(s, scim.UserType(), &scim.Query{Filter: f, Offset: 1, Limit: 1, Total: true}, cut(want, 1, 1), len(want))
		}
	}
}

// has reports whether r has a value at path whose folded form passes.
func has(path string, pass func(v, x string) bool, x string) func(*scim.Resource) bool {
	return func(r *scim.Resource) bool {
		v, ok := r.Get(path).(string)
		return ok && pass(scim.Fold(v), scim.Fold(x))
	}
}

func equal(v, x string) bool { return v == x }

func none(*scim.Resource) bool { return false }

func not(f func(*scim.Resource) bool) func(*scim.Resource) bool {
	return func(r *scim.Resource) bool { return !f(r) }
}

// anyMail reports whether an e-mail address of r passes.
func anyMail(pass func(typ, value string) bool) func(*scim.Resource) bool {
	return func(r *scim.Resource) bool {
		list, _ := r.Get("emails").([]any)
		for _, e := range list {
			m, _ := e.(map[string]any)
			typ, _ := m["type"].(string)
			value, _ := m["value"].(string)
			if pass(typ, scim.Fold(value)) {
				return true
			}
		}
		return false
	}
}

func is(r *scim.Resource, path string) bool { return r.Get(path) != nil }

func filterSteps() []step[scim.Store] {
	const rule = " (RFC 7644, Section 3.4.2.2; a store that cannot translate a filter passes its resources to scim.Scan)"
	return []step[scim.Store]{
		{"userName", "userName is compared by scim.Fold" + rule, rows(func(*probe, []*scim.Resource) []row {
			var list []row
			for _, n := range []string{"Ann@Example.com", "ANN@example.COM", "jos\u00e9", "JOSE\u0301", "jose", "zen", "ZEN", "nobody@example.com", "", "%", "car_", "o'brien@example.com"} {
				list = append(list, row{fmt.Sprintf(`userName eq "%s"`, n), has("userName", equal, n)})
			}
			return append(list,
				row{`urn:ietf:params:scim:schemas:core:2.0:User:userName eq "CARL"`, has("userName", equal, "carl")},
				row{`userName ne "carl"`, not(has("userName", equal, "carl"))})
		})},
		{"externalId", "externalId and id are compared exactly, with their case" + rule, rows(func(t *probe, all []*scim.Resource) []row {
			exact := func(x string) func(*scim.Resource) bool {
				return func(r *scim.Resource) bool { return r.String("externalId") == x }
			}
			return []row{
				{`externalId eq "EXT-1"`, exact("EXT-1")}, {`externalId eq "ext-1"`, exact("ext-1")}, {`externalId eq "Ext-1"`, none},
				{`externalId sw "EXT"`, func(r *scim.Resource) bool { return strings.HasPrefix(r.String("externalId"), "EXT") }},
				{fmt.Sprintf(`id eq "%s"`, all[3].ID()), func(r *scim.Resource) bool { return r.ID() == all[3].ID() }},
				{fmt.Sprintf(`id eq "%s"`, nobody), none},
				{fmt.Sprintf(`id eq "%s" and userName eq "carl"`, all[3].ID()), none},
			}
		})},
		{"emails", "A multi-valued attribute matches if one of its values does; all conditions in a value path apply to one value" + rule, rows(func(*probe, []*scim.Resource) []row {
			return []row{
				{`emails.value eq "ANN@HOME.example"`, anyMail(func(_, v string) bool { return v == "ann@home.example" })},
				{`emails.value eq "nobody@example.com"`, none},
				{`emails co "bob"`, anyMail(func(_, v string) bool { return strings.Contains(v, "bob") })},
				{`emails.type eq "work"`, anyMail(func(typ, _ string) bool { return typ == "work" })},
				{`emails[type eq "home" and value sw "bob"]`, anyMail(func(typ, v string) bool { return typ == "home" && strings.HasPrefix(v, "bob") })},
				{`emails[type eq "home" and value sw "a.bob"]`, none},
				{`emails.type eq "home" and emails.value sw "a.bob"`, func(r *scim.Resource) bool { return r.String("userName") == "bob@example.com" }},
				{`emails[not (type eq "work")]`, anyMail(func(typ, _ string) bool { return typ != "work" })},
				{`emails[primary eq true and value ew "example.com"]`, func(r *scim.Resource) bool {
					n := r.String("userName")
					return n == "Ann@Example.com" || n == "bob@example.com"
				}},
			}
		})},
		{"substrings", "co, sw and ew find literal text: %, _, quotes and backslashes are no patterns, and case does not count" + rule, rows(func(*probe, []*scim.Resource) []row {
			name := func(pass func(v, x string) bool, x string) func(*scim.Resource) bool {
				return has("displayName", pass, x)
			}
			return []row{
				{`displayName co "100%"`, name(strings.Contains, "100%")}, {`displayName co "_REAL"`, name(strings.Contains, "_real")},
				{`displayName sw "100_"`, none}, {`displayName sw "100"`, name(strings.HasPrefix, "100")},
				{`displayName ew "REAL"`, name(strings.HasSuffix, "real")}, {`displayName co "*"`, none},
				{`displayName co "ÅNG"`, name(strings.Contains, "ång")}, {`displayName co "A\u030ang"`, name(strings.Contains, "ång")}, {`displayName co "Ang"`, none},
				{`displayName eq "o'brien \"bo\" \\ co"`, name(equal, `O'Brien "Bo" \ Co`)},
				{`displayName co "\\"`, name(strings.Contains, `\`)}, {`displayName co "'"`, name(strings.Contains, "'")},
				{`displayName co "\""`, name(strings.Contains, `"`)}, {`displayName co "' or '1'='1"`, none},
				{fmt.Sprintf(`%s eq "R&d"`, department), has(department, equal, "r&d")},
			}
		})},
		{"presence", "pr asks whether there is a value; if the attribute is absent, only ne and eq null are true" + rule, rows(func(*probe, []*scim.Resource) []row {
			present := func(path string) func(*scim.Resource) bool {
				return func(r *scim.Resource) bool { return is(r, path) }
			}
			return []row{
				{`title pr`, present("title")}, {`not (title pr)`, not(present("title"))}, {`title eq null`, not(present("title"))},
				{`emails pr`, present("emails")}, {`name.givenName pr`, present("name.givenName")}, {department + ` pr`, present(department)},
				{`externalId pr and not (emails pr)`, func(r *scim.Resource) bool { return is(r, "externalId") && !is(r, "emails") }},
				{`title ne "CEO"`, not(has("title", equal, "ceo"))}, {`not (title eq "CEO")`, not(has("title", equal, "ceo"))},
				{`title lt "zzz"`, present("title")}, {`not (title lt "zzz")`, not(present("title"))},
			}
		})},
		{"booleans", "A boolean is true, false or absent, and absent is neither" + rule, rows(func(*probe, []*scim.Resource) []row {
			off := func(r *scim.Resource) bool { return !r.Active() }
			return []row{
				{`active eq true`, func(r *scim.Resource) bool { return r.Bool("active") }}, {`active eq false`, off},
				{`active ne true`, func(r *scim.Resource) bool { return !r.Bool("active") }}, {`active ne false`, not(off)},
				{`not (active eq false)`, not(off)},
			}
		})},
		{"logic", "not binds strongest, then and, then or; parentheses group" + rule, rows(func(*probe, []*scim.Resource) []row {
			eng, carl, mail := has("title", strings.HasPrefix, "engineer"), has("userName", equal, "carl"), func(r *scim.Resource) bool { return is(r, "emails") }
			return []row{
				{`title pr or userName eq "CARL" and emails pr`, func(r *scim.Resource) bool { return is(r, "title") || carl(r) && mail(r) }},
				{`(title pr or userName eq "carl") and emails pr`, func(r *scim.Resource) bool { return (is(r, "title") || carl(r)) && mail(r) }},
				{`not (title sw "engineer") and emails pr`, func(r *scim.Resource) bool { return !eng(r) && mail(r) }},
				{`not (title sw "engineer" or emails pr)`, func(r *scim.Resource) bool { return !(eng(r) || mail(r)) }},
				{`userName eq "carl" or userName eq "BOB@example.com"`, func(r *scim.Resource) bool { return carl(r) || r.String("userName") == "bob@example.com" }},
				{`userName eq "carl" and userName eq "bob@example.com"`, none},
				{`userName eq "carl" and not (userName eq "carl")`, none},
			}
		})},
		{"order", "gt, ge, lt and le order text by its folded form, byte by byte" + rule, rows(func(*probe, []*scim.Resource) []row {
			family := func(pass func(v, x string) bool, x string) func(*scim.Resource) bool {
				return has("name.familyName", pass, x)
			}
			return []row{
				{`name.familyName gt "o'BRIEN"`, family(func(v, x string) bool { return v > x }, "o'brien")},
				{`name.familyName ge "O'Brien"`, family(func(v, x string) bool { return v >= x }, "o'brien")},
				{`name.familyName lt "ZAPPA"`, family(func(v, x string) bool { return v < x }, "zappa")},
				{`name.familyName le "Zappa"`, family(func(v, x string) bool { return v <= x }, "zappa")},
				{`name.familyName gt "é"`, family(func(v, x string) bool { return v > x }, "é")},
			}
		})},
		{"dates", "Dates are compared as instants, in whatever zone they are written" + rule, rows(func(_ *probe, all []*scim.Resource) []row {
			var list []row
			for _, zone := range []*time.Location{time.UTC, time.FixedZone("", -7*3600)} {
				at := all[3].Meta().Created.Truncate(time.Millisecond).Add(time.Millisecond).In(zone)
				text := at.Format("2006-01-02T15:04:05.000Z07:00")
				list = append(list,
					row{fmt.Sprintf(`meta.created lt "%s"`, text), func(r *scim.Resource) bool { return r.Meta().Created.Before(at) }},
					row{fmt.Sprintf(`meta.created gt "%s"`, text), func(r *scim.Resource) bool { return r.Meta().Created.After(at) }},
					row{fmt.Sprintf(`meta.lastModified ge "%s" and userName pr`, text), func(r *scim.Resource) bool { return !r.Meta().LastModified.Before(at) }})
			}
			return append(list, row{`meta.created gt "2001-01-01T00:00:00Z"`, not(none)}, row{`meta.created lt "2001-01-01T00:00:00Z"`, none})
		})},
		{randomStep, equivalenceRule, func(t *probe, s scim.Store) {
			compareWithScan(t, s, scim.UserType(), false, 400)
			compareWithScan(t, s, scim.GroupType(), false, 100)
		}},
	}
}
