package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/scimkit/scim"
)

type values = map[string]any

const department = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"

// nobody is an id that no resource has.
const nobody = "7d1f0b0e-2b57-4e0f-9d5c-0f3f7ad8a1c4"

// meta returns what the handler gives to a new resource. Each time is a little later than
// the one before, in a zone other than UTC.
func (t *probe) meta() scim.Meta {
	n := time.Duration(t.created.Add(1))
	at := time.Date(2024, 3, 10, 23, 30, 0, 0, time.FixedZone("", 5*3600+1800)).Add(n*time.Second + n*7*time.Millisecond)
	return scim.Meta{ID: uuid.NewString(), Created: at, LastModified: at}
}

// user returns a user that is not stored yet.
func (t *probe) user(userName string, more values) *scim.Resource {
	v := values{"userName": userName}
	for path, x := range more {
		v[path] = x
	}
	return t.bind(scim.UserType(), t.meta(), v)
}

// group returns a group that is not stored yet.
func (t *probe) group(displayName string) *scim.Resource {
	return t.bind(scim.GroupType(), t.meta(), values{"displayName": displayName})
}

func (t *probe) bind(typ *scim.ResourceType, m scim.Meta, v values) *scim.Resource {
	r, err := typ.Bind(m, nil, v)
	if err != nil {
		t.Fatalf("storetest makes a %s: %v", typ.Name(), err)
	}
	return r
}

// change returns a copy of r with other values, which must be valid.
func (t *probe) change(r *scim.Resource, v values) *scim.Resource {
	c, err := r.With(v)
	if err != nil {
		t.Fatalf("storetest changes a %s: %v", r.Type().Name(), err)
	}
	return c
}

// create stores r and returns it as the store does.
func (t *probe) create(s scim.Store, r *scim.Resource) *scim.Resource {
	got, err := s.Create(t.ctx, r)
	if err != nil {
		t.Fatalf("Create of %s: %v", show(r), err)
	}
	if got == nil || got.ID() == "" {
		t.Fatalf("Create of %s returned no resource, or one without an id", show(r))
	}
	return got
}

// users stores n users, named by prefix and number, in order.
func (t *probe) users(s scim.Store, prefix string, n int) []*scim.Resource {
	all := make([]*scim.Resource, n)
	for i := range all {
		all[i] = t.create(s, t.user(fmt.Sprintf("%s%03d@example.com", prefix, i), nil))
	}
	return all
}

func (t *probe) get(s scim.Store, ref scim.Ref) *scim.Resource {
	got, err := s.Get(t.ctx, ref)
	if err != nil || got == nil {
		t.Fatalf("Get of %v: got %v, error %v; it is there", ref, show(got), err)
	}
	return got
}

// absent requires that a resource is unknown.
func (t *probe) absent(s scim.Store, ref scim.Ref, why string) {
	if got, err := s.Get(t.ctx, ref); !errors.Is(err, scim.ErrNotFound) {
		t.Errorf("Get of %v, %s: got %s and error %v, want ErrNotFound", ref, why, show(got), err)
	}
}

// put replaces values of a stored resource.
func (t *probe) put(s scim.Store, ref scim.Ref, v values) *scim.Resource {
	got, err := s.Update(t.ctx, ref, func(before *scim.Resource) (*scim.Resource, error) { return before.With(v) })
	if err != nil || got == nil {
		t.Fatalf("Update of %v to %v: got %s, error %v", ref, v, show(got), err)
	}
	return got
}

func (t *probe) remove(s scim.Store, ref scim.Ref) {
	if err := s.Delete(t.ctx, ref, func(*scim.Resource) error { return nil }); err != nil {
		t.Fatalf("Delete of %v: %v", ref, err)
	}
}

func (t *probe) list(s scim.Store, typ *scim.ResourceType, q *scim.Query) *scim.Page {
	page, err := s.List(t.ctx, typ, q)
	if err != nil || page == nil {
		t.Fatalf("List of %s: page %v, error %v", showQuery(q), page, err)
	}
	return page
}

// total counts the resources of a type.
func (t *probe) total(s scim.Store, typ *scim.ResourceType) int {
	return t.list(s, typ, &scim.Query{Total: true}).Total
}

// same requires that two resources have the same contents. Their ids may differ.
func (t *probe) same(what string, want, got *scim.Resource) {
	if diff := cmp.Diff(contents(want), contents(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// exactly requires that two resources are equal in everything that a client sees.
func (t *probe) exactly(what string, want, got *scim.Resource) {
	t.same(what, want, got)
	w, g := want.Meta(), got.Meta()
	if w.ID != g.ID || w.Version != g.Version || !sameInstant(w.Created, g.Created) || !sameInstant(w.LastModified, g.LastModified) {
		t.Errorf("%s: meta is %+v, want %+v", what, g, w)
	}
}

// sameInstant compares times to the millisecond, because some databases keep no more.
func sameInstant(a, b time.Time) bool {
	d := a.Sub(b)
	return -time.Millisecond < d && d < time.Millisecond
}

// contents returns the values of r without id and meta.
func contents(r *scim.Resource) values {
	if r == nil {
		return nil
	}
	raw, err := r.MarshalJSON()
	if err != nil {
		return values{"error": err.Error()}
	}
	var v values
	if err := json.Unmarshal(raw, &v); err != nil {
		return values{"error": err.Error(), "raw": string(raw)}
	}
	delete(v, "id")
	delete(v, "meta")
	return v
}

// conflict reports whether err says that another resource has this userName.
func conflict(err error) bool {
	var e *scim.Error
	return errors.As(err, &e) && e.Status == http.StatusConflict && e.Type == "uniqueness" && strings.Contains(e.Detail, "userName")
}

func ids(list []*scim.Resource) []string {
	out := make([]string, len(list))
	for i, r := range list {
		out[i] = r.ID()
	}
	return out
}

// names lists resources by their names, for messages.
func names(list []*scim.Resource) []string {
	out := make([]string, len(list))
	for i, r := range list {
		if out[i] = r.String("userName"); out[i] == "" {
			out[i] = r.String("displayName")
		}
	}
	return out
}

func show(r *scim.Resource) string {
	if r == nil {
		return "nothing"
	}
	raw, err := r.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

func showQuery(q *scim.Query) string {
	s := fmt.Sprintf("filter %q", q.Filter.Text())
	if q.IDs != nil {
		s += fmt.Sprintf(", %d IDs", len(q.IDs))
	}
	if q.SortBy != "" {
		s += ", sorted by " + q.SortBy
	}
	if q.Descending {
		s += ", descending"
	}
	if q.After != nil {
		s += fmt.Sprintf(", behind %s", q.After.ID)
	}
	return fmt.Sprintf("%s, offset %d, limit %d, total %v", s, q.Offset, q.Limit, q.Total)
}
