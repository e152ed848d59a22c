// Package storetest is the contract of [scim.Store], [scim.Ledger] and
// [scim.RoleResolver] as tests. It checks the adapters of this module and those of
// applications. Each step states the rule that it checks, and prints it if an adapter
// breaks it.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) scim.Store {
//			return newStore(t) // empty; closed by t.Cleanup
//		})
//	}
//
// The suite requires only what the contract requires. A store may choose ids, times and
// versions itself. A user and a group may have the same id. A store may retire rows
// instead of erasing them. The suite uses scim.UserType and scim.GroupType, with the
// enterprise extension.
//
// Run is for every Store. RunLedger and RunRoles are for the other interfaces. RunMapping is for
// stores over an application's tables, which do not hold every value. RunClaims is for stores
// over tables that the application fills too. RunTenants is for stores that keep several
// tenants in one database. RunFaults is for stores whose database can fail on purpose, as that
// of Failing. RunFilters is for stores that keep any resource type. RunTokens is for a tokens.Store.
//
// Some steps use random resources and filters. Their failures print a seed. Set the
// environment variable SCIM_SEED to this seed to repeat them.
package storetest

import (
	"testing"

	"github.com/scimkit/scim"
)

// Run checks a Store. It calls newStore for each step. newStore returns a fresh, empty
// store; use its t for t.Cleanup.
//
// Run finds the capabilities as the handler does: Transactor, MemberStore, GroupReader, MemberChanger, Ledger,
// PasswordSetter, Deactivator, Claimer, Exempter, TenantLocker, UniqueIDs, Volatile. It logs
// which ones the store has, and skips the steps of those that it does not have.
func Run(t *testing.T, newStore func(t *testing.T) scim.Store) {
	t.Run("capabilities", func(t *testing.T) {
		for _, line := range capabilities(newStore(t)) {
			t.Log(line)
		}
	})
	for _, g := range storeSteps() {
		t.Run(g.name, func(t *testing.T) { g.run(t, newStore) })
	}
}

// RunLedger checks a Ledger that is not a Store. It calls newLedger for each step.
// newLedger returns a fresh, empty Ledger. Run checks the Ledger of a Store.
func RunLedger(t *testing.T, newLedger func(t *testing.T) scim.Ledger) {
	group[ledgerSubject]{"ledger", allLedgerSteps()}.run(t, func(t *testing.T) ledgerSubject { return ledgerSubject{ledger: newLedger(t)} })
}

// RunRoles checks a RoleResolver. It calls newResolver for each step. newResolver returns
// a fresh Harness in which no user holds a role.
func RunRoles(t *testing.T, newResolver func(t *testing.T) Harness) {
	roleSteps().run(t, func(t *testing.T) Harness { return newResolver(t).check(t) })
}

// storeSteps lists what Run checks.
func storeSteps() []group[scim.Store] {
	return []group[scim.Store]{
		{"create", createSteps()},
		{"unknown", unknownSteps()},
		{"types", typeSteps()},
		{"unique", uniqueSteps()},
		{"update", updateSteps()},
		{"delete", deleteSteps()},
		{"list", listSteps()},
		{"filter", filterSteps()},
		{"sort", sortSteps()},
		{"keyset", keysetSteps()},
		{"context", contextSteps()},
		{"person", personSteps()},
		{"members", memberSteps()},
		{"members at once", memberScaleSteps()},
		{"one member", oneMemberSteps()},
		{"transaction", txSteps()},
		{"transaction of all", txPartSteps()},
		{"isolation", isolationSteps()},
		{"tenant lock", lockSteps()},
		{"ledger", storeLedgerSteps()},
	}
}

// capabilities lists, one a line, what a store can do beyond Store.
func capabilities(s scim.Store) []string {
	_, tx := s.(scim.Transactor)
	_, members := s.(scim.MemberStore)
	_, groups := s.(scim.GroupReader)
	_, changer := s.(scim.MemberChanger)
	_, ledger := s.(scim.Ledger)
	_, sources := s.(scim.SourceLedger)
	_, pending := s.(scim.PendingLedger)
	_, passwords := s.(scim.PasswordSetter)
	_, deactivator := s.(scim.Deactivator)
	_, claimer := s.(scim.Claimer)
	_, exempter := s.(scim.Exempter)
	_, volatile := s.(scim.Volatile)
	_, locker := s.(scim.TenantLocker)
	unique, _ := s.(scim.UniqueIDs)
	var lines []string
	for _, c := range []struct {
		name    string
		found   bool
		without string
	}{
		{"Transactor", tx, "writes are ordered so that a crash leaves too little access, and repaired later"},
		{"MemberStore", members, "members live in the group resource, and a change costs as much as the group is big"},
		{"GroupReader", groups, "a GET of a user asks for the user's groups in a call of its own"},
		{"MemberChanger", changer, "a change of one member takes several calls"},
		{"Ledger", ledger, "scim.Roles needs a Ledger of its own"},
		{"SourceLedger", sources, "what a group gave thousands is dropped from the ledger one by one"},
		{"PendingLedger", pending, "what is pending cannot be listed, and unfinished changes of roles do not outlive a process"},
		{"PasswordSetter", passwords, "passwords are dropped"},
		{"Deactivator", deactivator, "sessions and keys of people who leave are not ended"},
		{"Claimer", claimer, "clients may delete every user and every group"},
		{"Exempter", exempter, "clients may deactivate every user"},
		{"TenantLocker", locker, "decisions about a whole tenant need a single process"},
		{"UniqueIDs", unique != nil && unique.UniqueIDs(), "members without a type are users"},
		{"Volatile", volatile, "what it keeps survives the process"},
	} {
		if c.found {
			lines = append(lines, c.name+": found")
		} else {
			lines = append(lines, c.name+": missing: "+c.without)
		}
	}
	return lines
}
