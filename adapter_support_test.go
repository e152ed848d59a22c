package scim_test

import (
	"testing"
	"time"

	"github.com/scimkit/scim"
)

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
