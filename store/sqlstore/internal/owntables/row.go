package owntables

import (
	"encoding/json"
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
	userName, externalID  any // in the form of indexed, or nil
	displayName           any
	emails                []string // keys, in the form of indexed
	created, lastModified int64
	// Of a type with a Table: what was seen of the application's row, else nil; and
	// whether a client has written it.
	seen    any
	claimed bool
}

// Resources are those of one tenant, in this package's tables.
type Resources struct {
	db          *database.DB
	Types       map[string]search.Type
	KeepDeleted bool // KeepDeleted labels the rows of deleted resources instead of erasing them.
}

// NewResources are the resources of a tenant. keep: the rows of deleted ones stay.
func NewResources(db *database.DB, types map[string]search.Type, keep bool) *Resources {
	return &Resources{db, types, keep}
}

// Row makes a row of r. The row's resource has r's times as they are stored.
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
	form, err := t.Form(w.Resource, raw)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(form)
	if err != nil {
		return nil, err
	}
	w.doc, w.search = string(raw), string(text)
	key := func(path string) any {
		if _, ok := search.Column(t.ResourceType, path); !ok {
			return nil
		}
		if k, ok := form[path].(string); ok {
			return search.IndexKey(k)
		}
		return nil
	}
	w.userName, w.externalID, w.displayName = key("userName"), key("externalId"), key("displayName")
	if name := r.String("userName"); name != "" && t.Name() == search.UserType {
		w.userName = search.IndexKey(scim.Fold(name)) // unique, even if it compares with its case
	}
	elements, _ := form["emails"].([]any)
	for _, e := range elements {
		m, _ := e.(map[string]any)
		if k, ok := m["value"].(string); ok {
			w.emails = append(w.emails, search.IndexKey(k))
		}
	}
	slices.Sort(w.emails)
	w.emails = slices.Compact(w.emails)
	return w, nil
}

// collection names the tenant's resources of a type, for lists.
func (s *Resources) collection(typ string) string { return typ + ":" + s.db.Tenant }

const Columns = "r.id, r.version, r.created, r.modified, r.doc"

// bind makes a resource of a row with columns.
func bind(t *scim.ResourceType, scan func(dest ...any) error) (*scim.Resource, error) {
	var m scim.Meta
	var created, modified int64
	var raw []byte
	if err := scan(&m.ID, &m.Version, &created, &modified, &raw); err != nil {
		return nil, err
	}
	m.Created, m.LastModified = dialect.FromMicros(created), dialect.FromMicros(modified)
	return t.Bind(m, raw, nil)
}
