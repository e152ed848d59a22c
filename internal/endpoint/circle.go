package endpoint

import (
	"context"
	"fmt"
	"net/http"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/model"
)

// circle is the creations of one unit, which refer to each other.
type circle struct {
	b       *bulkJob
	unit    []*bulk.Part
	w       *writer
	created []*doc.Document
	// culprit is the operation that runs now. It is nil before the first one and after the
	// last.
	culprit *bulk.Part
}

// runCircle runs creations that refer to each other, all or none (RFC 7644, Section 3.7.1).
// It first creates each resource without the references to resources that do not exist yet.
// Then it adds these references.
func (b *bulkJob) runCircle(ctx context.Context, unit []*bulk.Part) {
	r := b.r.another()
	c := &circle{b: b, unit: unit, w: newWriter(r), created: make([]*doc.Document, len(unit))}
	err := b.begin(ctx)
	if err == nil {
		err = c.w.work.Isolate(ctx, "", c.run)
	}
	b.spent += c.w.spent
	if err != nil && c.w.work.IsStored() {
		// The creations succeeded, but roles could not be changed. As in createFrom, the
		// client would create the resources again.
		c.w.undo(ctx, c.created)
	}
	r.deliver(ctx)
	for i, p := range unit {
		switch {
		case err == nil:
			b.parts[p.At].setCreated(ctx, c.created[i])
		case c.culprit == nil || p == c.culprit:
			p.Err = err
		default:
			p.Err = fault.Refuse(http.StatusConflict, "", fmt.Sprintf(
				"not created, because this operation and the one with the bulkId %s refer to each other, and that one failed",
				fault.Quote(c.culprit.BulkID)))
		}
	}
}

func (c *circle) run(ctx context.Context) error {
	c.w.adopted = nil
	c.w.named.forget()
	clear(c.created)
	if c.w.t.Stores.Tx != nil {
		return c.createAll(ctx)
	}
	done := false
	defer func() { // a defer, because the application's code may panic
		if !done {
			c.w.undo(ctx, c.created)
			c.w.work.TakeBack()
		}
	}()
	err := c.createAll(ctx)
	done = err == nil
	return err
}

func (c *circle) createAll(ctx context.Context) error {
	left := make([][]*model.Attribute, len(c.unit))
	for i, p := range c.unit {
		c.culprit = p
		data, out, err := c.b.job.DataWithout(p, c.unit)
		if err != nil {
			return err
		}
		left[i] = out
		if c.created[i], err = c.w.createFrom(ctx, p.Type, data); err != nil {
			return err
		}
		p.Ref = host.RefOf(c.created[i])
	}
	for i, p := range c.unit {
		c.culprit = p
		data, err := c.b.job.Data(p)
		if err != nil {
			return err
		}
		c.w.permit = c.w.r.permitFor(ctx, p.Type, "")
		d, err := c.w.modify(ctx, host.OpPatch, host.RefOf(c.created[i]), func(_ context.Context, before *doc.Document) (*edit, error) {
			return c.w.complete(before, data, left[i])
		})
		if err != nil {
			return err
		}
		c.created[i] = d
	}
	c.culprit = nil
	return nil
}

// complete makes the edit that adds the references which the creation left out. left lists
// their attributes. It keeps all other attributes, because a rule may have set them.
func (w *writer) complete(before *doc.Document, data []byte, left []*model.Attribute) (*edit, error) {
	t := before.Type
	full, err := w.decode(t, nil, data)
	if err != nil {
		return nil, err
	}
	e := &edit{hidden: full.hidden}
	values := before.Values
	for _, a := range left {
		for a.Parent != t.Root && !a.Parent.Extension {
			a = a.Parent
		}
		if a == t.Members {
			e.members = full.members
			e.members.All = false
			continue
		}
		if v := full.after.Find(a); v.Attr != nil {
			values = doc.PutAt(t.Root, values, v)
		}
	}
	e.after = before.With(values)
	return e, doc.Validate(before, t, values)
}
