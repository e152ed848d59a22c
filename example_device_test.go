package scim_test

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
)

// A resource type of one's own: devices, modelled on RFC 9944, with what concerns their
// radio in an extension.
func ExampleNewResourceType_device() {
	text := func(name, description string) schema.SimpleParams {
		return schema.SimpleStringParams(schema.StringParams{Name: name, Description: optional.NewString(description)})
	}
	device, err := scim.NewResourceType(scim.TypeConfig{
		Name: "Device", Endpoint: "/Devices", Description: "A thing on the network",
		Schema: schema.Schema{
			ID: "urn:ietf:params:scim:schemas:core:2.0:Device", Name: optional.NewString("Device"),
			Attributes: schema.Attributes{
				schema.SimpleCoreAttribute(text("displayName", "What people call it.")),
				schema.SimpleCoreAttribute(schema.SimpleBooleanParams(schema.BooleanParams{Name: "active", Required: true})),
				schema.SimpleCoreAttribute(schema.SimpleReferenceParams(schema.ReferenceParams{
					Name: "mudUrl", ReferenceTypes: []schema.AttributeReferenceType{schema.AttributeReferenceTypeExternal}})),
			},
		},
		Extensions: []schema.Schema{{
			ID: "urn:ietf:params:scim:schemas:extension:ble:2.0:Device", Name: optional.NewString("BLE"),
			Attributes: schema.Attributes{
				schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
					Name: "deviceMacAddress", Required: true, Mutability: schema.AttributeMutabilityImmutable()})),
				schema.SimpleCoreAttribute(schema.SimpleStringParams(schema.StringParams{
					Name: "addressType", CanonicalValues: []string{"public", "random"}})),
			},
		}},
		// There is no third type of address.
		Enumerated: []string{"urn:ietf:params:scim:schemas:extension:ble:2.0:Device:addressType"},
	})
	if err != nil {
		log.Fatal(err)
	}
	h, err := scim.New(scim.Config{
		Store: memory.New(), Auth: auth.None(), Types: []*scim.ResourceType{device},
		NewID: func() string { return "7" }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		log.Fatal(err)
	}
	short := strings.NewReplacer("urn:ietf:params:scim:", "urn:…:")
	meta := regexp.MustCompile(`,"meta":.*`)
	call := func(method, target, body string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
		fmt.Println(method, w.Code, short.Replace(meta.ReplaceAllString(w.Body.String(), " …")))
	}
	const ble = "urn:ietf:params:scim:schemas:extension:ble:2.0:Device"
	call(http.MethodPost, "/Devices?attributes=active", `{"active": true, "displayName": "Lamp", "`+ble+`": {"deviceMacAddress": "2C:54:91:88:C9:E2", "addressType": "public"}}`)
	call(http.MethodPatch, "/Devices/7?attributes=displayName", `{"Operations": [{"op": "replace", "path": "displayName", "value": "Lamp in the hall"}]}`)
	call(http.MethodGet, "/Devices?attributes=displayName&filter="+url.QueryEscape(`active eq true and `+ble+`:deviceMacAddress sw "2c:54"`), "")
	call(http.MethodPatch, "/Devices/7", `{"Operations": [{"op": "replace", "path": "`+ble+`:addressType", "value": "static"}]}`)
	call(http.MethodPut, "/Devices/7", `{"active": false, "`+ble+`": {"deviceMacAddress": "2C:54:91:88:C9:E2"}}`)
	call(http.MethodDelete, "/Devices/7", "")
	// Output:
	// POST 201 {"schemas":["urn:…:schemas:core:2.0:Device"],"id":"7","active":true}
	// PATCH 200 {"schemas":["urn:…:schemas:core:2.0:Device"],"id":"7","displayName":"Lamp in the hall"}
	// GET 200 {"schemas":["urn:…:api:messages:2.0:ListResponse"],"totalResults":1,"itemsPerPage":1,"startIndex":1,"Resources":[{"schemas":["urn:…:schemas:core:2.0:Device"],"id":"7","displayName":"Lamp in the hall"}]}
	// PATCH 400 {"schemas":["urn:…:api:messages:2.0:Error"],"status":"400","scimType":"invalidValue","detail":"urn:…:schemas:extension:ble:2.0:Device:addressType: must be one of public, random, got \"static\""}
	// PUT 200 {"schemas":["urn:…:schemas:core:2.0:Device","urn:…:schemas:extension:ble:2.0:Device"],"id":"7","active":false,"urn:…:schemas:extension:ble:2.0:Device":{"deviceMacAddress":"2C:54:91:88:C9:E2"} …
	// DELETE 204
}
