package storetest_test

import (
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) scim.Store { return memory.New() })
}

func TestLedgerAlone(t *testing.T) {
	storetest.RunLedger(t, func(*testing.T) scim.Ledger { return memory.NewLedger() })
}
