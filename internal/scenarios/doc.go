// Package scenarios has tests of roles. It plays scenarios, and compares random histories
// with a model of the rules. It does so for each way in which an application can keep users
// and roles.
//
//	go test ./internal/scenarios
//	SCIM_LONG=1 go test -timeout 60m -run TestRoles ./internal/scenarios
package scenarios
