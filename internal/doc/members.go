package doc

import (
	"fmt"
	"net/http"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/model"
)

// TooManyMembers is the error for a request that names more members than it may.
func TooManyMembers(a *model.Attribute, limit int) error {
	return fault.Refuse(http.StatusRequestEntityTooLarge, fault.TooMany,
		fmt.Sprintf("%s: one request may name at most %d; name the others in further requests, by PATCH", a.Path, limit))
}

// distinct is a set of elements. A body has room for a million that are the same.
type distinct struct {
	texts map[string]struct{}
	text  []byte
}

// add adds an element. It reports whether the element is new.
func (s *distinct) add(e Value) bool {
	s.text = s.text[:0]
	for _, f := range e.Kids() {
		s.text = append(append(append(append(s.text, f.Attr.Name...), 0), f.Text...), 0)
	}
	if _, known := s.texts[string(s.text)]; known {
		return false
	}
	if s.texts == nil {
		s.texts = map[string]struct{}{}
	}
	s.texts[string(s.text)] = struct{}{}
	return true
}
