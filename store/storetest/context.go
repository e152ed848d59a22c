package storetest

import (
	"bytes"
	"context"
	"errors"

	"github.com/scimkit/scim"
)

func contextSteps() []step[scim.Store] {
	// outage requires an error that says nothing about the resource.
	outage := func(t *probe, call string, err error) {
		if err == nil || errors.Is(err, scim.ErrNotFound) || conflict(err) {
			t.Errorf("%s with a cancelled context: error %v, want one that says so", call, err)
		}
	}
	return []step[scim.Store]{
		{"cancelled", "A call with a cancelled context returns an error and stores nothing.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			ctx, cancel := context.WithCancel(t.ctx)
			cancel()
			_, err := s.Create(ctx, t.user("bob@example.com", nil))
			outage(t, "Create", err)
			_, err = s.Get(ctx, ann.Ref())
			outage(t, "Get", err)
			_, err = s.List(ctx, scim.UserType(), &scim.Query{Limit: 10})
			outage(t, "List", err)
			_, err = s.Update(ctx, ann.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
				return before.With(values{"title": "changed"})
			})
			outage(t, "Update", err)
			outage(t, "Delete", s.Delete(ctx, ann.Ref(), func(*scim.Resource) error { return nil }))
			t.exactly("the user afterwards", ann, t.get(s, ann.Ref()))
			t.expect(s, scim.UserType(), &scim.Query{Limit: 10, Total: true}, []*scim.Resource{ann}, 1)
		}},
	}
}

func personSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"password", "A password reaches only SetPassword. Get and List never return it (RFC 7643, Section 4.1.1: returned never).", func(t *probe, s scim.Store) {
			p := capability[scim.PasswordSetter](t, s, "the Store is no PasswordSetter")
			const secret = "tr0ub4dor-&-zwölf"
			ann := t.create(s, t.user("ann@example.com", nil))
			bob := t.create(s, t.user("bob@example.com", nil))
			if err := p.SetPassword(t.ctx, ann.ID(), secret); err != nil {
				t.Fatalf("SetPassword: %v", err)
			}
			changed := t.put(s, ann.Ref(), values{"title": "changed"})
			seen := append(t.list(s, scim.UserType(), &scim.Query{Limit: 10}).Resources, t.get(s, ann.Ref()), t.get(s, bob.Ref()), changed)
			for _, r := range seen {
				raw, err := r.MarshalJSON()
				if err != nil || bytes.Contains(raw, []byte("tr0ub4dor")) || bytes.Contains(bytes.ToLower(raw), []byte(`"password"`)) {
					t.Errorf("after SetPassword a user has %s, error %v", raw, err)
				}
				for _, x := range contents(r) {
					if x == secret {
						t.Errorf("after SetPassword a user has the password as a value: %s", raw)
					}
				}
			}
		}},
		{"deactivate", "Deactivate is idempotent and does not change the resource.", func(t *probe, s scim.Store) {
			d := capability[scim.Deactivator](t, s, "the Store is no Deactivator")
			ann := t.create(s, t.user("ann@example.com", values{"active": false}))
			for range 2 {
				if err := d.Deactivate(t.ctx, ann); err != nil {
					t.Errorf("Deactivate: %v", err)
				}
			}
			t.same("the user afterwards", ann, t.get(s, ann.Ref()))
		}},
	}
}
