package jsonwalk

import (
	"strings"
	"testing"
)

func TestHasManyNames(t *testing.T) {
	for text, most := range map[string]int{
		``:                                0,
		`1`:                               0,
		`{}`:                              0,
		`[1,2,3]`:                         0,
		`{"a":1}`:                         1,
		`{"a":1,"b":{"c":1,"d":2,"e":3}}`: 5,
		`{"a":{},"b":[{"c":1}],"d":1}`:    3,
		`{"a":{"x":1,"y":2},"b":1}`:       3,
		`{"a:b,c":"d:e","\\":1}`:          2,
		`{"a\":":1}`:                      1,
		`[{"a":1},{"a":1},{"a":1}]`:       1,
		`}}]]{"a":1,"b":2}`:               2,
		strings.Repeat(`[`, 20000):        0,
		strings.Repeat(`{"a":`, 9000):     9000,
	} {
		if HasManyNames([]byte(text), most) {
			t.Errorf("%.40s has more than %d names around a place", text, most)
		}
		if most > 0 && !HasManyNames([]byte(text), most-1) {
			t.Errorf("%.40s has no more than %d names around a place", text, most-1)
		}
	}
}
