package sqlstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/journal"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
	"github.com/scimkit/scim/store/sqlstore/internal/owntables"
	"github.com/scimkit/scim/store/sqlstore/internal/search"
)

// PageQuery is the query by which List reads a page, for tests of its plan.
func PageQuery(s *Store, t *scim.ResourceType, q *scim.Query) (text string, args []any, err error) {
	w := search.NewWriter(s.db.Dialect, s.resources.Types[t.Name()])
	where, err := w.Where(q)
	if err != nil {
		return "", nil, err
	}
	text, err = w.Page(owntables.Columns, where, q, q.Offset)
	return s.db.Statement(text), s.db.Bound(w.Args), err
}

// MembersQuery is the query by which Members reads a page.
func MembersQuery(d Dialect) string { return owntables.PageQuery(dialect.Dialect(d)) }

// The queries by which PendingLedger's lists are read.
const (
	AllLinksQuery = owntables.AllLinksQuery
	NotesQuery    = owntables.NotesQuery

	UsersWithGrantsQuery = owntables.UsersWithGrantsQuery
)

// AheadQuery is the query of a look for users and links.
func AheadQuery(d Dialect) string { return owntables.AheadQuery(dialect.Dialect(d)) }

// LookUpWithGroupsQuery is the query of a look-up for a user and the user's memberships.
func LookUpWithGroupsQuery(d Dialect, users string) string {
	return owntables.LookUpWithGroups(dialect.Dialect(d), users, "")
}

// WithGroupsQuery is the query for a user and the user's memberships.
func WithGroupsQuery(d Dialect) string { return owntables.WithGroupsQuery(dialect.Dialect(d)) }

// LookQuery is the query of a look at what decides about roles.
func LookQuery(d Dialect) string { return owntables.LookQuery(dialect.Dialect(d)) }

// ChangeMemberQueries are the statements that change one member of a group of a tenant, with arguments.
func ChangeMemberQueries(tenant, group, user string) map[string][]any {
	args := []any{tenant, group, user, "User", "User", 1, "2", "", "1", "group:" + group, 1, "{}", "{}"}
	all := map[string][]any{
		owntables.LockNextQuery(owntables.NextSelf):   {tenant, "User", user, 1},
		owntables.LockNextQuery(owntables.NextJoins):  {tenant, "Group", group, 1, user, "group:" + group},
		owntables.LockNextQuery(owntables.NextLeaves): {tenant, "Group", group, 1, user, "group:" + group},
	}
	for _, remove := range []bool{false, true} {
		all[owntables.ChangeMemberQuery(remove, owntables.NoUser)] = args
		all[owntables.ChangeMemberQuery(remove, owntables.LocksUser)] = append(args[:13:13], 1)
		all[owntables.ChangeMemberQuery(remove, owntables.Looks)] = append(args[:13:13], `["`+user+`"]`, "tenant:")
	}
	return all
}

// The queries by which Tokens reads.
const (
	TokensQuery      = owntables.TokensQuery
	TokenByHashQuery = owntables.TokenByHashQuery
)

// OpenGrantsQuery is the query of PendingLedger.OpenGrants.
func OpenGrantsQuery(d Dialect) string { return owntables.OpenGrantsQuery(dialect.Dialect(d)) }

// Statement is a statement as the database gets it.
func Statement(s *Store, text string) string { return s.db.Statement(text) }

// Each is Dialect.Each of package dialect.
func Each(d Dialect, arg, table, alias, where string) string {
	in := dialect.Dialect(d)
	return in.Each(in.Texts(arg), table, alias, where, "")
}

// Failure is what a caller gets for an error of the database.
func Failure(s *Store, err error) error { return s.db.Failure(context.Background(), err) }

// LookedAt lists the columns that Visible of a type's Table reads, without quotes.
func LookedAt(ctx context.Context, s *Store, typ string) ([]string, error) {
	columns, err := s.app.Table(typ).FindVisibleColumns(ctx)
	for i, c := range columns {
		columns[i] = strings.Trim(c, "`\"")
	}
	return columns, err
}

// FindEntriesQuery is the query by which a Journal finds entries, without terms or with these ids.
func FindEntriesQuery(d Dialect, q journal.Search, ids []string) (text string, args []any) {
	text, args = owntables.FindEntries(dialect.Dialect(d), q, ids)
	return dialect.Dialect(d).Adapt(text, "scim_"), append([]any{q.Tenant}, args...)
}

// FindPartsQuery is the query by which a Journal finds what has a term.
func FindPartsQuery(d Dialect, q journal.Search) (text string, args []any) {
	var behind []string
	for _, t := range q.Terms {
		behind = append(behind, fmt.Sprintf("%x%s", t[:8], q.Before))
	}
	text, args = owntables.FindParts(dialect.Dialect(d), behind, q.From, q.Before)
	return dialect.Dialect(d).Adapt(text, "scim_"), append([]any{q.Tenant}, args...)
}
