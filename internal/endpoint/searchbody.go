package endpoint

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
	"github.com/scimkit/scim/internal/wire"
)

// parseSearch reads the parameters in the body of POST /.search (RFC 7644, Section 3.4.3).
// It treats null like an absent parameter.
func parseSearch(body []byte, use *tolerance.Use) (params, error) {
	var p params
	d := jsontext.NewDecoder(bytes.NewBuffer(body)) // refuses duplicate names and invalid UTF-8
	raw, err := d.ReadValue()
	if err == nil {
		if _, end := d.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("there is more behind the JSON object")
		}
	}
	if err != nil || raw.Kind() != '{' {
		return p, notSearch()
	}
	raw = jsontext.Value(bytes.TrimSpace(body))
	r := searchReader{use: use}
	seen := map[string]bool{}
	for name, v := range jsonwalk.Fields(raw) {
		name = model.FoldName(name)
		if seen[name] {
			return p, fault.New(fault.InvalidSyntax, "an object has the name %q twice, in different spellings", fault.Clip(name))
		}
		seen[name] = true
		if v.Kind() == 'n' {
			continue
		}
		switch name {
		case "schemas":
			if all := r.list("schemas", v); len(all) > 0 && !slices.ContainsFunc(all, func(u string) bool { return model.FoldName(u) == model.FoldName(wire.SearchRequest) }) {
				return p, fault.New(fault.InvalidSyntax, "schemas must contain %s", wire.SearchRequest)
			}
		case "attributes":
			p.attributes = names(r.names("attributes", v))
		case "excludedattributes":
			p.excluded = names(r.names("excludedAttributes", v))
		case "filter":
			if p.filter = r.text("filter", v); r.err == nil && strings.TrimSpace(p.filter) == "" {
				return p, emptyFilter()
			}
		case "sortby":
			p.sortBy = r.text("sortBy", v)
		case "sortorder":
			p.sortOrder = r.text("sortOrder", v)
		case "startindex":
			p.startIndex = r.number("startIndex", v)
		case "count":
			p.count = r.number("count", v)
		case "cursor":
			text := r.text("cursor", v)
			p.cursor = &text
		}
		if r.err != nil {
			return p, r.err
		}
	}
	return p, p.check()
}

// notSearch has no cause for the log: an error about JSON may quote a password.
func notSearch() error {
	return &fault.Error{Status: http.StatusBadRequest, Type: fault.InvalidSyntax,
		Detail: "the body is not a SearchRequest: a JSON object, without duplicate names, with filter, attributes, excludedAttributes, sortBy, sortOrder, startIndex, count, cursor"}
}

// searchReader reads values of a SearchRequest. It keeps the first error.
type searchReader struct {
	use *tolerance.Use
	err error
}

func (r *searchReader) fail(name, want string) {
	if r.err == nil {
		r.err = fault.New(fault.InvalidSyntax, "%s must be %s", name, want)
	}
}

func (r *searchReader) text(name string, v jsontext.Value) string {
	s, ok := jsonwalk.Text(v)
	if !ok {
		r.fail(name, "a string")
	}
	return s
}

func (r *searchReader) list(name string, v jsontext.Value) (all []string) {
	if v.Kind() != '[' {
		r.fail(name, "a list of strings")
	}
	for e := range jsonwalk.Elements(v) {
		s, ok := jsonwalk.Text(e)
		if !ok {
			r.fail(name, "a list of strings")
		}
		all = append(all, s)
	}
	return all
}

// names reads names of attributes. Some clients send them as in a query string.
func (r *searchReader) names(name string, v jsontext.Value) []string {
	if s, ok := jsonwalk.Text(v); ok && r.use.Allow(tolerance.ListInString, name) {
		return []string{s}
	}
	return r.list(name, v)
}

func (r *searchReader) number(name string, v jsontext.Value) *int {
	s, ok := jsonwalk.Text(v)
	if !ok || !r.use.Allow(tolerance.NumberString, name) {
		s = string(v)
	}
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil {
		r.fail(name, "a whole number")
	}
	return &n
}
