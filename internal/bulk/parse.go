package bulk

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/jsonwalk"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

// Options are what a bulk request is read with.
type Options struct {
	Types      *host.Types
	Limits     *host.Limits
	Base       string                    // the endpoint's absolute address
	Location   func(ref host.Ref) string // the address of a resource
	Use        *tolerance.Use            // of the request as a whole
	Tolerances host.Tolerances           // each operation counts what it uses by itself
}

const (
	bulkSchema  = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	patchSchema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	// ResponseURN marks the answer to a bulk request.
	ResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	// Prefix is what references to an operation begin with.
	Prefix = "bulkId:"
)

// Job is a bulk request.
type Job struct {
	o      *Options
	FailOn int // errors after which to stop; 0: never
	Parts  []*Part
	posts  map[string]*Part // by bulkId
}

// Part is one operation of a bulk request: a client operation of its own.
type Part struct {
	o                             *Options
	Use                           *tolerance.Use
	At                            int // its place in the request
	Method, BulkID, Version, Path string
	data                          jsontext.Value
	Type                          *model.Type
	ID                            string // in the path; "" for POST
	needs                         []*Part
	rewrites                      bool // data has references
	Err                           error
	Ref                           host.Ref // the resource, when it is known
}

// Parse reads a bulk request (RFC 7644, Section 3.7). What is wrong with a single
// operation is left to its result.
func Parse(body []byte, o *Options) (*Job, error) {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if d.PeekKind() != '{' {
		return nil, badBulk("the body is not a JSON object")
	}
	raw, err := d.ReadValue() // refuses names that are there twice, and bad UTF-8
	if err == nil {
		raw = body[int(d.InputOffset())-len(raw) : d.InputOffset()]
		if _, end := d.ReadToken(); !errors.Is(end, io.EOF) {
			err = errors.New("there is something behind the end of the JSON object")
		}
	}
	if err != nil {
		return nil, badBulk("the body isn't valid JSON: " + fault.Clip(strings.ToValidUTF8(strings.TrimPrefix(err.Error(), "jsontext: "), "�")))
	}
	f, err := bulkFields("the body", raw, "schemas", "failOnErrors", "Operations")
	if err != nil {
		return nil, err
	}
	if err := o.bulkSchemas(f["schemas"]); err != nil {
		return nil, err
	}
	b := &Job{o: o, posts: map[string]*Part{}}
	if v := f["failonerrors"]; v != nil {
		n, err := strconv.ParseFloat(string(v), 64)
		if err != nil || n < 1 || n != math.Trunc(n) {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidValue", "failOnErrors: must be a whole number of at least 1")
		}
		b.FailOn = int(min(n, math.MaxInt32))
	}
	ops := f["operations"]
	if ops.Kind() != '[' {
		return nil, badBulk("Operations: is missing; it must be an array of operations")
	}
	for op := range jsonwalk.Elements(ops) {
		if len(b.Parts) == o.Limits.BulkOps {
			return nil, fault.Refuse(http.StatusRequestEntityTooLarge, "",
				fmt.Sprintf("Operations: there are more than %d, which is the maxOperations of a bulk request", o.Limits.BulkOps))
		}
		p, err := o.bulkPart(op)
		if err != nil {
			return nil, err
		}
		p.At = len(b.Parts)
		b.Parts = append(b.Parts, p)
	}
	if len(b.Parts) == 0 {
		return nil, badBulk("Operations: is empty; it must be an array of operations")
	}
	b.name()
	for _, p := range b.Parts {
		if p.Err == nil {
			p.Err = b.refer(p)
		}
	}
	return b, nil
}

func badBulk(detail string) *fault.Error {
	return fault.Refuse(http.StatusBadRequest, "invalidSyntax", detail)
}

func (o *Options) bulkSchemas(v jsontext.Value) error {
	found := false
	if v.Kind() == '[' {
		for urn := range jsonwalk.Elements(v) {
			s, ok := jsonwalk.Text(urn)
			found = found || ok && model.FoldName(s) == model.FoldName(bulkSchema)
		}
	}
	if !found && (v != nil || !o.Use.Allow(tolerance.MissingSchemas)) {
		return badBulk("schemas: must contain " + bulkSchema)
	}
	return nil
}

// name notes which creation has which bulkId. If two have the same, nobody can say
// whom a reference means, and all of them fail.
func (b *Job) name() {
	first := map[string]*Part{}
	for _, p := range b.Parts {
		if p.BulkID == "" {
			continue
		}
		if q := first[p.BulkID]; q != nil {
			q.Err = badBulk("bulkId: " + fault.Quote(p.BulkID) + " is there more than once")
			p.Err = q.Err
			continue
		}
		first[p.BulkID] = p
		if p.Method == http.MethodPost {
			b.posts[p.BulkID] = p
		}
	}
}

// bulkPart reads one operation. The error is for the request as a whole.
func (o *Options) bulkPart(raw jsontext.Value) (*Part, error) {
	f, err := bulkFields("each of Operations", raw, "method", "bulkId", "version", "path", "data")
	if err != nil {
		return nil, err
	}
	p := &Part{o: o, Use: o.Tolerances.Use(), data: f["data"]}
	for name, into := range map[string]*string{"method": &p.Method, "bulkid": &p.BulkID, "version": &p.Version, "path": &p.Path} {
		if v := f[name]; v != nil {
			var ok bool
			if *into, ok = jsonwalk.Text(v); !ok {
				p.Err = badBulk(strings.Replace(name, "bulkid", "bulkId", 1) + ": must be a string")
			}
		}
	}
	p.Method = strings.ToUpper(p.Method)
	if p.Err == nil {
		p.Err = p.check()
	}
	return p, nil
}

// check judges an operation as far as it goes without the others.
func (p *Part) check() error {
	switch p.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return badBulk("method: must be POST, PUT, PATCH or DELETE, got " + fault.Quote(p.Method))
	}
	if err := p.target(); err != nil {
		return err
	}
	if p.Method == http.MethodPost && p.BulkID == "" {
		return badBulk("bulkId: is missing; POST needs one")
	}
	switch kind := p.data.Kind(); {
	case p.Method == http.MethodDelete:
		p.data = nil
	case p.Method == http.MethodPatch && kind == '[':
		// As the example of RFC 7644, Section 3.7.3 has it.
		p.data = fmt.Appendf(nil, `{"schemas":[%q],"Operations":%s}`, patchSchema, p.data)
	case kind != '{':
		return badBulk("data: is missing; " + p.Method + " needs a JSON object")
	}
	if limit := p.o.Limits.BodyOf(p.Type); int64(len(p.data)) > limit {
		return fault.Refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("data: is larger than %d bytes", limit))
	}
	return nil
}

// target finds what the path leads to. Nothing but resources of this endpoint can be
// reached: no other address, no discovery, no /Me, no bulk within bulk.
func (p *Part) target() error {
	bad := func(want string) error {
		return fault.Refuse(http.StatusBadRequest, "invalidPath", "path: must be "+want+", got "+fault.Quote(p.Path))
	}
	path := p.Path
	if rest, ok := strings.CutPrefix(path, p.o.Base+"/"); ok {
		path = rest
	}
	segments := strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
	if len(segments) == 0 || strings.ContainsAny(path, "?#\\") {
		return bad("a resource type's endpoint and, but for POST, an id, without a query")
	}
	if p.Type = p.o.Types.At("/" + segments[0]); p.Type == nil {
		if segments[0] == "Groups" {
			return fault.Refuse(http.StatusNotImplemented, "", "groups are not supported here")
		}
		var all []string
		for _, t := range p.o.Types.All {
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
	p.ID = id
	if !strings.HasPrefix(id, Prefix) {
		p.Ref = host.Ref{Type: p.Type.Name, ID: id}
	}
	return nil
}

// bulkFields reads a JSON object by folded names. null is as good as nothing.
func bulkFields(what string, raw jsontext.Value, known ...string) (map[string]jsontext.Value, error) {
	if raw.Kind() != '{' {
		return nil, badBulk(what + " must be a JSON object")
	}
	all := map[string]jsontext.Value{}
	for name, v := range jsonwalk.Fields(raw) {
		name = model.FoldName(name)
		for _, k := range known {
			if model.FoldName(k) != name {
				continue
			}
			if _, twice := all[name]; twice {
				return nil, badBulk(what + ": " + k + " is there twice, in different spellings")
			}
			if all[name] = v; v.Kind() == 'n' {
				all[name] = nil
			}
		}
	}
	return all, nil
}
