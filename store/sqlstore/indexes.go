package sqlstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// Index names an attribute by which people search and sort: see Options.Indexes.
type Index struct {
	// Attribute is a path, such as "name.familyName", "meta.lastModified" or "emails.value". All
	// types that have the attribute get the index. It answers sortBy. If the attribute has one
	// value it also answers eq, sw, gt, ge, lt and le. It keeps the first scim.SortLength
	// characters of a text.
	Attribute string
	// Contains says that another index answers co and ew of a text, and sw of a multi-valued
	// attribute. In PostgreSQL it has the trigrams of the texts. It needs the extensions pg_trgm and btree_gin,
	// which Migrate creates, if it may. It answers literals with three letters or digits side by side;
	// of a case-exact attribute none with an upper-case letter. In SQLite the index has the texts: a search goes through those of
	// the tenant, but reads no resources.
	Contains bool
}

// addIndexes puts Options.Indexes into the types. Its error lists every mistake.
func addIndexes(s *Store, d Dialect, all []Index) (err error) {
	if d == MariaDB && len(all) > 0 {
		return errors.New("sqlstore: Indexes: MariaDB has no index of an expression: leave them out")
	}
	for _, i := range all {
		found := false
		for _, t := range s.resources.Types {
			found = t.Index(i.Attribute, i.Contains) || found
		}
		switch {
		case found:
		case i.Contains:
			err = errors.Join(err, fmt.Errorf("sqlstore: Indexes: no type has an attribute %q that is a text with an index: Contains is for strings and references, but not for the id", i.Attribute))
		default:
			err = errors.Join(err, fmt.Errorf("sqlstore: Indexes: no type has an attribute %q with values that can be sorted: name a sub-attribute of a complex one", i.Attribute))
		}
	}
	return err
}

// migrateIndexes creates and drops indexes as Options.Indexes says.
func migrateIndexes(ctx context.Context, s *Store) error {
	if !s.hasIndexes {
		return nil
	}
	var all []string
	for _, t := range s.resources.Types {
		all = append(all, t.Indexes(s.db.Dialect)...)
	}
	slices.Sort(all)
	return s.schema.Indexes(ctx, slices.Compact(all), search.Trigrams)
}
