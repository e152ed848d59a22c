// Package phone brings telephone numbers into the form E.164, such as +12015550123, for
// applications that dial them or send messages to them.
//
// Clients send numbers as people typed them: "(201) 555-0123". SCIM returns what was sent,
// because a client that reads back something else writes it again for ever. So the
// application derives the form that it needs, where it keeps the number: in a method of its
// Store, in a Deactivator, or when it reads the user. A number that is not valid never
// refuses the user: it has no E.164 form, and the application does without it.
//
// It is a package of its own, because it compiles the telephone plans of all countries.
package phone

import (
	"errors"

	"github.com/nyaruka/phonenumbers"

	"github.com/scimkit/scim"
)

// ErrInvalid is the error for a text that is no valid telephone number.
var ErrInvalid = errors.New("phone: this is no valid telephone number")

// E164 returns the form E.164 of a number. region is the country in which the number is
// dialled if it has no country code, such as "US" (ISO 3166-1, two capital letters); with ""
// a country code is required. number may be as people write it, or an RFC 3966 URI
// ("tel:+1-201-555-0123"). An extension is not part of E.164 and is left out.
func E164(number, region string) (string, error) {
	n, err := phonenumbers.Parse(number, region)
	if err != nil || !phonenumbers.IsValidNumber(n) {
		return "", ErrInvalid
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// Number is one of a user's telephone numbers.
type Number struct {
	// E164 is the number in the form E.164. Sent is what the client sent.
	E164, Sent string
	// Type is its type, such as "work" or "mobile"; "" if the client sent none.
	Type string
	// Primary says that the client marked it as the preferred one.
	Primary bool
}

// Numbers lists the valid telephone numbers of a user, in the order in which the client sent
// them. It leaves out numbers that are not valid. region is as for E164.
func Numbers(user *scim.Resource, region string) []Number {
	list, _ := user.Get("phoneNumbers").([]any)
	var all []Number
	for _, e := range list {
		sent, _ := e.(map[string]any)
		n := Number{}
		n.Sent, _ = sent["value"].(string)
		n.Type, _ = sent["type"].(string)
		n.Primary, _ = sent["primary"].(bool)
		var err error
		if n.E164, err = E164(n.Sent, region); err == nil {
			all = append(all, n)
		}
	}
	return all
}
