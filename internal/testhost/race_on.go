//go:build race

package testhost

// UnderRace says that the race detector is on. It makes everything several times slower and
// larger, so tests choose sizes that find races and do not measure.
const UnderRace = true
