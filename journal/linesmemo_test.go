package journal_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
)

// memoOf is a memo as it is kept.
func memoOf(id string, version int64, value string) journal.SealedMemo {
	return journal.SealedMemo{ID: id, Version: version, Value: []byte(value)}
}

func swapMemo(t *testing.T, s *journal.Lines, tenant string, m journal.SealedMemo) {
	t.Helper()
	if done, err := s.SwapMemo(t.Context(), tenant, m); !done || err != nil {
		t.Fatalf("SwapMemo of %s: %t, %v", m.ID, done, err)
	}
}

func wantMemos(t *testing.T, s *journal.Lines, tenant string, want ...journal.SealedMemo) {
	t.Helper()
	got, err := s.Memos(t.Context(), tenant)
	slices.SortFunc(got, func(a, b journal.SealedMemo) int { return cmp.Compare(a.ID, b.ID) })
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("memos of %q: %v (-want +got):\n%s", tenant, err, diff)
	}
}

// Memos are there when the directory is opened again, whatever a killed process or the disk has left behind them. Those whose
// line is not whole were told to nobody.
func TestLinesMemosOpenedAgain(t *testing.T) {
	both := []journal.SealedMemo{memoOf("a", 2, "second\x00\xff"), memoOf("b", 1, "b")}
	for _, row := range []struct {
		name   string
		change func(text string) string
		want   []journal.SealedMemo
	}{
		{"closed", func(text string) string { return text }, both},
		{"killed in a line", func(text string) string { return text + `{"tenant":"acme","id":"a","ver` }, both},
		{"killed before the end of a line", func(text string) string { return text + `{"tenant":"acme","id":"a"}` }, both},
		{"a damaged line", func(text string) string { return strings.Replace(text, `{"tenant":"acme","id":"b"`, "\x00\x00\x00", 1) }, both[:1]},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			name := filepath.Join(dir, "memos.jsonl")
			s := openLines(t, dir, journal.LinesOptions{})
			swapMemo(t, s, "acme", memoOf("a", 0, "first"))
			swapMemo(t, s, "acme", memoOf("b", 0, "b"))
			swapMemo(t, s, "acme", memoOf("gone", 0, "x"))
			swapMemo(t, s, "acme", memoOf("gone", 1, ""))
			swapMemo(t, s, "", memoOf("a", 0, "of no tenant"))
			swapMemo(t, s, "acme", memoOf("a", 1, "second\x00\xff"))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := s.SwapMemo(t.Context(), "acme", memoOf("c", 0, "x")); err == nil {
				t.Error("what was closed writes still")
			}
			text, err := os.ReadFile(name)
			if err == nil {
				err = os.WriteFile(name, []byte(row.change(string(text))), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				s = openLines(t, dir, journal.LinesOptions{})
				wantMemos(t, s, "acme", row.want...)
				wantMemos(t, s, "", memoOf("a", 1, "of no tenant"))
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			s = openLines(t, dir, journal.LinesOptions{})
			swapMemo(t, s, "acme", memoOf("a", 2, ""))
			wantMemos(t, s, "acme", row.want[1:]...)
		})
	}
}

// The file does not grow with the number of changes, and the memos have a bound.
func TestLinesMemosBounds(t *testing.T) {
	dir := t.TempDir()
	s := openLines(t, dir, journal.LinesOptions{})
	value := strings.Repeat("x", 300<<10)
	for i := range 20 {
		swapMemo(t, s, "acme", memoOf("a", int64(i), value))
	}
	if at, err := os.Stat(filepath.Join(dir, "memos.jsonl")); err != nil || at.Size() > 3<<20 {
		t.Errorf("20 changes of 400 KiB are %d bytes, %v", at.Size(), err)
	}
	n := 0
	for ; n < 100; n++ {
		if done, err := s.SwapMemo(t.Context(), "acme", memoOf(fmt.Sprint("b", n), 0, value)); err != nil {
			if done || !strings.Contains(err.Error(), "at most 16 MiB") {
				t.Errorf("%t, %v", done, err)
			}
			break
		}
	}
	if n < 35 || n > 45 {
		t.Errorf("%d memos of 400 KiB", n)
	}
	if _, err := s.SwapMemo(t.Context(), "acme", memoOf("a", 20, value+value)); err == nil {
		t.Error("a memo becomes larger than there is room")
	}
	swapMemo(t, s, "acme", memoOf("a", 20, value[1:])) // It takes no more room.
	swapMemo(t, s, "acme", memoOf("a", 21, ""))
	swapMemo(t, s, "acme", memoOf("c", 0, value))
	if done, err := s.SwapMemo(t.Context(), "a\xff", memoOf("a", 0, "x")); done || err == nil {
		t.Error("a tenant that JSON cannot write is accepted")
	}
}
