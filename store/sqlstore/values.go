package sqlstore

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// storable leaves out texts that no database takes, so that nothing can have them.
func storable(all []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool {
		return strings.IndexByte(s, 0) >= 0 || !utf8.ValidString(s)
	})
}

// distinct is a sorted copy of texts that can be stored, in which each stands once.
func distinct(ids []string) []string {
	ids = storable(ids)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// tuples is a JSON array of arrays, to be read with {rows $n}.
func tuples[T any](all []T, of func(T) []any) string {
	out := make([][]any, len(all))
	for i, x := range all {
		out[i] = of(x)
	}
	return list(out)
}

// bit is a boolean as both databases store it here.
func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// micros is a time as it is stored.
func micros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(n int64) time.Time {
	if t := time.UnixMicro(n).UTC(); !t.IsZero() {
		return t
	}
	return time.Time{}
}

// list is texts as a JSON array.
func list[T any](all []T) string {
	if all == nil {
		return "[]"
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "[]" // texts, numbers and arrays of them always marshal
	}
	return string(b)
}
