// Package crashtest has tests of store/sqlstore behind real processes: what was
// acknowledged is there, and roles are right, after a process or the database has been
// killed at any moment; and several processes over one database lose nothing.
//
//	go test ./internal/crashtest
//	SCIM_KILLS=50 SCIM_SOAK=10m go test -timeout 60m -v ./internal/crashtest
//
// SCIM_SEED repeats the requests of a run, though not their timing.
package crashtest
