// Command commonroom is a small application for communities. Groups of the identity provider stand for
// its roles, and an attribute for the permission of a user.
package main

import "github.com/scimkit/scim/examples/internal/page"

// program is the application as a program.
var program = page.Program{Name: "commonroom", Start: start}

func main() { program.Main() }
