package owntables

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// linkedRole is a role in the column roles of {p}links. Its names stay as they are.
type linkedRole struct {
	Scope     string `json:"scope,omitempty"`
	ID        string `json:"id"`
	Name      string `json:"name,omitempty"`
	Weight    int    `json:"weight,omitempty"`
	Protected bool   `json:"protected,omitempty"`
	Confirmed bool   `json:"confirmed,omitempty"`
	Declined  bool   `json:"declined,omitempty"`
	Newer     bool   `json:"newer,omitempty"`
}

// linkColumns are the columns, of k, that scanLink reads.
const linkColumns = "k.source, k.name, k.at, k.roles"

func scanLink(scan func(...any) error) (k scim.Link, err error) {
	var at int64
	var text string
	if err := scan(&k.Source, &k.Name, &at, &text); err != nil {
		return k, err
	}
	return linkOf(k.Source, k.Name, at, text)
}

// linkOf returns the link of a row.
func linkOf(source scim.Source, name string, at int64, text string) (scim.Link, error) {
	k := scim.Link{Source: source, Name: name}
	if at != 0 { // 0: the link is from before times were kept
		k.At = dialect.FromMicros(at)
	}
	var roles []linkedRole
	if err := json.Unmarshal([]byte(text), &roles); err != nil {
		return k, fmt.Errorf("link of %q: %w", k.Source, err)
	}
	for _, r := range roles {
		k.Roles = append(k.Roles, scim.LinkedRole{Role: scim.Role{ID: r.ID, Name: r.Name, Scope: r.Scope, Weight: r.Weight, Protected: r.Protected},
			Confirmed: r.Confirmed, Declined: r.Declined, Newer: r.Newer})
	}
	return k, nil
}

// Links implements scim.Ledger.
func (l *Ledger) Links(ctx context.Context, sources []scim.Source) ([]scim.Link, error) {
	keys := make([]string, len(sources))
	for i, s := range sources {
		keys[i] = string(s)
	}
	ids := dialect.Distinct(keys)
	if len(ids) == 0 {
		return nil, ctx.Err()
	}
	if all, _, ok := take(ctx, l.db, lookLinks, ids, func(k scim.Link) string { return string(k.Source) }); ok {
		return all, ctx.Err()
	}
	all, err := database.ReadAll(ctx, l.db, len(ids), scanLink, "SELECT "+linkColumns+
		l.db.Dialect.Each(l.db.Dialect.Texts("$2"), "links", "k", "k.tenant = $1 AND k.source = w.value", ""), dialect.List(ids))
	if err != nil {
		return nil, fmt.Errorf("sqlstore: links of %d sources: %w", len(ids), err)
	}
	return all, nil
}

// SetLink implements scim.Ledger.
func (l *Ledger) SetLink(ctx context.Context, k scim.Link) error {
	roles := make([]linkedRole, len(k.Roles))
	for i, r := range k.Roles {
		roles[i] = linkedRole{r.Role.Scope, r.Role.ID, r.Role.Name, r.Role.Weight, r.Role.Protected, r.Confirmed, r.Declined, r.Newer}
	}
	text, err := json.Marshal(roles)
	if err != nil {
		return fmt.Errorf("sqlstore: link of %q: %w", k.Source, err)
	}
	err = l.db.Write(ctx, func(ctx context.Context) error {
		if len(roles) == 0 {
			_, err := l.db.Exec(ctx, "DELETE FROM {p}links WHERE tenant = $1 AND source = $2", k.Source)
			return err
		}
		_, err := l.db.Exec(ctx, `INSERT INTO {p}links (tenant, source, name, at, roles) VALUES ($1, $2, $3, $4, $5)`+
			l.db.Dialect.Upsert("tenant, source", "name", "at", "roles"),
			k.Source, k.Name, max(0, dialect.Micros(k.At)), string(text))
		return err
	})
	if err != nil {
		return fmt.Errorf("sqlstore: link of %q: %w", k.Source, err)
	}
	return nil
}
