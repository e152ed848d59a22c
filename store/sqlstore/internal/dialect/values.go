package dialect

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Storable leaves out texts that no database takes, so that nothing can have them.
func Storable(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)
	})
}

// Distinct is a sorted copy of texts that can be stored, in which each stands once.
func Distinct(ids []string) []string {
	ids = Storable(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Tuples is a JSON array of arrays, to be read with {rows $n}.
func Tuples[T any](all []T, of func(T) []any) string {
	out := make([][]any, len(all))
	for i, x := range all {
		out[i] = of(x)
	}
	return List(out)
}

// Bit is a boolean as both databases store it here.
func Bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// Micros is a time as it is stored.
func Micros(t time.Time) int64 { return t.UnixMicro() }

func FromMicros(n int64) time.Time {
	if t := time.UnixMicro(n).UTC(); !t.IsZero() {
		return t
	}
	return time.Time{}
}

// List is texts as a JSON array.
func List[T any](all []T) string {
	if all == nil {
		return "[]"
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "[]" // texts, numbers and arrays of them always marshal
	}
	return string(b)
}
