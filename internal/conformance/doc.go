// Package conformance has tests of a handler as clients see it: the requirements of the
// RFCs, the quirks of clients, bulk requests, filters, pages, hostile requests and errors.
//
// Each row of testdata/requirements.tsv is a requirement, and names the reason where no
// test shows it. Each row of testdata/quirks.tsv is something that a client does although
// the RFCs do not have it.
//
//	go test -run TestRequirements -v ./internal/conformance
package conformance
