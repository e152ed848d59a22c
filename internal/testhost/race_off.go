//go:build !race

package testhost

// UnderRace says that the race detector is on.
const UnderRace = false
