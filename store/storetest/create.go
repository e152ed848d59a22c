package storetest

import (
	"time"

	"github.com/scimkit/scim"
)

func createSteps() []step[scim.Store] {
	return []step[scim.Store]{
		{"round trip", "The store returns values exactly as it got them, also empty strings and the order of multi-valued attributes. If a client reads another value than it wrote, it writes the value again and again.", func(t *probe, s scim.Store) {
			for _, row := range roundTrips() {
				want := t.user(row.userName, row.more)
				made := t.create(s, want)
				t.same(row.name+", as Create returned it", want, made)
				t.same(row.name+", as Get returns it", want, t.get(s, made.Ref()))
				page := t.list(s, scim.UserType(), &scim.Query{IDs: []string{made.ID()}, Limit: 1})
				if len(page.Resources) != 1 {
					t.Errorf("%s: List by its id returned %d resources, want it", row.name, len(page.Resources))
					continue
				}
				t.same(row.name+", as List returns it", want, page.Resources[0])
			}
		}},
		{"returned resource is the truth", "Get and List return what Create returned, also id, version and times (RFC 7644, Section 3.3).", func(t *probe, s scim.Store) {
			for _, r := range []*scim.Resource{t.user("ann@example.com", values{"title": "Engineer"}), t.group("Engineers")} {
				made := t.create(s, r)
				t.exactly("Get after Create", made, t.get(s, made.Ref()))
				page := t.list(s, r.Type(), &scim.Query{Limit: 10})
				if len(page.Resources) != 1 {
					t.Fatalf("List of all %ss returned %q, want the one that was created", r.Type().Name(), names(page.Resources))
				}
				t.exactly("List after Create", made, page.Resources[0])
			}
		}},
		{"times", "The store keeps meta.created and meta.lastModified to the millisecond, or sets them by its own clock (RFC 7643, Section 3.1).", func(t *probe, s scim.Store) {
			r := t.user("ann@example.com", nil)
			m := r.Meta()
			m.LastModified = m.Created.Add(90*time.Minute + 123*time.Millisecond)
			r = r.WithMeta(m)
			got := t.get(s, t.create(s, r).Ref()).Meta()
			own := func(at time.Time) bool { d := time.Since(at); return -time.Minute < d && d < time.Minute }
			if !sameInstant(got.Created, m.Created) && !own(got.Created) {
				t.Errorf("created is %v, want %v", got.Created, m.Created)
			}
			if !sameInstant(got.LastModified, m.LastModified) && !own(got.LastModified) {
				t.Errorf("lastModified is %v, want %v", got.LastModified, m.LastModified)
			}
		}},
		{"id in use", "Create never overwrites a resource. It keeps the id of the new resource, gives it another id, or refuses it.", func(t *probe, s scim.Store) {
			first := t.create(s, t.user("ann@example.com", nil))
			second := t.user("bob@example.com", nil)
			m := second.Meta()
			m.ID = first.ID()
			made, err := s.Create(t.ctx, second.WithMeta(m))
			if err == nil && made.ID() == first.ID() {
				t.Errorf("two users were created with the id %s", first.ID())
			}
			t.exactly("the first user afterwards", first, t.get(s, first.Ref()))
		}},
	}
}

// roundTrips lists users that are hard to store exactly.
func roundTrips() []struct {
	name, userName string
	more           values
} {
	return []struct {
		name, userName string
		more           values
	}{
		{"nothing but a userName", "plain@example.com", nil},
		{"text of many scripts", "Ünï.Çøde@例え.jp", values{
			"displayName":     "Zoë 山田 \u05d0\u05d1 👩‍💻 e\u0301 \u00e9",
			"name.givenName":  "Ⅻ ﬁ ſ ß ẞ İ ı",
			"name.familyName": "O'Brien \"Bob\" \\ % _ ; -- $1 ? :x",
			"title":           " spaces kept \t\r\n ",
			"nickName":        "</script>&amp;<b>",
		}},
		{"empty string", "empty@example.com", values{"title": "", "nickName": "", "displayName": "x"}},
		{"text that looks like something else", "null", values{"title": "null", "nickName": "true", "displayName": "007", "userType": "1e3"}},
		{"booleans and references", "refs@example.com", values{"active": false, "profileUrl": "https://example.com/~ann?a=1&b=%20#c"}},
		{"binary", "cert@example.com", values{"x509Certificates": []values{{"value": []byte{0, 1, 2, 254, 255}}}}},
		{"complex and enterprise extension", "ext@example.com", values{
			"name":     values{"givenName": "Barbara", "familyName": "Jensen", "honorificPrefix": "Ms."},
			department: "Tour Operations",
			"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value": "26118915-6090-4610-87e4-49d8ca9f808d",
			"externalId": "Bjensen-ÄÖ",
		}},
		{"order of multi-valued attributes", "multi@example.com", values{
			"emails": []values{
				{"value": "z@example.com", "type": "work"},
				{"value": "a@example.com", "type": "home", "primary": true},
				{"value": "M@example.com", "type": "other", "display": "M"},
				{"value": "a@example.com", "type": "work"},
			},
			"phoneNumbers": []values{{"value": "tel:+1-201-555-0123"}, {"value": "555 0100", "type": "fax"}},
			"addresses":    []values{{"streetAddress": "100 Main St\nFloor 2", "country": "US", "primary": true}, {"locality": "Köln"}},
			"entitlements": []values{{"value": "b"}, {"value": "a"}},
		}},
	}
}
