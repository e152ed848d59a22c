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

func keptOf(db *database.DB, ref scim.Ref) kept { return kept{db.Prefix, db.Tenant, ref} }

// in returns the resource, or nil if the transaction has not locked it, or keeps nothing.
func (k kept) in(j *database.Transaction) *scim.Resource {
	if m := j.Kept(); m != nil {
		r, _ := m.Load(k)
		out, _ := r.(*scim.Resource)
		return out
	}
	return nil
}

// put keeps r, or nothing if r is nil.
func (k kept) put(j *database.Transaction, r *scim.Resource) {
	if m := j.Kept(); m != nil {
		m.Store(k, r)
	}
}

// IsLocked reports whether the transaction has locked a resource without a Table. If it says no, the
// transaction may have done so too.
func IsLocked(ctx context.Context, db *database.DB, ref scim.Ref) bool {
	return keptOf(db, ref).in(db.Transaction(ctx)) != nil
}

// fetchLocked reads a resource and locks it, unless the transaction has done so before.
func fetchLocked(ctx context.Context, s *Resources, ref scim.Ref, lock string) (*scim.Resource, error) {
	j, k := s.db.Transaction(ctx), keptOf(s.db, ref)
	if r := k.in(j); r != nil {
		return r, ctx.Err()
	}
	r, err := s.Fetch(ctx, ref, lock)
	k.put(j, r)
	return r, err
}
