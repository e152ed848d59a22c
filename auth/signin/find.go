package signin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/scimkit/scim"
)

// maxValue is how many bytes of a claim are looked up. A filter may have 4,096, and JSON writes a byte
// with up to six.
const maxValue = 512

// token is what an ID token says.
type token struct {
	sub    string
	claims map[string]any
}

// text returns a claim that is a text, or else "". It is also "" for a text that is too long, or that
// databases refuse.
func (t token) text(name string) string {
	text := t.sub
	if name != "sub" {
		text, _ = t.claims[name].(string)
	}
	if len(text) > maxValue || !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return ""
	}
	return text
}

// isVerified reports whether the issuer has verified the claim email. Some send the text "true".
func (t token) isVerified() bool {
	return t.claims["email_verified"] == true || t.claims["email_verified"] == "true"
}

// find finds the one user who fits, also an inactive one.
func (p *People) find(ctx context.Context, from Issuer, key string, t token) (*scim.Resource, error) {
	if contains(p.o.Indexed, SubjectPath) {
		if user, err := p.lookUp(ctx, SubjectPath, key); !errors.Is(err, ErrUnknown) {
			return user, err
		}
	}
	for i, m := range from.Match {
		value := t.text(m.Claim)
		if value == "" {
			continue
		}
		user, err := p.lookUp(ctx, m.Attribute, value)
		switch {
		case errors.Is(err, ErrUnknown):
			continue
		case err != nil:
			return nil, err
		case m.Claim == "email" && !t.isVerified():
			return nil, ErrUnverified
		}
		if isLookalike(value) && user.String(m.Attribute) != value {
			return nil, fmt.Errorf("%w: the claim %s has letters that only look like those of %s", ErrOtherPerson, m.Claim, m.Attribute)
		}
		for _, stronger := range from.Match[:i] {
			if err := p.contradicts(user, stronger, t); err != nil {
				return nil, err
			}
		}
		return user, nil
	}
	return nil, ErrUnknown
}

// isLookalike reports whether a text has a letter that is not ASCII and that scim.Fold makes ASCII,
// such as the Kelvin sign. An issuer takes it for another letter, and may give the name to another person.
func isLookalike(text string) bool {
	for _, r := range text {
		if k := scim.Fold(string(r)); r >= utf8.RuneSelf && k != "" && k[0] < utf8.RuneSelf {
			return true
		}
	}
	return false
}

// lookUp finds the one user with a value. The database may take other texts for equal, such as those
// that differ in accents, so the user must match here too.
func (p *People) lookUp(ctx context.Context, path, value string) (*scim.Resource, error) {
	f, err := p.equals(path, value)
	if err != nil {
		return nil, err
	}
	page, err := p.o.Store.List(ctx, p.o.Type, &scim.Query{Filter: f, Limit: 2})
	switch {
	case err != nil:
		return nil, err
	case len(page.Resources) == 0:
		return nil, ErrUnknown
	case len(page.Resources) > 1:
		return nil, fmt.Errorf("%w: by %s", ErrAmbiguous, path)
	case !f.Match(page.Resources[0]):
		return nil, ErrUnknown
	}
	return page.Resources[0], nil
}

// equals returns the filter that compares an attribute with a value.
func (p *People) equals(path, value string) (*scim.Filter, error) {
	quoted, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return scim.ParseFilter(p.o.Type, path+" eq "+string(quoted))
}

// contradicts returns ErrOtherPerson if the user has another value than the claim. A claim that is no
// usable text, such as a number, is another value too: otherwise a weaker claim would count in its place.
func (p *People) contradicts(user *scim.Resource, m Match, t token) error {
	value := t.text(m.Claim)
	isAbsent := value == "" && (t.claims[m.Claim] == nil || t.claims[m.Claim] == "")
	if isAbsent || user.Get(m.Attribute) == nil {
		return nil
	}
	if value == "" {
		return fmt.Errorf("%w: the claim %s is no usable text", ErrOtherPerson, m.Claim)
	}
	f, err := p.equals(m.Attribute, value)
	if err != nil {
		return err
	}
	if !f.Match(user) {
		return fmt.Errorf("%w: %s differs from the claim %s", ErrOtherPerson, m.Attribute, m.Claim)
	}
	return nil
}

// enter locks the user, judges what it reads then, binds the subject, and begins the session. It binds
// no subject unless keep is true.
func (p *People) enter(ctx context.Context, ref scim.Ref, key string, keep bool) (person Person, err error) {
	tx, isTx := p.o.Store.(scim.Transactor)
	if !isTx {
		return p.enterAlone(ctx, ref, key, keep)
	}
	err = tx.InTx(ctx, func(ctx context.Context) error {
		person, err = p.bind(ctx, ref, key, keep)
		if err != nil || p.o.Session == nil {
			return err
		}
		return p.o.Session(ctx, person.User)
	})
	if err != nil {
		return Person{}, err
	}
	return person, nil
}

// enterAlone is enter without transactions.
func (p *People) enterAlone(ctx context.Context, ref scim.Ref, key string, keep bool) (Person, error) {
	person, err := p.bind(ctx, ref, key, keep)
	if err != nil || p.o.Session == nil {
		return person, err
	}
	if err := p.o.Session(ctx, person.User); err != nil {
		return Person{}, err
	}
	now, err := p.o.Store.Get(ctx, ref)
	switch {
	case errors.Is(err, scim.ErrNotFound):
		return Person{}, ErrUnknown
	case err != nil:
		return Person{}, err
	case !now.Active():
		return Person{}, ErrInactive
	}
	return person, nil
}

// bind judges the user as it is stored, and writes the subject if there is none and keep is true.
func (p *People) bind(ctx context.Context, ref scim.Ref, key string, keep bool) (person Person, err error) {
	person.User, err = p.o.Store.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
		person.IsFirst = false
		bound := before.String(SubjectPath)
		switch {
		case !before.Active():
			return nil, ErrInactive
		case bound != "" && bound != key:
			return nil, fmt.Errorf("%w: another subject has signed in as this person", ErrOtherPerson)
		case bound == key || !keep:
			return before, nil
		}
		person.IsFirst = true
		return before.With(map[string]any{SubjectPath: key})
	})
	if errors.Is(err, scim.ErrNotFound) {
		err = ErrUnknown // deleted meanwhile
	}
	if err != nil {
		return Person{}, err
	}
	return person, nil
}

// Forget makes the next sign-in bind a subject again. Call it if an administrator says so: the
// tenant has another identity provider, or its issuer gave the person another subject.
// scim.ErrNotFound means that there is no such user.
func (p *People) Forget(ctx context.Context, userID string) error {
	_, err := p.o.Store.Update(ctx, scim.Ref{Type: p.o.Type.Name(), ID: userID}, func(before *scim.Resource) (*scim.Resource, error) {
		if before.String(SubjectPath) == "" {
			return before, nil
		}
		return before.With(map[string]any{SubjectPath: nil})
	})
	return err
}
