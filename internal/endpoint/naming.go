package endpoint

import (
	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/model"
)

// naming counts the members that a write names. All operations of a bulk request count
// together.
type naming struct {
	all   *int // how many members the whole request has named
	mine  int  // how many of them this write has named
	limit int  // how many members one request may name
}

// left is how many members the request may still name.
func (n *naming) left() int { return max(1, n.limit-*n.all) }

// add counts members of the attribute a.
func (n *naming) add(a *model.Attribute, members int) error {
	*n.all += members
	n.mine += members
	if *n.all > n.limit {
		return doc.TooManyMembers(a, n.limit)
	}
	return nil
}

// forget takes back the members of this write, because it starts again.
func (n *naming) forget() {
	*n.all -= n.mine
	n.mine = 0
}
