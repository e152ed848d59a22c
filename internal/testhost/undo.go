package testhost

import (
	"context"
	"maps"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// UndoStore is the memory store whose transactions other things in memory can join.
type UndoStore struct{ *memory.Store }

// undoKey finds in a context what undoes what was done so far.
type undoKey struct{}

// InTx implements scim.Transactor. What joined is undone with the transaction.
func (s UndoStore) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		// The list of the outermost transaction serves the nested ones too.
		undo, nested := ctx.Value(undoKey{}).(*[]func())
		if !nested {
			undo = new([]func())
			ctx = context.WithValue(ctx, undoKey{}, undo)
		}
		mark, done := len(*undo), false
		defer func() {
			if !done {
				for _, back := range slices.Backward((*undo)[mark:]) {
					back()
				}
				*undo = (*undo)[:mark]
			}
		}()
		if err := fn(ctx); err != nil {
			return err
		}
		done = ctx.Err() == nil
		return ctx.Err()
	})
}

// UndoRoles are RoleMaps within the transactions of an UndoStore.
type UndoRoles struct{ *RoleMaps }

// Change implements RoleRows. A transaction that fails undoes it.
func (r UndoRoles) Change(ctx context.Context, changes []scim.RoleChange) error {
	if undo, ok := ctx.Value(undoKey{}).(*[]func()); ok {
		r.mu.Lock()
		before, noted := map[string]map[string]bool{}, len(r.log)
		for _, c := range changes {
			before[c.UserID] = maps.Clone(r.holding[c.UserID])
		}
		r.mu.Unlock()
		*undo = append(*undo, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			maps.Copy(r.holding, before)
			r.log = r.log[:noted]
		})
	}
	return r.RoleMaps.Change(ctx, changes)
}
