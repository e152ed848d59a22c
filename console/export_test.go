package console

import "context"

// Quote and CurlOf are for tests with a shell.
var (
	Quote  = quote
	CurlOf = curlOf
)

// Look is one look of Watch at a tenant, by a process of its own.
func (c *Console) Look(ctx context.Context, w Watching, tenant string) error {
	return c.newWatcher(w).look(ctx, tenant)
}
