// Command officernd is an application for offices. Groups of the identity provider are teams of employees, and
// who leaves is labelled Former.
package main

import "github.com/scimkit/scim/examples/internal/page"

// program is the application as a program.
var program = page.Program{Name: "officernd", Start: start}

func main() { program.Main() }
