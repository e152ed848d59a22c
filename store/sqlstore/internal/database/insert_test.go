package database

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What all rows have in common stands in SQLite's statement, but for texts that may mean something else there.
func TestTextForEach(t *testing.T) {
	for _, tt := range []struct {
		name   string
		rows   [][]any
		want   string
		places []int
	}{
		{"one value is a literal", [][]any{{"a:b-c_1", int64(-7), nil}, {"a:b-c_1", int64(-7), nil}}, "INSERT INTO x VALUES ('a:b-c_1', -7, NULL)", nil},
		{"others are arguments", [][]any{{"a", int64(1), nil}, {"b", int64(2), "x"}}, "INSERT INTO x VALUES (?, ?, ?)", []int{0, 1, 2}},
		{"quotes and braces are arguments", [][]any{{"it's", "{p}", "?"}, {"it's", "{p}", "?"}}, "INSERT INTO x VALUES (?, ?, ?)", []int{0, 1, 2}},
		{"one row is all arguments", [][]any{{"a", int64(1), nil}}, "INSERT INTO x VALUES (?, ?, ?)", []int{0, 1, 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, places := textForEach(Columns{Into: "x", Kinds: make([]Kind, 3)}, tt.rows)
			if diff := cmp.Diff(tt.want, text); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.places, places); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// PostgreSQL gets texts as elements of an array.
func TestArrayOf(t *testing.T) {
	rows := [][]any{{`a"b`, int64(1)}, {`\`, int64(-2)}, {"", nil}, {nil, int64(3)}, {"{x,y}", int64(4)}}
	if diff := cmp.Diff(`{"a\"b","\\","",NULL,"{x,y}"}`, arrayOf(rows, 0)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(`{1,-2,NULL,3,4}`, arrayOf(rows, 1)); diff != "" {
		t.Error(diff)
	}
	if isConstant(rows, 0) || !isConstant(rows[:1], 0) {
		t.Error("isConstant")
	}
}

// PostgreSQL gets bytes joined, and where each begins.
func TestJoinBytes(t *testing.T) {
	all, from, sizes := joinBytes([][]any{{[]byte{1, 0}}, {[]byte{}}, {[]byte{2}}}, 0)
	if diff := cmp.Diff([]string{"\x01\x00\x02", "{1,3,3}", "{2,0,1}"}, []string{string(all), from, sizes}); diff != "" {
		t.Error(diff)
	}
}
