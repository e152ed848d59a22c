// Package transcripts has a test that plays the requests of real clients, which stand in
// testdata/transcripts, and those to an application without groups, in testdata/users-only.
// The format is that of package scimtest.
//
//	go test -run TestTranscripts/memory/quirks/jumpcloud -v ./internal/transcripts
package transcripts
