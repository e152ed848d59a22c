//go:build race

package testhost

// UnderRace says that the race detector makes everything several times slower and
// bigger: sizes are then chosen to find races, not to measure.
const UnderRace = true
