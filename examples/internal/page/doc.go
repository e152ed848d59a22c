// Package page is what the examples of products share, and what is not about SCIM: the program
// with its flags and database, the log-in, and the look of the pages.
//
//	page.Program{Name: "commonroom", Start: start}.Main()
//
// Start makes the application of an Env. Its pages are those of a Site, which shows them to people
// who have logged in. A page is a View: data, which the package writes as HTML. A Directory makes the
// tables of people, groups and roles, each with where it came from.
package page
