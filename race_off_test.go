//go:build !race

package scim_test

const underRace = false
