package search

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/scimkit/scim"
)

// plain returns a simple JSON value as a text.
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

// instantLen is the length of an instant's key. The text of the date follows the key.
const instantLen = 24

// keyOf returns the text that stands for a value of a in the search form. ok is false if
// text is no value of a.
func keyOf(a scim.Attribute, text string) (key string, ok bool) {
	switch a.Type {
	case scim.TypeDateTime:
		t, ok := scim.ParseTime(text)
		return instantKey(t) + text, ok
	case scim.TypeInteger, scim.TypeDecimal:
		return numberKey(text)
	case scim.TypeString, scim.TypeReference:
		if !a.CaseExact {
			return scim.Fold(text), true
		}
	}
	return text, true
}

// instantKey returns a text that orders as the instant does.
func instantKey(t time.Time) string {
	key := make([]byte, 0, instantLen)
	key = binary.BigEndian.AppendUint64(key, uint64(t.Unix())^1<<63)
	return hex.EncodeToString(binary.BigEndian.AppendUint32(key, uint32(t.Nanosecond())))
}

// numberKey returns a text that orders exactly as the number does, also beyond 2^53. It is
// the key of the nearest float, followed by the difference.
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

// intKey is numberKey of an integer.
func intKey(n int64) string {
	f := float64(n)
	if f >= math.MaxInt64 { // The largest integers are rounded to 2^63.
		return floatKey(f, int(n-math.MaxInt64)-1)
	}
	return floatKey(f, int(n-int64(f)))
}

// floatKey is the key of a float, followed by the difference of a number from it.
func floatKey(f float64, rest int) string {
	if f == 0 {
		f = 0 // It was 0 or -0.
	}
	bits := math.Float64bits(f)
	if bits>>63 == 1 {
		bits = ^bits
	} else {
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x%03x", bits, rest+1024)
}

// maxIndexKey is how many bytes of a key an indexed column holds. An index of PostgreSQL
// has no room for more than 2,700.
const maxIndexKey = 1024

// IndexKey returns a key as indexed columns hold it. They are compared for equality only,
// so a long key is cut and gets a checksum.
func IndexKey(key string) string {
	if len(key) <= maxIndexKey {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return strings.ToValidUTF8(key[:maxIndexKey], "") + "\x01" + hex.EncodeToString(sum[:])
}

// literalKey returns the key of a literal of a filter.
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
