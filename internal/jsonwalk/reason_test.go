package jsonwalk

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestReason(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":"x`:                "it ends too early",
		`{"a":"\ud800\u0068un"}`: "invalid surrogate pair",
		`{"a":"\ud800hunter"}`:   "invalid surrogate pair",
		`{"a":"\ud800"}`:         "invalid surrogate pair",
		`{"a":"\hunter"}`:        "invalid escape sequence",
		`{"a":"\u00hu"}`:         "invalid escape sequence",
		"{\"a\":\"\xff\"}":       "invalid UTF-8",
		"{\"a\":\"h\nu\"}":       "invalid character",
		`{"a":h}`:                "invalid character",
		`{"a":"b" h}`:            "invalid character",
		`{"a":nuLl}`:             "invalid character",
		`{"a":1,"a":2}`:          "duplicate object member name",
	} {
		_, err := jsontext.NewDecoder(bytes.NewBufferString(text)).ReadValue()
		if err == nil {
			t.Fatalf("%s is valid", text)
		}
		if got := Reason(err); got != want || strings.ContainsAny(got, "`\"'") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	if got := Reason(io.ErrClosedPipe); got != "it is malformed" {
		t.Errorf("an error that is none of JSON: %q", got)
	}
}
