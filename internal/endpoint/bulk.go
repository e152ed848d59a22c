package endpoint

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// bulk answers POST /Bulk (RFC 7644, Section 3.7). Each operation is one of its own,
// as if it had come as a request: allowed, limited, stored, told and logged by itself.
func (o *operation) bulk(ctx context.Context, body []byte) (*answer, error) {
	b, err := o.parseBulk(body)
	if err != nil {
		return nil, err
	}
	ran := map[*bulk.Part]bool{}
	failed := 0
	for _, unit := range b.Order() {
		if b.FailOn > 0 && failed >= b.FailOn {
			break
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err() // nobody waits for the answer
		}
		b.run(ctx, unit)
		for _, p := range unit {
			ran[p] = true
			if p.Err != nil {
				failed++
				o.h.refused(ctx, p.Method, p.Path, host.Answer(p.Err))
			}
		}
	}
	results := []bulkResult{}
	for _, p := range b.parts {
		if ran[p.Part] {
			results = append(results, p.result())
		}
	}
	return jsonAnswer(object{"schemas": []string{bulk.ResponseURN}, "Operations": results})
}

// bulkJob is a bulk request.
type bulkJob struct {
	*bulk.Job
	o     *operation
	parts []*bulkPart // as Job.Parts
}

// bulkPart is one operation of a bulk request: a client operation of its own.
type bulkPart struct {
	*bulk.Part
	o      *operation
	status int
	etag   string
}

// parseBulk reads a bulk request and makes an operation of the client for each part.
func (o *operation) parseBulk(body []byte) (*bulkJob, error) {
	limits := o.h.c.Limits
	j, err := bulk.Parse(body, bulk.Options{
		Types:      &o.t.Types,
		Limits:     &limits,
		Base:       o.base,
		Location:   o.location,
		Use:        o.use,
		Tolerances: o.t.Tolerances,
	})
	if err != nil {
		return nil, err
	}
	b := &bulkJob{Job: j, o: o}
	for _, p := range j.Parts {
		of := o.part()
		of.use = p.Use
		if p.Version != "" {
			of.header.Set("If-Match", p.Version)
		}
		b.parts = append(b.parts, &bulkPart{Part: p, o: of})
	}
	return b, nil
}

// part is an operation of the same client.
func (o *operation) part() *operation {
	return &operation{h: o.h, t: o.t, who: o.who, base: o.base, header: http.Header{}, use: o.t.Tolerances.Use(), w: o.h.c.Engine.Begin(o.t.Tenant, o.who.ID)}
}

type bulkResult struct {
	Location string          `json:"location,omitempty"`
	Method   string          `json:"method"`
	BulkID   string          `json:"bulkId,omitempty"`
	Version  string          `json:"version,omitempty"`
	Status   string          `json:"status"`
	Response json.RawMessage `json:"response,omitempty"`
}

func (p *bulkPart) result() bulkResult {
	r := bulkResult{Method: p.Method, BulkID: p.BulkID, Version: p.etag, Status: strconv.Itoa(p.status)}
	if p.Ref.ID != "" && (p.Err == nil || p.Method != http.MethodPost) {
		r.Location = p.o.location(p.Ref)
	}
	if p.Err != nil {
		e := host.Answer(p.Err)
		r.Version, r.Status, r.Response = "", strconv.Itoa(e.Status), e.Body()
	}
	return r
}

// run runs operations that belong together: one, or several in a circle.
func (b *bulkJob) run(ctx context.Context, unit []*bulk.Part) {
	defer func() {
		if r := recover(); r != nil {
			if r == http.ErrAbortHandler {
				panic(r)
			}
			// What was done before stays done, so the answer has to tell.
			err := b.o.h.panicked(http.MethodPost, r)
			for _, p := range unit {
				p.Err = err
			}
		}
	}()
	if p := unit[0]; len(unit) == 1 && !p.NeedsItself() {
		if p.Err == nil {
			p.Err = b.single(ctx, b.parts[p.At])
		}
		return
	}
	b.together(ctx, unit)
}

// single runs one operation as if it had come as a request.
func (b *bulkJob) single(ctx context.Context, p *bulkPart) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ref, err := b.Target(p.Part)
	if err != nil {
		return err
	}
	p.Ref = ref
	data, err := b.Data(p.Part)
	if err != nil {
		return err
	}
	err = p.act(ctx, data)
	p.o.deliver(ctx)
	return err
}

func (p *bulkPart) act(ctx context.Context, data []byte) error {
	if p.Method == http.MethodPost {
		made, err := p.o.make(ctx, p.Type, data)
		if err != nil {
			return err
		}
		p.made(made)
		return nil
	}
	if p.Type.Members == nil {
		p.o.params.attributes = []string{"id"} // the resource is not in the answer
	}
	var a *answer
	var err error
	switch p.Method {
	case http.MethodPut:
		a, err = p.o.replace(ctx, p.Type, p.Ref.ID, data)
	case http.MethodPatch:
		a, err = p.o.patch(ctx, p.Type, p.Ref.ID, data)
	default:
		a, err = p.o.delete(ctx, p.Type, p.Ref.ID)
	}
	if err != nil {
		return err
	}
	p.status, p.etag = a.status, a.etag
	return nil
}

// made notes what a POST has created.
func (p *bulkPart) made(r *doc.Document) {
	p.Ref, p.status, p.etag = host.RefOf(r), http.StatusCreated, etag(r)
}
