// Package newcomer has no code. Its tests are an application over SQL tables to which SCIM
// was added, and which Okta and Entra provision.
//
// app_test.go is the application, with tables and pages of its own. scim_test.go adds SCIM
// with public packages only, as README.md and docs/your-tables.md say. The tests send the
// requests of the two clients over HTTP. After each step they compare the tables.
package newcomer
