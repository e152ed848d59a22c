package search

import (
	"cmp"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// The keys of numbers order as the numbers do, exactly.
func TestNumberKeys(t *testing.T) {
	all := []string{"0", "-0", "0.0", "1", "1.0", "1e0", "-1", "0.1", "0.30000000000000004", "0.3", "-0.5", "5e-324", "-5e-324", "1e300", "-1e300",
		"9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "-9007199254740993", "-9007199254740992",
		"9223372036854775807", "9223372036854775806", "9223372036854775295", "9223372036854775296", "9223372036854775808", "1e19",
		"-9223372036854775808", "-9223372036854775807", "-9223372036854775809e3"}
	for _, a := range all {
		for _, b := range all {
			x, ok := new(big.Rat).SetString(a)
			y, ok2 := new(big.Rat).SetString(b)
			if !ok || !ok2 {
				t.Fatal(a, b)
			}
			j, ok := numberKey(a)
			k, ok2 := numberKey(b)
			if got, want := strings.Compare(j, k), x.Cmp(y); got != want || !ok || !ok2 {
				t.Errorf("the keys of %s and %s compare as %d, want %d: %s, %s", a, b, got, want, j, k)
			}
		}
	}
	for _, none := range []string{"", "x", "1x"} {
		if k, ok := numberKey(none); ok {
			t.Errorf("%q has the key %s", none, k)
		}
	}
}

// A literal has the key of the value that it equals.
func TestLiteralKeys(t *testing.T) {
	at := time.Date(2024, 2, 29, 1, 2, 3, 4, time.FixedZone("", 3600))
	for _, c := range []struct {
		literal any
		text    string
		key     func(string) (string, bool)
	}{
		{int64(9007199254740993), "9007199254740993", numberKey},
		{float64(0.1), "0.1", numberKey},
		{float64(2), "2.0", numberKey},
		{int64(-5), "-5", numberKey},
	} {
		if want, ok := c.key(c.text); literalKey(c.literal) != want || !ok {
			t.Errorf("the key of %v is %s, that of the value %s is %s", c.literal, literalKey(c.literal), c.text, want)
		}
	}
	if literalKey(at) != instantKey(at.UTC()) || literalKey(true) != "true" || literalKey("x") != "x" {
		t.Error("an instant, a boolean or a text has another key as a literal")
	}
}

func TestInstantKeys(t *testing.T) {
	var all []time.Time
	for _, sec := range []int64{-62135596800, -1, 0, 1, 1709164800, 253402300799} {
		for _, nano := range []int64{0, 1, 999_999_999} {
			all = append(all, time.Unix(sec, nano))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	for i, a := range all {
		if k := instantKey(a); len(k) != instantLen {
			t.Errorf("the key %s is %d long, want %d", k, len(k), instantLen)
		}
		for j, b := range all {
			if got, want := strings.Compare(instantKey(a), instantKey(b)), cmp.Compare(i, j); got != want {
				t.Errorf("the keys of %v and %v compare as %d, want %d", a, b, got, want)
			}
		}
	}
}
