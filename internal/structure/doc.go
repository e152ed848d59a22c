// Package structure has no code. Its tests hold the structure of the repository.
//
// levels_test.go gives each package its level, and arrows_test.go fails on an import that
// points up. shapes_test.go limits the size of files, functions, types and structs, and
// lists the functions that may be longer. map_test.go compares the map in CONTRIBUTING.md
// with the packages. structure_test.go in the root holds the list of the root's files.
package structure
