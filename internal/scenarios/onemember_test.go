package scenarios

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/sqlstore"
)

// twin is one of two applications that get the same requests. Only one has a store that changes one
// member at once.
type twin struct {
	t      reporter
	store  twinStore
	h      *scim.Handler
	rows   *roleTable
	app    *testhost.Roles
	now    time.Time
	ids    []string // ids are those of the next resources.
	count  int      // count is how many resources got another id.
	fails  string   // fails is the call of the application that fails next.
	told   []string // told is what the application was told since the last step.
	exempt map[string]bool
}

// twinStore is the store of a twin.
type twinStore struct {
	*sqlstore.Store
	isOne   bool // isOne says that it changes one member at once.
	changes *int // changes is how often it has done so.
	twin    *twin
}

func (s twinStore) ChangeMember(ctx context.Context, c scim.MemberChange) (scim.MemberChanged, error) {
	if !s.isOne {
		return scim.MemberChanged{}, errors.ErrUnsupported
	}
	out, err := s.Store.ChangeMember(ctx, c)
	if err == nil {
		*s.changes++
	}
	return out, err
}

func (s twinStore) Exempt(_ context.Context, userIDs []string) (exempt []string, err error) {
	for _, id := range userIDs {
		if s.twin.exempt[id] {
			exempt = append(exempt, id)
		}
	}
	return exempt, nil
}

// Secrets of tokens with other scopes.
const (
	onlyUsers  = "only-users-000000000000"
	onlyGroups = "only-groups-00000000000"
)

// twinRules are what the configuration of twins draws.
type twinRules struct {
	options sqlstore.Options
	config  scim.Config
	roles   scim.Roles
}

func drawTwinRules(t *rapid.T) twinRules {
	is := func(what string) bool { return sample(t, what, []bool{true, false, false}) }
	r := twinRules{options: sqlstore.Options{KeepDeleted: is("KeepDeleted"), UniqueIDs: is("UniqueIDs")}}
	r.config.Members = scim.MemberPolicy{SkipUnknown: is("SkipUnknown"), Nested: sample(t, "nested", []bool{true, false, false, false, false, false})}
	r.config.Strict = is("strict")
	if is("limit") {
		r.config.Limits.Members = 2
	}
	r.roles = scim.Roles{Exclusive: is("exclusive"), KeepLastHolder: is("last holder"), Separate: is("separate")}
	if is("attributes") {
		r.roles.Attributes = []string{"roles"}
	}
	if is("refuses") {
		r.roles.Missing = scim.RefuseGroup
	}
	if is("without groups") && is("really") {
		r.roles.WithoutGroups = true
	}
	if is("guard") {
		r.roles.Guard = func(_ context.Context, p *scim.RolePlan) error {
			if len(p.Roles) > 0 && p.Roles[0].Role.ID == "R2" && p.Roles[0].Grants > 0 {
				return &scim.Error{Status: 403, Detail: "the guard refuses"}
			}
			return nil
		}
	}
	return r
}

// newTwin makes an application over a database.
func newTwin(t reporter, db *sql.DB, d sqlstore.Dialect, tenant string, rules twinRules, isOne bool) *twin {
	w := &twin{t: t, now: time.Unix(1_700_000_000, 0).UTC(), exempt: map[string]bool{}, rows: &roleTable{[]*sql.DB{db}, d, tenant}, app: testhost.NoRoles()}
	w.app.Rows = w.rows
	fail := func(op string) error {
		if w.fails != op {
			return nil
		}
		w.fails = ""
		return errors.New("the application is down")
	}
	w.app.Fail, w.app.AfterChange = fail, func() error { return fail("changed") }
	o := rules.options
	clock := func() time.Time { return w.now }
	o.Tenant, o.Now, o.Log = tenant, clock, slog.New(slog.DiscardHandler)
	w.store = twinStore{testhost.Must(sqlstore.New(db, d, o)), isOne, new(int), w}
	w.must(w.store.Migrate(context.Background()))
	token := func(secret string, scopes ...string) auth.Token {
		k := auth.TokenOf(secret)
		k.Scopes = scopes
		return k
	}
	c, roles := rules.config, rules.roles
	roles.Resolver = w.app
	c.Store, c.Roles, c.Now, c.NewID, c.Log = w.store, &roles, clock, w.newID, o.Log
	c.Auth = auth.Bearer(token(testhost.Secret), token(onlyUsers, scim.ScopeUsers), token(onlyGroups, scim.ScopeGroups))
	c.OnEvent = func(_ context.Context, e scim.Event) { w.told = append(w.told, fmt.Sprintf("event %+v", e)) }
	c.OnWrite = func(_ context.Context, x *scim.Written) error {
		w.told = append(w.told, fmt.Sprintf("OnWrite %v %s %s %v %v %v", x.Op, metaOf(x.Before), metaOf(x.After), x.Add, x.Remove, x.Principal.ID))
		return fail("written")
	}
	w.h = testhost.Must(scim.New(c))
	return w
}

func (w *twin) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
}

func (w *twin) newID() string {
	if len(w.ids) > 0 {
		id := w.ids[0]
		w.ids = w.ids[1:]
		return id
	}
	w.count++
	return fmt.Sprint("fresh", w.count)
}

// twinRequest is a request to both twins.
type twinRequest struct {
	method, path, body string
	secret             string
	match              string // match is the header If-Match. "current" is the version of the resource.
	fails              string
}

// send sends a request, and returns the answer as text.
func (w *twin) send(ctx context.Context, q twinRequest) string {
	w.fails = q.fails
	req := httptest.NewRequestWithContext(ctx, q.method, "https://example.com"+q.path, strings.NewReader(q.body))
	req.Header.Set("Authorization", "Bearer "+q.secret)
	if q.match == "current" {
		id := q.path[strings.LastIndex(q.path, "/")+1:]
		id, _, _ = strings.Cut(id, "?")
		q.match = "*"
		if r, err := w.store.Get(ctx, scim.Ref{Type: strings.TrimSuffix(strings.Split(q.path, "/")[1], "s"), ID: id}); err == nil {
			q.match = `W/"` + r.Meta().Version + `"`
		}
	}
	if q.match != "" {
		req.Header.Set("If-Match", q.match)
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, req)
	w.fails = ""
	return fmt.Sprintln(rec.Code, rec.Header().Get("ETag"), rec.Header().Get("Location"), rec.Header().Get("Retry-After"), rec.Body)
}

// state is all that a twin keeps, and what the application was told.
func (w *twin) state() string {
	var text strings.Builder
	ctx := context.Background()
	db := w.rows.pools[0]
	for _, table := range []string{"scim_resources", "scim_members", "scim_links", "scim_grants", "scim_notes", "scim_lookups", "app_held"} {
		rows, err := db.QueryContext(ctx, "SELECT (to_jsonb(x) - 'tenant')::text FROM "+table+" x WHERE tenant = $1 ORDER BY to_jsonb(x) - 'version'", w.rows.tenant)
		w.must(err)
		for rows.Next() {
			var line string
			w.must(rows.Scan(&line))
			fmt.Fprintln(&text, table, line)
		}
		w.must(errors.Join(rows.Err(), rows.Close()))
	}
	fmt.Fprintln(&text, "changes", string(testhost.Must(json.Marshal(w.app.Changes()))))
	for _, line := range w.told {
		fmt.Fprintln(&text, line)
	}
	w.told = nil
	return strings.ReplaceAll(text.String(), w.rows.tenant, "T")
}

func metaOf(r *scim.Resource) string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("%+v", r.Meta())
}

// randomText matches versions, which differ.
var randomText = regexp.MustCompile(`[A-Z2-7]{26}`)

// sameVersions gives versions a name by the order in which a text has them.
func sameVersions(text string) string {
	names := map[string]string{}
	return randomText.ReplaceAllStringFunc(text, func(v string) string {
		if names[v] == "" {
			names[v] = fmt.Sprint("V", len(names))
		}
		return names[v]
	})
}

// twins are both, and what a history knows of them.
type twins struct {
	all    []*twin // the first one changes one member at once
	users  []string
	groups []string
	gone   []string
	log    []string
	next   int
}

// both does something with both twins and compares.
func (s *twins) both(t *rapid.T, what string, do func(w *twin) string) {
	s.log = append(s.log, what)
	var got []string
	for _, w := range s.all {
		w.now = w.now.Add(time.Second)
		got = append(got, sameVersions(do(w)+w.state()))
	}
	if diff := cmp.Diff(strings.Split(got[1], "\n"), strings.Split(got[0], "\n")); diff != "" {
		t.Fatalf("%s\n(-with several calls +with one):\n%s", strings.Join(s.log, "\n"), diff)
	}
}

func (s *twins) send(t *rapid.T, q twinRequest) {
	s.both(t, fmt.Sprintf("%+v", q), func(w *twin) string { return w.send(context.Background(), q) })
}

// oddIDs are ids with characters that mean something in JSON, filters, SQL or addresses.
var oddIDs = []string{"o'neil", `quo"te`, "ünï", "a b", "x%", "back\\slash", "group:", "User", strings.Repeat("l", 300)}

func (s *twins) newUser(t *rapid.T) {
	s.next++
	id := fmt.Sprint("u", s.next)
	switch {
	case len(s.gone) > 0 && rapid.Bool().Draw(t, "again"):
		id = sample(t, "id", s.gone)
	case rapid.Bool().Draw(t, "odd"):
		id = sample(t, "odd id", oddIDs)
	}
	body := fmt.Sprintf(`{"userName":"n%d","active":%v}`, s.next, sample(t, "active", []bool{true, true, false}))
	s.both(t, "POST /Users "+id+" "+body, func(w *twin) string {
		w.ids = []string{id}
		return w.send(context.Background(), twinRequest{method: "POST", path: "/Users", body: body, secret: testhost.Secret})
	})
	if !slices.Contains(s.users, id) {
		s.users = append(s.users, id)
	}
}

func (s *twins) newGroup(t *rapid.T) {
	s.next++
	id := fmt.Sprint("g", s.next)
	if len(s.users) > 0 && sample(t, "id of a user", []bool{true, false, false, false}) {
		id = sample(t, "id", s.users)
	}
	body := fmt.Sprintf(`{"displayName":%q,"members":[]}`, sample(t, "name", names))
	s.both(t, "POST /Groups "+id+" "+body, func(w *twin) string {
		w.ids = []string{id}
		return w.send(context.Background(), twinRequest{method: "POST", path: "/Groups", body: body, secret: testhost.Secret})
	})
	if !slices.Contains(s.groups, id) {
		s.groups = append(s.groups, id)
	}
}

// anyID is mostly the id of a user.
func (s *twins) anyID(t *rapid.T) string {
	switch sample(t, "whose id", []string{"user", "user", "user", "user", "user", "user", "group", "nobody", "alien", "gone"}) {
	case "group":
		return sample(t, "group", s.groups)
	case "nobody":
		return sample(t, "nobody", []string{"nobody", "", " ", "U1", "u1 ", "\u0000"})
	case "alien":
		return "alien"
	case "gone":
		if len(s.gone) > 0 {
			return sample(t, "gone", s.gone)
		}
	}
	return sample(t, "user", s.users)
}

// member is an element of "members".
func (s *twins) member(t *rapid.T, id string) map[string]any {
	m := map[string]any{"value": id}
	switch sample(t, "form", []string{"plain", "plain", "plain", "type", "$ref", "display", "only $ref", "odd name", "number", "none"}) {
	case "type":
		m["type"] = sample(t, "type", []any{"User", "user", "Group", "group", "Bogus", "", nil})
	case "$ref":
		m["$ref"] = sample(t, "$ref", []string{"https://example.com/Users/" + id, "../Groups/" + id, "/Groups/" + id, "https://example.com/Users/other", ""})
	case "display":
		m["display"] = "somebody"
	case "only $ref":
		delete(m, "value")
		m["$ref"] = "https://example.com/Users/" + id
	case "odd name":
		m = map[string]any{"VALUE": id, "Type": "User"}
	case "number":
		m["value"] = 5
	case "none":
		m = map[string]any{}
	}
	return m
}

// operation is an operation of a PATCH of a group.
func (s *twins) operation(t *rapid.T) map[string]any {
	id := s.anyID(t)
	quoted := string(testhost.Must(json.Marshal(id)))
	op := sample(t, "op", []string{"add", "add", "add", "add list", "remove", "remove", "remove", "remove list", "add one", "add without path", "odd add", "odd remove", "twice", "two",
		"filter", "all", "replace", "name", "same name", "externalId", "unknown", "urn", "type filter", "sub-path", "null"})
	switch op {
	case "add", "add list":
		return map[string]any{"op": "add", "path": "members", "value": []any{s.member(t, id)}}
	case "add one":
		return map[string]any{"op": "add", "path": "members", "value": s.member(t, id)}
	case "add without path":
		return map[string]any{"op": "add", "value": map[string]any{"members": []any{s.member(t, id)}}}
	case "odd add":
		return map[string]any{"op": "Add", "path": "Members", "value": []any{s.member(t, id)}}
	case "remove":
		return map[string]any{"op": "remove", "path": "members[value eq " + quoted + "]"}
	case "odd remove":
		return map[string]any{"op": "REMOVE", "path": "Members[Value EQ " + quoted + "]"}
	case "remove list":
		return map[string]any{"op": "remove", "path": "members", "value": []any{s.member(t, id)}}
	case "twice":
		return map[string]any{"op": sample(t, "op", []string{"add", "remove"}), "path": "members", "value": []any{s.member(t, id), map[string]any{"value": id}}}
	case "two":
		return map[string]any{"op": sample(t, "op", []string{"add", "remove"}), "path": "members", "value": []any{s.member(t, id), s.member(t, s.anyID(t))}}
	case "filter":
		return map[string]any{"op": "remove", "path": "members[value eq " + quoted + ` and type eq "` + sample(t, "type", []string{"User", "Group", "user"}) + `"]`}
	case "type filter":
		return map[string]any{"op": "remove", "path": `members[type eq "User"]`}
	case "sub-path":
		return map[string]any{"op": "remove", "path": "members[value eq " + quoted + "].value"}
	case "all":
		return map[string]any{"op": "remove", "path": "members"}
	case "replace":
		return map[string]any{"op": "replace", "path": "members", "value": []any{s.member(t, id)}}
	case "name":
		return map[string]any{"op": "replace", "path": "displayName", "value": sample(t, "name", names)}
	case "same name":
		return map[string]any{"op": "replace", "value": map[string]any{"displayName": sample(t, "name", names)}}
	case "externalId":
		return map[string]any{"op": "add", "path": "externalId", "value": sample(t, "externalId", []string{"x", "y"})}
	case "unknown":
		return map[string]any{"op": "add", "path": "colour", "value": "red"}
	case "urn":
		return map[string]any{"op": "add", "path": "urn:ietf:params:scim:schemas:core:2.0:Group:members", "value": []any{s.member(t, id)}}
	}
	return map[string]any{"op": "add", "path": "members", "value": nil}
}

func (s *twins) operations(t *rapid.T) string {
	ops := []any{s.operation(t)}
	for sample(t, "more", []bool{true, false, false, false}) {
		ops = append(ops, s.operation(t))
	}
	return string(testhost.Must(json.Marshal(map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:PatchOp"}, "Operations": ops})))
}

// change is a PATCH of a group.
func (s *twins) change(t *rapid.T) twinRequest {
	if rapid.Bool().Draw(t, "simple") {
		return s.simple(t, sample(t, "group", s.groups))
	}
	q := twinRequest{method: "PATCH", path: "/Groups/" + escaped(sample(t, "group", s.groups)), body: s.operations(t)}
	q.path += sample(t, "query", []string{"", "", "", "?attributes=displayName,members", "?excludedAttributes=members"})
	q.secret = sample(t, "secret", []string{testhost.Secret, testhost.Secret, testhost.Secret, onlyUsers, onlyGroups})
	q.match = sample(t, "match", []string{"", "", "", "current", "*", `W/"wrong"`})
	q.fails = sample(t, "fails", []string{"", "", "", "", "", "", "resolve", "held", "change", "changed", "written"})
	return q
}

// simple adds a user to a group or takes one out.
func (s *twins) simple(t *rapid.T, group string) twinRequest {
	op, user := addOp(sample(t, "user", s.users)), sample(t, "user", s.users)
	if rapid.Bool().Draw(t, "remove") {
		op = removeOp(user)
	}
	return twinRequest{method: "PATCH", path: "/Groups/" + escaped(group), body: string(testhost.Must(json.Marshal(patchBody(op)))), secret: testhost.Secret}
}

func escaped(id string) string {
	r := strings.NewReplacer("%", "%25", " ", "%20", "\"", "%22", "\\", "%5C", "ü", "%C3%BC", "ï", "%C3%AF")
	return r.Replace(id)
}

func (s *twins) patch(t *rapid.T) {
	q := s.change(t)
	if rapid.Bool().Draw(t, "preview") {
		s.both(t, fmt.Sprintf("preview of %+v", q), func(w *twin) string {
			r := testhost.Must(w.h.Reconciler(nil))
			f, err := r.PreviewRequest(context.Background(), scim.Request{Method: q.method, Path: q.path, Body: []byte(q.body)}, "", 0)
			if err != nil {
				return err.Error() + "\n"
			}
			return fmt.Sprintf("%d %s %s %+v\n", f.Status, f.Detail, f.Body, f.Changes)
		})
	}
	s.send(t, q)
}

func (s *twins) bulk(t *rapid.T) {
	var ops []any
	for range sample(t, "operations", []int{2, 3, 4}) {
		q := s.change(t)
		path, _, _ := strings.Cut(q.path, "?")
		op := map[string]any{"method": "PATCH", "path": path, "data": json.RawMessage(q.body)}
		if q.match != "" && q.match != "current" {
			op["version"] = q.match
		}
		ops = append(ops, op)
	}
	body := map[string]any{"schemas": []string{"urn:ietf:params:scim:api:messages:2.0:BulkRequest"}, "Operations": ops}
	if rapid.Bool().Draw(t, "failOnErrors") {
		body["failOnErrors"] = 1
	}
	s.send(t, twinRequest{method: "POST", path: "/Bulk", body: string(testhost.Must(json.Marshal(body))), secret: testhost.Secret,
		fails: sample(t, "fails", []string{"", "", "held", "change"})})
}

// joined sends requests in a transaction of the application.
func (s *twins) joined(t *rapid.T) {
	var all []twinRequest
	var how []string
	group := sample(t, "group", s.groups)
	for range sample(t, "requests", []int{1, 2, 3}) {
		q := s.simple(t, group)
		switch sample(t, "which", []string{"simple", "simple", "simple", "any", "name"}) {
		case "any":
			q = s.change(t)
		case "name":
			q.body = string(testhost.Must(json.Marshal(renameBody(sample(t, "name", names)))))
		}
		all = append(all, q)
		how = append(how, sample(t, "how", []string{"plain", "plain", "undo", "keep", "savepoint"}))
	}
	undo := errors.New("undo")
	begins, fails := sample(t, "begins", []string{"store", "store", "application"}), rapid.Bool().Draw(t, "rolls back")
	s.both(t, fmt.Sprintf("a transaction of the %s, rolled back: %v: %v %+v", begins, fails, how, all), func(w *twin) string {
		text := ""
		run := func(ctx context.Context) error {
			text, w.told = "", nil
			send := func(ctx context.Context, i int) {
				answer := w.send(ctx, all[i])
				if slices.Contains(how[:i], "savepoint") { // The store may have kept the version that was rolled back.
					answer, _, _ = strings.Cut(answer, " ")
				}
				text += answer
			}
			for i := range all {
				switch how[i] {
				case "undo", "keep":
					err := w.store.InTx(ctx, func(ctx context.Context) error {
						send(ctx, i)
						if how[i] == "undo" {
							return undo
						}
						return nil
					})
					if err != nil && !errors.Is(err, undo) {
						return err
					}
				case "savepoint":
					for _, x := range []string{"SAVEPOINT app", "", "ROLLBACK TO SAVEPOINT app"} {
						if x == "" {
							send(ctx, i)
						} else if _, err := w.store.DB(ctx).ExecContext(ctx, x); err != nil {
							return err
						}
					}
				default:
					send(ctx, i)
				}
			}
			if slices.Contains(how, "savepoint") {
				w.told = nil // as above
			}
			if fails {
				return undo
			}
			return nil
		}
		ctx := context.Background()
		if begins == "store" {
			return fmt.Sprintln(w.store.InTx(ctx, run), text)
		}
		db := w.rows.pools[0]
		tx, err := db.BeginTx(ctx, nil)
		w.must(err)
		defer tx.Rollback() //nolint:errcheck // it does nothing after Commit
		if err := run(sqlstore.WithTx(ctx, db, tx)); err != nil {
			return fmt.Sprintln(err, text)
		}
		w.must(tx.Commit())
		return text
	})
}

// other does something that is no change of one member.
func (s *twins) other(t *rapid.T) {
	user, group := sample(t, "user", s.users), sample(t, "group", s.groups)
	full := func(method, path, body string) {
		s.send(t, twinRequest{method: method, path: path, body: body, secret: testhost.Secret})
	}
	admin := func(what string, do func(r *scim.Reconciler, w *twin) error) {
		s.both(t, what, func(w *twin) string { return fmt.Sprintln(do(testhost.Must(w.h.Reconciler(nil)), w)) })
	}
	ctx := context.Background()
	role := scim.Role{ID: sample(t, "role", names)}
	switch what := sample(t, "what", []string{"active", "active", "delete user", "delete group", "put", "role", "drop role", "confirm", "give", "take", "give unseen", "exempt",
		"distrust", "trust", "all", "roles of a user", "user", "group"}); what {
	case "active":
		full("PATCH", "/Users/"+escaped(user), string(testhost.Must(json.Marshal(activeBody(rapid.Bool().Draw(t, "active"))))))
	case "delete user":
		full("DELETE", "/Users/"+escaped(user), "")
		s.gone = append(s.gone, user)
	case "delete group":
		full("DELETE", "/Groups/"+escaped(group), "")
	case "put":
		full("PUT", "/Groups/"+escaped(group), string(testhost.Must(json.Marshal(groupBody(sample(t, "name", names), user)))))
	case "role":
		r := scim.Role{ID: role.ID, Name: role.ID, Protected: sample(t, "protected", []bool{true, false, false}), Weight: sample(t, "weight", []int{1, 2, 3})}
		reports := rapid.Bool().Draw(t, "reports")
		admin(fmt.Sprintf("role %+v, reported: %v", r, reports), func(x *scim.Reconciler, w *twin) error {
			w.app.Put(r)
			if reports {
				return x.RolesChanged(ctx)
			}
			return nil
		})
	case "drop role":
		admin("drop "+role.ID, func(_ *scim.Reconciler, w *twin) error { return w.rows.Drop(ctx, role.ID) })
	case "confirm":
		admin("confirm "+group+" "+role.ID, func(x *scim.Reconciler, _ *twin) error { return x.Confirm(ctx, group, role) })
	case "give":
		admin("give "+user+" "+role.ID, func(x *scim.Reconciler, w *twin) error {
			return x.GiveByHand(ctx, user, role, func(ctx context.Context) error {
				return w.rows.Change(ctx, []scim.RoleChange{{UserID: user, Grant: []scim.Role{role}}})
			})
		})
	case "take":
		admin("take "+user+" "+role.ID, func(x *scim.Reconciler, w *twin) error {
			_, err := x.TakeByHand(ctx, user, role, func(ctx context.Context) error {
				return w.rows.Change(ctx, []scim.RoleChange{{UserID: user, Revoke: []scim.Role{role}}})
			})
			return err
		})
	case "give unseen":
		admin("give "+user+" "+role.ID+" unseen", func(_ *scim.Reconciler, w *twin) error {
			return w.rows.Change(ctx, []scim.RoleChange{{UserID: user, Grant: []scim.Role{role}}})
		})
	case "exempt":
		admin("exempt "+user, func(_ *scim.Reconciler, w *twin) error { w.exempt[user] = !w.exempt[user]; return nil })
	case "distrust":
		admin("distrust "+group, func(x *scim.Reconciler, _ *twin) error { return x.Distrust(ctx, scim.DistrustRevoke, group) })
	case "trust":
		admin("trust", func(x *scim.Reconciler, _ *twin) error { return x.Trust(ctx) })
	case "all":
		admin("all", func(x *scim.Reconciler, _ *twin) error { _, err := x.All(ctx, ""); return err })
	case "roles of a user":
		full("PATCH", "/Users/"+escaped(user), string(testhost.Must(json.Marshal(patchBody(rolesOp("replace", sample(t, "name", names)))))))
	case "user":
		s.newUser(t)
	case "group":
		s.newGroup(t)
	}
}

// TestOneMemberEquivalence plays random histories against two applications over one PostgreSQL. Only the
// store of one changes a member at once. The answers, what the application is told, and all
// that is stored must be the same after each step.
//
// SCIM_STEPS is how many steps it plays, and -rapid.seed gives a history again.
func TestOneMemberEquivalence(t *testing.T) {
	d := postgresServer(t)
	db := d.pool(t)
	for _, statement := range strings.Split(roleTables, ";") {
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	steps := 500
	if long {
		steps = 20_000
	}
	playSteps(t, stepsOr(t, steps))
	histories, changes, played := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		histories++
		rules, s := drawTwinRules(t), &twins{}
		for _, isOne := range []bool{true, false} {
			s.all = append(s.all, newTwin(t, db, d.dialect, fmt.Sprint("history", histories, isOne), rules, isOne))
		}
		alien := newTwin(t, db, d.dialect, fmt.Sprint("alien", histories), twinRules{}, true)
		alien.ids = []string{"alien"}
		alien.send(context.Background(), twinRequest{method: "POST", path: "/Users", body: `{"userName":"alien"}`, secret: testhost.Secret})
		for _, w := range s.all {
			for i, name := range names[:2] {
				w.app.Put(scim.Role{ID: name, Name: name, Weight: i, Protected: i == 1 && rules.roles.KeepLastHolder})
			}
		}
		for range 3 {
			s.newUser(t)
		}
		for range 3 {
			s.newGroup(t)
		}
		t.Repeat(map[string]func(*rapid.T){"step": func(t *rapid.T) {
			played++
			sample(t, "step", []func(*rapid.T){s.patch, s.patch, s.patch, s.patch, s.bulk, s.joined, s.other, s.other})(t)
		}})
		changes += *s.all[0].store.changes
	})
	t.Logf("%d histories, %d steps, %d changes of one member at once", histories, played, changes)
	if changes == 0 {
		t.Error("no member was changed at once")
	}
}
