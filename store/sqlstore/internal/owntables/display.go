package owntables

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// encodeDisplay returns the column display of a resource: the JSON of its displayName, or
// else of its userName. It is empty if the resource has neither. JSON tells a name from the
// document that PageQuery reads in its place.
func encodeDisplay(r *scim.Resource) string {
	name := r.String("displayName")
	if name == "" {
		name = r.String("userName")
	}
	if name == "" {
		return ""
	}
	return string(dialect.AppendText(nil, name))
}

// decodeDisplay returns the display name in the column display. text may also be the whole
// document of a resource, if its row is older than the column.
func decodeDisplay(text string) (name string, err error) {
	switch {
	case len(text) == 0:
		return "", nil
	case text[0] == '{':
		return displayOf([]byte(text))
	case strings.IndexByte(text, '\\') < 0:
		return strings.Trim(text, `"`), nil // no copy: a group has many members
	}
	err = json.Unmarshal([]byte(text), &name)
	return name, err
}

// displayOf returns the display name in a document. It decodes nothing else.
func displayOf(doc []byte) (string, error) {
	var names struct {
		DisplayName any `json:"displayName"`
		UserName    any `json:"userName"`
	}
	if err := json.Unmarshal(doc, &names); err != nil {
		return "", fmt.Errorf("display name: %w", err)
	}
	if name, _ := names.DisplayName.(string); name != "" {
		return name, nil
	}
	name, _ := names.UserName.(string)
	return name, nil
}
