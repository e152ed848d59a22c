package owntables

import (
	"context"
	"fmt"

	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Memos implements journal.MemoStore.
func (s *Journal) Memos(ctx context.Context, tenant string) ([]journal.SealedMemo, error) {
	if len(dialect.Storable([]string{tenant})) == 0 {
		return nil, nil
	}
	all, err := database.ReadAll(ctx, s.of(tenant), 0, func(scan func(...any) error) (m journal.SealedMemo, err error) {
		return m, scan(&m.ID, &m.Version, &m.Value)
	}, "SELECT m.id, m.version, m.value FROM {p}entry_memos AS m WHERE m.tenant = $1")
	if err != nil {
		return nil, fmt.Errorf("sqlstore: memos: %w", err)
	}
	return all, nil
}

// SwapMemo implements journal.MemoStore. One statement decides.
func (s *Journal) SwapMemo(ctx context.Context, tenant string, m journal.SealedMemo) (done bool, err error) {
	if len(dialect.Storable([]string{tenant, m.ID})) < 2 || m.Version == 0 && len(m.Value) == 0 {
		return false, nil
	}
	db := s.of(tenant)
	err = db.InTxAlone(ctx, func(ctx context.Context) error {
		var n int64
		var err error
		switch {
		case m.Version == 0 && db.Dialect == dialect.MariaDB:
			n, err = db.Count(ctx, "INSERT IGNORE INTO {p}entry_memos (tenant, id, version, value) VALUES ($1, $2, 1, $3)", m.ID, m.Value)
		case m.Version == 0:
			n, err = db.Count(ctx, "INSERT INTO {p}entry_memos (tenant, id, version, value) VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING", m.ID, m.Value)
		case len(m.Value) == 0:
			n, err = db.Count(ctx, "DELETE FROM {p}entry_memos WHERE tenant = $1 AND id = $2 AND version = $3", m.ID, m.Version)
		default:
			n, err = db.Count(ctx, "UPDATE {p}entry_memos SET version = version + 1, value = $4 WHERE tenant = $1 AND id = $2 AND version = $3", m.ID, m.Version, m.Value)
		}
		done = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("sqlstore: memo: %w", err)
	}
	return done, nil
}
