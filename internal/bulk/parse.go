package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Parse reads a bulk request (RFC 7644, Section 3.7). The error is for the request as a
// whole. An error in a single operation becomes its Part.Err.
func Parse(body []byte, o Options) (*Job, error) {
	raw, err := wholeObject(body)
	if err != nil {
		return nil, err
	}
	f, err := fieldsOf("the body", raw, "schemas", "failOnErrors", "Operations")
	if err != nil {
		return nil, err
	}
	if err := checkSchemas(f["schemas"], o.Use); err != nil {
		return nil, err
	}
	j := &Job{options: o, posts: map[string]*Part{}}
	if j.FailOn, err = failOn(f["failonerrors"]); err != nil {
		return nil, err
	}
	if err := j.readParts(f["operations"]); err != nil {
		return nil, err
	}
	j.findCreations()
	for _, p := range j.Parts {
		if p.Err == nil {
			p.Err = j.findNeeds(p)
		}
	}
	return j, nil
}

// wholeObject validates the body and returns its JSON object. It refuses any other body.
func wholeObject(body []byte) (jsontext.Value, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if d.PeekKind() != '{' {
		return nil, badSyntax("the body is not a JSON object")
	}
	raw, err := d.ReadValue() // refuses duplicate names and invalid UTF-8
	if err != nil {
		return nil, badSyntax("the body isn't valid JSON: " + jsonwalk.Reason(err))
	}
	raw = body[int(d.InputOffset())-len(raw) : d.InputOffset()]
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, badSyntax("the body isn't valid JSON: there is something behind the end of the JSON object")
	}
	return raw, nil
}

// fieldsOf returns the known fields of a JSON object by their folded names. It treats a
// null field like an absent one.
func fieldsOf(what string, raw jsontext.Value, known ...string) (map[string]jsontext.Value, error) {
	if raw.Kind() != '{' {
		return nil, badSyntax(what + " must be a JSON object")
	}
	all := map[string]jsontext.Value{}
	for name, v := range jsonwalk.Fields(raw) {
		name = model.FoldName(name)
		i := slices.IndexFunc(known, func(k string) bool { return model.FoldName(k) == name })
		if i < 0 {
			continue
		}
		if _, twice := all[name]; twice {
			return nil, badSyntax(what + ": " + known[i] + " is there twice, in different spellings")
		}
		if v.Kind() == 'n' {
			v = nil
		}
		all[name] = v
	}
	return all, nil
}

func checkSchemas(v jsontext.Value, use *tolerance.Use) error {
	for urn := range jsonwalk.Elements(v) {
		if s, ok := jsonwalk.Text(urn); ok && model.FoldName(s) == model.FoldName(requestURN) {
			return nil
		}
	}
	if v == nil && use.Allow(tolerance.MissingSchemas, "schemas") {
		return nil
	}
	return badSyntax("schemas: must contain " + requestURN)
}

func failOn(v jsontext.Value) (int, error) {
	if v == nil {
		return 0, nil
	}
	n, err := strconv.ParseFloat(string(v), 64)
	if err != nil || n < 1 || n != math.Trunc(n) {
		return 0, fault.Refuse(http.StatusBadRequest, fault.InvalidValue, "failOnErrors: must be a whole number of at least 1")
	}
	return int(min(n, math.MaxInt32)), nil
}

func (j *Job) readParts(ops jsontext.Value) error {
	if ops.Kind() != '[' {
		return badSyntax("Operations: is missing; it must be an array of operations")
	}
	for op := range jsonwalk.Elements(ops) {
		if limit := j.options.Limits.BulkOps; len(j.Parts) == limit {
			return tooLarge("Operations: there are more than %d, which is the maxOperations of a bulk request", limit)
		}
		p, err := j.readPart(op)
		if err != nil {
			return err
		}
		p.At = len(j.Parts)
		j.Parts = append(j.Parts, p)
	}
	if len(j.Parts) == 0 {
		return badSyntax("Operations: is empty; it must be an array of operations")
	}
	return nil
}

// readPart reads one operation. The error is for the request as a whole.
func (j *Job) readPart(raw jsontext.Value) (*Part, error) {
	f, err := fieldsOf("each of Operations", raw, "method", "bulkId", "version", "path", "data")
	if err != nil {
		return nil, err
	}
	p := &Part{Use: j.options.Tolerances.Use(), data: f["data"]}
	for _, field := range []struct {
		name string
		into *string
	}{{"method", &p.Method}, {"bulkId", &p.BulkID}, {"version", &p.Version}, {"path", &p.Path}} {
		v := f[model.FoldName(field.name)]
		if v == nil {
			continue
		}
		s, ok := jsonwalk.Text(v)
		if !ok && p.Err == nil {
			p.Err = badSyntax(field.name + ": must be a string")
		}
		*field.into = s
	}
	p.Method = strings.ToUpper(p.Method)
	if p.Err == nil {
		p.Err = j.check(p)
	}
	return p, nil
}

// check validates an operation as far as that is possible without the others.
func (j *Job) check(p *Part) error {
	switch p.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return badSyntax("method: must be POST, PUT, PATCH or DELETE, got " + fault.Quote(p.Method))
	}
	if err := j.locate(p); err != nil {
		return err
	}
	if p.Method == http.MethodPost && p.BulkID == "" {
		return badSyntax("bulkId: is missing; POST needs one")
	}
	switch kind := p.data.Kind(); {
	case p.Method == http.MethodDelete:
		p.data = nil
	case p.Method == http.MethodPatch && kind == '[':
		// In the example of RFC 7644, Section 3.7.3 the operations stand without a PatchOp
		// message.
		p.data = fmt.Appendf(nil, `{"schemas":[%q],"Operations":%s}`, patchURN, p.data)
	case kind != '{':
		return badSyntax("data: is missing; " + p.Method + " needs a JSON object")
	}
	if limit := j.options.Limits.BodyOf(p.Type); int64(len(p.data)) > limit {
		return tooLarge("data: is larger than %d bytes", limit)
	}
	return nil
}

// locate finds the type and the resource of the path. It accepts only resources of this
// endpoint: no other address, no discovery, no /Me and no /Bulk.
func (j *Job) locate(p *Part) error {
	bad := func(want string) error {
		return fault.Refuse(http.StatusBadRequest, fault.InvalidPath, "path: must be "+want+", got "+fault.Quote(p.Path))
	}
	path := p.Path
	if rest, ok := strings.CutPrefix(path, j.options.Base+"/"); ok {
		path = rest
	}
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(segments) == 0 || strings.ContainsAny(path, "?#\\") {
		return bad("a resource type's endpoint and, but for POST, an id, without a query")
	}
	types := j.options.Types
	if p.Type = types.At("/" + segments[0]); p.Type == nil {
		if segments[0] == "Groups" {
			return fault.Refuse(http.StatusNotImplemented, "", "groups are not supported here")
		}
		var all []string
		for _, t := range types.All {
			all = append(all, t.Endpoint)
		}
		return bad("below " + strings.Join(all, ", "))
	}
	if p.Method == http.MethodPost {
		if len(segments) > 1 {
			return bad("the endpoint alone for POST, " + p.Type.Endpoint)
		}
		return nil
	}
	if len(segments) != 2 || segments[1] == ".search" {
		return bad("the endpoint and an id for " + p.Method + ", " + p.Type.Endpoint + "/id")
	}
	id, err := url.PathUnescape(segments[1])
	if err != nil || strings.ContainsRune(id, 0) {
		return bad("well-formed")
	}
	if bulkID, ok := strings.CutPrefix(id, prefix); ok {
		p.target = bulkID
	} else {
		p.Ref = host.Ref{Type: p.Type.Name, ID: id}
	}
	return nil
}

// findCreations finds the creation of each bulkId. If two operations have the same bulkId,
// a reference to it is ambiguous, so all of them fail.
func (j *Job) findCreations() {
	first := map[string]*Part{}
	for _, p := range j.Parts {
		if p.BulkID == "" {
			continue
		}
		if q := first[p.BulkID]; q != nil {
			q.Err = badSyntax("bulkId: " + fault.Quote(p.BulkID) + " is there more than once")
			p.Err = q.Err
			continue
		}
		first[p.BulkID] = p
		if p.Method == http.MethodPost {
			j.posts[p.BulkID] = p
		}
	}
}

// findNeeds finds the creations that p refers to.
func (j *Job) findNeeds(p *Part) error {
	need := func(bulkID string) {
		if q := j.posts[bulkID]; q != nil && !slices.Contains(p.needs, q) {
			p.needs = append(p.needs, q)
		}
	}
	need(p.target)
	if p.data == nil {
		return nil
	}
	w := j.rewriter(p, func(bulkID string) (host.Ref, bool, error) {
		p.inData = true
		need(bulkID)
		return host.Ref{}, true, nil
	})
	w.reads = true
	_, err := w.data(p)
	return err
}

func badSyntax(detail string) *fault.Error {
	return fault.Refuse(http.StatusBadRequest, fault.InvalidSyntax, detail)
}

func tooLarge(format string, limit any) *fault.Error {
	return fault.Refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf(format, limit))
}
