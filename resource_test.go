package scim_test

import (
	"strings"
	"testing"

	"github.com/scimkit/scim"
)

func TestTypeConfigRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*scim.TypeConfig)
		want   string
	}{
		{"no name", func(c *scim.TypeConfig) { c.Name = "" }, "needs a name"},
		{"no schema", func(c *scim.TypeConfig) { c.Schema.ID = "" }, "a schema with an ID"},
		{"no endpoint", func(c *scim.TypeConfig) { c.Endpoint = "/" }, `endpoint "/"`},
		{"an endpoint of two segments", func(c *scim.TypeConfig) { c.Endpoint = "/a/b" }, `endpoint "/a/b"`},
		{"a required extension that it has not", func(c *scim.TypeConfig) { c.Required = []string{"urn:x"} }, "urn:x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := scim.UserConfig()
			tt.change(&c)
			if _, err := scim.NewResourceType(c); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}
