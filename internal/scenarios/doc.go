// Package scenarios has tests of roles. It plays scenarios, and random histories beside a
// model of the rules, in each place where an application can keep users and roles.
//
//	go test ./internal/scenarios
//	SCIM_LONG=1 go test -timeout 60m -run TestRoles ./internal/scenarios
package scenarios
