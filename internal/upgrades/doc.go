// Package upgrades has tests of store/sqlstore on databases that earlier versions made. It
// migrates them in place, also when the process is killed half-way and in several processes
// at once. testdata/README.md says what the databases have and how to record others.
//
// SCIM_KILLS is the number of kills at random moments for each database; see .ci/long.
package upgrades
