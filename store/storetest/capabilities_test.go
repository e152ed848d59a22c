package storetest

import (
	"slices"
	"testing"

	"github.com/scimkit/scim"
)

func brokenCapabilities() []broken[scim.Store] {
	loose := []string{"transaction/*", "transaction of all/*", "isolation/*", "tenant lock/*", "one member/*"}
	return []broken[scim.Store]{
		{"has no transactions", "a refused request is stored in part", newFaulty, "transaction/rollback", loose},
		{"has no transactions", "memberships of a refused request stay", newFaulty, "transaction of all/members", loose},
		{"has no transactions", "grants of a refused request stay in the ledger", newFaulty, "transaction of all/ledger", loose},
		{"has no transactions", "uncommitted resources are seen", newFaulty, "transaction/invisible", loose},
		{"has no transactions", "two requests each undo the other's change", newFaulty, "isolation/update stays locked", loose},
		{"has no transactions", "two requests each add the last member", newFaulty, "isolation/members follow the lock", loose},
		{"has no transactions", "two reconciliations of one user see half of each other", newFaulty, "isolation/grants lock users", loose},
		{"has no transactions", "two requests each take the last seat", newFaulty, "tenant lock/one at a time", loose},
		{"locks a tenant once", "a request that decides twice does not end", newFaulty, "tenant lock/again", nil},
		{"keeps the tenant's lock", "after one refused request all others wait", newFaulty, "tenant lock/released", nil},
		{"locks outside of transactions", "a decision is made under no lock", newFaulty, "tenant lock/outside", nil},
		{"locks without the context", "a request that was given up waits on", newFaulty, "tenant lock/cancelled wait", nil},
		{"gives an id twice", "a group is taken for a user, and gets the user's roles", newFaultyUnique, "types/unique ids", nil},
		{"create overwrites", "a new user takes the place of another", newFaulty, "create/id in use", nil},
		{"after by time alone", "people who were created at once are missing from a list", newFaulty, "keyset/created at once", nil},
		{"forgets transactions", "what was answered with 201 is not there", newFaulty, "transaction/commit", append(loose, "members at once/big group")},
		{"grants of everybody", "one user's reconciliation takes the roles of others", newFaulty, "ledger/named users", []string{"ledger/*", "isolation/grants lock users", "one member/locks"}},
		{"lists users with grants from the start", "the end of SCIM never ends", newFaulty, "ledger/users in pages", nil},
		{"forgets grants too", "users keep roles that nobody takes any more", newFaulty, "ledger/forget", nil},
		{"forgets that SCIM ends", "requests grant roles while it does", newFaulty, "ledger/forget", nil},
		{"counts grants of users", "the breaker lets too much through", newFaulty, "ledger/users with grants", nil},
		{"record reads and writes", "a grant is forgotten, and looks hand-given for ever", newFaulty, "ledger/at once", nil},
		{"never joins", "a nested call stands still", newFaulty, "transaction/nested", []string{"tenant lock/again"}},
		{"commits what panics", "half of a request is stored", newFaulty, "transaction/panic", nil},
		{"commits before the context is looked at", "the client is told of a failure that was none", newFaulty, "transaction/cancelled", nil},
		{"hides the error of a transaction", "each refusal is a 500", newFaulty, "transaction/rollback", loose},
		{"reads beside the transaction", "a new group is not found by its own members", newFaulty, "transaction/reads own writes", []string{"transaction/nested"}},
		{"members in the resource", "each change of members changes the group's ETag", newFaulty, "members/never in the resource", []string{"one member/*"}},
		{"members backwards", "a replaced list of members is compared wrongly", newFaulty, "members/order and paging", []string{"members/display names", "members/paging while members change", "members at once/big group"}},
		{"a page with the last of the one before", "reading the members does not end", newFaulty, "members/order and paging", []string{"members/display names", "members at once/big group"}},
		{"a member who left is the end", "a group that changes loses the rest of its members", newFaulty, "members/paging while members change", nil},
		{"a member who left is the start", "a group that changes shows its members twice", newFaulty, "members/paging while members change", nil},
		{"members without displays", "clients see ids in the place of names", newFaulty, "members/display names", nil},
		{"displays of users alone", "groups in groups have no names", newFaulty, "members/display names", nil},
		{"displays userNames", "people are shown by their addresses", newFaulty, "members/display names", nil},
		{"displays as members were", "a person who was renamed keeps the old name in groups", newFaulty, "members/display names", nil},
		{"since is not kept", "the first group is not the primary one", newFaulty, "members/since", nil},
		{"since moves", "the first group is not the primary one", newFaulty, "members/since", []string{"transaction of all/members"}},
		{"groups of the first alone", "others lose their roles", newFaulty, "members/groups of", []string{"members/groups apart", "members/type and id", "members/deleted user", "members/deleted group", "members at once/same member at once", "members at once/big group"}},
		{"keeps the edges of deleted groups", "roles of a deleted group stay", newFaulty, "members/deleted group", []string{"members at once/*"}},
		{"keeps the edges of deleted users", "people who left are members", newFaulty, "members/deleted user", []string{"members/deleted group", "members/type and id"}},
		{"members without types", "user 5 gets the roles of group 5", newFaulty, "members/type and id", []string{"members/order and paging", "members/display names", "members/groups of", "members/deleted group"}},
		{"removes from all groups", "one group's change takes another's roles", newFaulty, "members/groups apart", nil},
		{"unknown groups take members", "a member of nothing", newFaulty, "members/unknown group", nil},
		{"tells what was asked for", "events tell of changes that were none", newFaulty, "members/add and remove", []string{"members/since", "members/type and id", "members at once/*"}},
		{"looks first who is there", "two requests both report a new member", newFaulty, "members at once/same member at once", nil},
		{"rewrites the whole group", "of two changes at once one is lost", newFaulty, "members at once/different members at once", []string{"members at once/same member at once", "isolation/members follow the lock"}},
		{"too many parameters", "a big group cannot be pushed", newFaulty, "members at once/big group", nil},
		{"pages end after a thousand", "a big group loses the rest of its roles", newFaulty, "members at once/big group", nil},
		{"members of a group that is going", "somebody keeps a role of a group that is gone", newFaulty, "members at once/deleted group", nil},
		{"names are free after the commit", "a client that swaps two names in a bulk request cannot", newFaulty, "transaction/names change hands", nil},
		{"a deadlock is an error", "a client is told of a failure that is none of its business", newFaulty, "isolation/opposite order", []string{"isolation/*", "tenant lock/*", "one member/locks"}},
		{"forgets who was by hand", "a hand-given role is taken", newFaulty, "ledger/round trip", []string{"ledger/replace", "ledger/drop"}},
		{"lists users of a source from the first", "the deletion of a big group does not end", newFaulty, "ledger/source", nil},
		{"drops all sources", "a role is lost that another group gives as well", newFaulty, "ledger/source", nil},
		{"ledger in seconds", "entries are out of order", newFaulty, "ledger/round trip", []string{"ledger/*", "transaction of all/ledger"}},
		{"one entry for user and role", "leaving one of two groups takes the role", newFaulty, "ledger/identity", []string{"ledger/source", "ledger/open grants"}},
		{"the first entry wins", "a waiting role is never granted", newFaulty, "ledger/replace", []string{"ledger/open grants"}},
		{"drops what is the same in all fields", "entries pile up", newFaulty, "ledger/drop", nil},
		{"forgets what a grant waits for", "a role that waits counts as held", newFaulty, "ledger/round trip", []string{"ledger/open grants", "ledger/replace"}},
		{"forgets the order of roles", "the primary role is told again and again", newFaulty, "ledger/round trip", []string{"ledger/open grants", "ledger/replace"}},
		{"one role of all scopes", "a role of one project is that of another", newFaulty, "ledger/identity", []string{"ledger/open grants"}},
		{"one role for a source", "a group gives a part of its roles", newFaulty, "ledger/links", nil},
		{"links stay", "a group that was renamed keeps its role", newFaulty, "ledger/links", []string{"ledger/all links", "transaction of all/ledger"}},
		{"lists unconfirmed links alone", "a link is never looked up again", newFaulty, "ledger/all links", nil},
		{"open grants user by user", "somebody who waits is not listed", newFaulty, "ledger/open grants", nil},
		{"retained grants are given", "a guard keeps a role for ever", newFaulty, "ledger/open grants", nil},
		{"notes backwards", "a change is listed twice, and another one never", newFaulty, "ledger/notes", nil},
		{"notes stay", "a finished change is completed again and again", newFaulty, "ledger/notes", []string{"transaction of all/ledger"}},
		{"changes a member without the group", "a client keeps an old copy of the group", newFaulty, "one member/change", nil},
		{"stores the group of no change", "the group seems to change with each repeated request", newFaulty, "one member/change", []string{"one member/commit"}},
		{"knows every member", "a request that names a stranger is answered with 204", newFaulty, "one member/change", nil},
		{"takes out the first reference", "a member whose type the client does not say stays", newFaulty, "one member/change", nil},
		{"has no transactions", "a refused request changes the members", newFaulty, "one member/commit", loose},
		{"has no transactions", "two requests each give what the other one takes", newFaulty, "one member/locks", loose},
		{"password as a value", "passwords are sent to every client", newFaulty, "person/password", nil},
		{"deactivates once", "a retry fails for ever", newFaulty, "person/deactivate", nil},
	}
}

// TestSoundCapabilities runs the subjects of the table above without a fault. No step is
// skipped by both, because all capabilities are there.
func TestSoundCapabilities(t *testing.T) {
	failed, skipped := judgeAll(storeSteps(), func() scim.Store { return newFaulty("") }, patient)
	if len(failed) > 0 || !slices.Equal(skipped, []string{"types/unique ids"}) {
		t.Errorf("failed: %q, skipped: %q", failed, skipped)
	}
	failed, skipped = judgeAll(storeSteps(), func() scim.Store { return newFaultyUnique("") }, patient)
	if len(failed) > 0 || len(skipped) > 0 {
		t.Errorf("with unique ids, failed: %q, skipped: %q", failed, skipped)
	}
}
