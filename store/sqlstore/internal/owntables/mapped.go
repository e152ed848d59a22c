package owntables

import (
	"context"
	"encoding/json"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// InsertAll makes the rows of resources that are new.
func (s *Resources) InsertAll(ctx context.Context, all []*Row) error {
	if len(all) == 0 {
		return nil
	}
	var emails [][]any
	rows := dialect.Tuples(all, func(w *Row) []any {
		ref := w.Resource.Ref()
		for _, e := range w.Emails {
			emails = append(emails, []any{ref.Type, ref.ID, e})
		}
		return []any{ref.Type, ref.ID, s.collection(ref.Type), w.created, w.lastModified, w.Resource.Meta().Version,
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

// InsertClaimed makes the row of a resource that a client has just made.
func (s *Resources) InsertClaimed(ctx context.Context, r *scim.Resource, seen map[string]json.RawMessage) error {
	w, err := s.MappedRow(r, seen, true)
	if err != nil {
		return err
	}
	return s.InsertAll(ctx, []*Row{w})
}

func (s *Resources) UpdateMapped(ctx context.Context, before, after *scim.Resource, seen map[string]json.RawMessage, claimed bool) error {
	old, err := s.Row(before)
	if err != nil {
		return err
	}
	w, err := s.MappedRow(after, seen, claimed)
	if err != nil {
		return err
	}
	if err := s.updateRowOf(ctx, w); err != nil {
		return err
	}
	return s.PutEmails(ctx, after.Ref(), old.Emails, w.Emails)
}

func (s *Resources) MappedRow(r *scim.Resource, seen map[string]json.RawMessage, claimed bool) (*Row, error) {
	w, err := s.Row(r)
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

// Stored is a resource of a mapped type as {p}resources has it.
type Stored struct {
	Resource *scim.Resource
	Seen     map[string]json.RawMessage
	Claimed  bool
}

// Locked reads resources of a mapped type, locked in order of id.
func (s *Resources) Locked(ctx context.Context, t *scim.ResourceType, ids []string, lock string) (map[string]*Stored, error) {
	all := make(map[string]*Stored, len(ids))
	err := s.db.Each(ctx, func(scan func(...any) error) (err error) {
		p := &Stored{}
		var seen []byte
		p.Resource, err = s.Bind(t, func(dest ...any) error { return scan(append(dest, &seen, &p.Claimed)...) })
		if err == nil && seen != nil { // else it is from before its type had a Table
			err = json.Unmarshal(seen, &p.Seen)
		}
		if err != nil {
			return err
		}
		all[p.Resource.ID()] = p
		return nil
	}, "SELECT "+Columns+", r.seen, r.claimed"+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "resources", "r",
		"r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.id = w.value", lock), t.Name(), dialect.List(dialect.Distinct(ids)))
	return all, err
}
