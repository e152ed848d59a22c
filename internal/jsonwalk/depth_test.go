package jsonwalk

import "testing"

func TestIsDeeper(t *testing.T) {
	for text, depth := range map[string]int{
		"":                           0,
		"1":                          0,
		`"[[["`:                      0,
		`"\"[["`:                     0,
		`{"a":[1,{"b":"]"}],"c":[]}`: 3,
		`[[],[],[]]`:                 2,
		`[{]`:                        2,
		`"\`:                         0,
	} {
		if IsDeeper([]byte(text), depth) {
			t.Errorf("%s is deeper than %d", text, depth)
		}
		if depth > 0 && !IsDeeper([]byte(text), depth-1) {
			t.Errorf("%s is not deeper than %d", text, depth-1)
		}
	}
}
