package storetest

import (
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/scimkit/scim"
)

// errRefused is the error that the suite's own functions return.
var errRefused = errors.New("storetest: refused on purpose")

func updateSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"stores the result", "Update calls fn with the stored resource and stores the result. Get then returns what Update returned.", func(t *probe, s scim.Store) {
			made := t.create(s, t.user("ann@example.com", values{"title": "Engineer", "nickName": "Annie"}))
			other := t.create(s, t.user("bob@example.com", nil))
			later := made.Meta().LastModified.Add(time.Hour)
			var seen, want *scim.Resource
			got, err := s.Update(t.ctx, made.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
				after, err := before.With(values{"title": "Manager", "nickName": nil, department: "R&D"})
				if err != nil {
					return nil, err
				}
				m := after.Meta()
				m.LastModified = later
				seen, want = before, after.WithMeta(m)
				return want, nil
			})
			if err != nil {
				t.Fatalf("Update: %v", err)
			}
			t.exactly("what fn was called with", made, seen)
			t.same("what Update returned", want, got)
			t.exactly("Get after Update", got, t.get(s, made.Ref()))
			if v := got.Meta().Version; v != "" && v == made.Meta().Version {
				t.Errorf("the version is %q before and after a change", v)
			}
			if !sameInstant(got.Meta().Created, made.Meta().Created) {
				t.Errorf("meta.created changed from %v to %v", made.Meta().Created, got.Meta().Created)
			}
			t.exactly("another user afterwards", other, t.get(s, other.Ref()))
		}},
		{"no change", "If fn returns its argument, Update writes nothing: version and lastModified stay.", func(t *probe, s scim.Store) {
			made := t.create(s, t.user("ann@example.com", nil))
			got, err := s.Update(t.ctx, made.Ref(), func(before *scim.Resource) (*scim.Resource, error) { return before, nil })
			if err != nil || got == nil {
				t.Fatalf("Update that changes nothing: got %s, error %v", show(got), err)
			}
			t.exactly("what Update returned", made, got)
			t.exactly("Get afterwards", made, t.get(s, made.Ref()))
		}},
		{"error of fn", "If fn returns an error, Update stores nothing and returns that error as it is.", func(t *probe, s scim.Store) {
			made := t.create(s, t.user("ann@example.com", nil))
			for _, refused := range []error{errRefused, &scim.Error{Status: 412, Detail: "the version moved on"}} {
				_, err := s.Update(t.ctx, made.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					return t.change(before, values{"title": "changed"}), refused
				})
				if !errors.Is(err, refused) {
					t.Errorf("Update whose fn fails with %q: error %v", refused, err)
				}
				t.exactly("the user afterwards", made, t.get(s, made.Ref()))
			}
		}},
		{"found by new values", "After Update, List finds a resource by its new values and no longer by its old ones.", func(t *probe, s scim.Store) {
			made := t.create(s, t.user("old@example.com", values{"externalId": "e-old", "emails": []values{{"value": "old@example.com"}}}))
			t.put(s, made.Ref(), values{"userName": "new@example.com", "externalId": "e-new", "emails": []values{{"value": "new@example.com"}}})
			for _, row := range []struct {
				filter string
				want   int
			}{
				{`userName eq "NEW@example.com"`, 1}, {`externalId eq "e-new"`, 1}, {`emails.value eq "new@example.com"`, 1},
				{`userName eq "old@example.com"`, 0}, {`externalId eq "e-old"`, 0}, {`emails.value eq "old@example.com"`, 0},
			} {
				page := t.list(s, scim.UserType(), &scim.Query{Filter: t.filter(row.filter), Limit: 5})
				if len(page.Resources) != row.want {
					t.Errorf("%s: found %q, want %d", row.filter, names(page.Resources), row.want)
				}
			}
		}},
		{"at once", "Update isolates fn from other writers of the resource: 100 concurrent calls lose nothing.", func(t *probe, s scim.Store) {
			made := t.create(s, t.user("count@example.com", values{"nickName": "0"}))
			t.parallel(100, func(int) {
				_, err := s.Update(t.ctx, made.Ref(), func(before *scim.Resource) (*scim.Resource, error) {
					n, err := strconv.Atoi(before.String("nickName"))
					if err != nil {
						return nil, err
					}
					return before.With(values{"nickName": strconv.Itoa(n + 1)})
				})
				if err != nil {
					t.Errorf("Update at once: %v", err)
				}
			})
			if n := t.get(s, made.Ref()).String("nickName"); n != "100" {
				t.Errorf("a counter is %s after it was counted up 100 times", n)
			}
		}},
		{"whole", "A reader sees a resource before a change or after it, never a part of the change.", func(t *probe, s scim.Store) {
			made := t.create(s, t.user("whole@example.com", values{"nickName": "0", department: "0"}))
			var done atomic.Int32
			const writers = 4
			t.parallel(2*writers, func(i int) {
				if i < writers {
					defer done.Add(1)
					for n := range 10 {
						x := strconv.Itoa(i*100 + n)
						t.put(s, made.Ref(), values{"nickName": x, department: x})
					}
					return
				}
				for done.Load() < writers && t.ctx.Err() == nil {
					page := t.list(s, scim.UserType(), &scim.Query{Limit: 5})
					for _, r := range append(page.Resources, t.get(s, made.Ref())) {
						if a, b := r.String("nickName"), r.String(department); a != b {
							t.Fatalf("read a resource with %s of one change and %s of another", a, b)
						}
					}
				}
			})
		}},
	}
}

func deleteSteps() []step[scim.Store] {
	yes := func(*scim.Resource) error { return nil }
	return []step[scim.Store]{
		{"gone", "After Delete the resource is unknown to Get, Update and List, whether the store erased or retired the row (RFC 7644, Section 3.6).", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", values{"externalId": "e1"}))
			bob := t.create(s, t.user("bob@example.com", nil))
			var seen *scim.Resource
			if err := s.Delete(t.ctx, ann.Ref(), func(before *scim.Resource) error { seen = before; return nil }); err != nil {
				t.Fatalf("Delete: %v", err)
			}
			t.exactly("what check was called with", ann, seen)
			t.absent(s, ann.Ref(), "which was deleted")
			if _, err := s.Update(t.ctx, ann.Ref(), func(r *scim.Resource) (*scim.Resource, error) { return r, nil }); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("Update after Delete: error %v, want ErrNotFound", err)
			}
			for _, q := range []*scim.Query{
				{Limit: 10, Total: true},
				{Limit: 10, Total: true, IDs: []string{ann.ID(), bob.ID()}},
				{Limit: 10, Total: true, Filter: t.filter(`userName pr`)},
			} {
				if page := t.list(s, scim.UserType(), q); len(page.Resources) != 1 || page.Total != 1 || page.Resources[0].ID() != bob.ID() {
					t.Errorf("List of %s after Delete: %q, total %d; want only bob", showQuery(q), names(page.Resources), page.Total)
				}
			}
			for _, f := range []string{`userName eq "ann@example.com"`, `externalId eq "e1"`} {
				if page := t.list(s, scim.UserType(), &scim.Query{Filter: t.filter(f), Limit: 10}); len(page.Resources) != 0 {
					t.Errorf("%s finds %q after Delete", f, names(page.Resources))
				}
			}
		}},
		{"twice", "A second Delete is ErrNotFound.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			t.remove(s, ann.Ref())
			if err := s.Delete(t.ctx, ann.Ref(), yes); !errors.Is(err, scim.ErrNotFound) {
				t.Errorf("second Delete: error %v, want ErrNotFound", err)
			}
		}},
		{"frees userName", "After Delete the unique values are free: a client can create a user again who comes back.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", values{"title": "before"}))
			t.remove(s, ann.Ref())
			want := t.user("ANN@example.com", values{"title": "again"})
			again := t.create(s, want)
			t.same("the new user", want, t.get(s, again.Ref()))
			if n := t.total(s, scim.UserType()); n != 1 {
				t.Errorf("%d users after create, delete and create; want 1", n)
			}
		}},
		{"check", "If check returns an error, Delete deletes nothing and returns that error.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			if err := s.Delete(t.ctx, ann.Ref(), func(*scim.Resource) error { return errRefused }); !errors.Is(err, errRefused) {
				t.Errorf("Delete whose check fails: error %v, want %q", err, errRefused)
			}
			t.exactly("the user afterwards", ann, t.get(s, ann.Ref()))
		}},
		{"at once", "Of ten concurrent calls of Delete exactly one succeeds. The others are ErrNotFound.", func(t *probe, s scim.Store) {
			ann := t.create(s, t.user("ann@example.com", nil))
			var won atomic.Int32
			t.parallel(10, func(int) {
				switch err := s.Delete(t.ctx, ann.Ref(), yes); {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, scim.ErrNotFound):
					t.Errorf("Delete at once: error %v, want nil or ErrNotFound", err)
				}
			})
			if won.Load() != 1 {
				t.Errorf("%d of ten deletes of one user succeeded", won.Load())
			}
		}},
		{"against update", "A concurrent Update happens before Delete, or is ErrNotFound. It never restores the resource or a part of it.", func(t *probe, s scim.Store) {
			for n := range 10 {
				old, fresh := fmt.Sprintf("old%d@example.com", n), fmt.Sprintf("new%d@example.com", n)
				ann := t.create(s, t.user(old, values{"emails": []values{{"value": old}}}))
				t.parallel(4, func(i int) {
					if i == 0 {
						t.remove(s, ann.Ref())
						return
					}
					_, err := s.Update(t.ctx, ann.Ref(), set(values{"userName": fresh, "title": strconv.Itoa(i), "emails": []values{{"value": fresh}}}))
					if err != nil && !errors.Is(err, scim.ErrNotFound) {
						t.Errorf("Update at once with Delete: error %v, want none, or ErrNotFound", err)
					}
				})
				t.absent(s, ann.Ref(), "which was deleted while it was changed")
				for _, name := range []string{old, fresh} {
					if hasUser(t, s, "userName", name) || hasUser(t, s, "emails.value", name) {
						t.Errorf("%s is found, though its user was deleted", name)
					}
					t.remove(s, t.create(s, t.user(name, nil)).Ref())
				}
			}
		}},
	}
}
