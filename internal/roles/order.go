package roles

import (
	"github.com/scimkit/scim/internal/host"
)

// placed is a role in the order of a user's roles of one scope.
type placed struct {
	role host.Role
	news placeNews
	told int          // the rank in the order that the application knows
	kept []host.Grant // the grants of the role that nothing else changes
}

// placeNews says what the application does not know yet of a role's place.
type placeNews int

const (
	placeKnown placeNews = iota
	newByHand            // sources begin to give the role, which the user holds already
	newRole              // the user gets the role
)

// ordering are the roles that sources give to a user in one scope, the primary one first.
type ordering []placed

// rank compares the order with the one that the application was told last. The ledger keeps
// that order as the ranks of grants. Ranks are equal only if they are from before ranks were
// kept: then the application is taken to know the order.
//
// If a source begins to give a role that the user holds by hand, nothing is granted. Such a
// role in front of others is a new order, too.
func (o *outcome) rank(p *scoped, order ordering) {
	last, isNumbered, sawNew, sawHeld := 0, true, false, false
	for _, at := range order {
		switch {
		case at.news != placeKnown:
			sawNew, sawHeld = true, sawHeld || at.news == newByHand
		case at.told < last, sawHeld:
			o.reordered, isNumbered = true, false
		case at.told == last && last > 0, sawNew, at.told == 0 && len(order) > 1 && at.role != order[0].role:
			isNumbered = false
		}
		last = max(last, at.told)
	}
	end, isLate := last, sawHeld && !isNumbered
	for i, at := range order {
		rank := at.told
		switch {
		case !isNumbered:
			rank = i + 1
		case at.news != placeKnown:
			last++
			rank = last
		}
		for j := range o.put {
			g := &o.put[j]
			if g.Role() != at.role.Key() {
				continue
			}
			g.Rank = rank
			switch { // until the application is told
			case isLate && at.news == newByHand: // its place is the last one
				o.putAfter = append(o.putAfter, *g)
				end++
				g.Rank = end
			case !isNumbered && at.news == placeKnown && at.told > 0: // its place is the former one
				o.putAfter = append(o.putAfter, *g)
				g.Rank = at.told
			}
		}
		for _, g := range at.kept {
			if g.Rank != rank {
				g.Rank = rank
				o.putAfter = append(o.putAfter, g)
			}
		}
	}
}
