// Package transcripts has a test that plays the requests of real clients. They are in
// testdata/transcripts. Those to an application without groups are in testdata/users-only.
// Package scimtest describes the format.
//
//	go test -run TestTranscripts/memory/quirks/jumpcloud -v ./internal/transcripts
package transcripts
