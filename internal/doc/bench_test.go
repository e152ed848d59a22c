package doc_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim/internal/doc"
)

// fullUser is a user with every part that providers send.
const fullUser = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
"externalId":"00u1a2b3c4","userName":"marit.solberg@fjord.example","name":{"formatted":"Dr. Marit Å. Solberg","familyName":"Solberg",
"givenName":"Marit","middleName":"Åse","honorificPrefix":"Dr."},"displayName":"Marit Solberg","nickName":"Mari","profileUrl":"https://people.fjord.example/marit",
"title":"Harbour engineer","userType":"Employee","preferredLanguage":"nb-NO","locale":"nb-NO","timezone":"Europe/Oslo","active":true,
"emails":[{"value":"marit.solberg@fjord.example","type":"work","primary":true},{"value":"marit@solberg.example","type":"home"}],
"phoneNumbers":[{"value":"+47 22 00 00 01","type":"work"},{"value":"+47 900 00 002","type":"mobile","primary":true}],
"ims":[{"value":"marit_s","type":"xmpp"}],"photos":[{"value":"https://people.fjord.example/marit.jpg","type":"photo"}],
"addresses":[{"type":"work","streetAddress":"Havnegata 12\nOppgang B","locality":"Bergen","region":"Vestland","postalCode":"5003","country":"NO",
"formatted":"Havnegata 12\nOppgang B\n5003 Bergen","primary":true},{"type":"home","streetAddress":"Fjellveien 3","locality":"Bergen","postalCode":"5019","country":"NO"}],
"entitlements":[{"value":"crane-operator"}],"roles":[{"value":"planner","display":"Planner","type":"application","primary":true}],
"x509Certificates":[{"value":"MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo"}],
"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"701984","costCenter":"4130","organization":"Fjord Harbours",
"division":"Operations","department":"Quays","manager":{"value":"26118915-6090-4610-87e4-49d8ca9f808d","$ref":"../Users/26118915-6090-4610-87e4-49d8ca9f808d"}}}`

type plural struct {
	Value   string `json:"value,omitempty"`
	Display string `json:"display,omitempty"`
	Type    string `json:"type,omitempty"`
	Primary bool   `json:"primary,omitempty"`
}

// staticUser is a struct for only this schema, for comparison.
type staticUser struct {
	Schemas    []string `json:"schemas"`
	ExternalID string   `json:"externalId"`
	UserName   string   `json:"userName"`
	Name       struct {
		Formatted       string `json:"formatted"`
		FamilyName      string `json:"familyName"`
		GivenName       string `json:"givenName"`
		MiddleName      string `json:"middleName"`
		HonorificPrefix string `json:"honorificPrefix"`
		HonorificSuffix string `json:"honorificSuffix"`
	} `json:"name"`
	DisplayName       string   `json:"displayName"`
	NickName          string   `json:"nickName"`
	ProfileURL        string   `json:"profileUrl"`
	Title             string   `json:"title"`
	UserType          string   `json:"userType"`
	PreferredLanguage string   `json:"preferredLanguage"`
	Locale            string   `json:"locale"`
	Timezone          string   `json:"timezone"`
	Active            bool     `json:"active"`
	Password          string   `json:"password"`
	Emails            []plural `json:"emails"`
	PhoneNumbers      []plural `json:"phoneNumbers"`
	IMs               []plural `json:"ims"`
	Photos            []plural `json:"photos"`
	Addresses         []struct {
		Formatted     string `json:"formatted"`
		StreetAddress string `json:"streetAddress"`
		Locality      string `json:"locality"`
		Region        string `json:"region"`
		PostalCode    string `json:"postalCode"`
		Country       string `json:"country"`
		Type          string `json:"type"`
		Primary       bool   `json:"primary"`
	} `json:"addresses"`
	Entitlements     []plural `json:"entitlements"`
	Roles            []plural `json:"roles"`
	X509Certificates []plural `json:"x509Certificates"`
	Enterprise       struct {
		EmployeeNumber string `json:"employeeNumber"`
		CostCenter     string `json:"costCenter"`
		Organization   string `json:"organization"`
		Division       string `json:"division"`
		Department     string `json:"department"`
		Manager        struct {
			Value       string `json:"value"`
			Ref         string `json:"$ref"`
			DisplayName string `json:"displayName"`
		} `json:"manager"`
	} `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"`
}

// BenchmarkDecodeUser compares decoding and validating with encoding/json into a
// static struct, which validates nothing, and with encoding/json into a map and
// elimity's validator after it.
func BenchmarkDecodeUser(b *testing.B) {
	body := []byte(fullUser)
	b.Run("ours", func(b *testing.B) {
		typ := users(b)
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := doc.Decode(typ, body, doc.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encodingjson", func(b *testing.B) {
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var u staticUser
			if err := json.Unmarshal(body, &u); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("elimity", func(b *testing.B) {
		core, ext := schema.CoreUserSchema(), schema.ExtensionEnterpriseUser()
		b.SetBytes(int64(len(body)))
		b.ReportAllocs()
		for b.Loop() {
			var m map[string]any
			if err := json.Unmarshal(body, &m); err != nil {
				b.Fatal(err)
			}
			if _, err := core.Validate(m); err != nil {
				b.Fatal(err)
			}
			if _, err := ext.ValidateExtension(m[ext.ID]); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkEncodeUser compares encoding with json.Marshal of the same as a map.
func BenchmarkEncodeUser(b *testing.B) {
	typ := users(b)
	body, err := doc.Decode(typ, []byte(fullUser), doc.Options{})
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)
	d := &doc.Document{Type: typ, ID: "2819c223-7f76-453a-919d-413861904646", Version: "a330bc54f0671c9f", Created: at, Modified: at, Values: body.Values}
	e := doc.Encode{Location: "https://api.fjord.example/scim/v2/Users/2819c223-7f76-453a-919d-413861904646"}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		var buf []byte
		for b.Loop() {
			buf = doc.Append(buf[:0], d, e)
		}
	})
	b.Run("jsonmap", func(b *testing.B) {
		var m map[string]any
		if err := json.Unmarshal(doc.Append(nil, d, e), &m); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(m); err != nil {
				b.Fatal(err)
			}
		}
	})
}
