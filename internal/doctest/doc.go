// Package doctest has no code. Its tests hold the documentation to the code: README.md,
// docs/, CONTRIBUTING.md, the package comment of scim and the pages of the folders.
//
// pages_test.go checks what all pages must keep: each block of Go is compiled, each link
// leads somewhere, each command names a test that exists. The file of a page, such as
// roles_test.go for docs/roles.md, has the Go blocks of that page, word for word, and
// runs them. A block may also be a part of any other Go file of the module. A block that
// begins with "package main" is a program of its own, and the test compiles it.
// claims_test.go holds what pages say in words about rows from before SCIM.
package doctest
