// Package structure has no code. Its tests hold the structure of the repository.
//
// arrows_test.go has the table of levels: it gives each package its level, and fails on an
// import that points up. shapes_test.go limits the size of files, functions, types and
// structs, and lists the functions that may be longer. structure_test.go in the root holds
// the list of the root's files.
package structure
