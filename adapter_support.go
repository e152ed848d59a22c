package scim

import (
	"time"

	"github.com/scimkit/scim/internal/doc"
)

// ParseTime reads the text of a dateTime value as filters compare it (RFC 7643, Section
// 2.3.5): xsd:dateTime with a date and a time. A text without a zone is in UTC. ok is
// false if the text is no such value.
//
// Resource.Get returns dateTime values as time.Time. ParseTime is for adapters that
// derive columns or indexes from the JSON of a resource, where they are texts: with it
// they order and compare values exactly as Filter.Match does.
func ParseTime(text string) (t time.Time, ok bool) { return doc.ParseTime(text) }
