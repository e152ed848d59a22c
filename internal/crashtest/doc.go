// Package crashtest has tests of store/sqlstore with real processes. They kill a process or
// the database at any moment. Afterwards every acknowledged write must exist, and the roles
// must be right. Other tests check that several processes over one database lose nothing.
//
//	go test ./internal/crashtest
//	SCIM_KILLS=50 SCIM_SOAK=10m go test -timeout 60m -v ./internal/crashtest
//
// TestOpposed sets each pair of operations against each other. SCIM_OPPOSED is the time for
// each pair:
//
//	SCIM_OPPOSED=1s go test -timeout 60m -run TestOpposed -v ./internal/crashtest
//
// SCIM_SEED repeats the requests of a run, but not their timing.
package crashtest
