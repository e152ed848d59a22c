package search

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// plain is a simple JSON value as a text.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// instantLen is the length of the key of an instant. The text of the date follows it.
const instantLen = 24

// keyOf is the text that stands for a value of a, given as a text, in the search
// form. ok is false for what is no value of a.
func keyOf(a scim.Attr, text string) (key string, ok bool) {
	switch a.Type {
	case "dateTime":
		t, ok := scim.ParseTime(text)
		return instantKey(t) + text, ok
	case "integer", "decimal":
		return numberKey(text)
	case "string", "reference":
		if !a.CaseExact {
			return scim.Fold(text), true
		}
	}
	return text, true
}

func instantKey(t time.Time) string {
	return fmt.Sprintf("%016x%08x", uint64(t.Unix())^1<<63, t.Nanosecond())
}

// numberKey orders numbers exactly, integers beyond 2^53 too: the nearest float, and
// then what it lacks.
func numberKey(text string) (string, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return intKey(n), true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(f, 0) {
		return "", false
	}
	return floatKey(f, 0), true
}

func intKey(n int64) string {
	f := float64(n)
	if f >= math.MaxInt64 { // 2^63, to which the largest ones are rounded
		return floatKey(f, int(n-math.MaxInt64)-1)
	}
	return floatKey(f, int(n-int64(f)))
}

func floatKey(f float64, rest int) string {
	if f == 0 {
		f = 0 // not -0
	}
	bits := math.Float64bits(f)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x%03x", bits, rest+1024)
}

// longest is how many bytes of a key are kept in indexed columns: PostgreSQL has no
// room for more than 2,700 in an index.
const longest = 1024

// Indexed is a key as it is kept in indexed columns, which are only compared for
// equality.
func Indexed(key string) string {
	if len(key) <= longest {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return strings.ToValidUTF8(key[:longest], "") + "\x01" + hex.EncodeToString(sum[:])
}

// literalKey is a literal in the form of what it is compared with.
func literalKey(x any) string {
	switch x := x.(type) {
	case string:
		return x
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return intKey(x)
	case float64:
		return floatKey(x, 0)
	case time.Time:
		return instantKey(x)
	}
	return ""
}
