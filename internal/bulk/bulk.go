// Package bulk turns the body of a bulk request (RFC 7644, Section 3.7) into operations, in
// the order in which they run. It runs nothing.
//
// The caller runs the operations in the order of Job.Order. For each Part it calls
// Job.Target and Job.Data, which replace bulkIds by ids. Then it sets Part.Ref to the
// resource, or Part.Err: later operations refer to both.
package bulk

import (
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/tolerance"
)

const (
	// ResponseURN marks the answer to a bulk request.
	ResponseURN = "urn:ietf:params:scim:api:messages:2.0:BulkResponse"

	requestURN = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
	patchURN   = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
	// prefix marks a reference to the resource that another operation creates.
	prefix = "bulkId:"
)

// Options say how a request is read.
type Options struct {
	Types  *host.Types
	Limits *host.Limits
	// Base is the endpoint's absolute address. A path may begin with it.
	Base string
	// Location returns the absolute address of a resource, for "$ref".
	Location func(ref host.Ref) string
	// Use counts the tolerances that the request around the operations needs.
	Use *tolerance.Use
	// Tolerances make the Use of each Part.
	Tolerances host.Tolerances
}

// Job is a bulk request.
type Job struct {
	FailOn int     // the number of errors after which to stop; 0 means never
	Parts  []*Part // the operations in the order of the request

	options Options
	posts   map[string]*Part // the creations by bulkId
}

// Part is one operation of a bulk request.
type Part struct {
	At                            int    // the index in Job.Parts
	Method, BulkID, Version, Path string // as the client sent them; Method in upper case
	// Type is the type of the resource. It is nil if Path leads nowhere; Err is then set.
	Type *model.Type
	// Ref is the resource. Parse sets it if Path has an id. Otherwise the caller sets it
	// when it runs the operation.
	Ref host.Ref
	// Err is why the operation failed. If Parse sets it, the operation cannot run.
	Err error
	// Use counts the tolerances that this operation needs.
	Use *tolerance.Use

	data jsontext.Value // nil for DELETE
	references
}

// references are the bulkIds of an operation.
type references struct {
	target string  // the bulkId in Path, "" if Path has none
	needs  []*Part // the creations that Path or the data refers to, possibly this operation
	inData bool    // the data has references, known or not
}

// NeedsItself reports whether an operation refers to the resource that it creates.
func (p *Part) NeedsItself() bool { return slices.Contains(p.needs, p) }

// Target returns the resource that an operation changes or deletes. For a creation it
// returns p.Ref, which is zero until the resource exists. Call it when it is p's turn.
func (j *Job) Target(p *Part) (host.Ref, error) {
	if p.Method == http.MethodPost || p.Ref.ID != "" {
		return p.Ref, nil
	}
	ref, err := j.resource(p.target)
	if err == nil && ref.Type != p.Type.Name {
		err = fault.Refuse(http.StatusBadRequest, fault.InvalidPath, "path: "+prefix+fault.Clip(p.target)+" is a "+ref.Type)
	}
	if err != nil {
		return host.Ref{}, err
	}
	return ref, nil
}

// Data returns the data of an operation with ids instead of bulkIds. Call it when it is p's
// turn.
func (j *Job) Data(p *Part) (jsontext.Value, error) {
	data, _, err := j.DataWithout(p, nil)
	return data, err
}

// DataWithout is Data without the values that refer to one of missing. left are the
// attributes of these values, one entry for each value.
func (j *Job) DataWithout(p *Part, missing []*Part) (data jsontext.Value, left []*model.Attribute, err error) {
	if !p.inData {
		return p.data, nil, nil
	}
	w := j.rewriter(p, func(bulkID string) (host.Ref, bool, error) {
		if q := j.posts[bulkID]; q != nil && slices.Contains(missing, q) {
			return host.Ref{}, false, nil
		}
		ref, err := j.resource(bulkID)
		return ref, true, err
	})
	data, err = w.data(p)
	return data, w.left, err
}

// resource returns the resource that a bulkId stands for.
func (j *Job) resource(bulkID string) (host.Ref, error) {
	q := j.posts[bulkID]
	switch {
	case q == nil:
		return host.Ref{}, fault.Refuse(http.StatusBadRequest, fault.InvalidValue, "no POST of this request has the bulkId "+fault.Quote(bulkID))
	case q.Err != nil:
		return host.Ref{}, fault.Refuse(http.StatusBadRequest, fault.InvalidValue, "the operation with the bulkId "+fault.Quote(bulkID)+", to which this one refers, failed")
	}
	return q.Ref, nil
}
