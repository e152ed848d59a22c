package journal

import (
	"cmp"
	"slices"

	"github.com/scimkit/scim"
)

// snapshot is a resource as it was at a moment: its JSON, and the names by which people look for it. The zero snapshot is of none.
type snapshot struct {
	text  string
	names [len(namePaths)]string // the values at namePaths
}

// namePaths are where a resource has its names.
var namePaths = [...]string{"userName", "displayName", "externalId", "emails.value"}

// snapshotOf returns the snapshot of a resource, which may be nil.
func snapshotOf(r *scim.Resource) (s snapshot) {
	if r == nil {
		return s
	}
	text, err := r.MarshalJSON()
	if err != nil { // It has no attributes then, and its names still find the entry.
		text = []byte("{}")
	}
	s.text = string(text)
	for i, path := range namePaths {
		s.names[i] = r.String(path)
	}
	return s
}

// size returns about how much memory the snapshot takes.
func (s *snapshot) size() int64 { return int64(len(s.text)) }

// namesFor returns the names that r does not redact.
func (s *snapshot) namesFor(r *redactor) (all []string) {
	for i, name := range s.names {
		if name != "" && !r.mentions(namePaths[i]) && !r.mentions(name) {
			all = append(all, name)
		}
	}
	return all
}

// attribute is an attribute of a resource, with its value in JSON.
type attribute struct{ name, value string }

// attributes returns the attributes, in order of their names.
func (s *snapshot) attributes() (all []attribute) {
	if s.text == "" {
		return nil
	}
	in := scanner{src: s.text}
	in.peek()
	in.bracket()
	all = make([]attribute, 0, 16)
	for in.peek() == '"' {
		name, err := in.scalar()
		if err != nil {
			return nil // A resource writes whole JSON.
		}
		in.peek()
		start := in.at
		if err := in.skip(); err != nil {
			return nil
		}
		all = append(all, attribute{unquote(name), s.text[start:in.at]})
	}
	slices.SortFunc(all, func(a, b attribute) int { return cmp.Compare(a.name, b.name) })
	return all
}
