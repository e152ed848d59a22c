// Package signin finds the provisioned person behind a sign-in by OpenID Connect, or says why there is none.
//
//	people, err := signin.New(signin.Options{
//		Store:   store,
//		Issuers: []signin.Issuer{signin.Okta("https://acme.okta.com")},
//	})
//	person, err := people.SignIn(ctx, token.Issuer, token.Subject, claims)
//
// Verify the ID token before, with its issuer, audience and nonce: the package takes its claims for
// true. It never creates a user, so a person has no second account.
//
// The first sign-in binds the subject to the user, once and for all: see Extension. Whoever gets the
// person's address or name later is not that person.
package signin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/scimkit/scim"
)

// Why SignIn refuses. Tell people that they cannot sign in, and keep the reason for your log: it says
// who has an account.
var (
	// ErrUnknown means that nobody is provisioned who fits.
	ErrUnknown = errors.New("signin: nobody is provisioned who fits")
	// ErrInactive means that the person is inactive.
	ErrInactive = errors.New("signin: the person is inactive")
	// ErrOtherTenant means that the issuer, or what it says about the organisation, belongs to another tenant.
	ErrOtherTenant = errors.New("signin: the issuer is not one of this tenant")
	// ErrAmbiguous means that several people fit.
	ErrAmbiguous = errors.New("signin: several people fit")
	// ErrUnverified means that somebody fits by an e-mail address that the issuer has not verified.
	ErrUnverified = errors.New("signin: the e-mail address is not verified")
	// ErrOtherPerson means that somebody fits by a name or an address, and is somebody else: another
	// subject has signed in as this person, or a stronger claim differs.
	ErrOtherPerson = errors.New("signin: the name or address belongs to another person")
	// ErrClaims means that the subject, or the claim that Issuer.Subject names, is missing.
	ErrClaims = errors.New("signin: the claim that identifies people is missing")
)

// Options are the settings of New. Store and Issuers are required.
type Options struct {
	// Store is the store of the tenant. Make People for each tenant.
	Store scim.Store
	// Type is the type of users. It needs the attribute of Extension. Nil: UserType of this package.
	Type *scim.ResourceType
	// Issuers are the identity providers of the tenant.
	Issuers []Issuer
	// AllowUnknown is the opposite of "only provisioned people may sign in". If nobody fits, Person.User is nil
	// instead of the error ErrUnknown, and the application decides. All other reasons still refuse.
	AllowUnknown bool
	// Indexed lists further attributes that the Store finds by an index. New refuses look-ups by
	// attributes that are neither there nor id, userName, externalId, displayName or
	// emails.value. If SubjectPath is there, SignIn first looks for the subject: people then
	// sign in also while a change of their name or address has not arrived.
	Indexed []string
	// Session, if set, is called when SignIn has found the person, before it returns. Begin the session
	// in it. If the Store is a Transactor, ctx has a transaction in which the user is
	// locked: a deactivation comes before, and the person is refused, or afterwards, and your
	// Deactivator sees the session. Session may then run again. With another Store, SignIn looks
	// afterwards whether the person is still active. An error refuses the sign-in.
	Session func(ctx context.Context, user *scim.Resource) error
}

// Issuer is an identity provider. Okta, Entra, Google and Keycloak make the usual ones.
type Issuer struct {
	// Name is the claim iss, letter by letter.
	Name string
	// Subject names the claim that identifies the person for good. "": it is the subject that SignIn gets.
	Subject string
	// Require lists claims that must have these values, such as "hd" of Google: one issuer has
	// people of many organisations.
	Require map[string]string
	// Match lists how people are found until they are bound, the strongest first. If a person is found by a
	// later one, the earlier ones must not contradict.
	Match []Match
}

// Match says that a claim equals an attribute of the user. The claim "email" counts only beside
// email_verified.
type Match struct{ Claim, Attribute string }

// Person is who signs in.
type Person struct {
	// User is the user. It is nil only with Options.AllowUnknown.
	User *scim.Resource
	// IsProvisioned says that a client has claimed the user: see scim.Claimer. It is false only with
	// Options.AllowUnknown. The subject of such a user is not kept.
	IsProvisioned bool
	// IsFirst says that this sign-in has bound the subject.
	IsFirst bool
}

// People finds people of one tenant. New makes it. It is safe for concurrent use.
type People struct {
	o       Options
	issuers map[string]Issuer
}

// indexed is what every store finds by an index.
var indexed = []string{"id", "userName", "externalId", "displayName", "emails.value"}

// New returns the People of a tenant. Its error lists every mistake in o. It asks no store.
func New(o Options) (*People, error) {
	var errs []error
	mistake := func(format string, args ...any) { errs = append(errs, fmt.Errorf("signin: "+format, args...)) }
	if o.Store == nil {
		mistake("Store is missing")
	}
	if o.Type == nil {
		o.Type = UserType()
	}
	if _, err := scim.ParseFilter(o.Type, SubjectPath+" pr"); err != nil {
		mistake("Type has no attribute %s: add Extension", SubjectPath)
	}
	if len(o.Issuers) == 0 {
		mistake("Issuers is empty")
	}
	p := &People{o: o, issuers: map[string]Issuer{}}
	for _, i := range o.Issuers {
		if _, isTwice := p.issuers[i.Name]; isTwice {
			mistake("the issuer %q is there twice", i.Name)
		}
		p.issuers[i.Name] = i
		if i.Name == "" || strings.ContainsAny(i.Name, " \t\n") {
			mistake("the issuer %q has no usable name", i.Name)
		}
		if len(i.Match) == 0 {
			mistake("the issuer %q has no Match", i.Name)
		}
		for claim, want := range i.Require {
			if want == "" {
				mistake("the issuer %q requires no value of the claim %s, so everybody without it would fit", i.Name, claim)
			}
		}
		for _, m := range i.Match {
			if _, err := scim.ParseFilter(o.Type, m.Attribute+` eq "x"`); err != nil {
				mistake("the attribute %q: %w", m.Attribute, err)
			} else if !contains(indexed, m.Attribute) && !contains(o.Indexed, m.Attribute) {
				mistake("the attribute %q needs an index: list it in Indexed if the store has one", m.Attribute)
			}
			if m.Claim == "" {
				mistake("a Match of the issuer %q has no claim", i.Name)
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return p, nil
}

func contains(list []string, path string) bool {
	for _, s := range list {
		if strings.EqualFold(s, path) {
			return true
		}
	}
	return false
}

// SignIn finds the person of an ID token. issuer and subject are the claims iss and sub. claims are all
// claims, as encoding/json decodes them. An error that is none of this package's comes from the Store
// or from Options.Session.
func (p *People) SignIn(ctx context.Context, issuer, subject string, claims map[string]any) (Person, error) {
	from, ok := p.issuers[issuer]
	if !ok {
		return Person{}, ErrOtherTenant
	}
	t := token{subject, claims}
	for claim, want := range from.Require {
		if t.text(claim) != want {
			return Person{}, fmt.Errorf("%w: the claim %s differs", ErrOtherTenant, claim)
		}
	}
	if subject = t.text(cmp.Or(from.Subject, "sub")); subject == "" {
		return Person{}, ErrClaims
	}
	key := issuer + " " + subject
	user, err := p.find(ctx, from, key, t)
	switch {
	case errors.Is(err, ErrUnknown) && p.o.AllowUnknown:
		return Person{}, nil
	case err != nil:
		return Person{}, err
	}
	isProvisioned := true
	if c, ok := p.o.Store.(scim.Claimer); ok {
		if isProvisioned, err = c.IsClaimed(ctx, user.Ref()); err != nil {
			return Person{}, err
		}
	}
	if !isProvisioned && !p.o.AllowUnknown {
		return Person{}, fmt.Errorf("%w: no client has claimed the user", ErrUnknown)
	}
	person, err := p.enter(ctx, user.Ref(), key, isProvisioned)
	person.IsProvisioned = isProvisioned && err == nil
	return person, err
}
