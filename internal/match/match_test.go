package match_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// person is a user as a plain Go value, from which both the document and the
// expectations of a row come.
type person struct {
	id, userName, externalID, title, version string
	family, given                            string
	active                                   string // "", "true", "false"
	created                                  string
	emails                                   []mail
	department, manager                      string
}

type mail struct{ value, kind, primary string }

var people = []person{
	{
		id: "Ann-1", userName: "ann@ex.test", externalID: "123", title: "Head of IT", version: "v1",
		family: "Ånström", given: "Ann", active: "true", created: "2024-02-29T12:00:00Z",
		emails:     []mail{{"Ann@Ex.test", "work", "true"}, {"ann@home.test", "home", ""}},
		department: "Sales", manager: "Bob-2",
	},
	{
		id: "Bob-2", userName: "BOB@ex.test", externalID: "Bob", active: "false", created: "2024-03-01T00:00:00Z",
		emails: []mail{{"ann@ex.test", "home", "true"}, {"bob@ex.test", "work", "false"}},
	},
	{id: "ann-1", userName: "carl", externalID: "ANN", created: "2025-01-01T00:00:00.5+05:30", department: "sales"},
	{id: "d4", userName: "dana", title: "", emails: []mail{{"", "work", ""}}, manager: "bob-2"},
	{id: "true", userName: "true", externalID: "1.5", given: "Ann", family: "Li", emails: []mail{{value: "x@y.test"}}},
}

func (p person) document(t *model.Type) *doc.Document {
	o := obj{"userName": p.userName, "title": p.title}
	for name, v := range map[string]string{"externalId": p.externalID, "active": p.active} {
		if v != "" {
			o[name] = v
		}
	}
	if p.title == "" && p.id != "d4" {
		delete(o, "title") // d4 has an empty title, the others none
	}
	if p.given != "" {
		o["name"] = obj{"familyName": p.family, "givenName": p.given}
	}
	var emails []obj
	for _, m := range p.emails {
		e := obj{"value": m.value}
		if m.kind != "" {
			e["type"] = m.kind
		}
		if m.primary != "" {
			e["primary"] = m.primary
		}
		emails = append(emails, e)
	}
	if emails != nil {
		o["emails"] = emails
	}
	ext := obj{}
	if p.department != "" {
		ext["department"] = p.department
	}
	if p.manager != "" {
		ext["manager"] = obj{"value": p.manager}
	}
	if len(ext) > 0 {
		o[enterpriseURN] = ext
	}
	d := newDoc(t, p.id, o)
	d.Version = p.version
	if p.created != "" {
		d.Created = mustTime(p.created)
		d.Modified = d.Created
	}
	return d
}

func (p person) anyMail(f func(mail) bool) bool {
	for _, m := range p.emails {
		if f(m) {
			return true
		}
	}
	return false
}

func same(a, b string) bool { return strings.EqualFold(a, b) }

func TestMatch(t *testing.T) {
	all := func(person) bool { return true }
	none := func(person) bool { return false }
	mailIs := func(address string) func(person) bool {
		return func(p person) bool { return p.anyMail(func(m mail) bool { return same(m.value, address) }) }
	}
	workMail := func(p person) bool {
		return p.anyMail(func(m mail) bool { return m.kind == "work" && same(m.value, "ann@ex.test") })
	}
	sales := func(p person) bool { return same(p.department, "sales") }
	rows := []struct {
		name, reason, filter string
		want                 func(person) bool
		uniform              bool // every person gives the same answer
	}{
		{"Q49 userName", "userName is not case-exact", `userName eq "ANN@EX.TEST"`, func(p person) bool { return same(p.userName, "ann@ex.test") }, false},
		{"Q49 id", "id is case-exact", `id eq "ann-1"`, func(p person) bool { return p.id == "ann-1" }, false},
		{"Q49 externalId", "externalId is case-exact", `externalId eq "ANN"`, func(p person) bool { return p.externalID == "ANN" }, false},
		{"Q44 manager", "a bare complex attribute stands for its value, which is an id and case-exact", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager eq "Bob-2"`, func(p person) bool { return p.manager == "Bob-2" }, false},
		{"Q45 emails", "a bare multi-valued attribute stands for its value", `emails eq "ANN@ex.test"`, mailIs("ann@ex.test"), false},
		{"Q45 emails co", "with every operator", `emails co "HOME"`, func(p person) bool {
			return p.anyMail(func(m mail) bool { return strings.Contains(strings.ToLower(m.value), "home") })
		}, false},
		{"Q46 after the bracket", "the sub-attribute is of the same element", `emails[type eq "work"].value eq "ann@ex.test"`, workMail, false},
		{"Q47 bare word", "an unquoted word is a string", `externalId eq Bob`, func(p person) bool { return p.externalID == "Bob" }, false},
		{"Q47 number", "a number against a string compares as text", `externalId eq 123`, func(p person) bool { return p.externalID == "123" }, false},
		{"Q47 fraction", "so does a fraction", `externalId eq 1.5`, func(p person) bool { return p.externalID == "1.5" }, false},
		{"Q47 boolean", "and true", `userName eq true`, func(p person) bool { return p.userName == "true" }, false},
		{"Q22 primary", "a string against a boolean", `emails[primary eq "True"]`, func(p person) bool { return p.anyMail(func(m mail) bool { return m.primary == "true" }) }, false},
		{"Q22 active", "outside of brackets too", `active eq "FALSE"`, func(p person) bool { return p.active == "false" }, false},

		{"same element", "both conditions hold for one element", `emails[type eq "work" and value eq "ann@ex.test"]`, workMail, false},
		{"any element each", "without brackets each condition finds its own element", `emails.type eq "work" and emails.value eq "ann@ex.test"`, func(p person) bool {
			return mailIs("ann@ex.test")(p) && p.anyMail(func(m mail) bool { return m.kind == "work" })
		}, false},
		{"not in brackets", "some element is not of that type; one without a type is not", `emails[not (type eq "work")]`, func(p person) bool { return p.anyMail(func(m mail) bool { return m.kind != "work" }) }, false},
		{"not before brackets", "no element is of that type; without elements that is so", `not (emails[type eq "work"])`, func(p person) bool { return !p.anyMail(func(m mail) bool { return m.kind == "work" }) }, false},
		{"or in brackets", "either, for one element", `emails[type eq "home" or value sw "bob"]`, func(p person) bool {
			return p.anyMail(func(m mail) bool { return m.kind == "home" || strings.HasPrefix(m.value, "bob") })
		}, false},
		{"brackets on one value", "a single complex value is its own element", `name[givenName eq "ann" and familyName sw "å"]`, func(p person) bool { return p.given == "Ann" && p.family == "Ånström" }, false},
		{"brackets on nothing", "a value path needs a value, whatever it asks", `name[givenName ne "x"]`, func(p person) bool { return p.given != "" }, false},
		{"brackets on an extension", "an extension is a complex attribute", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User[department eq "SALES" and manager.value eq "Bob-2"]`, func(p person) bool { return sales(p) && p.manager == "Bob-2" }, false},

		{"ne any", "some element differs; a user without emails differs too", `emails.value ne "X@y.test"`, func(p person) bool {
			return len(p.emails) == 0 || p.anyMail(func(m mail) bool { return !same(m.value, "x@y.test") })
		}, false},
		{"ne absent", "an absent attribute is not equal", `active ne true`, func(p person) bool { return p.active != "true" }, false},
		{"eq absent", "and not equal to false either", `active eq false`, func(p person) bool { return p.active == "false" }, false},
		{"eq null", "null is absence", `active eq null`, func(p person) bool { return p.active == "" }, false},
		{"ne null", "and its contrary presence", `active ne null`, func(p person) bool { return p.active != "" }, false},
		{"eq null complex", "of the attribute itself, not its value", `emails eq null`, func(p person) bool { return p.emails == nil }, false},
		{"pr", "present", `active pr`, func(p person) bool { return p.active != "" }, false},
		{"pr empty", "an empty string is not present", `title pr`, func(p person) bool { return p.title != "" }, false},
		{"eq empty", "but it is a value", `title eq ""`, func(p person) bool { return p.id == "d4" }, false},
		{"pr complex", "any content will do", `name pr`, func(p person) bool { return p.given != "" }, false},
		{"pr multi", "any element", `emails pr`, func(p person) bool { return len(p.emails) > 0 }, false},
		{"pr multi value", "any element's non-empty value", `emails.value pr`, func(p person) bool { return p.anyMail(func(m mail) bool { return m.value != "" }) }, false},
		{"pr extension", "an extension is present by its content", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr`, func(p person) bool { return p.department+p.manager != "" }, false},

		{"names in any case", "attribute names and URNs are case-insensitive (RFC 7643, Section 2.1)", `URN:ietf:params:scim:schemas:Extension:Enterprise:2.0:User:DEPARTMENT eq "sales"`, sales, false},
		{"core URN", "the core schema's URN may be written (RFC 7644, Section 3.10)", `urn:ietf:params:scim:schemas:core:2.0:User:name.GivenName eq "ANN"`, func(p person) bool { return p.given == "Ann" }, false},
		{"dotted URN", "an extension's attribute behind a dot", `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User.department eq "sales"`, sales, false},

		{"schemas core", "everyone has the core schema", `schemas eq "urn:ietf:params:scim:schemas:core:2.0:User"`, all, true},
		{"schemas extension", "those with content have the extension; URNs are case-insensitive", `schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"`, func(p person) bool { return p.department+p.manager != "" }, false},
		{"schemas brackets", "value names the element", `schemas[value co "enterprise"]`, func(p person) bool { return p.department+p.manager != "" }, false},
		{"schemas pr", "never empty", `schemas pr`, all, true},
		{"schemas null", "never empty", `schemas eq null`, none, true},
		{"resourceType", "the type's name", `meta.resourceType eq "User"`, all, true},
		{"resourceType other", "and no other, nor in another case", `meta.resourceType eq "user"`, none, true},
		{"created", "instants compare across zones", `meta.created ge "2024-02-29T13:00:00+01:00"`, func(p person) bool { return p.created != "" }, false},
		{"created after", "strictly", `meta.created gt "2024-02-29T13:00:00+01:00"`, func(p person) bool { return p.created != "" && p.id != "Ann-1" }, false},
		{"created before", "absent is not before", `meta.created lt "2024-12-01T00:00:00Z"`, func(p person) bool { return p.id == "Ann-1" || p.id == "Bob-2" }, false},
		{"lastModified zone", "half-hour zones and fractions", `meta.lastModified eq "2024-12-31T18:30:00.5Z"`, func(p person) bool { return p.id == "ann-1" }, false},
		{"created ne", "absent is not equal", `meta.created ne "2024-03-01T00:00:00"`, func(p person) bool { return p.id != "Bob-2" }, false},
		{"created day", "substrings are of the text, in UTC", `meta.created sw "2024-12-31T18:30:00.5Z"`, func(p person) bool { return p.id == "ann-1" }, false},
		{"created pr", "some stores know", `meta.created pr`, func(p person) bool { return p.created != "" }, false},
		{"created null", "some do not", `meta.created eq null`, func(p person) bool { return p.created == "" }, false},
		{"meta brackets", "meta is complex", `meta[created pr and resourceType eq "User"]`, func(p person) bool { return p.created != "" }, false},
		{"meta pr", "meta is always there", `meta pr`, all, true},
		{"meta null", "never absent", `meta eq null`, none, true},
		{"meta ne null", "always present", `meta ne null`, all, true},
		{"version", "bare", `meta.version eq "v1"`, func(p person) bool { return p.version == "v1" }, false},
		{"version etag", "as clients were given it", `meta.version eq "W/\"v1\""`, func(p person) bool { return p.version == "v1" }, false},
		{"location", "unknown before the request's host is", `meta.location sw "http"`, none, true},
		{"location ne", "so it is not equal", `meta.location ne "http"`, all, true},
		{"location pr", "nor present", `meta.location pr`, none, true},

		{"and or", "and binds more than or", `title pr or active eq false and userName sw "bob"`, func(p person) bool {
			return p.title != "" || p.active == "false" && strings.HasPrefix(strings.ToLower(p.userName), "bob")
		}, false},
		{"not", "not", `not (active pr) and userName pr`, func(p person) bool { return p.active == "" }, false},
		{"parentheses", "parentheses first", `(title pr or active eq false) and userName sw "bob"`, func(p person) bool { return p.id == "Bob-2" }, false},
	}
	typ := userType(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := compile(t, typ, row.filter)
			var want, got, again, negated []string
			normal := compileExpr(t, typ, f.Expr())
			not := compile(t, typ, "not ("+row.filter+")")
			for _, p := range people {
				d := p.document(typ)
				if row.want(p) {
					want = append(want, p.id)
				}
				if f.Match(d) {
					got = append(got, p.id)
				}
				if normal.Match(d) {
					again = append(again, p.id)
				}
				if !not.Match(d) {
					negated = append(negated, p.id)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\n%s (-want +got)\n%s", row.reason, row.filter, diff)
			}
			if diff := cmp.Diff(want, again); diff != "" {
				t.Errorf("the normal form of %s means something else (-want +got)\n%s", row.filter, diff)
			}
			if diff := cmp.Diff(want, negated); diff != "" {
				t.Errorf("not (%s) is not the contrary (-want +got)\n%s", row.filter, diff)
			}
			if uniform := len(want) == 0 || len(want) == len(people); uniform != row.uniform {
				t.Errorf("%d of %d people match: the row tells nothing", len(want), len(people))
			}
		})
	}
}

func TestMembers(t *testing.T) {
	typ := groupType(t)
	members := map[string][]string{"g1": {"u1", "u2"}, "g2": {"u1"}, "g3": {"U1"}, "g4": nil}
	for _, row := range []struct {
		name, reason, filter string
		want                 func(id string, members []string) bool
	}{
		{"Q44 id and members", "Entra asks whether somebody is in a group", `id eq "g1" and members eq "u1"`, func(id string, _ []string) bool { return id == "g1" }},
		{"Q44 members", "ids are case-exact", `members eq "u1"`, func(id string, m []string) bool { return strings.Contains(strings.Join(m, " "), "u1") }},
		{"Q44 members value", "the same in full", `members[value eq "u1"]`, func(id string, m []string) bool { return strings.Contains(strings.Join(m, " "), "u1") }},
		{"members pr", "groups with members", `members pr`, func(_ string, m []string) bool { return len(m) > 0 }},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := compile(t, typ, row.filter)
			for id, list := range members {
				o := obj{"displayName": id}
				var elems []obj
				for _, m := range list {
					elems = append(elems, obj{"value": m})
				}
				if elems != nil {
					o["members"] = elems
				}
				if got, want := f.Match(newDoc(typ, id, o)), row.want(id, list); got != want {
					t.Errorf("%s: %s of %s %v = %v, want %v", row.reason, row.filter, id, list, got, want)
				}
			}
		})
	}
}

// Case is folded by fold.Key: lower case, width and composition, nothing else.
func TestFolding(t *testing.T) {
	rows := []struct {
		name, reason, stored, op, literal string
		want                              bool
	}{
		{"accents", "lower case beyond ASCII", "ÉMILE", "eq", "émile", true},
		{"composition", "a combining mark is the letter's", "e\u0301mile", "eq", "Émile", true},
		{"composition sw", "the mark belongs to the first letter", "e\u0301mile", "sw", "e", false},
		{"composition gt", "and decides the order", "e\u0301mile", "gt", "ez", true},
		{"sharp s", "no expansion: two people may differ by it", "straße", "eq", "strasse", false},
		{"sharp s case", "the capital form is the same letter", "STRAẞE", "eq", "straße", true},
		{"full width", "width does not count", "ＡＮＮ", "eq", "ann", true},
		{"full width co", "nor in substrings", "xＡＮＮx", "co", "ANN", true},
		{"full width literal", "nor in the literal", "Joann", "ew", "ＡＮＮ", true},
		{"dotless i", "ı is not i", "ılhan", "eq", "ilhan", false},
		{"dotted I", "no Turkish rules: I is i", "ILHAN", "eq", "ilhan", true},
		{"kelvin sign", "K is k", "\u212Aim", "eq", "kim", true},
		{"long s", "ſ is not s", "ſam", "eq", "sam", false},
		{"final sigma", "each sigma is its own letter", "ΟΔΟΣ", "eq", "οδος", false},
		{"spaces", "what PRECIS refuses is folded all the same", "Élan Vital ☺", "eq", "élan vital ☺", true},
		{"ascii with other literal", "an ASCII text has no other letter", "ann", "co", "å", false},
		{"long text", "long texts are folded whole", strings.Repeat("A", 300) + "NEEDLE", "co", "needle", true},
		{"long text end", "at the end", strings.Repeat("A", 300) + "Needle", "ew", "NEEDLE", true},
		{"long text without", "nothing is found that is not there", strings.Repeat("A", 300), "co", "b", false},
		{"at the very end", "the last position counts", "xyAB", "co", "ab", true},
		{"longer than the text", "a literal longer than the text is not in it", "ab", "co", "abc", false},
		{"prefix is less", "a prefix comes first", "Ann", "lt", "anna", true},
		{"case does not order", "case does not order", "ANN", "ge", "ann", true},
	}
	typ := userType(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f := compileExpr(t, typ, expression("", "userName", row.op, row.literal))
			if got := f.Match(newDoc(typ, "1", obj{"userName": row.stored})); got != row.want {
				t.Errorf("%s: %q %s %q = %v", row.reason, row.stored, row.op, row.literal, got)
			}
		})
	}
}

// What a store kept under an older schema, or kept although it is empty, is
// neither more nor less than it seems.
func TestOddDocuments(t *testing.T) {
	lab := labType(t)
	odd := newDoc(lab, "1", obj{"age": "old", "at": "once", "score": "0x10"})
	for _, name := range []string{"box", "items", extraURN} {
		odd.Values = append(odd.Values, doc.Composite(lab.Root.Lookup(name))) // no fields, no elements
	}
	for _, row := range []struct {
		filter, reason string
		want           bool
	}{
		{`age eq 5 or age lt 5 or age le 5 or age gt 5 or age ge 5`, "no number compares with a word", false},
		{`age ne 5 and age pr`, "but it is there and differs", true},
		{`score eq 16 or score gt 0 or score lt 0`, "hexadecimal is a word", false},
		{`at lt "2024-01-01T00:00:00Z" or at ge "2024-01-01T00:00:00Z"`, "no instant compares with a word", false},
		{`at ne "2024-01-01T00:00:00Z" and at co "nc"`, "but it differs, and has a text", true},
		{`box pr or items pr or box ne null or items ne null`, "nothing in it", false},
		{`box eq null and items eq null`, "so it is absent", true},
		{`box[text ne "a"] or items[text ne "a"]`, "no element to look into", false},
		{`box.text ne "a" and items.text ne "a"`, "so it is not equal", true},
		{`schemas eq "` + extraURN + `"`, "an empty extension is not there", false},
		{extraURN + ` pr`, "an empty extension is not there", false},
	} {
		if got := compile(t, lab, row.filter).Match(odd); got != row.want {
			t.Errorf("%s: %s = %v", row.reason, row.filter, got)
		}
	}
}

// Clients are shown microseconds and ask with what they were shown.
func TestMetaPrecision(t *testing.T) {
	typ := userType(t)
	d := newDoc(typ, "1", obj{"userName": "x"})
	d.Modified = mustTime("2024-02-29T12:00:00.123456789Z")
	for filter, want := range map[string]bool{
		`meta.lastModified gt "2024-02-29T12:00:00.123456Z"`: false,
		`meta.lastModified eq "2024-02-29T12:00:00.123456Z"`: true,
		`meta.lastModified ew "0.123456Z"`:                   true,
		`meta.lastModified gt "2024-02-29T12:00:00.123455Z"`: true,
	} {
		if got := compile(t, typ, filter).Match(d); got != want {
			t.Errorf("%s = %v", filter, got)
		}
	}
}

func TestMatchDoesNotAllocate(t *testing.T) {
	typ := userType(t)
	d := people[0].document(typ)
	d.Values = doc.Put(d.Values, doc.Simple(typ.Find("name").Parent.Lookup("displayName"), "Ann"))
	for _, text := range []string{
		`userName eq "ANN@EX.TEST"`, `userName ne "x" and userName co "N@E" and userName sw "AN" and userName ew "Test"`,
		`userName gt "A" and userName le "Z"`, `emails[type eq "work" and value co "ANN"]`, `emails.primary eq true`,
		`id eq "Ann-1" and not (externalId eq "1")`, `meta.created gt "2020-01-01T00:00:00+05:30"`, `schemas eq "urn:x"`,
		`name pr or meta.resourceType eq "User"`, enterpriseURN + `:manager eq "Bob-2"`, `meta.version eq "v2"`,
	} {
		f := compile(t, typ, text)
		if n := testing.AllocsPerRun(100, func() { f.Match(d) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
	lab := labType(t)
	d = newDoc(lab, "1", obj{"age": "9007199254740993", "score": "1.5e3", "at": "2024-02-29T06:30:00.25-05:30", "flag": "true"})
	for _, text := range []string{`age gt 9007199254740992`, `score le 1500`, `at ge "2024-01-01T00:00:00Z"`, `flag eq true`} {
		f := compile(t, lab, text)
		if !f.Match(d) {
			t.Errorf("%s does not match", text)
		}
		if n := testing.AllocsPerRun(100, func() { f.Match(d) }); n != 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}
