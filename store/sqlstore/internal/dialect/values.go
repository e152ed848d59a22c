package dialect

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Storable leaves out texts that no database can store, so that no row has them.
func Storable(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)
	})
}

// Distinct returns the texts that can be stored, sorted and each once.
func Distinct(ids []string) []string {
	ids = Storable(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Tuples returns a JSON array of arrays, for {rows $n}.
func Tuples[T any](all []T, of func(T) []any) string {
	out := make([][]any, len(all))
	for i, x := range all {
		out[i] = of(x)
	}
	return List(out)
}

// Pairs is Tuples for two texts, of which there may be many thousand.
func Pairs(all [][2]string) string {
	out := make([]byte, 0, 2+len(all)*70)
	out = append(out, '[')
	for i, pair := range all {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendQuoted(append(out, '['), pair[0])
		out = append(appendQuoted(append(out, ','), pair[1]), ']')
	}
	return string(append(out, ']'))
}

// appendQuoted writes a text as JSON.
func appendQuoted(out []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			list := List([]string{text})
			return append(out, list[1:len(list)-1]...)
		}
	}
	return append(append(append(out, '"'), text...), '"')
}

// Bit returns a boolean as both databases store it here.
func Bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Micros returns a time as it is stored, in microseconds.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// FromMicros returns a time that is stored in microseconds.
func FromMicros(n int64) time.Time {
	if t := time.UnixMicro(n).UTC(); !t.IsZero() {
		return t
	}
	return time.Time{}
}

// List returns values as a JSON array.
func List[T any](all []T) string {
	if all == nil {
		return "[]"
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "[]" // Texts, numbers and arrays of them always marshal.
	}
	return string(b)
}

// IsPlain reports whether a text is its own JSON string, but for the quotes. It is so for package
// encoding/json, which escapes more than JSON needs.
func IsPlain(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ' || c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return false
		}
	}
	return true
}

// AppendText appends the JSON string of a text, as package encoding/json writes it.
func AppendText(dst []byte, text string) []byte {
	if IsPlain(text) {
		return append(append(append(dst, '"'), text...), '"')
	}
	b, err := json.Marshal(text)
	if err != nil {
		return append(dst, `""`...) // Texts always marshal.
	}
	return append(dst, b...)
}
