package scim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
)

// together runs creations that refer to each other in a circle, all or none (RFC 7644,
// Section 3.7.1): each is created without the references that have nobody to point to
// yet, and then gets them.
func (b *bulkJob) together(ctx context.Context, unit []*bulkPart) {
	o := b.o.part()
	made := make([]*Resource, len(unit))
	var culprit *bulkPart
	err := ctx.Err()
	if err == nil {
		err = o.isolate(ctx, "", func(ctx context.Context) error {
			o.inside, o.adopted = true, nil
			defer func() { o.inside = false }()
			clear(made)
			done := false
			if o.t.tx == nil {
				defer func() {
					if !done {
						o.undo(ctx, made)
						o.stored = false
					}
				}()
			}
			left := make([][]*model.Attribute, len(unit))
			for i, p := range unit {
				culprit = p
				data, w, err := b.rewrite(p, func(q *bulkPart) bool { return slices.Contains(unit, q) })
				if err != nil {
					return err
				}
				left[i] = w.left
				if made[i], err = o.make(ctx, p.t, data); err != nil {
					return err
				}
				p.ref = made[i].Ref()
			}
			for i, p := range unit {
				culprit = p
				data, _, err := b.rewrite(p, nil)
				if err != nil {
					return err
				}
				r, err := o.modify(ctx, OpPatch, p.ref, func(before *Resource) (*edit, error) {
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
			p.made(made[i])
		case culprit == nil || p == culprit:
			p.err = err
		default:
			p.err = refuse(http.StatusConflict, "", fmt.Sprintf(
				"not created, because this operation and the one with the bulkId %s refer to each other, and that one failed",
				strconv.Quote(clip(culprit.bulkID))))
		}
	}
}

// complete makes the edit that gives a resource the attributes of which references
// were left out when it was created. All others stay: a rule may have set them.
func (o *operation) complete(before *Resource, data []byte, left []*model.Attribute) (*edit, error) {
	t := before.t
	full, err := o.decode(t, nil, data)
	if err != nil {
		return nil, err
	}
	e := &edit{}
	values := before.d.Values
	for _, a := range left {
		for a.Parent != t.m.Root && !a.Parent.Extension {
			a = a.Parent
		}
		if a == t.m.Members {
			e.members = &member.Delta{}
			for _, r := range full.members.Add() {
				e.members.Join(r)
			}
			continue
		}
		if v := full.after.d.Find(a); v.Attr != nil {
			values = doc.PutAt(t.m.Root, values, v)
		}
	}
	e.after = before.with(values)
	return e, validate(t, before, values)
}

// undo takes back creations where there is no transaction to do so. What a creation
// took over is put back as it was.
func (o *operation) undo(ctx context.Context, made []*Resource) {
	// It must be done also if the request's time is up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.h.c.Limits.Time)
	defer cancel()
	for _, r := range slices.Backward(made) {
		if r == nil {
			continue
		}
		u := o.part()
		u.force = true
		ref := r.Ref()
		err := u.isolate(ctx, lockKey(ref), func(ctx context.Context) error {
			now, err := u.fetch(ctx, ref)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(o.adopted, func(a *Resource) bool { return a.Ref() == ref })
			if i < 0 {
				return u.remove(ctx, now)
			}
			_, err = u.t.Store.Update(ctx, ref, func(now *Resource) (*Resource, error) {
				return u.stamp(now, now.with(o.adopted[i].d.Values)), nil
			})
			return err
		})
		if err != nil && toError(err).Status != http.StatusNotFound {
			o.h.c.Log.ErrorContext(ctx, "scim: part of a failed bulk request could not be taken back", "resource", fmt.Sprint(ref), "error", err)
		}
	}
}
