package journal

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/scimkit/scim"
)

// maxLater is at how many later requests Problems looks for each failure.
const maxLater = 50

// isSolved reports whether a later request does what has failed.
func (f *failed) isSolved(ctx context.Context, j *Journal, h *hasher) (bool, error) {
	s := Search{Tenant: f.Tenant, Kind: Exchange, Class: 2, From: f.ID, Limit: maxLater, Writes: !isRead(f.method)}
	switch {
	case f.about.Type != termClient:
		s.Terms = []Term{h.term(cmp.Or(f.about.Type, unknownType), f.about.ID)}
	case f.about.ID != "":
		s.Terms = []Term{h.term(termClient, f.about.ID)}
	}
	if f.Kind == Refused {
		s.Limit, s.Writes = 1, false
	} else if isRead(f.method) {
		s.Method = f.method
	}
	later, err := j.findAny(ctx, []Search{s})
	if err != nil {
		return false, err
	}
	for i := range later {
		ok, err := f.isSolvedBy(ctx, j, &later[i])
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

// isSolvedBy reports whether a later request that succeeded does what has failed.
func (f *failed) isSolvedBy(ctx context.Context, j *Journal, later *Entry) (bool, error) {
	d := later.Detail
	switch {
	case d == nil || later.ID == f.ID:
		return false, nil
	case f.Kind == Refused: // The client may send anything again.
		return true, nil
	case f.about.Type == termClient || isRead(f.method):
		return f.isRepeatedBy(later), nil
	case isBulk(d.URL): // It has this person or group in an operation.
		return !slices.ContainsFunc(d.Operations, func(o FailedOperation) bool { ref, _ := o.Resource.refOf(); return ref == f.about }), nil
	case later.Type != f.typ || strings.HasSuffix(pathIn(d.URL), "/.search"):
		return false, nil
	case f.method == http.MethodDelete || later.Method != http.MethodPatch:
		// PUT and POST send the whole resource, and one that is deleted has no problem.
		return later.Method == http.MethodDelete || f.method != http.MethodDelete, nil
	}
	name := f.attribute()
	if name == "" || f.method == http.MethodPost {
		return true, nil
	}
	whole, err := j.Get(ctx, later.Tenant, later.ID)
	if errors.Is(err, scim.ErrNotFound) { // Trim has removed it meanwhile.
		return false, nil
	}
	if err != nil || whole.Request == nil {
		return false, err
	}
	return strings.Contains(strings.ToLower(whole.Request.Text), name), nil
}

// isRepeatedBy reports whether a later request has the same method and address. Values in filters may differ. What names
// nobody and is malformed is not repeated: the next request is about somebody else.
func (f *failed) isRepeatedBy(later *Entry) bool {
	if later.Method != f.method || f.status == http.StatusBadRequest && !isRead(f.method) {
		return false
	}
	here, there := f.Detail.URL, later.Detail.URL
	if f.status == http.StatusBadRequest {
		return withoutValues(here) == withoutValues(there)
	}
	return pathIn(here) == pathIn(there)
}

// pathIn returns an address without its query.
func pathIn(url string) string {
	path, _, _ := strings.Cut(url, "?")
	return path
}

// withoutValues returns an address without the texts of its filters.
func withoutValues(url string) string { return withoutQuotes(strings.ReplaceAll(url, "%22", `"`)) }

// attribute returns the attribute that the text of a failure begins with, in small letters; "" if it names none.
func (f *failed) attribute() string {
	path, _, ok := strings.Cut(f.failure.Detail, ": ")
	if !ok || strings.ContainsFunc(path, func(c rune) bool {
		return c != '.' && c != ':' && c != '[' && c != ']' && c != '"' && c != ' ' && !isNameRune(c)
	}) {
		return ""
	}
	if base, _, hasFilter := strings.Cut(path, "["); strings.Contains(base, " ") || !hasFilter && strings.Contains(path, " ") {
		return "" // It is a sentence.
	}
	return attributeOf(path)
}
