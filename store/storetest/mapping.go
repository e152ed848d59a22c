package storetest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

// Mapping is a Store over tables of an application, with what their columns cannot hold. Whatever
// it does not declare must hold.
type Mapping struct {
	Store scim.Store
	// User and Group are the types of the Store. Nil means scim.UserType and scim.GroupType.
	User, Group *scim.ResourceType
	// Users and Groups are the limits of columns, by the path of the attribute: "title",
	// "name.givenName". That of a multi-valued attribute is the list: "emails".
	Users, Groups map[string]Limit
	// KeepsNames says that the name of a deleted user is not free again: Retire keeps it.
	KeepsNames bool
	// CoarseTimes says that users who are created in one second have no order.
	CoarseTimes bool
}

// Limit says what a column cannot hold.
type Limit struct {
	// Values are two values that the column can hold, in the place of those of the suite: for
	// an enum, or a reference to another table. If they must be unique, set Value instead: it
	// gives the n-th one.
	Values [2]any
	Value  func(n int) any
	// Required says that a client must send the attribute.
	Required bool
	// ReadOnly, SetOnce and KeepWhenAbsent are those of the sqlstore.Column.
	ReadOnly, SetOnce, KeepWhenAbsent bool
	// Changes says that a client does not read what it wrote, once the column was read.
	Changes bool
}

// reindexer is a Store that can read its columns again.
type reindexer interface {
	Reindex(ctx context.Context) error
}

// RunMapping checks a Store over tables of an application, such as a sqlstore.Store with
// Tables, as far as these tables allow. It calls newMapping for each step. newMapping returns a
// mapping of empty tables. If the Store has Reindex, as a sqlstore.Store has, the suite also
// compares what the columns say with what clients wrote.
//
//	func TestMapping(t *testing.T) {
//		storetest.RunMapping(t, func(t *testing.T) storetest.Mapping {
//			return storetest.Mapping{Store: newStore(t), Users: map[string]storetest.Limit{
//				"displayName": {Required: true},
//				"userType":    {Values: [2]any{"member", "guest"}},
//			}}
//		})
//	}
//
// Run demands that a Store holds every value. Call it as well if your columns can. RunClaims
// checks what happens to rows that the application adds.
func RunMapping(t *testing.T, newMapping func(t *testing.T) Mapping) {
	group[Mapping]{"mapping", mappingSteps()}.run(t, newMapping)
}

// mapped is a mapping as a step uses it.
type mapped struct {
	Mapping
	t     *probe
	count int    // count is how many resources were made.
	boss  string // boss is the id of a user to whom others refer.
}

func (m Mapping) in(t *probe) *mapped {
	if m.User == nil {
		m.User = scim.UserType()
	}
	if m.Group == nil {
		m.Group = scim.GroupType()
	}
	return &mapped{Mapping: m, t: t}
}

// limits returns the limits of a type.
func (m *mapped) limits(typ *scim.ResourceType) map[string]Limit {
	if typ.Name() == m.Group.Name() {
		return m.Groups
	}
	return m.Users
}

// resource returns a resource with a name, what is required, and more. It is not stored yet.
func (m *mapped) resource(typ *scim.ResourceType, more values) *scim.Resource {
	m.count++
	v := values{}
	name := "displayName"
	if typ.Name() == m.User.Name() {
		name = "userName"
	}
	for path, l := range m.limits(typ) {
		if a, ok := typ.Attribute(path); ok && l.Required {
			v[path] = m.value(typ, a, 0)
		}
	}
	a, _ := typ.Attribute(name)
	v[name] = m.value(typ, a, 0)
	for path, x := range more {
		v[path] = x
	}
	return m.t.bind(typ, m.t.meta(), v)
}

// again makes the Store read its columns again. It returns false if the Store cannot do so.
func (m *mapped) again() bool {
	r, ok := m.Store.(reindexer)
	if ok {
		if err := r.Reindex(m.t.ctx); err != nil {
			m.t.Fatalf("Reindex: %v", err)
		}
	}
	return ok
}

// expect requires a value of a stored resource.
func (m *mapped) expect(when string, ref scim.Ref, path string, want any) {
	got := m.t.get(m.Store, ref).Get(path)
	if diff := cmp.Diff(want, got); diff != "" {
		m.t.Errorf("%s of a %s, %s (-want +got):\n%s", path, ref.Type, when, diff)
	}
}

// expectPresence requires that a stored resource has an attribute, or has not.
func (m *mapped) expectPresence(when string, ref scim.Ref, path string, want bool) {
	if got := m.t.get(m.Store, ref).Get(path); (got != nil) != want {
		m.t.Errorf("%s of a %s, %s: %v", path, ref.Type, when, got)
	}
}

// refusal reports whether err says that a value cannot be stored.
func refusal(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Status == http.StatusBadRequest
}

// find returns the users that a filter matches.
func (m *mapped) find(filter string) []*scim.Resource {
	f, err := scim.ParseFilter(m.User, filter)
	if err != nil {
		m.t.Fatalf("storetest makes the filter %s: %v", filter, err)
	}
	return m.t.list(m.Store, m.User, &scim.Query{Filter: f, Limit: 100}).Resources
}

// quote returns a text as a filter writes it.
func quote(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
