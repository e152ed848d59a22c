package console

import (
	"context"
	"maps"
	"slices"
)

// Quote and CurlOf are for tests with a shell.
var (
	Quote  = quote
	CurlOf = curlOf
)

// Look is one look of Watch at a tenant, by a process of its own.
func (c *Console) Look(ctx context.Context, w Watching, tenant string) error {
	return newWatcher(c, w).look(ctx, tenant)
}

// Acts returns the kind of each act of a viewer, by its path below those of a tenant.
func Acts() map[string]ActKind {
	all := map[string]ActKind{}
	for path, a := range acts() {
		all[path] = a.kind
	}
	return all
}

// Pages returns the paths of all pages, below those of a tenant.
func Pages() []string { return slices.Sorted(maps.Keys(pages())) }
