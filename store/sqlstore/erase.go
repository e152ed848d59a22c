package sqlstore

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
)

// EraseTenant erases what the package keeps of the tenant's resources, at most about limit rows
// of each table. isLeft says that there may be more: call it again. Use it after
// scim.Reconciler.End, when SCIM has ended for the tenant, if the application no longer needs
// the resources.
//
// It erases users and groups in the package's own tables for good, also those that
// Options.KeepDeleted keeps. It changes nothing in the application's tables. It ends that
// triggers note their changes, and forgets what clients claimed and the attributes that no
// column has. It erases the tenant's row of Shares with the same Prefix. With Tables, every call for the tenant is an error from then on. To begin again
// call Migrate.
func (s *Store) EraseTenant(ctx context.Context, limit int) (isLeft bool, err error) {
	err = s.db.WriteAlone(ctx, func(ctx context.Context) error {
		isLeft = false
		if !s.app.IsEmpty() {
			var err error
			if isLeft, err = s.triggers.Leave(ctx, limit); err != nil {
				return err
			}
		}
		more, err := s.resources.EraseTenant(ctx, limit)
		isLeft = isLeft || more
		if err != nil {
			return err
		}
		_, hasShares, err := s.schema.Version(ctx, s.db.Conn(ctx), "shares")
		if err != nil || !hasShares {
			return err
		}
		return owntables.EraseShare(ctx, s.db)
	})
	if err != nil {
		return false, fmt.Errorf("sqlstore: erase tenant %q: %w", s.db.Tenant, err)
	}
	return isLeft, nil
}
