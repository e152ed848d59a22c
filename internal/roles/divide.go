package roles

import (
	"cmp"
	"context"
	"errors"
)

// mostRoles is how many roles the users of a batch have at most about, counted once for each
// source that gives them. Each takes a kilobyte while the batch is planned. Usually 1,000 users
// have fewer: groups above their groups can give each of them hundreds.
const mostRoles = 50_000

// errLarge is the error of a batch of several users who have too many roles. Nothing of the
// batch is done yet.
var errLarge = errors.New("scim: the users of a batch have too many roles")

// checkSize returns errLarge if users have too many roles for a batch. One user never has.
func checkSize(users, roles int) error {
	if users > 1 && roles > mostRoles {
		return errLarge
	}
	return nil
}

// divide calls fn with the ids in order: with all of them, or with fewer at a time if fn returns
// errLarge.
func (w *Work) divide(ids []string, fn func(ids []string) error) error {
	for len(ids) > 0 {
		part := ids[:min(len(ids), cmp.Or(w.needs.batch, len(ids)))]
		err := fn(part)
		switch {
		case errors.Is(err, errLarge):
			w.needs.batch = len(part) / 2
			continue
		case err != nil:
			return err
		}
		ids = ids[len(part):]
	}
	return nil
}

// eachPart is eachBatch for a function that can return errLarge.
func (w *Work) eachPart(ctx context.Context, r run, fn func(ids []string) error) error {
	return w.t.eachBatch(ctx, r, func(ids []string) error { return w.divide(ids, fn) })
}
