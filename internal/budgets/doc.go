// Package budgets has benchmarks of a handler, and a test that compares their costs with
// limits.
//
//	SCIM_BUDGETS=1 go test -run TestBudgets -v ./internal/budgets
package budgets
