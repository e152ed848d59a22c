package discovery

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/elimity-com/scim/schema"
	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

func types(t *testing.T) []*model.Type {
	t.Helper()
	user, err := model.Compile("User", schema.CoreUserSchema(), []schema.Schema{schema.ExtensionEnterpriseUser()})
	if err != nil {
		t.Fatal(err)
	}
	user.Endpoint, user.Description = "/Users", "People"
	user.Extension(schema.ExtensionEnterpriseUser().ID).Required = true
	staff, err := model.Compile("Staff", schema.CoreUserSchema(), nil)
	if err != nil {
		t.Fatal(err)
	}
	staff.Endpoint = "/Staff"
	return []*model.Type{user, staff}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestResourceTypes(t *testing.T) {
	all := ResourceTypes("https://x.test", types(t))
	const core, enterprise = "urn:ietf:params:scim:schemas:core:2.0:User", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	want := []Object{{
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": "User", "name": "User", "endpoint": "/Users",
		"description": "People", "schema": core, "schemaExtensions": []Object{{"schema": enterprise, "required": true}},
		"meta": Object{"resourceType": "ResourceType", "location": "https://x.test/ResourceTypes/User"},
	}, {
		"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": "Staff", "name": "Staff", "endpoint": "/Staff",
		"description": "", "schema": core,
		"meta": Object{"resourceType": "ResourceType", "location": "https://x.test/ResourceTypes/Staff"},
	}}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	if e := Find(all, "staff"); e == nil || e["name"] != "Staff" {
		t.Errorf("found %v", e)
	}
	if e := Find(all, "Nobody"); e != nil {
		t.Errorf("found %v", e)
	}
}

func TestSchemas(t *testing.T) {
	all := Schemas("https://x.test", types(t), nil)
	if len(all) != 2 {
		t.Fatalf("%d schemas, want each of 2 once", len(all))
	}
	names := map[string]Object{}
	for _, a := range all[0]["attributes"].([]Object) {
		names[a["name"].(string)] = a
	}
	for _, hidden := range []string{"schemas", "id", "meta", "externalId", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"} {
		if names[hidden] != nil {
			t.Errorf("%s is among the attributes of the core schema", hidden)
		}
	}
	want := Object{"name": "userName", "type": "string", "multiValued": false, "required": true, "caseExact": false,
		"mutability": "readWrite", "returned": "default", "uniqueness": "server"}
	got := names["userName"]
	delete(got, "description")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, ok := names["name"]["caseExact"]; ok || len(names["name"]["subAttributes"].([]Object)) != 6 {
		t.Errorf("name is %v", names["name"])
	}
}

func TestServiceProviderConfig(t *testing.T) {
	c := ServiceProviderConfig("https://x.test", Features{
		Limits:  &host.Limits{BulkOps: 1, BulkBody: 2, MaxPage: 3, PageSize: 4, CursorTime: time.Minute},
		Schemes: []Scheme{{Type: "a", Name: "A", SpecURI: "u"}, {Type: "b"}},
	})
	want := map[string]string{
		"bulk":           `{"maxOperations":1,"maxPayloadSize":2,"supported":true}`,
		"filter":         `{"maxResults":3,"supported":true}`,
		"changePassword": `{"supported":false}`,
		"pagination":     `{"cursor":true,"cursorTimeout":60,"defaultPageSize":4,"defaultPaginationMethod":"index","index":true,"maxPageSize":3}`,
		"authenticationSchemes": `[{"description":"","name":"A","primary":true,"specUri":"u","type":"a"},` +
			`{"description":"","name":"","primary":false,"type":"b"}]`,
	}
	for name, doc := range want {
		if diff := cmp.Diff(doc, text(t, c[name])); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestList(t *testing.T) {
	want := `{"Resources":[],"itemsPerPage":0,"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"startIndex":1,"totalResults":0}`
	if diff := cmp.Diff(want, text(t, List(nil))); diff != "" {
		t.Error(diff)
	}
}
