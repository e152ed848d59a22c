package scim_test

import (
	"strings"
	"testing"
	"time"

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

// An adapter reads the dateTime values of a resource's JSON as filters compare them.
func TestParseTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2024-02-29T01:02:03Z":          time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC),
		"2024-02-29T01:02:03.5+01:00":   time.Date(2024, 2, 29, 0, 2, 3, 500_000_000, time.UTC),
		"2024-02-29T01:02:03":           time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC),
		"2024-02-29T01:02:03.000000001": time.Date(2024, 2, 29, 1, 2, 3, 1, time.UTC),
	} {
		if got, ok := scim.ParseTime(text); !ok || !got.Equal(want) {
			t.Errorf("ParseTime(%q) is %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2024-02-29", "2024-02-30T01:02:03Z", "01:02:03", "2024-02-29T01:02:03,5Z", "2024-02-29T01:02:03+15:00"} {
		if got, ok := scim.ParseTime(text); ok {
			t.Errorf("ParseTime(%q) is %v, want none", text, got)
		}
	}
}
