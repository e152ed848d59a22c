package endpoint

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/scimkit/scim/internal/bulk"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/keylock"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
)

// together runs creations that refer to each other in a circle, all or none (RFC 7644,
// Section 3.7.1): each is created without the references that have nobody to point to
// yet, and then gets them.
func (b *bulkJob) together(ctx context.Context, unit []*bulk.Part) {
	o := b.o.part()
	made := make([]*doc.Document, len(unit))
	var culprit *bulk.Part
	err := ctx.Err()
	if err == nil {
		err = o.w.Isolate(ctx, "", func(ctx context.Context) error {
			o.adopted = nil
			clear(made)
			done := false
			if o.t.Stores.Tx == nil {
				defer func() {
					if !done {
						o.undo(ctx, made)
						o.w.TakeBack()
					}
				}()
			}
			left := make([][]*model.Attribute, len(unit))
			for i, p := range unit {
				culprit = p
				data, out, err := b.DataWithout(p, unit)
				if err != nil {
					return err
				}
				left[i] = out
				if made[i], err = o.make(ctx, b.parts[p.At].Type, data); err != nil {
					return err
				}
				p.Ref = host.RefOf(made[i])
			}
			for i, p := range unit {
				culprit = p
				data, err := b.Data(p)
				if err != nil {
					return err
				}
				r, err := o.modify(ctx, host.OpPatch, host.RefOf(made[i]), func(before *doc.Document) (*edit, error) {
					return o.complete(before, data, left[i])
				})
				if err != nil {
					return err
				}
				made[i] = r
			}
			done, culprit = true, nil
			return nil
		})
	}
	o.deliver(ctx)
	for i, p := range unit {
		switch {
		case err == nil:
			b.parts[p.At].made(made[i])
		case culprit == nil || p == culprit:
			p.Err = err
		default:
			p.Err = fault.Refuse(http.StatusConflict, "", fmt.Sprintf(
				"not created, because this operation and the one with the bulkId %s refer to each other, and that one failed",
				strconv.Quote(fault.Clip(culprit.BulkID))))
		}
	}
}

// complete makes the edit that gives a resource the attributes of which references
// were left out when it was created. All others stay: a rule may have set them.
func (o *operation) complete(before *doc.Document, data []byte, left []*model.Attribute) (*edit, error) {
	t := before.Type
	full, err := o.decode(t, nil, data)
	if err != nil {
		return nil, err
	}
	e := &edit{}
	values := before.Values
	for _, a := range left {
		for a.Parent != t.Root && !a.Parent.Extension {
			a = a.Parent
		}
		if a == t.Members {
			e.members = &member.Delta{}
			for _, r := range full.members.Add() {
				e.members.Join(r)
			}
			continue
		}
		if v := full.after.Find(a); v.Attr != nil {
			values = doc.PutAt(t.Root, values, v)
		}
	}
	e.after = before.With(values)
	return e, doc.Validate(before, t, values)
}

// undo takes back creations where there is no transaction to do so. What a creation
// took over is put back as it was.
func (o *operation) undo(ctx context.Context, made []*doc.Document) {
	// It must be done also if the request's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.h.c.Limits.Time)
	defer cancel()
	for _, r := range slices.Backward(made) {
		if r == nil {
			continue
		}
		u := o.part()
		u.force = true
		ref := host.RefOf(r)
		err := u.w.Isolate(ctx, keylock.Key(ref.Type, ref.ID), func(ctx context.Context) error {
			now, err := u.t.dir.Fetch(ctx, ref)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(o.adopted, func(a *doc.Document) bool { return host.RefOf(a) == ref })
			if i < 0 {
				return u.remove(ctx, now)
			}
			_, err = u.t.Stores.Update(ctx, ref, func(now *doc.Document) (*doc.Document, error) {
				return u.stamp(now, now.With(o.adopted[i].Values)), nil
			})
			return err
		})
		if err != nil && !host.IsNotFound(err) {
			o.h.c.Log.ErrorContext(ctx, "scim: part of a failed bulk request could not be taken back", "resource", fmt.Sprint(ref), "error", err)
		}
	}
}
