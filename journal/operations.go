package journal

import (
	"slices"
	"strconv"

	"github.com/scimkit/scim"
)

// maxOperations is how many operations of a bulk request an entry looks at.
const maxOperations = 1000

// operation is one of a bulk request, or of its answer.
type operation struct {
	method, bulkID string
	status         string // of an answer
	failure        Failure
	resource       Touched // the one of its path, or else the one that its data describe
}

// succeeded reports whether an operation of an answer succeeded.
func (o *operation) succeeded() bool { return o.code() >= 200 && o.code() < 300 }

// code is the status of an operation of an answer; 0 if it has none.
func (o *operation) code() int {
	n, err := strconv.Atoi(o.status)
	if err != nil || n < 100 || n > 599 {
		return 0
	}
	return n
}

// failedOperations returns the operations of a bulk request that failed. The answer has those that ran, in the order of
// the request.
func failedOperations(sent, answered []operation) (all []FailedOperation) {
	for i := range answered {
		a := &answered[i]
		at := slices.IndexFunc(sent, func(o operation) bool { return o.method == a.method && o.bulkID == a.bulkID })
		var of *operation
		if at >= 0 {
			of, sent = &sent[at], sent[at+1:]
		}
		if a.code() == 0 || a.succeeded() {
			continue
		}
		f := FailedOperation{Method: plainMethod(a.method), Status: a.code(), Failure: a.failure}
		if f.Resource = a.resource; of != nil && f.Resource.ID == "" {
			f.Resource = of.resource
		}
		all = append(all, f)
	}
	return all
}

// refOf returns what names a resource: its id, or its first name, folded.
func (t *Touched) refOf() (ref scim.Ref, ok bool) {
	switch {
	case t.ID != "":
		return scim.Ref{Type: t.Type, ID: t.ID}, true
	case len(t.Names) > 0:
		return scim.Ref{Type: t.Type, ID: scim.Fold(t.Names[0])}, true
	}
	return ref, false
}
