package roles

import (
	"context"
	"errors"
)

// mostRoles is how many roles the users of a batch have at most about, counted once for each
// source that gives them. Each takes a kilobyte while the batch is planned. Usually 1,000 users
// have fewer: groups above their groups can give each of them hundreds.
const mostRoles = 50_000

// tooLarge is the error of a batch of several users who have too many roles. Nothing of the
// batch is done yet.
type tooLarge struct{ fits int } // fits is how many users fit into a batch about.

func (tooLarge) Error() string { return "scim: the users of a batch have too many roles" }

// checkSize returns tooLarge if the first n of some users have too many roles for a batch. One
// user never has.
func checkSize(users, n, roles int) error {
	if users > 1 && roles > mostRoles {
		return tooLarge{max(1, min(users-1, n*mostRoles/roles))}
	}
	return nil
}

// divide calls fn with the ids in order: with all of them, or with fewer at a time if fn returns
// tooLarge.
func divide(ids []string, fn func(ids []string) error) error {
	for size := len(ids); len(ids) > 0; {
		part := ids[:min(size, len(ids))]
		err := fn(part)
		if large := (tooLarge{}); errors.As(err, &large) {
			size = large.fits
			continue
		}
		if err != nil {
			return err
		}
		ids = ids[len(part):]
	}
	return nil
}

// eachPart is eachBatch for a function that can return tooLarge.
func eachPart(ctx context.Context, t tenant, r run, fn func(ids []string) error) error {
	return t.eachBatch(ctx, r, func(ids []string) error { return divide(ids, fn) })
}
