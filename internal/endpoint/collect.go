package endpoint

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
	"github.com/scimkit/scim/internal/wire"
)

// source yields resources, nil behind the last one.
type source interface {
	Next(ctx context.Context) (*doc.Document, error)
}

// collection is the resources of a list answer. Limits.Answer bounds its memory.
type collection struct {
	l      *lister
	pieces [][]byte
	size   int64 // the bytes of pieces
	n      int   // the number of resources in pieces
	last   *doc.Document
	// next is the first resource that is not in the collection.
	next *doc.Document
	// alone is the only resource of a page that is too long for the memory. The answer
	// streams it.
	alone *doc.Document
	views map[*model.Type]*view
}

// errTooLong means that a collection would exceed Limits.Answer.
var errTooLong = errors.New("the answer is too long")

// preparedUsers is how many users are prepared together. A user may be in many groups, and
// the store returns all of them at once.
const preparedUsers = 20

// collect takes up to limit resources from src, as many as Limits.Answer allows, and looks
// at the next one. A single resource has no limit.
func (l *lister) collect(ctx context.Context, src source, limit int) (*collection, error) {
	c := &collection{l: l, views: map[*model.Type]*view{}}
	var err error
	if c.next, err = src.Next(ctx); err != nil || c.next == nil || limit <= 0 {
		return c, err
	}
	if limit == 1 {
		return c, c.takeAlone(ctx, src)
	}
	s := &sink{b: make([]byte, 0, pieceSize), to: c}
	for c.next != nil && c.n < limit {
		// Prepare neighbours of one type together, which takes fewer calls of the store.
		batch := []*doc.Document{c.next}
		for {
			if c.next, err = src.Next(ctx); err != nil {
				return nil, err
			}
			if c.next == nil || c.next.Type != batch[0].Type || len(batch) == preparedUsers || c.n+len(batch) == limit {
				break
			}
			batch = append(batch, c.next)
		}
		over, err := c.add(ctx, s, batch)
		switch {
		case err != nil:
			return nil, err
		case over == nil:
			continue
		case c.n > 0:
			c.next = over
		default:
			if len(batch) > 1 {
				c.next = batch[1]
			}
			c.last, c.alone, c.pieces = over, over, nil
		}
		break
	}
	if c.alone == nil {
		c.pieces = append(c.pieces, s.b)
	}
	return c, nil
}

// takeAlone makes the next resource the only one of the page.
func (c *collection) takeAlone(ctx context.Context, src source) (err error) {
	c.last, c.alone = c.next, c.next
	c.next, err = src.Next(ctx)
	return err
}

// add adds resources of one type. It returns the first one that does not fit.
func (c *collection) add(ctx context.Context, s *sink, batch []*doc.Document) (over *doc.Document, err error) {
	v := c.view(ctx, batch[0].Type)
	if err := v.prepare(ctx, batch...); err != nil {
		return nil, err
	}
	for _, d := range batch {
		pieces, size, kept := len(c.pieces), c.size, len(s.b)
		if c.n > 0 {
			s.b = append(s.b, ',')
		}
		err := v.write(ctx, s, d, c.l.r.location(host.RefOf(d)))
		if err == nil && c.size+int64(len(s.b)) > c.l.r.s.c.Limits.Answer {
			err = errTooLong
		}
		if errors.Is(err, errTooLong) {
			// Take back what there is of this resource.
			if len(c.pieces) > pieces {
				s.b = append(s.b[:0], c.pieces[pieces]...)
			}
			c.pieces, c.size, s.b = c.pieces[:pieces], size, s.b[:kept]
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		c.n, c.last = c.n+1, d
	}
	return nil, nil
}

// take copies a piece from the sink, because the sink's buffer may have room for much more.
func (c *collection) take(piece []byte) (empty []byte, err error) {
	c.pieces, c.size = append(c.pieces, bytes.Clone(piece)), c.size+int64(len(piece))
	if c.size > c.l.r.s.c.Limits.Answer {
		err = errTooLong
	}
	return piece[:0], err
}

// view is the view of a type. It is made once, because a client may name many attributes.
func (c *collection) view(ctx context.Context, t *model.Type) *view {
	v := c.views[t]
	if v == nil {
		v = &view{r: c.l.r, known: c.l.known}
		v.init(ctx, t)
		c.views[t] = v
	}
	return v
}

// answer is the ListResponse. extra is JSON that depends on the kind of paging.
func (c *collection) answer(total int, extra string) *answer {
	n := c.n
	if c.alone != nil {
		n = 1
	}
	head := []byte(`{"schemas":["` + wire.ListResponse + `"],"totalResults":`)
	head = strconv.AppendInt(head, int64(total), 10)
	head = append(head, `,"itemsPerPage":`...)
	head = strconv.AppendInt(head, int64(n), 10)
	head = append(head, extra...)
	head = append(head, `,"Resources":[`...)
	a := &answer{status: http.StatusOK}
	if c.alone == nil {
		a.body = append(append([][]byte{head}, c.pieces...), []byte("]}"))
		return a
	}
	one := single{view: view{r: c.l.r, known: c.l.known}, d: c.alone, location: c.l.r.location(host.RefOf(c.alone))}
	a.stream = &listOfOne{single: one, head: head}
	return a
}

// listOfOne streams a ListResponse with one resource. head is the JSON before it.
type listOfOne struct {
	single
	head []byte
}

// stream implements streamer.
func (o *listOfOne) stream(ctx context.Context, s *sink) error {
	s.b = append(s.b, o.head...)
	if err := o.single.stream(ctx, s); err != nil {
		return err
	}
	s.b = append(s.b, "]}"...)
	return nil
}

// listByIndex answers a request for a page by index. Such a page has as many resources as
// the client wants, because clients such as Okta count on from there.
func (l *lister) listByIndex(ctx context.Context, src source, total int) (*answer, error) {
	start, limit := l.window()
	c, err := l.collect(ctx, src, limit)
	if err != nil {
		return nil, err
	}
	if c.next != nil && limit > 1 && c.n < limit {
		return nil, fault.New(fault.TooMany, "the answer would have more than %d bytes: say count=%d from startIndex %d on, or leave out attributes such as members",
			l.r.s.c.Limits.Answer, max(1, c.n), start)
	}
	return c.answer(total, `,"startIndex":`+strconv.Itoa(start)), nil
}
