// Package storetest is the contract of [scim.Store], [scim.Ledger] and
// [scim.RoleResolver] as tests, for the adapters of this module and for those that
// applications write themselves. Each step states the rule that it enforces and
// prints it when the rule is broken.
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) scim.Store {
//			return newStore(t) // empty; closed by t.Cleanup
//		})
//	}
//
// The suite assumes nothing that the contract leaves open: a store may give
// resources ids of its own, count users and groups apart, keep its own clock and
// its own versions, and label what is deleted instead of erasing it. It speaks of
// scim.UserType and scim.GroupType, with the enterprise extension.
//
// Run is for every Store, RunLedger and RunRoles for the other interfaces. RunTenants is
// for those that keep several tenants in one place, RunFaults for those whose database
// can be made to fail in a test, RunFilters for those that keep any resource type.
//
// Some steps draw resources and filters at random. Their failures name the seed, with
// which the environment variable SCIM_SEED repeats them.
package storetest

import (
	"testing"

	"github.com/scimkit/scim"
)

// Run checks a Store. newStore is called for each step and must return a fresh
// store without any resource; t is the step's own, for t.Cleanup. Capabilities
// (Transactor, MemberStore, Ledger, PasswordSetter, Deactivator, Volatile) are
// found as the handler finds them; which are there and which are missing is logged,
// and the steps of missing ones are skipped.
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

// RunLedger checks a Ledger that stands alone, beside a Store of another kind.
// newLedger is called for each step and must return an empty one. The Ledger of a
// Store is checked by Run.
func RunLedger(t *testing.T, newLedger func(t *testing.T) scim.Ledger) {
	group[ledgerSubject]{"ledger", ledgerSteps()}.run(t, func(t *testing.T) ledgerSubject { return ledgerSubject{ledger: newLedger(t)} })
}

// RunRoles checks a RoleResolver. newResolver is called for each step and must
// return a fresh Harness in which nobody holds a role.
func RunRoles(t *testing.T, newResolver func(t *testing.T) Harness) {
	roleSteps().run(t, func(t *testing.T) Harness { return newResolver(t).check(t) })
}

// storeSteps is the index of what Run checks.
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
		{"transaction", txSteps()},
		{"transaction of all", txPartSteps()},
		{"isolation", isolationSteps()},
		{"ledger", storeLedgerSteps()},
	}
}

// capabilities tells, line by line, what a store can do beyond Store.
func capabilities(s scim.Store) []string {
	_, tx := s.(scim.Transactor)
	_, members := s.(scim.MemberStore)
	_, ledger := s.(scim.Ledger)
	_, sources := s.(scim.SourceLedger)
	_, passwords := s.(scim.PasswordSetter)
	_, deactivator := s.(scim.Deactivator)
	_, volatile := s.(scim.Volatile)
	var lines []string
	for _, c := range []struct {
		name    string
		found   bool
		without string
	}{
		{"Transactor", tx, "writes are ordered so that a crash leaves too little access, and repaired later"},
		{"MemberStore", members, "members live in the group resource, and a change costs as much as the group is big"},
		{"Ledger", ledger, "scim.Roles needs a Ledger of its own"},
		{"SourceLedger", sources, "what a group gave thousands is dropped from the ledger one by one"},
		{"PasswordSetter", passwords, "passwords are dropped"},
		{"Deactivator", deactivator, "sessions and keys of people who leave are not ended"},
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
