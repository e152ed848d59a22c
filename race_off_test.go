//go:build !race

package scim_test

// UnderRace says that the race detector watches.
const UnderRace = false
