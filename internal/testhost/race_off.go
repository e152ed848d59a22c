//go:build !race

package testhost

// UnderRace says that the race detector watches.
const UnderRace = false
