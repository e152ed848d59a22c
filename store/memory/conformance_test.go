package memory_test

import (
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) scim.Store { return memory.New() })
}

func TestUniqueIDs(t *testing.T) {
	storetest.Run(t, func(*testing.T) scim.Store { return memory.New(memory.UniqueIDs()) })
}

func TestLedgerAlone(t *testing.T) {
	storetest.RunLedger(t, func(*testing.T) scim.Ledger { return memory.NewLedger() })
}

func TestFilters(t *testing.T) {
	storetest.RunFilters(t, func(*testing.T, *scim.ResourceType) scim.Store { return memory.New() }, 2000)
}

func TestTenants(t *testing.T) {
	storetest.RunTenants(t, func(*testing.T) (a, b scim.Store) { return memory.New(), memory.New() })
}
