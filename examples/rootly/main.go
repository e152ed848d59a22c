// Command rootly is an application for incidents, with many customers at one address. Groups of the identity
// provider become groups of the application, and give roles, if that is switched on.
package main

import "github.com/scimkit/scim/examples/internal/page"

// program is the application as a program.
var program = page.Program{Name: "rootly", Start: start}

func main() { program.Main() }
