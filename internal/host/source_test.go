package host_test

import (
	"strings"
	"testing"

	"github.com/scimkit/scim/internal/host"
)

// The text of a source is stored: it must never change.
func TestSource(t *testing.T) {
	long := strings.Repeat("x", 201)
	for _, row := range []struct {
		source host.Source
		text   string
		reason string
	}{
		{host.GroupSource("g1"), "group:g1", "a group by its id"},
		{host.GroupSource("attr:roles=x"), "group:attr:roles=x", "an id that reads as an attribute is still a group"},
		{host.AttributeSource("roles", ""), "attr:roles", "all values of an attribute"},
		{host.AttributeSource("roles", "a=b"), "attr:roles=a=b", "a value may have the sign that is between"},
		{host.AttributeSource("roles", long), "attr:roles=sha256:84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed", "stores index sources, so long values are hashed"},
	} {
		if got := string(row.source); got != row.text {
			t.Errorf("%q, want %q: %s", got, row.text, row.reason)
		}
	}
	if id, ok := host.GroupSource("attr:x").Group(); id != "attr:x" || !ok {
		t.Errorf("Group is %q, %v", id, ok)
	}
	if path, value, ok := host.AttributeSource("roles", "a=b").Attribute(); path != "roles" || value != "a=b" || !ok {
		t.Errorf("Attribute is %q, %q, %v", path, value, ok)
	}
	if _, ok := host.AttributeSource("roles", "a").Group(); ok {
		t.Error("an attribute is a group")
	}
	if _, _, ok := host.GroupSource("a").Attribute(); ok {
		t.Error("a group is an attribute")
	}
}
