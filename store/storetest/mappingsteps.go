package storetest

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

func mappingSteps() []step[Mapping] {
	return []step[Mapping]{
		{"least", "A client may send a user with a userName and a group with a displayName, and nothing else but what is declared as Required. Nothing has other values, and the user is active.", func(t *probe, s Mapping) {
			m := s.in(t)
			for _, typ := range []*scim.ResourceType{m.User, m.Group} {
				r := m.resource(typ, nil)
				ref := t.create(m.Store, r).Ref()
				for _, a := range m.attributes(typ) {
					if !m.limits(typ)[a.Path].ReadOnly {
						m.expectPresence("which the client did not send", ref, a.Path, r.Get(a.Path) != nil)
					}
				}
				if typ == m.User && !t.get(m.Store, ref).Active() {
					t.Errorf("a new user is not active")
				}
			}
		}},
		{"round trip", "A client reads each value as it wrote it, and finds users by it. A value of a ReadOnly column is ignored.", func(t *probe, s Mapping) {
			m := s.in(t)
			for _, w := range m.writeAll() {
				m.expectWritten("after Create", w, false)
				if text, ok := w.sent.Get(w.a.Path).(string); ok && !w.limit.ReadOnly && w.sent.Type() == m.User {
					if !slices.ContainsFunc(m.find(w.a.Path+" eq "+quote(text)), func(r *scim.Resource) bool { return r.ID() == w.ref.ID }) {
						t.Errorf("%s eq %q does not find the user", w.a.Path, text)
					}
				}
			}
		}},
		{"read again", "The columns say what the client wrote. A client that reads another value writes its own again and again.", func(t *probe, s Mapping) {
			m := s.in(t)
			all := m.writeAll()
			m.mustReadAgain()
			for _, w := range all {
				m.expectWritten("as the columns have it", w, true)
			}
		}},
		{"change", "A client replaces each value, and removes it. SetOnce keeps the first value, and KeepWhenAbsent keeps the last one.", func(t *probe, s Mapping) {
			m := s.in(t)
			for _, w := range m.writeAll() {
				if !w.limit.ReadOnly {
					m.change(w)
				}
			}
		}},
		{"active", "A client deactivates and activates users, and the column says the same.", mappedActive},
		{"does not fit", "A text that a column cannot hold is refused with 400, and nothing changes. Other texts are stored exactly, with no letter lost.", mappedTexts},
		{"names", "A userName is unique, as SCIM compares it. A changed one, and that of a deleted user, is free again unless KeepsNames is declared.", mappedNames},
		{"members", "A client adds and removes members, and the table of memberships says the same. A deleted user is no member.", mappedMembers},
		{"times", "meta.created is the time of creation, in the right time zone, and lists are in this order.", mappedTimes},
	}
}

// written is a resource that was stored with a value of one attribute.
type written struct {
	ref   scim.Ref
	sent  *scim.Resource
	a     scim.Attribute
	limit Limit
}

// writeAll stores a resource for each attribute.
func (m *mapped) writeAll() (all []written) {
	for _, typ := range []*scim.ResourceType{m.User, m.Group} {
		for _, a := range m.attributes(typ) {
			m.count++
			r := m.resource(typ, values{a.Path: m.value(typ, a, 0)})
			got, err := m.Store.Create(m.t.ctx, r)
			if err != nil {
				m.t.Errorf("Create of a %s with %s %v: %v", typ.Name(), a.Path, r.Get(a.Path), err)
				continue
			}
			all = append(all, written{got.Ref(), r, a, m.limits(typ)[a.Path]})
		}
	}
	return all
}

// expectWritten requires that a client reads what it wrote. isAgain says that the columns were
// read.
func (m *mapped) expectWritten(when string, w written, isAgain bool) {
	switch {
	case w.limit.ReadOnly:
	case w.limit.Changes && isAgain:
		m.expectPresence(when, w.ref, w.a.Path, true)
	default:
		m.expect(when, w.ref, w.a.Path, w.sent.Get(w.a.Path))
	}
}

// mustReadAgain skips the step if the Store cannot read its columns again.
func (m *mapped) mustReadAgain() {
	if !m.again() {
		m.t.Skipf("the Store has no Reindex: its columns cannot be compared")
	}
}

// change replaces a value, and removes it.
func (m *mapped) change(w written) {
	path, first := w.a.Path, w.sent.Get(w.a.Path)
	second := m.t.change(w.sent, values{path: m.value(w.sent.Type(), w.a, 1)}).Get(path)
	m.t.put(m.Store, w.ref, values{path: second})
	want := second
	if w.limit.SetOnce {
		want = first
	}
	exact := func(when string) {
		if w.limit.Changes {
			m.expectPresence(when, w.ref, path, want != nil)
		} else {
			m.expect(when, w.ref, path, want)
		}
	}
	exact("after a change")
	m.again()
	exact("after a change, as the columns have it")
	if w.limit.Required || w.ref.Type == m.Group.Name() && path == "displayName" { // RFC 7643, Section 4.2
		return
	}
	m.t.put(m.Store, w.ref, values{path: nil})
	if !w.limit.SetOnce && !w.limit.KeepWhenAbsent {
		want = nil
	}
	exact("after the client removed it")
	m.again()
	exact("after the client removed it, as the columns have it")
}

func mappedActive(t *probe, s Mapping) {
	m := s.in(t)
	if m.Users["active"].ReadOnly {
		t.Skipf("active is ReadOnly")
	}
	off := m.t.create(m.Store, m.resource(m.User, values{"active": false})).Ref()
	on := m.t.create(m.Store, m.resource(m.User, nil)).Ref()
	expect := func(when string, ref scim.Ref, want bool) {
		for _, how := range []string{when, when + ", as the column has it"} {
			if got := t.get(m.Store, ref).Active(); got != want {
				t.Errorf("%s: active is %v", how, got)
			}
			m.again()
		}
	}
	expect("a user who was created as inactive", off, false)
	expect("a user who was created without active", on, true)
	t.put(m.Store, on, values{"active": false})
	expect("a user who was deactivated", on, false)
	for _, ref := range []scim.Ref{off, on} {
		t.put(m.Store, ref, values{"active": true})
		expect("a user who was activated", ref, true)
	}
}

func mappedTexts(t *probe, s Mapping) {
	m := s.in(t)
	for _, a := range m.attributes(m.User) {
		l := m.Users[a.Path]
		if a.Type != scim.TypeString || a.MultiValued || l.ReadOnly || l.Changes || l.Value != nil || l.Values[0] != nil {
			continue
		}
		for _, text := range []string{strings.Repeat("long ", 1000), "Zoë 山田 👩‍💻 e\u0301", `O'Brien "Bob" \ % _ ; -- $1 ? :x`} {
			r := m.resource(m.User, values{a.Path: text})
			got, err := m.Store.Create(t.ctx, r)
			switch {
			case refusal(err):
				if there := m.find("userName eq " + quote(r.String("userName"))); len(there) > 0 {
					t.Errorf("a user with %s %.40q was refused, and is there", a.Path, text)
				}
			case err != nil:
				t.Errorf("Create with %s %.40q: error %v, want it stored, or 400", a.Path, text, err)
			default:
				m.expect("a text that may not fit", got.Ref(), a.Path, text)
				m.again()
				m.expect("a text that may not fit, as the column has it", got.Ref(), a.Path, text)
			}
		}
	}
}

func mappedNames(t *probe, s Mapping) {
	m := s.in(t)
	first := m.resource(m.User, nil)
	name := first.String("userName")
	ref := t.create(m.Store, first).Ref()
	other := m.resource(m.User, nil)
	for _, taken := range []string{name, strings.ToUpper(name)} {
		if _, err := m.Store.Create(t.ctx, t.change(other, values{"userName": taken})); !conflict(err) {
			t.Errorf("Create of %q, which another user has as %q: error %v, want a conflict of userName", taken, name, err)
		}
	}
	t.put(m.Store, ref, values{"userName": strings.ToUpper(name)})
	m.expect("in capitals", ref, "userName", strings.ToUpper(name))
	t.put(m.Store, ref, values{"userName": other.String("userName")})
	m.again()
	if found := m.find("userName eq " + quote(other.String("userName"))); len(found) != 1 {
		t.Errorf("a user who was renamed is found %d times", len(found))
	}
	second := t.create(m.Store, t.change(m.resource(m.User, nil), values{"userName": name})).Ref()
	t.remove(m.Store, second)
	t.absent(m.Store, second, "which was deleted")
	m.again()
	t.absent(m.Store, second, "which was deleted, as the table has it")
	_, err := m.Store.Create(t.ctx, t.change(m.resource(m.User, nil), values{"userName": name}))
	if err != nil && !(m.KeepsNames && conflict(err)) {
		t.Errorf("Create of a userName whose user was deleted: %v", err)
	}
}

func mappedMembers(t *probe, s Mapping) {
	m := s.in(t)
	list := membersOf(t, m.Store)
	g := t.create(m.Store, m.resource(m.Group, nil))
	var users []scim.Ref
	for range 3 {
		users = append(users, t.create(m.Store, m.resource(m.User, nil)).Ref())
	}
	expect := func(want ...scim.Ref) {
		list.expectRefs(g.Ref(), want...)
		if m.again() {
			list.expectRefs(g.Ref(), want...)
		}
	}
	list.change(g, users, nil, users, nil)
	expect(users...)
	list.change(g, users[:1], nil, nil, nil)
	expect(users...)
	list.change(g, nil, users[:1], nil, users[:1])
	expect(users[1:]...)
	t.remove(m.Store, users[1])
	expect(users[2:]...)
	t.remove(m.Store, g.Ref())
	if _, err := m.Store.Get(t.ctx, g.Ref()); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("Get of a deleted group: error %v, want ErrNotFound", err)
	}
}

func mappedTimes(t *probe, s Mapping) {
	m := s.in(t)
	var want []string
	for range 12 {
		r := m.resource(m.User, nil)
		got := t.create(m.Store, r)
		want = append(want, got.ID())
		if at, d := got.Meta().Created, time.Since(got.Meta().Created); !sameInstant(at, r.Meta().Created) && (d < -time.Minute || d > time.Minute) {
			t.Errorf("meta.created is %v, and it is %v: does the column hold another time zone?", at, time.Now())
		}
	}
	if m.CoarseTimes {
		return
	}
	for range 2 {
		if diff := cmp.Diff(want, ids(t.list(m.Store, m.User, &scim.Query{Limit: 100}).Resources)); diff != "" {
			t.Errorf("users in order of creation (-want +got):\n%s", diff)
		}
		m.again()
	}
}
