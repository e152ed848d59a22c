package storetest

import (
	"strings"

	"github.com/scimkit/scim"
)

// filterFaults are wrong translations of filters, of the kind that happens on the
// way to SQL, written as other filters.
func filterFaults() map[string]*strings.Replacer {
	return map[string]*strings.Replacer{
		"one value path over several values": strings.NewReplacer(`emails[type eq "home" and value sw "a.bob"]`, `emails.type eq "home" and emails.value sw "a.bob"`),
		"the underscore is a pattern":        strings.NewReplacer(`displayName sw "100_"`, `displayName sw "100"`),
		"null is not unequal":                strings.NewReplacer(`title ne`, `title pr and title ne`),
		"a missing boolean is unknown":       strings.NewReplacer(`active ne true`, `active eq false`),
		"or binds like and":                  strings.NewReplacer(`title pr or userName eq "CARL" and emails pr`, `(title pr or userName eq "CARL") and emails pr`),
		"order by a collation":               strings.NewReplacer(`name.familyName gt "é"`, `name.familyName gt "e"`),
		"dates as text":                      strings.NewReplacer(`-07:00"`, `Z"`),
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
	}
}
