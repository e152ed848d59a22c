package owntables

import (
	"fmt"
	"slices"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/database"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Row is a resource as it is stored.
type Row struct {
	Resource              *scim.Resource
	doc, search           string
	userName, externalID  any      // They are in the form of search.IndexKey, or nil.
	displayName           any      // It is so too.
	display               string   // display is what encodeDisplay returns.
	emails                []string // emails are keys in the form of search.IndexKey.
	created, lastModified int64
	seen                  any    // seen is nil, or the JSON of what was read of the application's row.
	claimed               bool   // claimed says that a client has claimed the application's row.
	client                string // client is the client that writes the row, empty if no client does.
}

// Resources are the resources of one tenant, in this package's tables.
type Resources struct {
	db          *database.DB
	Types       map[string]search.Type
	KeepDeleted bool    // KeepDeleted labels the rows of deleted resources instead of erasing them.
	UniqueIDs   bool    // UniqueIDs refuses a user with the id of a group, and the reverse.
	Ledger      *Ledger // Ledger is the one whose Looks is set, if there is one.
	places      places
}

// NewResources returns the resources of a tenant. types are by name.
func NewResources(db *database.DB, types map[string]search.Type, keep bool) *Resources {
	return &Resources{db: db, Types: types, KeepDeleted: keep}
}

// Row returns the row of r. Its Resource has the times of r as they are stored.
func (s *Resources) Row(r *scim.Resource) (*Row, error) {
	t, ok := s.Types[r.Type().Name()]
	if !ok {
		return nil, fmt.Errorf("sqlstore: type %s is not among Options.Types", r.Type().Name())
	}
	m := r.Meta()
	w := &Row{created: dialect.Micros(m.Created), lastModified: dialect.Micros(m.LastModified)}
	m.Created, m.LastModified = dialect.FromMicros(w.created), dialect.FromMicros(w.lastModified)
	w.Resource = r.WithMeta(m)
	raw, err := w.Resource.MarshalJSON()
	if err != nil {
		return nil, err
	}
	w.doc = string(raw)
	form, err := t.Form(w.Resource, w.doc)
	if err != nil {
		return nil, err
	}
	w.display = encodeDisplay(r)
	key := func(path string) any {
		if _, ok := search.Column(t.ResourceType, path); !ok {
			return nil
		}
		if k, ok := form.Text(path); ok {
			return search.IndexKey(k)
		}
		return nil
	}
	w.userName, w.externalID, w.displayName = key("userName"), key("externalId"), key("displayName")
	if name := r.String("userName"); name != "" && t.Name() == search.UserType {
		w.userName = search.IndexKey(scim.Fold(name)) // It is unique whether or not it compares case-exactly.
	}
	for _, k := range form.Texts("emails", "value") {
		w.emails = append(w.emails, search.IndexKey(k))
	}
	slices.Sort(w.emails)
	w.emails = slices.Compact(w.emails)
	w.search = search.Encode(form)
	return w, nil
}

// collection returns the name of the tenant's resources of a type. Lists use it.
func (s *Resources) collection(typ string) string { return typ + ":" + s.db.Tenant }

// Columns are those that a resource is read from.
const Columns = "r.id, r.version, r.created, r.modified, r.doc"

// withoutDoc are Columns of a resource without attributes.
const withoutDoc = "r.id, r.version, r.created, r.modified, NULL"

// bind returns the resource of a row with Columns.
func bind(t *scim.ResourceType, scan func(dest ...any) error) (*scim.Resource, error) {
	r, _, err := bindSize(t, scan)
	return r, err
}

// bindSize is bind. It also returns the length of the document.
func bindSize(t *scim.ResourceType, scan func(dest ...any) error) (r *scim.Resource, size int, err error) {
	var m scim.Meta
	var created, modified int64
	var raw []byte
	if err := scan(&m.ID, &m.Version, &created, &modified, &raw); err != nil {
		return nil, 0, err
	}
	m.Created, m.LastModified = dialect.FromMicros(created), dialect.FromMicros(modified)
	r, err = t.Bind(m, raw, nil)
	return r, len(raw), err
}
