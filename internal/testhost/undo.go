package testhost

import (
	"context"
	"maps"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// UndoStore is the memory store with transactions that other data in memory can join.
type UndoStore struct{ *memory.Store }

// undoKey is the context key of the functions that undo a transaction.
type undoKey struct{}

// InTx implements scim.Transactor. A rollback also undoes the changes of joined data.
func (s UndoStore) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	return s.Store.InTx(ctx, func(ctx context.Context) error {
		// Nested transactions use the list of the outermost one.
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

// UndoRoles are RoleMaps that join the transactions of an UndoStore.
type UndoRoles struct{ *RoleMaps }

// Change implements RoleRows. A rollback undoes it.
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

// Put implements RoleRows. A rollback undoes it.
func (r UndoRoles) Put(ctx context.Context, role scim.Role) error {
	if undo, ok := ctx.Value(undoKey{}).(*[]func()); ok {
		r.mu.Lock()
		before, existed := r.all[role.ID]
		r.mu.Unlock()
		*undo = append(*undo, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.all[role.ID] = before; !existed {
				delete(r.all, role.ID)
			}
		})
	}
	return r.RoleMaps.Put(ctx, role)
}
