//go:build race

package crashtest

// underRace says that the race detector makes everything several times slower.
const underRace = true
