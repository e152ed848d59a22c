//go:build race

package scim_test

// UnderRace says that the race detector makes everything several times slower and
// bigger: sizes are then chosen to find races, not to measure.
const UnderRace = true
