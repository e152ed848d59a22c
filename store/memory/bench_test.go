package memory

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/google/uuid"
	"github.com/scimkit/scim"
)

// employee returns a user such as the identity provider of a large company sends it, of
// about 1.1 kB.
func employee(b testing.TB, i int) *scim.Resource {
	b.Helper()
	body := fmt.Appendf(nil, `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
"externalId":"00u%013dab","userName":"given.family%d@corp.example.com","active":true,"displayName":"Given Family %d","title":"Senior Engineer, Platform",
"name":{"formatted":"Given Middle Family %d","familyName":"Family %d","givenName":"Given","middleName":"Middle"},
"preferredLanguage":"en-GB","locale":"en-GB","timezone":"Europe/London","userType":"Employee",
"emails":[{"value":"given.family%d@corp.example.com","type":"work","primary":true},{"value":"family%d@home.example.net","type":"home"}],
"phoneNumbers":[{"value":"+44 20 7946 %07d","type":"work","primary":true},{"value":"+44 7700 9%07d","type":"mobile"}],
"addresses":[{"type":"work","streetAddress":"1 Example Square, Floor %d","locality":"London","region":"Greater London","postalCode":"EC1A 1BB","country":"GB","primary":true}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"E%07d","costCenter":"CC-4711","organization":"Example Corporation","division":"Products","department":"Platform Engineering","manager":{"value":"0190c5a8-7b7e-7000-8000-0000000000aa"}}}`,
		i, i, i, i, i, i, i, i, i, i%40, i)
	r, err := scim.UserType().Bind(scim.Meta{ID: uuid.Must(uuid.NewV7()).String(), Created: epoch, LastModified: epoch}, body, nil)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

func BenchmarkLookUpByUserName(b *testing.B) {
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := New()
			for i := range n {
				create(b, s, user(b, fmt.Sprintf("%08d", i), i, map[string]any{"userName": fmt.Sprintf("user%d@example.com", i)}))
			}
			// The filters are read beforehand: the look-up alone is measured.
			queries := make([]*scim.Query, 512)
			for i := range queries {
				f, err := scim.ParseFilter(scim.UserType(), fmt.Sprintf("userName eq %q", fmt.Sprintf("User%d@example.com", i*7919%n)))
				if err != nil {
					b.Fatal(err)
				}
				queries[i] = &scim.Query{Filter: f, Limit: 1}
			}
			ctx := context.Background()
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p, err := s.List(ctx, scim.UserType(), queries[i%len(queries)])
				if err != nil || len(p.Resources) != 1 {
					b.Fatal(p, err)
				}
			}
		})
	}
}

func BenchmarkPage(b *testing.B) {
	const n = 1_000_000
	s := New()
	var last *scim.Resource
	for i := range n {
		r := user(b, fmt.Sprintf("%08d", i), i, map[string]any{"userName": fmt.Sprintf("user%d@example.com", i)})
		create(b, s, r)
		if i == n-101 {
			last = r
		}
	}
	for name, q := range map[string]*scim.Query{
		"first":      {Limit: 100, Total: true},
		"last":       {Limit: 100, After: scim.KeyOf(&scim.Query{}, last)},
		"lastOffset": {Limit: 100, Offset: n - 100, Total: true},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				p, err := s.List(context.Background(), scim.UserType(), q)
				if err != nil || len(p.Resources) != 100 {
					b.Fatal(len(p.Resources), err)
				}
			}
		})
	}
}

// One member leaves and joins a group, by turns.
func BenchmarkChangeMember(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s := New()
			create(b, s, group(b, "g", 0))
			all := make([]scim.Ref, n)
			for i := range all {
				all[i] = u(uuid.Must(uuid.NewV7()).String())
			}
			ctx := context.Background()
			if _, _, err := s.ChangeMembers(ctx, "g", all, nil); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				one := all[i*7919%n:][:1]
				if _, _, err := s.ChangeMembers(ctx, "g", nil, one); err != nil {
					b.Fatal(err)
				}
				if _, _, err := s.ChangeMembers(ctx, "g", one, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHeap reports what a stored user costs, indexes included, beside the
// size of its JSON.
func BenchmarkHeap(b *testing.B) {
	const n = 50_000
	for b.Loop() {
		live := func() uint64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		var bytes int
		before := live()
		s := New()
		for i := range n {
			r := employee(b, i)
			text, err := r.MarshalJSON()
			if err != nil {
				b.Fatal(err)
			}
			bytes += len(text)
			create(b, s, r)
		}
		heap := live() - before
		b.ReportMetric(float64(heap)/n, "heap-B/user")
		b.ReportMetric(float64(bytes)/n, "json-B/user")
		b.ReportMetric(float64(heap)/float64(bytes), "heap/json")
		runtime.KeepAlive(s)
	}
}
