package owntables

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Projections are the resources of types that have a Table, as this package's tables hold
// them. The application's row is the truth, and a projection is what clients see of it.
type Projections struct {
	db        *database.DB
	resources *Resources
}

// Projections returns the projections among the resources.
func (s *Resources) Projections() *Projections { return &Projections{s.db, s} }

// InsertAll inserts the rows of new projections.
func (s *Projections) InsertAll(ctx context.Context, all []*Row) error {
	for len(all) > 0 {
		n := len(all)
		if s.db.Dialect != dialect.SQLite {
			n = inOnePacket(all)
		}
		if err := s.insertSome(ctx, all[:n]); err != nil {
			return err
		}
		all = all[n:]
	}
	return nil
}

// maxPacket is about how many bytes the rows of a statement have at most. MariaDB takes 16 MB
// (max_allowed_packet), and the escapes of JSON take room, too.
const maxPacket = 2 << 20

// inOnePacket returns how many of the rows fit into a statement, at least one.
func inOnePacket(all []*Row) int {
	size := 0
	for i, w := range all {
		seen, _ := w.seen.(string)
		if size += len(w.doc) + len(w.search) + len(seen); size > maxPacket && i > 0 {
			return i
		}
	}
	return len(all)
}

// insertSome inserts the rows of new projections.
func (s *Projections) insertSome(ctx context.Context, all []*Row) error {
	rows := make([][]any, len(all))
	var emails [][]any
	for i, w := range all {
		ref := w.Resource.Ref()
		for _, e := range w.emails {
			emails = append(emails, []any{s.db.Tenant, search.EmailPath, ref.Type, ref.ID, e})
		}
		rows[i] = []any{s.db.Tenant, ref.Type, ref.ID, int64(0), s.resources.collection(ref.Type), w.created, w.lastModified, w.Resource.Meta().Version,
			w.userName, w.externalID, w.displayName, w.doc, w.search, w.seen, dialect.Bit(w.claimed), w.display, w.client}
	}
	if err := database.InsertRows(ctx, s.db, database.Columns{Into: intoResources, Kinds: kindsOfResources}, rows); err != nil {
		return err
	}
	return database.InsertRows(ctx, s.db, database.Columns{Into: "{p}lookups (tenant, path, type, id, value)", Kinds: make([]database.Kind, 5)}, emails)
}

// intoResources are the columns that a new projection fills, and kindsOfResources their kinds.
const intoResources = `{p}resources (tenant, type, id, deleted, collection, created, modified, version,
	user_name, external_id, display_name, doc, search, seen, claimed, display, client)`

var kindsOfResources = []database.Kind{database.Text, database.Text, database.Text, database.Number, database.Text, database.Number, database.Number, database.Text,
	database.Text, database.Text, database.Text, database.Document, database.JSON, database.Document, database.Number, database.Text, database.Text}

// Insert inserts the projection of a resource that a client has just created.
func (s *Projections) Insert(ctx context.Context, r *scim.Resource, seen map[string]json.RawMessage) error {
	w, err := s.Row(r, seen, true)
	if err != nil {
		return err
	}
	w.client = clientOf(ctx)
	return s.InsertAll(ctx, []*Row{w})
}

// Written is a projection that has changed.
type Written struct {
	Before, After *scim.Resource
	Seen          map[string]json.RawMessage
	Claimed       bool
	ByClient      bool // ByClient says that a client has changed it, and not the application.
}

// Update replaces a projection.
func (s *Projections) Update(ctx context.Context, u Written) error {
	before, after, seen, claimed := u.Before, u.After, u.Seen, u.Claimed
	old, err := s.resources.Row(before)
	if err != nil {
		return err
	}
	w, err := s.Row(after, seen, claimed)
	if err != nil {
		return err
	}
	if u.ByClient {
		w.client = clientOf(ctx)
	}
	if err := s.resources.updateRow(ctx, w, ""); err != nil {
		return err
	}
	return s.resources.putEmails(ctx, after.Ref(), old.emails, w.emails)
}

// Row returns the row of a projection.
func (s *Projections) Row(r *scim.Resource, seen map[string]json.RawMessage, claimed bool) (*Row, error) {
	w, err := s.resources.Row(r)
	if err != nil {
		return nil, err
	}
	w.seen, w.claimed = encodeSeen(seen), claimed
	return w, nil
}

// NewRow returns the row of a new projection that no client has claimed. seen is the JSON of what was seen of
// the application's row.
func (s *Projections) NewRow(r *scim.Resource, seen []byte) (*Row, error) {
	w, err := s.resources.Row(r)
	if err != nil {
		return nil, err
	}
	w.seen = string(seen)
	return w, nil
}

// encodeSeen returns what package encoding/json makes of what was seen, whose cells it has encoded.
func encodeSeen(seen map[string]json.RawMessage) string {
	if seen == nil {
		return "null"
	}
	size, keys := 2, make([]string, 0, len(seen))
	for key, cell := range seen {
		size, keys = size+len(key)+len(cell)+8, append(keys, key)
	}
	slices.Sort(keys)
	text := append(make([]byte, 0, size), '{')
	for i, key := range keys {
		if i > 0 {
			text = append(text, ',')
		}
		cell := seen[key]
		if cell == nil {
			cell = json.RawMessage("null")
		}
		text = append(append(dialect.AppendText(text, key), ':'), cell...)
	}
	return string(append(text, '}'))
}

// Projection is a resource of a type that has a Table.
type Projection struct {
	Resource *scim.Resource
	Seen     map[string]json.RawMessage // Seen is what was read of the application's row, by mapping.SeenKey.
	Claimed  bool                       // Claimed says that a client has claimed the row: see scim.Claimer.
}

// Lock reads projections and locks them in order of id.
func (s *Projections) Lock(ctx context.Context, t *scim.ResourceType, ids []string, lock string) (map[string]*Projection, error) {
	all := make(map[string]*Projection, len(ids))
	err := s.db.Each(ctx, func(scan func(...any) error) (err error) {
		p := &Projection{}
		var seen []byte
		p.Resource, err = bind(t, func(dest ...any) error { return scan(append(dest, &seen, &p.Claimed)...) })
		if err == nil && seen != nil { // Otherwise it is older than the Table of its type.
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

// isLive is the condition of the index by which userNames of projections are found.
const isLive = "r.deleted = 0 AND r.seen IS NOT NULL"

// HasUserName reports whether a projection other than id has a userName, given as a key.
func (s *Projections) HasUserName(ctx context.Context, typ, key, id string) (bool, error) {
	return s.db.HasAny(ctx,
		"SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.user_name = $3 AND r.id <> $4 AND "+isLive+" LIMIT 1", typ, key, id)
}

// EachNamesakeElsewhere calls add for other tenants' projections that have a userName, given as a
// key.
func (s *Projections) EachNamesakeElsewhere(ctx context.Context, typ, key string, add func(tenant, id string)) error {
	return s.db.Each(ctx, func(scan func(...any) error) error {
		var tenant, id string
		err := scan(&tenant, &id)
		add(tenant, id)
		return err
	}, "SELECT r.tenant, r.id FROM {p}resources r WHERE r.tenant <> $1 AND r.type = $2 AND r.user_name = $3 AND "+isLive+" LIMIT "+strconv.Itoa(dialect.MaxArguments), typ, key)
}

// Namesakes returns the ids of projections in SQLite that have a name, given as a key, but for some. The
// name is the userName, or the displayName of types that have none. It returns a thousand at most.
func (s *Projections) Namesakes(ctx context.Context, typ string, keys, without []string) (ids []string, err error) {
	if len(keys) == 0 {
		return nil, nil
	}
	column := "display_name"
	if typ == search.UserType {
		column = "user_name"
	}
	err = s.db.Each(ctx, database.Texts(&ids), "SELECT DISTINCT r.id"+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "resources", "r",
		"r.tenant = $1 AND r.type = $2 AND r."+column+" = w.value AND "+isLive, "")+" AND r.id NOT IN (SELECT e.value FROM json_each($4) AS e) LIMIT 1000",
		typ, dialect.List(keys), dialect.List(without))
	return ids, err
}

// HasClaimedUserName reports whether a projection that a client has claimed has a
// userName, given as a key.
func (s *Projections) HasClaimedUserName(ctx context.Context, typ, key string) (bool, error) {
	return s.db.HasAny(ctx,
		"SELECT 1 FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND r.user_name = $3 AND r.claimed <> 0 AND "+isLive+" LIMIT 1", typ, key)
}

// nameColumns are the columns of the attributes by which rows are adopted. Each stands in
// the way that its index needs: see Writer.columnEquals of package search.
var nameColumns = map[string]string{
	"userName":    "r.seen IS NOT NULL AND r.user_name",
	"displayName": "r.display_name",
}

// Former is a resource that can be adopted.
type Former struct {
	Resource *scim.Resource
	Deleted  int64  // Deleted is when a client deleted it, 0 if nobody has.
	Seen     []byte // Seen is the JSON of the row as it was left then.
}

// Named is a projection that has the name that was asked for.
type Named struct {
	Former
	IsClaimed bool // IsClaimed says that a client has claimed it.
}

// FindNamed returns the projections that have a name: at most a hundred, which are enough to
// say that the name is ambiguous. path is userName or displayName, and key the key of the name.
func (s *Projections) FindNamed(ctx context.Context, t *scim.ResourceType, path, key string) (all []Named, err error) {
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		var n Named
		var claimed int
		r, err := bind(t, func(dest ...any) error { return scan(append(dest, &claimed)...) })
		n.Resource, n.IsClaimed = r, claimed != 0
		all = append(all, n)
		return err
	}, "SELECT "+Columns+", r.claimed FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND "+nameColumns[path]+" = $3 AND r.deleted = 0"+
		" ORDER BY r.created, r.id LIMIT 100", t.Name(), key)
	return all, err
}

// SameNames returns the ids of two projections that have one userName, or nil. It reads the rows
// of the tenant, and not the index of names, which has those of all tenants.
func (s *Projections) SameNames(ctx context.Context, typ string) (ids []string, err error) {
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		ids = make([]string, 2)
		return scan(&ids[0], &ids[1])
	}, "SELECT min(r.id), max(r.id) FROM {p}resources r WHERE r.tenant = $1 AND r.collection = $2 AND r.deleted = 0"+
		" GROUP BY r.user_name HAVING count(r.user_name) > 1 LIMIT 1", s.resources.collection(typ))
	return ids, err
}

// FindDeleted returns the resource that had a name and was deleted last, or nil. It leaves
// out a resource that the application has restored since, even under another name, and
// even if a client has deleted it again.
func (s *Projections) FindDeleted(ctx context.Context, t *scim.ResourceType, path, key string) (f *Former, err error) {
	err = s.db.Each(ctx, func(scan func(...any) error) (err error) {
		f = &Former{}
		f.Resource, err = bind(t, func(dest ...any) error { return scan(append(dest, &f.Deleted, &f.Seen)...) })
		return err
	}, "SELECT "+Columns+", r.deleted, r.seen FROM {p}resources r WHERE r.tenant = $1 AND r.type = $2 AND "+nameColumns[path]+" = $3 AND r.deleted <> 0"+
		" AND NOT EXISTS (SELECT 1 FROM {p}resources o WHERE o.tenant = r.tenant AND o.type = r.type AND o.id = r.id AND (o.deleted = 0 OR o.deleted > r.deleted))"+
		" ORDER BY r.deleted DESC LIMIT 1", t.Name(), key)
	return f, err
}

// Known returns those of the ids that projections have.
func (s *Projections) Known(ctx context.Context, typ string, ids []string) (known []string, err error) {
	err = s.db.Read(ctx, func() error {
		known = nil
		return s.db.Each(ctx, database.Texts(&known), "SELECT r.id"+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "resources", "r",
			"r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.seen IS NOT NULL AND r.id = w.value", ""), typ, dialect.List(dialect.Distinct(ids)))
	})
	return known, err
}

// Present returns those of the ids that projections have, and those of them that are older than
// the Table of their type.
func (s *Projections) Present(ctx context.Context, typ string, ids []string) (all, old []string, err error) {
	err = s.db.Each(ctx, func(scan func(...any) error) error {
		var id string
		isOld := false
		err := scan(&id, &isOld)
		if all = append(all, id); isOld {
			old = append(old, id)
		}
		return err
	}, "SELECT r.id, CASE WHEN r.seen IS NULL THEN 1 ELSE 0 END"+s.db.Dialect.Each(s.db.Dialect.Texts("$3"), "resources", "r",
		"r.tenant = $1 AND r.type = $2 AND r.deleted = 0 AND r.id = w.value", ""), typ, dialect.List(dialect.Distinct(ids)))
	return all, old, err
}

// HasAny reports whether there is a resource of a type.
func (s *Projections) HasAny(ctx context.Context, typ string) (bool, error) {
	return s.db.HasAny(ctx, "SELECT 1 FROM {p}resources WHERE tenant = $1 AND collection = $2 AND deleted = 0 LIMIT 1", s.resources.collection(typ))
}

// Analyze tells PostgreSQL how large the tables have become. It keeps plans for small tables
// until somebody does. It leaves out columns that no index has, whose documents would take longest.
func (s *Projections) Analyze(ctx context.Context) error {
	if s.db.Dialect != dialect.Postgres {
		return nil
	}
	_, err := s.db.Pool.ExecContext(ctx, s.db.Statement("ANALYZE {p}resources (tenant, type, id, collection, deleted, created, id_length, user_name, external_id, display_name, claimed), {p}lookups, {p}members, {p}stale"))
	return err
}

// IsClaimed reports whether a client has claimed a projection.
func (s *Projections) IsClaimed(ctx context.Context, ref scim.Ref) (yes bool, err error) {
	err = s.db.Read(ctx, func() (err error) {
		yes, err = s.db.HasAny(ctx,
			"SELECT 1 FROM {p}resources WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0 AND claimed <> 0", ref.Type, ref.ID)
		return err
	})
	return yes, err
}

// Claim marks a projection as claimed by a client. It returns scim.ErrNotFound if there is
// none.
func (s *Projections) Claim(ctx context.Context, ref scim.Ref) error {
	n, err := s.db.Count(ctx, "UPDATE {p}resources SET claimed = 1, client = $4 WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = 0", ref.Type, ref.ID, clientOf(ctx))
	if err != nil || n > 0 {
		return err
	}
	if s.db.Dialect == dialect.MariaDB { // It may not count a row that stays as it is.
		if there, err := s.IsClaimed(ctx, ref); err != nil || there {
			return err
		}
	}
	return scim.ErrNotFound
}

// SetSeenOfDeleted stores how the row of a resource was left when the resource was deleted.
func (s *Projections) SetSeenOfDeleted(ctx context.Context, ref scim.Ref, seen map[string]json.RawMessage) error {
	_, err := s.db.Exec(ctx, `UPDATE {p}resources SET seen = $4 WHERE tenant = $1 AND type = $2 AND id = $3
		AND deleted = (SELECT max(o.deleted) FROM {p}resources o WHERE o.tenant = $1 AND o.type = $2 AND o.id = $3)`, ref.Type, ref.ID, encodeSeen(seen))
	return err
}

// Restore undoes the deletion of a resource. Nothing of its row counts as seen, so that
// the row's columns win: Retire may have set them.
func (s *Projections) Restore(ctx context.Context, f *Former) error {
	ref := f.Resource.Ref()
	if _, err := s.db.Exec(ctx, "UPDATE {p}resources SET deleted = 0, seen = '{}' WHERE tenant = $1 AND type = $2 AND id = $3 AND deleted = $4",
		ref.Type, ref.ID, f.Deleted); err != nil {
		return err
	}
	w, err := s.resources.Row(f.Resource)
	if err != nil {
		return err
	}
	return s.resources.putEmails(ctx, ref, nil, w.emails)
}
