package owntables

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
)

// kept is a resource that a transaction may have locked. A request often reads one under a lock, and
// then changes it. Nobody else can change it in between, so it is not read again.
type kept struct {
	prefix, tenant string
	ref            scim.Ref
}

// keptRow is what is kept. A row that is to be deleted has a stronger lock: nobody can refer to it.
type keptRow struct {
	resource *scim.Resource
	toDelete bool
}

func keptOf(db *database.DB, ref scim.Ref) kept { return kept{db.Prefix, db.Tenant, ref} }

// in returns the row. Its resource is nil if the transaction has not locked it, or keeps nothing.
func (k kept) in(j *database.Transaction) (row keptRow) {
	if m := j.Kept(); m != nil {
		v, _ := m.Load(k)
		row, _ = v.(keptRow)
	}
	return row
}

// put keeps a row.
func (k kept) put(j *database.Transaction, row keptRow) {
	if m := j.Kept(); m != nil {
		m.Store(k, row)
	}
}

// forget keeps nothing any more.
func (k kept) forget(j *database.Transaction) { k.put(j, keptRow{}) }

// IsLocked reports whether the transaction has locked a resource without a Table. If it says no, the
// transaction may have done so too.
func IsLocked(ctx context.Context, db *database.DB, ref scim.Ref) bool {
	return keptOf(db, ref).in(db.Transaction(ctx)).resource != nil
}

// fetchLocked reads a resource and locks it, unless the transaction has done so before.
func fetchLocked(ctx context.Context, s *Resources, ref scim.Ref, toDelete bool) (*scim.Resource, error) {
	j, k, lock := s.db.Transaction(ctx), keptOf(s.db, ref), "{lock  FOR NO KEY UPDATE}"
	if toDelete {
		lock = "{lock  FOR UPDATE}"
	}
	if row := k.in(j); row.resource != nil && (row.toDelete || !toDelete) {
		return row.resource, ctx.Err()
	}
	if !toDelete {
		if r, ok, err := fetchNext(ctx, s, ref); ok {
			k.put(j, keptRow{r, false})
			return r, err
		}
	}
	r, err := s.Fetch(ctx, ref, lock)
	k.put(j, keptRow{r, toDelete})
	return r, err
}
