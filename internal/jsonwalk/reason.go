package jsonwalk

import (
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Reason says why JSON is not valid, by the error of its decoder. It repeats nothing of the
// text, because clients and logs see it, and the text may be a password.
func Reason(err error) string {
	var se *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case !errors.As(err, &se):
		return "it is malformed"
	}
	// What the decoder quotes follows in one of three kinds of quotation marks.
	why := se.Err.Error()
	if i := strings.IndexAny(why, "`\"'"); i >= 0 {
		why = strings.TrimSpace(why[:i])
	}
	return why
}
