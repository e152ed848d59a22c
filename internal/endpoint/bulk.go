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
	"github.com/scimkit/scim/internal/wire"
)

// bulk answers POST /Bulk (RFC 7644, Section 3.7). It treats each operation like a separate
// request, with its own permission check, limits, events and log line.
func (r *request) bulk(ctx context.Context, body []byte) (*answer, error) {
	b, err := r.parseBulk(body)
	if err != nil {
		return nil, err
	}
	if err := r.charge(ctx, len(b.parts)); err != nil {
		return nil, err
	}
	ran := map[*bulk.Part]bool{}
	failed := 0
	for _, unit := range b.job.Order() {
		if b.job.FailOn > 0 && failed >= b.job.FailOn {
			break
		}
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, ctx.Err() // the client is gone
		}
		b.run(ctx, unit)
		for _, p := range unit {
			if errors.Is(p.Err, http.ErrAbortHandler) {
				return nil, p.Err
			}
			ran[p] = true
			if p.Err != nil {
				failed++
				r.s.logRefusal(ctx, r.visit, p.Method, b.parts[p.At].r.at, p.Path, host.Answer(p.Err))
			}
		}
	}
	results := []bulkResult{}
	for _, p := range b.parts {
		if ran[p.Part] {
			results = append(results, p.result())
		}
	}
	return jsonAnswer(map[string]any{"schemas": []string{wire.BulkResponse}, "Operations": results})
}

type bulkJob struct {
	r     *request
	job   *bulk.Job
	parts []*bulkPart // in the order of job.Parts
	spent int         // the work of the operations so far, in units of match.Work
}

// bulkPart is one operation of a bulk request. It has a request of its own.
type bulkPart struct {
	*bulk.Part
	r      *request
	status int
	etag   string
}

// parseBulk reads a bulk request and makes a request for each operation.
func (r *request) parseBulk(body []byte) (*bulkJob, error) {
	j, err := bulk.Parse(body, bulk.Options{
		Types:      &r.t.Types,
		Limits:     &r.s.c.Limits,
		Base:       r.base,
		Location:   r.location,
		Use:        r.use,
		Tolerances: r.t.Tolerances,
	})
	if err != nil {
		return nil, err
	}
	most := r.s.c.Limits.Members
	used := most - most/4 // each operation commits by itself, which takes longer
	r.visit.named = &used
	b := &bulkJob{r: r, job: j}
	for _, p := range j.Parts {
		of := r.another()
		of.use = p.Use
		if p.Version != "" {
			of.header.Set("If-Match", p.Version)
		}
		b.parts = append(b.parts, &bulkPart{Part: p, r: of})
	}
	return b, nil
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
	out := bulkResult{Method: p.Method, BulkID: p.BulkID, Version: p.etag, Status: strconv.Itoa(p.status)}
	if p.Ref.ID != "" && (p.Err == nil || p.Method != http.MethodPost) {
		out.Location = p.r.location(p.Ref)
	}
	if p.Err != nil {
		e := host.Answer(p.Err)
		out.Version, out.Status, out.Response = "", strconv.Itoa(e.Status), e.Body()
	}
	return out
}

// run runs one unit: a single operation, or operations that refer to each other in a
// circle.
func (b *bulkJob) run(ctx context.Context, unit []*bulk.Part) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			// The store keeps the earlier operations, so the client needs an answer that
			// lists them.
			err := host.LogPanic(b.r.s.c.Log, p, "request", b.r.visit.id, "method", http.MethodPost)
			for _, part := range unit {
				part.Err = err
			}
		}
	}()
	if p := unit[0]; len(unit) == 1 && !p.NeedsItself() {
		if p.Err == nil {
			p.Err = b.runOne(ctx, b.parts[p.At])
		}
		return
	}
	b.runCircle(ctx, unit)
}

func (b *bulkJob) runOne(ctx context.Context, p *bulkPart) error {
	if err := b.begin(ctx); err != nil {
		return err
	}
	ref, err := b.job.Target(p.Part)
	if err != nil {
		return err
	}
	p.Ref, p.r.at = ref, &route{t: p.Type, id: ref.ID, tail: 1}
	if ref.ID != "" {
		p.r.at.tail = 2
	}
	data, err := b.job.Data(p.Part)
	if err != nil {
		return err
	}
	w := newWriter(p.r)
	err = p.act(ctx, w, data)
	b.spent += w.spent
	p.r.deliver(ctx)
	return err
}

func (p *bulkPart) act(ctx context.Context, w *writer, data []byte) error {
	if p.Method == http.MethodPost {
		created, err := w.createFrom(ctx, p.Type, data)
		if err != nil {
			return err
		}
		p.setCreated(ctx, created)
		p.r.at.id = created.ID
		return nil
	}
	var a *answer
	var err error
	switch p.Method {
	case http.MethodPut:
		a, err = w.replace(ctx, p.Type, p.Ref.ID, data)
	case http.MethodPatch:
		a, err = w.patch(ctx, p.Type, p.Ref.ID, data)
	default:
		a, err = w.delete(ctx, p.Type, p.Ref.ID)
	}
	if err != nil {
		return err
	}
	p.status, p.etag = a.status, a.etag
	return nil
}

// setCreated records the resource that a POST created.
func (p *bulkPart) setCreated(ctx context.Context, d *doc.Document) {
	p.Ref, p.status = host.RefOf(d), http.StatusCreated
	if p.r.maySee(ctx, d.Type, d.ID) {
		p.etag = etag(p.r.visible(ctx, d))
	}
}
