package journal_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/journal"
)

// The journal's own scanner finds the tokens that a decoder finds, in what check has looked at.
func FuzzScan(f *testing.F) {
	for _, text := range []string{`{"a":[1,"b\"\\",true,null,{}],"c":{"d":-1.5e3}}`, ` 12 `, `"text"`, `[]`, "{ \"a\" :\t[ ]\r\n}", `{"a":"\u00e9é"}`, `{"a":"\ud83d\ude00"}`, `[[[`, `{"a":"cut`, `{"a":tr`, `{"a":1`,
		`{"a"`, `{"a":"x\`, `{"a":1,"a":2}`, `[1 2]`, `{"a":1}{`, "", " ", `[1,`, "0000", `[{"value":"x"},{"value":`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, isCut := range []bool{false, true} {
			got, err := journal.Tokens(text, isCut)
			want, wantErr := decoded(text)
			switch {
			case wantErr == io.EOF && !isCut && len(want) > 0:
				if err != nil || !slices.Equal(want, got) {
					t.Errorf("%q: tokens %q, %v, want %q", text, got, err, want)
				}
			case isCut && (wantErr == io.ErrUnexpectedEOF || wantErr == io.EOF):
				if n := len(got); err != nil || n > len(want) || n < len(want)-1 || !slices.Equal(want[:n], got) {
					t.Errorf("%q, cut: tokens %q, %v, want %q", text, got, err, want)
				}
			case err == nil && !isCut:
				t.Errorf("%q: tokens %q, want an error: %v", text, got, wantErr)
			}
		}
	})
}

// errMore says that a text has more than one value. A decoder reads "00" as two of them.
var errMore = errors.New("more than one value")

// decoded returns the tokens of a text until an error, or the end of its first value.
func decoded(text []byte) (all []string, err error) {
	d, ended := jsontext.NewDecoder(bytes.NewBuffer(text)), false
	for {
		token, err := d.ReadToken()
		if err != nil {
			return all, err
		}
		if ended {
			return all, errMore
		}
		ended = d.StackDepth() == 0
		all = append(all, token.String())
	}
}
