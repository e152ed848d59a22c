package roles

import (
	"context"
	"slices"
	"sort"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/host"
)

// granted reads the users to whom sources give something, in order of id. If the ledger does
// not find them, these are all users.
type granted struct {
	t       tenant
	sources []host.Source
	after   string
	read    []string // but not yet returned
	isEnd   bool
}

// next reads more users. There are none at the end.
func (g *granted) next(ctx context.Context) error {
	if g.isEnd {
		return nil
	}
	if g.t.Roles.Finder == nil {
		g.isEnd = true
		err := g.t.dir.Each(ctx, g.t.Types.User, nil, func(page []*doc.Document) error {
			for _, u := range page {
				g.read = append(g.read, u.ID)
			}
			return nil
		})
		slices.Sort(g.read)
		return err
	}
	var ids []string
	end := "" // the pages are complete up to here
	for _, source := range g.sources {
		page, err := g.t.Roles.Finder.SourceUsers(ctx, source, g.after, directory.Batch)
		if err != nil {
			return err
		}
		if n := len(page); n > 0 && (end == "" || page[n-1] < end) {
			end = page[n-1]
		}
		ids = append(ids, page...)
	}
	slices.Sort(ids)
	ids = slices.DeleteFunc(slices.Compact(ids), func(id string) bool { return id > end })
	g.read, g.after, g.isEnd = append(g.read, ids...), end, len(ids) == 0
	return nil
}

// upTo returns the next users whose ids are not greater than last.
func (g *granted) upTo(ctx context.Context, last string) ([]string, error) {
	for !g.isEnd && (len(g.read) == 0 || g.read[len(g.read)-1] <= last) {
		if err := g.next(ctx); err != nil {
			return nil, err
		}
	}
	n := sort.Search(len(g.read), func(i int) bool { return g.read[i] > last })
	ids := g.read[:n:n]
	g.read = g.read[n:]
	return ids, nil
}

// each calls fn with the users that are left.
func (g *granted) each(ctx context.Context, fn func(ids []string) error) error {
	for {
		if err := chunks(g.read, fn); err != nil {
			return err
		}
		g.read = nil
		if err := g.next(ctx); err != nil || len(g.read) == 0 {
			return err
		}
	}
}

// eachGranted calls fn with the users to whom sources give something, in order of id.
func (t tenant) eachGranted(ctx context.Context, fn func(ids []string) error, sources ...host.Source) error {
	return (&granted{t: t, sources: sources}).each(ctx, fn)
}

// eachOfGone calls fn with the members of a group that is being deleted, and with the users to
// whom it gives something, in order of id.
func (t tenant) eachOfGone(ctx context.Context, group string, fn func(ids []string) error) error {
	g := &granted{t: t, sources: []host.Source{host.GroupSource(group)}}
	err := t.dir.UsersBelow(ctx, []string{group}, func(users []string) error {
		others, err := g.upTo(ctx, users[len(users)-1])
		if err != nil {
			return err
		}
		all := slices.Concat(users, others)
		slices.Sort(all)
		return chunks(slices.Compact(all), fn)
	})
	if err != nil {
		return err
	}
	return g.each(ctx, fn)
}
