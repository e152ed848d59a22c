package directory

import (
	"context"
	"fmt"
	"iter"
	"net/http"

	filter "github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
	"github.com/scimkit/scim/internal/match"
	"github.com/scimkit/scim/internal/member"
	"github.com/scimkit/scim/internal/model"
)

// maxAsked is how many groups one query may ask for a member. Each takes a call of the
// store, and is compared with the filter.
const maxAsked = 10_000

// Page answers a query whose memberships LookUpMembers has looked up. It asks the store,
// except if the filter depends on whether groups have members. The groups of a MemberStore
// do not say that, so Page reads them and asks for a member of each.
func (t Directory) Page(ctx context.Context, rt *model.Type, q *host.Query) (*host.Page, error) {
	if t.stores.Members == nil || rt.Members == nil || !asksForMembers(q.Filter.Expr()) {
		return t.stores.List(ctx, rt, q)
	}
	candidates, err := match.Compile(rt, others(q.Filter.Expr()), nil)
	if err != nil {
		return nil, err
	}
	s := &memberScan{dir: t, rt: rt, q: q, candidates: candidates}
	found, total, err := match.Scan(&match.Query{SortBy: q.SortBy, Descending: q.Descending, Offset: q.Offset,
		After: (*match.Place)(q.After), Limit: q.Limit}, s.matches(ctx), func(d *doc.Document) *doc.Document { return d })
	return &host.Page{Resources: found, Total: total}, err
}

// memberScan finds the groups that match a filter about their members.
type memberScan struct {
	dir        Directory
	rt         *model.Type
	q          *host.Query
	candidates *match.Filter // what the store can check of the filter
	asked      int
}

// matches yields the groups that match the query's filter, in order of creation.
func (s *memberScan) matches(ctx context.Context) iter.Seq2[*doc.Document, error] {
	list := &host.Query{Filter: s.candidates, IDs: s.q.IDs, Limit: Batch, ForClient: s.q.ForClient}
	enough := 0 // the number of matches that are enough; 0: all are needed
	if s.q.SortBy == "" && !s.q.Descending && !s.q.Total {
		list.After, enough = s.q.After, s.q.Limit
		if s.q.After == nil {
			enough += s.q.Offset
		}
	}
	return func(yield func(*doc.Document, error) bool) {
		n := 0
		for {
			page, err := s.dir.stores.List(ctx, s.rt, list)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, d := range page.Resources {
				is, err := s.isMatch(ctx, d)
				if err == nil && !is {
					continue
				}
				if !yield(d, err) || err != nil {
					return
				}
				if n++; n == enough {
					return
				}
			}
			if len(page.Resources) < Batch {
				return
			}
			last := page.Resources[len(page.Resources)-1]
			list = &host.Query{Filter: list.Filter, IDs: list.IDs, Limit: Batch, ForClient: s.q.ForClient, After: &host.Key{Created: last.Created, ID: last.ID}}
		}
	}
}

// isMatch asks for a member of a group, and reports whether the group matches the filter.
func (s *memberScan) isMatch(ctx context.Context, d *doc.Document) (bool, error) {
	if err := s.dir.Check(d); err != nil {
		return false, err
	}
	if s.asked++; s.asked > maxAsked {
		return false, fault.Refuse(http.StatusBadRequest, "tooMany",
			fmt.Sprintf("the filter asks more than %d groups whether they have members: narrow it down by displayName or id", maxAsked))
	}
	members, err := s.dir.stores.Members.Members(ctx, d.ID, host.Ref{}, 1)
	if err != nil {
		return false, err
	}
	if len(members) > 0 {
		d = d.With(doc.Put(d.Values, member.Value(s.rt.Members, []member.Ref{members[0].Ref})))
	}
	return s.q.Filter.Match(d), nil
}

// isMembersPresent recognises `members pr` and `members.value pr`.
func isMembersPresent(e filter.Expression) bool {
	x, ok := e.(*filter.AttributeExpression)
	return ok && x.Operator == filter.PR && x.AttributePath.URIPrefix == nil && x.AttributePath.AttributeName == "members" &&
		(x.AttributePath.SubAttribute == nil || *x.AttributePath.SubAttribute == "value")
}

// asksForMembers reports whether a term of e asks if a group has members.
func asksForMembers(e filter.Expression) bool {
	switch x := e.(type) {
	case *filter.LogicalExpression:
		return asksForMembers(x.Left) || asksForMembers(x.Right)
	case *filter.NotExpression:
		return asksForMembers(x.Expression)
	}
	return isMembersPresent(e)
}

// others returns the terms that every match of e must satisfy and that are not about
// members. Without such terms it returns one that all groups satisfy.
func others(e filter.Expression) filter.Expression {
	if x, ok := e.(*filter.LogicalExpression); ok && x.Operator == filter.AND {
		return &filter.LogicalExpression{Left: others(x.Left), Right: others(x.Right), Operator: filter.AND}
	}
	if asksForMembers(e) {
		return &filter.AttributeExpression{AttributePath: filter.AttributePath{AttributeName: "id"}, Operator: filter.PR}
	}
	return e
}
