package scim

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
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

const (
	bulkSchema   = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	bulkResponse = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
	patchSchema  = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	bulkPrefix   = "bulkId:"
)

// bulkJob is a bulk request.
type bulkJob struct {
	o      *operation
	failOn int // errors after which to stop; 0: never
	parts  []*bulkPart
	posts  map[string]*bulkPart // by bulkId
}

// bulkPart is one operation of a bulk request: a client operation of its own.
type bulkPart struct {
	o                             *operation
	at                            int // its place in the request
	method, bulkID, version, path string
	data                          jsontext.Value
	t                             *model.Type
	id                            string // in the path; "" for POST
	needs                         []*bulkPart
	rewrites                      bool // data has references
	err                           error
	ref                           host.Ref // the resource, when it is known
	status                        int
	etag                          string
}

// parseBulk reads a bulk request (RFC 7644, Section 3.7). What is wrong with a single
// operation is left to its result.
func (o *operation) parseBulk(body []byte) (*bulkJob, error) {
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
	b := &bulkJob{o: o, posts: map[string]*bulkPart{}}
	if v := f["failonerrors"]; v != nil {
		n, err := strconv.ParseFloat(string(v), 64)
		if err != nil || n < 1 || n != math.Trunc(n) {
			return nil, fault.Refuse(http.StatusBadRequest, "invalidValue", "failOnErrors: must be a whole number of at least 1")
		}
		b.failOn = int(min(n, math.MaxInt32))
	}
	ops := f["operations"]
	if ops.Kind() != '[' {
		return nil, badBulk("Operations: is missing; it must be an array of operations")
	}
	for op := range elements(ops) {
		if len(b.parts) == o.h.c.Limits.BulkOps {
			return nil, fault.Refuse(http.StatusRequestEntityTooLarge, "",
				fmt.Sprintf("Operations: there are more than %d, which is the maxOperations of a bulk request", o.h.c.Limits.BulkOps))
		}
		p, err := o.bulkPart(op)
		if err != nil {
			return nil, err
		}
		p.at = len(b.parts)
		b.parts = append(b.parts, p)
	}
	if len(b.parts) == 0 {
		return nil, badBulk("Operations: is empty; it must be an array of operations")
	}
	b.name()
	return b, nil
}

func badBulk(detail string) *fault.Error {
	return fault.Refuse(http.StatusBadRequest, "invalidSyntax", detail)
}

func (o *operation) bulkSchemas(v jsontext.Value) error {
	found := false
	if v.Kind() == '[' {
		for urn := range elements(v) {
			s, ok := text(urn)
			found = found || ok && model.FoldName(s) == model.FoldName(bulkSchema)
		}
	}
	if !found && (v != nil || !o.use.Allow(tolerance.MissingSchemas)) {
		return badBulk("schemas: must contain " + bulkSchema)
	}
	return nil
}

// name notes which creation has which bulkId. If two have the same, nobody can say
// whom a reference means, and all of them fail.
func (b *bulkJob) name() {
	first := map[string]*bulkPart{}
	for _, p := range b.parts {
		if p.bulkID == "" {
			continue
		}
		if q := first[p.bulkID]; q != nil {
			q.err = badBulk("bulkId: " + fault.Quote(p.bulkID) + " is there more than once")
			p.err = q.err
			continue
		}
		first[p.bulkID] = p
		if p.method == http.MethodPost {
			b.posts[p.bulkID] = p
		}
	}
}

// bulkPart reads one operation. The error is for the request as a whole.
func (o *operation) bulkPart(raw jsontext.Value) (*bulkPart, error) {
	f, err := bulkFields("each of Operations", raw, "method", "bulkId", "version", "path", "data")
	if err != nil {
		return nil, err
	}
	p := &bulkPart{o: o.part(), data: f["data"]}
	for name, into := range map[string]*string{"method": &p.method, "bulkid": &p.bulkID, "version": &p.version, "path": &p.path} {
		if v := f[name]; v != nil {
			var ok bool
			if *into, ok = text(v); !ok {
				p.err = badBulk(strings.Replace(name, "bulkid", "bulkId", 1) + ": must be a string")
			}
		}
	}
	p.method = strings.ToUpper(p.method)
	if p.err == nil {
		p.err = p.check()
	}
	return p, nil
}

// check judges an operation as far as it goes without the others.
func (p *bulkPart) check() error {
	switch p.method {
	case http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete:
	default:
		return badBulk("method: must be POST, PUT, PATCH or DELETE, got " + fault.Quote(p.method))
	}
	if err := p.target(); err != nil {
		return err
	}
	if p.method == http.MethodPost && p.bulkID == "" {
		return badBulk("bulkId: is missing; POST needs one")
	}
	switch kind := p.data.Kind(); {
	case p.method == http.MethodDelete:
		p.data = nil
	case p.method == http.MethodPatch && kind == '[':
		// As the example of RFC 7644, Section 3.7.3 has it.
		p.data = fmt.Appendf(nil, `{"schemas":[%q],"Operations":%s}`, patchSchema, p.data)
	case kind != '{':
		return badBulk("data: is missing; " + p.method + " needs a JSON object")
	}
	if limit := p.o.h.c.Limits.body(p.t.Members != nil); int64(len(p.data)) > limit {
		return fault.Refuse(http.StatusRequestEntityTooLarge, "", fmt.Sprintf("data: is larger than %d bytes", limit))
	}
	if p.version != "" {
		p.o.header.Set("If-Match", p.version)
	}
	return nil
}

// target finds what the path leads to. Nothing but resources of this endpoint can be
// reached: no other address, no discovery, no /Me, no bulk within bulk.
func (p *bulkPart) target() error {
	bad := func(want string) error {
		return fault.Refuse(http.StatusBadRequest, "invalidPath", "path: must be "+want+", got "+fault.Quote(p.path))
	}
	path := p.path
	if rest, ok := strings.CutPrefix(path, p.o.base+"/"); ok {
		path = rest
	}
	segments := split(path)
	if len(segments) == 0 || strings.ContainsAny(path, "?#\\") {
		return bad("a resource type's endpoint and, but for POST, an id, without a query")
	}
	if p.t = p.o.t.Types.At("/" + segments[0]); p.t == nil {
		if segments[0] == "Groups" {
			return noGroups()
		}
		var all []string
		for _, t := range p.o.t.Types.All {
			all = append(all, t.Endpoint)
		}
		return bad("below " + strings.Join(all, ", "))
	}
	if p.method == http.MethodPost {
		if len(segments) > 1 {
			return bad("the endpoint alone for POST, " + p.t.Endpoint)
		}
		return nil
	}
	if len(segments) != 2 || segments[1] == ".search" {
		return bad("the endpoint and an id for " + p.method + ", " + p.t.Endpoint + "/id")
	}
	id, err := url.PathUnescape(segments[1])
	if err != nil || strings.ContainsRune(id, 0) {
		return bad("well-formed")
	}
	p.id = id
	if !strings.HasPrefix(id, bulkPrefix) {
		p.ref = host.Ref{Type: p.t.Name, ID: id}
	}
	return nil
}

// bulkFields reads a JSON object by folded names. null is as good as nothing.
func bulkFields(what string, raw jsontext.Value, known ...string) (map[string]jsontext.Value, error) {
	if raw.Kind() != '{' {
		return nil, badBulk(what + " must be a JSON object")
	}
	all := map[string]jsontext.Value{}
	for name, v := range fields(raw) {
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
