// Package conformance has tests of a handler through HTTP. They cover the requirements of
// the RFCs, the quirks of clients, bulk requests, filters, pages, hostile requests and
// errors.
//
// Each row of testdata/requirements.tsv is a requirement. It has a reason if no test shows
// the requirement. Each row of testdata/quirks.tsv is a deviation of a client from the
// RFCs.
//
//	go test -run TestRequirements -v ./internal/conformance
package conformance
