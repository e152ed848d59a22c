package sqlstore

import (
	"context"
	"encoding/json"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// insertRows makes the rows of resources that are new.
func (s *resources) insertRows(ctx context.Context, all []*row) error {
	if len(all) == 0 {
		return nil
	}
	var emails [][]any
	rows := dialect.Tuples(all, func(w *row) []any {
		ref := w.r.Ref()
		for _, e := range w.emails {
			emails = append(emails, []any{ref.Type, ref.ID, e})
		}
		return []any{ref.Type, ref.ID, s.collection(ref.Type), w.created, w.lastModified, w.r.Meta().Version,
			w.userName, w.externalID, w.displayName, w.doc, w.search, w.seen, dialect.Bit(w.claimed)}
	})
	_, err := s.db.Exec(ctx, `INSERT INTO {p}resources (tenant, deleted, type, id, collection, created, modified, version,
		user_name, external_id, display_name, doc, search, seen, claimed)
		SELECT $1, 0, e.value ->> 0, e.value ->> 1, e.value ->> 2, CAST(e.value ->> 3 AS bigint), CAST(e.value ->> 4 AS bigint), e.value ->> 5,
			e.value ->> 6, e.value ->> 7, e.value ->> 8, e.value ->> 9, `+s.db.Dialect.JSON("e.value ->> 10")+`, e.value ->> 11, CAST(e.value ->> 12 AS smallint)
		FROM {rows $2}`, rows)
	if err == nil && len(emails) > 0 {
		_, err = s.db.Exec(ctx, `INSERT INTO {p}lookups (tenant, path, type, id, value)
			SELECT $1, $2, e.value ->> 0, e.value ->> 1, e.value ->> 2 FROM {rows $3}`, search.EmailPath, dialect.List(emails))
	}
	return err
}

// insertClaimed makes the row of a resource that a client has just made.
func (s *resources) insertClaimed(ctx context.Context, r *scim.Resource, seen map[string]json.RawMessage) error {
	w, err := s.mappedRow(r, seen, true)
	if err != nil {
		return err
	}
	return s.insertRows(ctx, []*row{w})
}

func (s *resources) updateResource(ctx context.Context, before, after *scim.Resource, seen map[string]json.RawMessage, claimed bool) error {
	old, err := s.row(before)
	if err != nil {
		return err
	}
	w, err := s.mappedRow(after, seen, claimed)
	if err != nil {
		return err
	}
	if err := s.updateRowOf(ctx, w); err != nil {
		return err
	}
	return s.putEmails(ctx, after.Ref(), old.emails, w.emails)
}

func (s *resources) mappedRow(r *scim.Resource, seen map[string]json.RawMessage, claimed bool) (*row, error) {
	w, err := s.row(r)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(seen)
	if err != nil {
		return nil, err
	}
	w.seen, w.claimed = string(text), claimed
	return w, nil
}

// projected is a resource of a mapped type as {p}resources has it.
type projected struct {
	r       *scim.Resource
	seen    map[string]json.RawMessage
	claimed bool
}

// locked reads resources of a mapped type, locked in order of id.
func (s *resources) locked(ctx context.Context, t *scim.ResourceType, ids []string, lock string) (map[string]*projected, error) {
	all := make(map[string]*projected, len(ids))
	err := s.db.Each(ctx, func(scan func(...any) error) (err error) {
		p := &projected{}
		var seen []byte
		p.r, err = s.bind(t, func(dest ...any) error { return scan(append(dest, &seen, &p.claimed)...) })
		if err == nil && seen != nil { // else it is from before its type had a Table
			err = json.Unmarshal(seen, &p.seen)
		}
		if err != nil {
			return err
		}
		all[p.r.ID()] = p
		return nil
	}, "SELECT "+resourceColumns+", r.seen, r.claimed"+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "resources", "r",
		"r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.id = w.value", lock), t.Name(), dialect.List(dialect.Distinct(ids)))
	return all, err
}
