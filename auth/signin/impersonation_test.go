package signin_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/signin"
	"github.com/scimkit/scim/store/memory"
)

// Whoever chooses one claim gets in as nobody else.
func TestChosenClaims(t *testing.T) {
	byNumber := signin.Issuer{Name: "https://numbers", Match: []signin.Match{{Claim: "employee", Attribute: "externalId"}, {Claim: "preferred_username", Attribute: "userName"}}}
	for _, c := range []struct {
		name, issuer string
		claims       claims
		want         error
		reason       string
	}{
		{"Kelvin sign", okta, claims{"preferred_username": "s\u212aim@acme.com"}, signin.ErrOtherPerson, "Fold makes it k, and the issuer another name"},
		{"wide letter", okta, claims{"preferred_username": "\uff53kim@acme.com"}, signin.ErrOtherPerson, "Fold makes it s"},
		{"long s", okta, claims{"preferred_username": "\u017fkim@acme.com"}, signin.ErrUnknown, "another name for everybody"},
		{"the same wide letter", okta, claims{"preferred_username": "\uff57ide"}, nil, "the name is provisioned so"},
		{"umlaut in another case", okta, claims{"preferred_username": "Ö"}, nil, "no ASCII letter looks like it"},
		{"number", "https://numbers", claims{"employee": 4712.0, "preferred_username": "skim@acme.com"}, signin.ErrOtherPerson, "a weaker claim must not count instead"},
		{"list", "https://numbers", claims{"employee": []any{"4711"}, "preferred_username": "skim@acme.com"}, signin.ErrOtherPerson, "no text"},
		{"long claim", "https://numbers", claims{"employee": strings.Repeat("x", 2000), "preferred_username": "skim@acme.com"}, signin.ErrOtherPerson, "it differs from any"},
		{"absent", "https://numbers", claims{"preferred_username": "skim@acme.com"}, nil, "nothing contradicts"},
		{"many escapes", okta, claims{"preferred_username": strings.Repeat("<", 512)}, signin.ErrUnknown, "the longest filter"},
		{"more escapes", okta, claims{"preferred_username": strings.Repeat("<", 1024)}, signin.ErrUnknown, "too long for a name"},
	} {
		w := newWorld(t, memory.New(), `{"userName": "skim@acme.com", "externalId": "4711"}`, `{"userName": "ｗide"}`, `{"userName": "ö"}`)
		if c.issuer == okta { // Nothing else contradicts.
			w = newWorld(t, memory.New(), `{"userName": "skim@acme.com"}`, `{"userName": "ｗide"}`, `{"userName": "ö"}`)
		}
		p := w.people(func(o *signin.Options) { o.Issuers = append(o.Issuers, byNumber) })
		if _, err := p.SignIn(t.Context(), c.issuer, "00u9", c.claims); !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: error %v, want %v: %s", c.name, err, c.want, c.reason)
		}
	}
}

// fuzzy is a store whose database ignores accents.
type fuzzy struct{ *memory.Store }

func (s fuzzy) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	if name, ok := q.Filter.Eq("userName"); ok {
		f, err := scim.ParseFilter(t, `userName eq "`+strings.ReplaceAll(name, "ö", "o")+`"`)
		if err != nil {
			return nil, err
		}
		q = &scim.Query{Filter: f, Limit: q.Limit}
	}
	return s.Store.List(ctx, t, q)
}

// What the database takes for equal decides nothing.
func TestCollation(t *testing.T) {
	w := newWorld(t, fuzzy{memory.New()}, staff...)
	if _, err := w.people(nil).SignIn(t.Context(), okta, "00u9", claims{"preferred_username": "böb@acme.com"}); !errors.Is(err, signin.ErrUnknown) {
		t.Errorf("error %v", err)
	}
}

// A subject that is bound stays bound when the client lets the user go.
func TestUnclaimedLater(t *testing.T) {
	s := &claimer{Store: memory.New()}
	w := newWorld(t, s, staff...)
	s.claimed = w.ids["bob@acme.com"]
	p := w.people(func(o *signin.Options) { o.AllowUnknown = true })
	bob := claims{"preferred_username": "bob@acme.com"}
	if _, err := p.SignIn(t.Context(), okta, "00u2", bob); err != nil {
		t.Fatal(err)
	}
	s.claimed = ""
	if _, err := p.SignIn(t.Context(), okta, "00u3", bob); !errors.Is(err, signin.ErrOtherPerson) {
		t.Errorf("another subject: error %v", err)
	}
	if person, err := p.SignIn(t.Context(), okta, "00u2", bob); err != nil || person.IsProvisioned {
		t.Errorf("the same subject: %+v, error %v", person, err)
	}
}

func TestRequireNothing(t *testing.T) {
	_, err := signin.New(signin.Options{Store: memory.New(), Issuers: []signin.Issuer{signin.Google("")}})
	if err == nil || !strings.Contains(err.Error(), "requires no value of the claim hd") {
		t.Errorf("error %v: without a domain, private accounts would fit", err)
	}
}
