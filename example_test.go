package scim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"

	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// A handler over the memory store, mounted beside an application.
func Example() {
	app := http.NewServeMux()
	app.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "the application") }) //nolint:errcheck

	h, err := scim.New(scim.Config{
		Store: memory.New(),
		Auth:  auth.Bearer(auth.TokenOf("a-long-random-secret")),
		Log:   slog.New(slog.DiscardHandler),
		NewID: func() string { return "u1" },
	})
	if err != nil {
		panic(err)
	}
	server := httptest.NewServer(scim.Mount("/scim/v2", h, app))
	defer server.Close()

	req, _ := http.NewRequest("POST", server.URL+"/scim/v2/Users", strings.NewReader(`{"userName": "ann@example.com"}`))
	req.Header.Set("Authorization", "Bearer a-long-random-secret")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		panic(err)
	}
	defer res.Body.Close()
	fmt.Println(res.StatusCode, strings.TrimPrefix(res.Header.Get("Location"), server.URL))
	// Output: 201 /scim/v2/Users/u1
}

// A rule that refuses what the application cannot take.
func ExampleRule() {
	rule := func(_ context.Context, c *scim.Change) error {
		leaves := c.After == nil || !c.After.Active() // taking away never waits
		if leaves || strings.HasSuffix(c.After.String("userName"), "@example.com") {
			return nil
		}
		return &scim.Error{Status: 400, Type: "invalidValue", Detail: "userName: needs an address at example.com"}
	}
	r, _ := scim.UserType().Bind(scim.Meta{}, nil, map[string]any{"userName": "ann@elsewhere.test"})
	fmt.Println(rule(context.Background(), &scim.Change{Op: scim.OpCreate, After: r}))
	// Output: scim: Bad Request: userName: needs an address at example.com
}

// A custom attribute in the core schema, as some clients send it.
func ExampleNewResourceType() {
	c := scim.UserConfig()
	c.Schema.Attributes = append(c.Schema.Attributes, schema.SimpleCoreAttribute(
		schema.SimpleStringParams(schema.StringParams{Name: "costCentre", CaseExact: true})))
	user, err := scim.NewResourceType(c)
	if err != nil {
		panic(err)
	}
	r, err := user.Bind(scim.Meta{ID: "1"}, []byte(`{"userName": "ann", "costCentre": "9"}`), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.String("costCentre"))
	// Output: 9
}

// A store keeps resources as rows: some columns of its own, and the rest as JSON.
func ExampleResourceType_Bind() {
	columns := map[string]any{"userName": "ann@example.com", "active": true}
	rest := []byte(`{"name": {"givenName": "Ann"}}`)
	r, err := scim.UserType().Bind(scim.Meta{ID: "42"}, rest, columns)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.ID(), r.String("userName"), r.String("name.givenName"), r.Active())
	// Output: 42 ann@example.com Ann true
}

// A store answers look-ups from an index and leaves the rest to Scan.
func ExampleScan() {
	ann, _ := scim.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "Ann", "title": "Dr"})
	byName := map[string]*scim.Resource{scim.Fold("Ann"): ann}

	f, err := scim.ParseFilter(scim.UserType(), `userName eq "ann" and title sw "D"`)
	if err != nil {
		panic(err)
	}
	q := &scim.Query{Filter: f, Limit: 10}
	var found []*scim.Resource
	if name, ok := f.Eq("userName"); ok {
		found = append(found, byName[scim.Fold(name)])
	}
	page, err := scim.Scan(q, func(yield func(*scim.Resource, error) bool) {
		for _, r := range found {
			if !yield(r, nil) {
				return
			}
		}
	})
	fmt.Println(page.Total, page.Resources[0].String("userName"), err)
	// Output: 1 Ann <nil>
}

func ExampleFilter_Eq() {
	f, _ := scim.ParseFilter(scim.UserType(), `emails[type eq "work" and value eq "ann@example.com"] and active eq true`)
	fmt.Println(f.Eq("emails.value"))
	fmt.Println(f.Eq("userName"))
	fmt.Println(f.Text())
	// Output:
	// ann@example.com true
	//  false
	// emails[type eq "work" and value eq "ann@example.com"] and active eq true
}

func ExampleParsePatch() {
	ann, _ := scim.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "ann", "active": true})
	// As Entra sends it: capitals, a boolean as a string, an entry that is not there yet.
	p, err := scim.ParsePatch(scim.UserType(), []byte(`{"Operations": [
		{"op": "Replace", "path": "active", "value": "False"},
		{"op": "Replace", "path": "emails[type eq \"work\"].value", "value": "ann@example.com"}]}`))
	if err != nil {
		panic(err)
	}
	after, err := p.Apply(ann)
	if err != nil {
		panic(err)
	}
	fmt.Println(after.Active(), after.Primary("emails"))
	// Output: false ann@example.com
}

func ExampleResource_With() {
	ann, _ := scim.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"userName": "ann"})
	changed, err := ann.With(map[string]any{"name.givenName": "Ann", "emails": []map[string]any{{"value": "ann@example.com"}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(ann.String("name.givenName") == "", changed.String("name.givenName"), changed.Primary("emails"))
	// Output: true Ann ann@example.com
}

func ExamplePickHeaviest() {
	fmt.Println(scim.PickHeaviest([]scim.Candidate{
		{Role: scim.Role{ID: "1", Name: "Viewer", Weight: 1}},
		{Role: scim.Role{ID: "2", Name: "Editor", Weight: 2}},
	})[0].Name)
	// Output: Editor
}

// The application's middleware answers SCIM clients in their own language.
func ExampleWriteError() {
	w := httptest.NewRecorder()
	scim.WriteError(w, &scim.Error{Status: 429, Detail: "at most 25 requests a second"})
	fmt.Println(w.Code, w.Body)
	// Output: 429 {"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"429","detail":"at most 25 requests a second"}
}

func ExampleRoleSource_Name() {
	sales, err := scim.GroupType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{"displayName": "Sales"})
	if err != nil {
		fmt.Println(err)
	}
	fmt.Println(scim.RoleSource{Group: sales}.Name())
	fmt.Println(scim.RoleSource{Attribute: "userType", Value: "Editor"}.Name())
	_, err = teams{}.ResolveRoles(context.Background(), scim.RoleSource{Attribute: "userType", Value: "Nobody"})
	fmt.Println(errors.Is(err, scim.ErrNoRole))
	// Output:
	// Sales
	// Editor
	// true
}

// teams is a RoleResolver over an application's own map.
type teams map[string][]scim.Role

func (t teams) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
	if name := src.Name(); name == "Editor" {
		return []scim.Role{{ID: "editor", Name: name}}, nil
	}
	return nil, scim.ErrNoRole
}

func (t teams) HeldRoles(_ context.Context, userIDs []string) (map[string][]scim.Role, error) {
	held := map[string][]scim.Role{}
	for _, id := range userIDs {
		held[id] = t[id]
	}
	return held, nil
}

func (t teams) ChangeRoles(_ context.Context, changes []scim.RoleChange) error {
	for _, c := range changes {
		t[c.UserID] = append(slices.DeleteFunc(t[c.UserID], func(r scim.Role) bool {
			return slices.Contains(c.Revoke, r) || slices.Contains(c.Grant, r)
		}), c.Grant...)
	}
	return nil
}

// Explain says who gave a role.
func ExampleReconciler_Explain() {
	roles := teams{"u1": {{ID: "editor", Name: "Editor"}}}
	store := memory.New()
	h, err := scim.New(scim.Config{Store: store, Auth: auth.None(), Log: slog.New(slog.DiscardHandler),
		Roles: &scim.Roles{Resolver: roles}})
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	ann, _ := scim.UserType().Bind(scim.Meta{ID: "u1"}, nil, map[string]any{"userName": "ann"})
	if _, err := store.Create(ctx, ann); err != nil {
		panic(err)
	}
	reconciler, err := h.Reconciler(nil)
	if err != nil {
		panic(err)
	}
	explained, err := reconciler.Explain(ctx, "u1")
	fmt.Println(explained[0].Role.Name, explained[0].State, err)
	// Output: Editor by hand <nil>
}
