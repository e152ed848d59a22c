package storetest

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// filterFaults lists wrong translations of filters, such as happen on the way to SQL.
// They are written as other filters.
func filterFaults() map[string]*strings.Replacer {
	return map[string]*strings.Replacer{
		"one value path over several values": strings.NewReplacer(`emails[type eq "home" and value sw "a.bob"]`, `emails.type eq "home" and emails.value sw "a.bob"`),
		"the underscore is a pattern":        strings.NewReplacer(`displayName sw "100_"`, `displayName sw "100"`),
		"null is not unequal":                strings.NewReplacer(`title ne`, `title pr and title ne`),
		"a missing boolean is unknown":       strings.NewReplacer(`active ne true`, `active eq false`),
		"or binds like and":                  strings.NewReplacer(`title pr or userName eq "CARL" and emails pr`, `(title pr or userName eq "CARL") and emails pr`),
		"order by a collation":               strings.NewReplacer(`name.familyName gt "é"`, `name.familyName gt "e"`),
		"dates as text":                      strings.NewReplacer(`-07:00"`, `Z"`),
		"display is the value":               strings.NewReplacer(`.display `, `.value `),
	}
}

func brokenFilters() []broken[scim.Store] {
	return []broken[scim.Store]{
		{"externalId by Fold", "the wrong user is linked", brokenPlain, "filter/externalId", nil},
		{"one value path over several values", "the wrong user is found", brokenPlain, "filter/emails", nil},
		{"the underscore is a pattern", "the wrong user is found", brokenPlain, "filter/substrings", nil},
		{"null is not unequal", "users without a value are missing", brokenPlain, "filter/presence", nil},
		{"a missing boolean is unknown", "users without a value are missing", brokenPlain, "filter/booleans", nil},
		{"or binds like and", "users are missing", brokenPlain, "filter/logic", nil},
		{"order by a collation", "a range has others in it", brokenPlain, "filter/order", nil},
		{"dates as text", "a synchronisation by time misses hours", brokenPlain, "filter/dates", nil},
		{"display is the value", "what nobody thought of when writing the other steps", brokenPlain, "filter/random", nil},
	}
}

// TestRandomFailure checks that a failure of a random filter can be repeated, and that
// its message is short.
func TestRandomFailure(t *testing.T) {
	typ, err := everything()
	if err != nil {
		t.Fatal(err)
	}
	find := func() string {
		st := step[scim.Store]{randomStep, equivalenceRule, func(t *probe, s scim.Store) {
			e := &equality{dice: newDice(11, scim.UserType(), false), s: s}
			e.run(t, 2000, 11)
		}}
		return strings.Join(st.judge(newPlain("display is the value"), watchdog).failures, "\n")
	}
	said := find()
	for _, want := range []string{"SCIM_SEED=11", "reduced to filter", ".display ", "it differs on {"} {
		if !strings.Contains(said, want) {
			t.Errorf("a failure does not tell of %q:\n%s", want, said)
		}
	}
	if strings.Contains(said, "there is no difference") {
		t.Errorf("a failure is not reduced to resources:\n%s", said)
	}
	first, _, _ := strings.Cut(said, "\n")
	if second, _, _ := strings.Cut(find(), "\n"); second != first {
		t.Errorf("one seed gives two failures (-first +second):\n%s", cmp.Diff(first, second))
	}
	for _, typ := range []*scim.ResourceType{typ, scim.UserType(), scim.GroupType()} {
		d, refused := newDice(11, typ, true), 0
		const n = 1000
		for range n {
			text, _ := d.filter(3)
			if _, err := scim.ParseFilter(typ, text); err != nil {
				refused++
			}
		}
		if refused > n/5 {
			t.Errorf("%d of %d filters for %s are none", refused, n, typ.Name())
		}
	}
}
