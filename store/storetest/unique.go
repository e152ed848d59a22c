package storetest

import (
	"fmt"
	"sync/atomic"

	"github.com/scimkit/scim"
)

const uniqueRule = "No two users, inactive ones included, have the same scim.Fold of userName. The second one is refused with Conflict(\"userName\") (RFC 7643, Section 4.1.1; RFC 7644, Section 5)."

// sameNames lists pairs of userNames that are equal by scim.Fold.
func sameNames() []struct{ name, a, b string } {
	return []struct{ name, a, b string }{
		{"equal", "ann@example.com", "ann@example.com"},
		{"other case", "Ann@Example.com", "aNN@eXAMPLE.COM"},
		{"other case beyond ASCII", "ÉMILE@example.com", "émile@example.com"},
		{"precomposed and decomposed", "jos\u00e9", "jose\u0301"},
		{"full-width", "ｂｏｂ", "bob"},
		{"with a space, in other case", "Mary Ann", "mary ann"},
	}
}

// otherNames lists pairs of different userNames that some databases compare as equal.
func otherNames() []struct{ name, a, b string } {
	return []struct{ name, a, b string }{
		{"accent", "jose", "jos\u00e9"},
		{"sharp s", "strasse", "straße"},
		{"dotless i", "din", "dın"},
		{"percent sign", "user1", "user%"},
		{"underscore", "user-2", "user_2"},
		{"space at the end", "carl", "carl "},
		{"leading zero", "7", "007"},
		{"number form", "1e2", "100"},
	}
}

func uniqueSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"on create", uniqueRule, func(t *probe, s scim.Store) {
			for _, row := range sameNames() {
				t.create(s, t.user(row.a, nil))
				before := t.total(s, scim.UserType())
				if got, err := s.Create(t.ctx, t.user(row.b, nil)); !conflict(err) {
					t.Errorf("%s: Create of %q beside %q: got %s and error %v, want Conflict(\"userName\")", row.name, row.b, row.a, show(got), err)
				}
				if now := t.total(s, scim.UserType()); now != before {
					t.Errorf("%s: the refused user is there all the same: %d users, want %d", row.name, now, before)
				}
				// Names of different rows may be equal, so empty the store after each row.
				for _, r := range t.list(s, scim.UserType(), &scim.Query{Limit: 10}).Resources {
					t.remove(s, r.Ref())
				}
			}
		}},
		{"on update", uniqueRule + " Update checks this as Create does, and a refused change changes nothing.", func(t *probe, s scim.Store) {
			for _, row := range sameNames() {
				a := t.create(s, t.user(row.a, nil))
				b := t.create(s, t.user("somebody@example.net", nil))
				got, err := s.Update(t.ctx, b.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					return before.With(values{"userName": row.b, "title": "changed"})
				})
				if !conflict(err) {
					t.Errorf("%s: Update to %q beside %q: got %s and error %v, want Conflict(\"userName\")", row.name, row.b, row.a, show(got), err)
				}
				t.exactly(row.name+": the refused one afterwards", b, t.get(s, b.Ref()))
				t.remove(s, a.Ref())
				t.remove(s, b.Ref())
			}
		}},
		{"different names", "Names with different Folds belong to different users. Never compare by a database's collation or by a pattern.", func(t *probe, s scim.Store) {
			for _, row := range otherNames() {
				for _, n := range []string{row.a, row.b} {
					if scim.Fold(row.a) == scim.Fold(row.b) {
						t.Fatalf("storetest: %q and %q fold to the same", row.a, row.b)
					}
					if _, err := s.Create(t.ctx, t.user(n, nil)); err != nil {
						t.Errorf("%s: Create of %q, after %q: %v", row.name, n, row.a, err)
					}
				}
			}
		}},
		{"inactive user", uniqueRule, func(t *probe, s scim.Store) {
			t.create(s, t.user("gone@example.com", values{"active": false}))
			if got, err := s.Create(t.ctx, t.user("Gone@example.com", nil)); !conflict(err) {
				t.Errorf("Create beside an inactive user of that name: got %s and error %v, want Conflict(\"userName\")", show(got), err)
			}
		}},
		{"own name", "A user may change the case of its own userName.", func(t *probe, s scim.Store) {
			r := t.create(s, t.user("ann@example.com", nil))
			got := t.put(s, r.Ref(), values{"userName": "Ann@Example.com"})
			if n := t.get(s, got.Ref()).String("userName"); n != "Ann@Example.com" {
				t.Errorf("userName is %q after the change of case, want %q", n, "Ann@Example.com")
			}
		}},
		{"renaming frees", "After a rename the former userName is free, and the new one is taken.", func(t *probe, s scim.Store) {
			r := t.create(s, t.user("maiden@example.com", nil))
			t.put(s, r.Ref(), values{"userName": "married@example.com"})
			if _, err := s.Create(t.ctx, t.user("maiden@example.com", nil)); err != nil {
				t.Errorf("Create with a userName that was given up: %v", err)
			}
			if _, err := s.Create(t.ctx, t.user("MARRIED@example.com", nil)); !conflict(err) {
				t.Errorf("Create with a userName that a renamed user has: error %v, want Conflict(\"userName\")", err)
			}
		}},
		{"at once", "Create checks uniqueness itself, atomically. Of 20 concurrent requests for one userName, in several spellings, exactly one succeeds. The others are Conflict(\"userName\").", func(t *probe, s scim.Store) {
			var won atomic.Int32
			spellings := []string{"jos\u00e9@example.com", "JOS\u00c9@example.com", "Jose\u0301@Example.com", "JOSE\u0301@EXAMPLE.COM", "\uff4a\uff4f\uff53\u00e9@example.com"}
			t.parallel(20, func(i int) {
				switch got, err := s.Create(t.ctx, t.user(spellings[i%len(spellings)], nil)); {
				case err == nil && got != nil:
					won.Add(1)
				case !conflict(err):
					t.Errorf("Create at once: got %s and error %v, want Conflict(\"userName\")", show(got), err)
				}
			})
			if n, total := won.Load(), t.total(s, scim.UserType()); n != 1 || total != 1 {
				t.Errorf("%d of 20 were told that they won, and %d users are there; want 1 and 1", n, total)
			}
		}},
		{"exchanged at once", "If two concurrent changes exchange the names of two users, each returns its true result. A name is taken while a user has it, and no call waits for ever.", func(t *probe, s scim.Store) {
			for n := range 5 {
				names := []string{fmt.Sprintf("left%d@example.com", n), fmt.Sprintf("right%d@example.com", n)}
				users := []*scim.Resource{t.create(s, t.user(names[0], nil)), t.create(s, t.user(names[1], nil))}
				var errs [2]error
				t.parallel(2, func(i int) { _, errs[i] = s.Update(t.ctx, users[i].Ref(), set(values{"userName": names[1-i]})) })
				for i, err := range errs {
					now := t.get(s, users[i].Ref()).String("userName")
					if err == nil && now != names[1-i] || err != nil && (!conflict(err) || now != names[i]) {
						t.Errorf("Update of %s to %s at once with the reverse: error %v, and the name is %s", names[i], names[1-i], err, now)
					}
				}
				for _, name := range names {
					if got := t.list(s, scim.UserType(), &scim.Query{Filter: t.filter(fmt.Sprintf(`userName eq "%s"`, name)), Limit: 5}).Resources; len(got) != 1 {
						t.Errorf("%d users are called %s after an exchange of names, want 1", len(got), name)
					}
				}
			}
		}},
	}
}
