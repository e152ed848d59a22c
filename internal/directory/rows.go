package directory

import (
	"context"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// maxPageBytes is about how many bytes of resources a store should return at once.
const maxPageBytes = 4 << 20

// Rows are the resources of a query, in order. They are read piece by piece, so that long
// resources do not need memory all at once.
type Rows struct {
	t     Directory
	rt    *model.Type
	q     host.Query // asks for the next piece
	piece []*doc.Document
	isEnd bool // piece is the last one
	Total int  // the number of all matches, if the query asked for it
	// Groups are the memberships of all of them in order of age, if the store has read them with them.
	Groups []host.Membership
}

// Open reads the first piece of a query.
func (t Directory) Open(ctx context.Context, rt *model.Type, q *host.Query) (*Rows, error) {
	r := &Rows{t: t, rt: rt, q: *q}
	if q.IDs != nil && len(q.IDs) == 0 {
		r.isEnd = true
		return r, nil
	}
	r.q.MaxBytes = maxPageBytes
	total, err := r.read(ctx)
	r.Total = total
	return r, err
}

// Next returns the next resource, nil behind the last one.
func (r *Rows) Next(ctx context.Context) (*doc.Document, error) {
	if len(r.piece) == 0 && !r.isEnd {
		if _, err := r.read(ctx); err != nil {
			return nil, err
		}
	}
	if len(r.piece) == 0 {
		return nil, nil
	}
	d := r.piece[0]
	r.piece[0] = nil // its memory is free once the caller is done
	r.piece = r.piece[1:]
	return d, r.t.Check(d)
}

// read reads a piece and prepares the query for the next one.
func (r *Rows) read(ctx context.Context) (total int, err error) {
	q := r.q // a store may keep what it gets
	page, err := r.t.Page(ctx, r.rt, &q)
	if err != nil {
		return 0, err
	}
	r.piece = page.Resources[:min(len(page.Resources), max(0, r.q.Limit))]
	r.q.Limit -= len(r.piece)
	r.isEnd = !page.Cut || len(r.piece) == 0 || r.q.Limit <= 0
	if r.Groups = nil; r.isEnd && page.Groups != nil {
		r.Groups = page.Groups
		sortByAge(r.Groups)
	}
	if !r.isEnd {
		last := r.piece[len(r.piece)-1]
		if err := r.t.Check(last); err != nil {
			return 0, err
		}
		r.q.Offset, r.q.Total, r.q.After = 0, false, host.KeyOf(&r.q, last)
	}
	return page.Total, nil
}
