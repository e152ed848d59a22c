package host

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Source is what gives a role: a group, or a value of an attribute. The public type
// scim.Source has the same text.
type Source string

const (
	groupPrefix     = "group:"
	attributePrefix = "attr:"
	// maxSourceValue is how long a value in a Source may be, because stores index sources.
	maxSourceValue = 200
)

// GroupSource is the group with an id.
func GroupSource(groupID string) Source { return Source(groupPrefix + groupID) }

// AttributeSource is a value of an attribute. The value "" stands for all values of the
// attribute.
func AttributeSource(path, value string) Source {
	if value == "" {
		return Source(attributePrefix + path)
	}
	if len(value) > maxSourceValue {
		sum := sha256.Sum256([]byte(value))
		value = "sha256:" + hex.EncodeToString(sum[:])
	}
	return Source(attributePrefix + path + "=" + value)
}

// Group returns the id of the group; ok is false for an attribute.
func (s Source) Group() (id string, ok bool) { return strings.CutPrefix(string(s), groupPrefix) }

// Attribute returns the path and the value of the attribute; ok is false for a group.
func (s Source) Attribute() (path, value string, ok bool) {
	rest, ok := strings.CutPrefix(string(s), attributePrefix)
	path, value, _ = strings.Cut(rest, "=")
	return path, value, ok
}
