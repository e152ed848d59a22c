package roles

import (
	"context"
	"errors"
	"slices"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// Preview lists what RolesChanged and All would change for a page of users, and changes
// nothing. It looks up the roles of their sources again, or only those of one source. It
// starts behind the user after ("": at the first one). It returns the last user, "" if no
// more are left.
func (c *Admin) Preview(ctx context.Context, only host.Source, after string) (list []host.RoleChange, next string, err error) {
	ids, next, err := previewed(ctx, c.t, only, after)
	if err != nil || len(ids) == 0 {
		return nil, next, err
	}
	slices.Sort(ids) // as reconciliations do: the first one keeps a role as its last holder
	ctx, unlock, err := c.e.lockUsers(ctx, c.t, ids)
	if err != nil {
		return nil, "", err
	}
	defer unlock()
	w, r := c.e.Begin(c.t.Tenant, ""), run{cause: applicationReports, view: view{again: &again{only, c.e.now()}}}
	err = divide(ids, func(ids []string) error {
		b := &batch{w: w, ids: ids, reads: true, run: r}
		if err := c.t.Stores.InTx(ctx, b.look); err != nil {
			return err
		}
		for _, o := range b.outs {
			if o.changes() {
				list = append(list, o.change)
			}
		}
		return nil
	})
	if err != nil {
		return nil, "", err
	}
	return list, next, nil
}

// previewed lists a page of the users who may be affected: those who belong to the only
// source if it is a group, otherwise everybody.
func previewed(ctx context.Context, t tenant, only host.Source, after string) (ids []string, next string, err error) {
	group, ok := only.Group()
	if !ok {
		return pageOfUsers(ctx, t, "Preview", after)
	}
	errFull := errors.New("the page is full")
	err = t.dir.UsersBelow(ctx, []string{group}, func(batch []string) error {
		i, found := slices.BinarySearch(batch, after)
		if found {
			i++
		}
		ids = append(ids, batch[i:]...)
		if len(ids) > directory.Batch {
			ids = ids[:directory.Batch]
			next = ids[len(ids)-1]
			return errFull
		}
		return nil
	})
	if errors.Is(err, errFull) {
		err = nil
	}
	return ids, next, err
}

// lookAgain looks up the roles of groups and values again, or only those of one source. It
// sets links as RolesChanged would store them.
func lookAgain(ctx context.Context, t tenant, a again, links map[host.Source]host.Link, groups []string, values [][]value) error {
	known := map[host.Source]bool{}
	isNew := func(s host.Source) bool {
		isKnown := known[s] || a.only != "" && a.only != s
		known[s] = true
		return !isKnown
	}
	set := func(s host.Source, change *linkChange) {
		change.now.Source = s
		change.setTime(a.now)
		links[s] = change.now
	}
	groups = only(groups, func(id string) bool { return isNew(host.GroupSource(id)) })
	var found []*doc.Document
	if err := t.dir.ByID(ctx, t.Types.Group, groups, func(g *doc.Document) { found = append(found, g) }); err != nil {
		return err
	}
	for _, g := range found {
		s := host.GroupSource(g.ID)
		change, err := t.relinkFrom(ctx, g, links[s])
		if err != nil {
			return err
		}
		set(s, change)
	}
	for _, v := range slices.Concat(values...) {
		if !isNew(v.key()) {
			continue
		}
		change, err := t.relinkKnownValue(ctx, v, links[v.key()])
		if err != nil {
			return err
		}
		set(v.key(), change)
	}
	return nil
}
