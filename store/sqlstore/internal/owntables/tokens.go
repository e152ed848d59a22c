package owntables

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// Tokens are the tokens of all tenants.
type Tokens struct{ db *database.DB }

// NewTokens returns the tokens in db, whose tenant does not matter.
func NewTokens(db *database.DB) *Tokens { return &Tokens{db} }

// TokensQuery lists the tokens of the tenant $1, in reverse order of an index.
const TokensQuery = "SELECT " + tokenColumns + " FROM {p}tokens AS t WHERE t.tenant = $1 ORDER BY t.created DESC, t.id DESC"

// TokenByHashQuery finds a token of any tenant.
const TokenByHashQuery = "SELECT " + tokenColumns + " FROM {p}tokens AS t WHERE t.hash = $1"

const tokenColumns = "t.hash, t.id, t.tenant, t.client, t.label, t.maker, t.prefix, t.last4, t.scopes, t.created, t.expires, t.revoked, t.last_used, t.successor"

// of returns the database as a tenant uses it: $1 is the tenant in every statement.
func (s *Tokens) of(tenant string) *database.DB {
	db := *s.db
	db.Tenant = tenant
	return &db
}

// Insert implements tokens.Store.
func (s *Tokens) Insert(ctx context.Context, t tokens.Token) error {
	err := s.db.Write(ctx, func(ctx context.Context) error { return insertToken(ctx, s.of(t.Tenant), &t) })
	if err != nil {
		return fmt.Errorf("sqlstore: token %s: %w", t.ID, err)
	}
	return nil
}

// insertToken inserts a token of the tenant of db.
func insertToken(ctx context.Context, db *database.DB, t *tokens.Token) error {
	var scopes any
	if t.Scopes != nil {
		scopes = dialect.List(t.Scopes)
	}
	_, err := db.Exec(ctx, "INSERT INTO {p}tokens (tenant, hash, id, client, label, maker, prefix, last4, scopes, created, expires, revoked, last_used, successor)"+
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)", hex.EncodeToString(t.Hash[:]), t.ID, t.Client, t.Label, t.Maker, t.Prefix, t.Last4, scopes,
		dialect.Micros(t.Created), dialect.Micros(t.Expires), dialect.Micros(t.Revoked), dialect.Micros(t.LastUsed), t.Successor)
	return err
}

// scanToken reads a row with tokenColumns.
func scanToken(scan func(...any) error) (t tokens.Token, err error) {
	var hash string
	var scopes sql.NullString
	var created, expires, revoked, used int64
	if err := scan(&hash, &t.ID, &t.Tenant, &t.Client, &t.Label, &t.Maker, &t.Prefix, &t.Last4, &scopes, &created, &expires, &revoked, &used, &t.Successor); err != nil {
		return t, err
	}
	if n, err := hex.Decode(t.Hash[:], []byte(hash)); n != len(t.Hash) || err != nil {
		return t, fmt.Errorf("sqlstore: token %s: its hash is not one", t.ID)
	}
	if scopes.Valid {
		if err := json.Unmarshal([]byte(scopes.String), &t.Scopes); err != nil || t.Scopes == nil {
			// Without this, a damaged row would give all scopes.
			return t, fmt.Errorf("sqlstore: token %s: its scopes are no JSON array of texts", t.ID)
		}
	}
	t.Created, t.Expires, t.Revoked, t.LastUsed = dialect.FromMicros(created), dialect.FromMicros(expires), dialect.FromMicros(revoked), dialect.FromMicros(used)
	return t, nil
}

// ByHash implements tokens.Store.
func (s *Tokens) ByHash(ctx context.Context, hash [sha256.Size]byte) (t tokens.Token, err error) {
	err = s.db.Read(ctx, func() error {
		t, err = scanToken(database.QueryRowOn(ctx, s.db, s.db.Conn(ctx), TokenByHashQuery, hex.EncodeToString(hash[:])).Scan)
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return tokens.Token{}, scim.ErrNotFound
	}
	if err != nil {
		return tokens.Token{}, fmt.Errorf("sqlstore: token by hash: %w", err)
	}
	return t, nil
}

// List implements tokens.Store.
func (s *Tokens) List(ctx context.Context, tenant string) ([]tokens.Token, error) {
	if len(dialect.Storable([]string{tenant})) == 0 {
		return nil, nil
	}
	all, err := database.ReadAll(ctx, s.of(tenant), 0, scanToken, TokensQuery)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: tokens: %w", err)
	}
	return all, nil
}

// EraseTenant erases the tokens of a tenant.
func (s *Tokens) EraseTenant(ctx context.Context, tenant string) error {
	if len(dialect.Storable([]string{tenant})) == 0 {
		return nil
	}
	db := s.of(tenant)
	err := db.Read(ctx, func() error { // Read retries, and a single statement needs no transaction.
		_, err := db.Exec(ctx, "DELETE FROM {p}tokens WHERE tenant = $1")
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: erase tokens: %w", err)
	}
	return nil
}

// Update implements tokens.Store. It locks the row of the token.
func (s *Tokens) Update(ctx context.Context, tenant, id string, fn func(t *tokens.Token) (*tokens.Token, error)) error {
	if len(dialect.Storable([]string{tenant, id})) < 2 {
		return scim.ErrNotFound
	}
	db := s.of(tenant)
	var refused error
	err := db.InTx(ctx, func(ctx context.Context) error {
		refused = nil
		var all []tokens.Token
		err := db.Each(ctx, func(scan func(...any) error) error {
			t, err := scanToken(scan)
			all = append(all, t)
			return err
		}, "SELECT "+tokenColumns+" FROM {p}tokens AS t WHERE t.tenant = $1 AND t.id = $2{lock  FOR UPDATE}", id)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			refused = scim.ErrNotFound
			return refused
		}
		t := &all[0]
		further, err := fn(t)
		if err != nil {
			refused = err
			return err
		}
		if _, err := db.Exec(ctx, "UPDATE {p}tokens SET expires = $3, revoked = $4, successor = $5 WHERE tenant = $1 AND id = $2",
			id, dialect.Micros(t.Expires), dialect.Micros(t.Revoked), t.Successor); err != nil || further == nil {
			return err
		}
		if further.Tenant != tenant {
			return errors.New("a token of another tenant")
		}
		return insertToken(ctx, db, further)
	})
	switch {
	case refused != nil:
		return refused
	case err != nil:
		return fmt.Errorf("sqlstore: token %s: %w", id, err)
	}
	return nil
}

// SetLastUsed implements tokens.Store.
func (s *Tokens) SetLastUsed(ctx context.Context, hash [sha256.Size]byte, at, since time.Time) error {
	err := s.db.Read(ctx, func() error { // Read retries, and a single statement needs no transaction.
		_, err := s.db.ExecOn(ctx, s.db.Conn(ctx), "UPDATE {p}tokens SET last_used = $2 WHERE hash = $1 AND last_used < $3",
			hex.EncodeToString(hash[:]), dialect.Micros(at), dialect.Micros(since))
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: last use of a token: %w", err)
	}
	return nil
}
