package storetest

import (
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scimkit/scim/journal"
)

// withMemos returns the memos of a store.
func withMemos(t *probe, s journal.Store) journal.MemoStore {
	return capability[journal.MemoStore](t, s, "the store is no journal.MemoStore: troubles are told of by each process")
}

// swap requires that SwapMemo reports what is wanted.
func swap(t *probe, s journal.MemoStore, tenant string, want bool, id string, version int64, value string) {
	if done, err := s.SwapMemo(t.ctx, tenant, journal.SealedMemo{ID: id, Version: version, Value: []byte(value)}); done != want || err != nil {
		t.Errorf("SwapMemo of %s %s, version %d: %t, %v; want %t", tenant, id, version, done, err, want)
	}
}

// expectMemos requires that Memos returns these.
func expectMemos(t *probe, s journal.MemoStore, tenant string, want ...journal.SealedMemo) {
	got, err := s.Memos(t.ctx, tenant)
	slices.SortFunc(got, func(a, b journal.SealedMemo) int { return strings.Compare(a.ID, b.ID) })
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" || err != nil {
		t.Errorf("Memos of %s: error %v (-want +got):\n%s", tenant, err, diff)
	}
}

// memoSteps are about memos.
func memoSteps() []step[journal.Store] {
	return []step[journal.Store]{
		{"memos", "SwapMemo adds, replaces and removes a memo of a tenant, if it has this version.", func(t *probe, of journal.Store) {
			s := withMemos(t, of)
			expectMemos(t, s, "acme")
			swap(t, s, "acme", false, "a", 1, "x") // there is none
			swap(t, s, "acme", false, "a", 0, "")
			swap(t, s, "acme", true, "a", 0, "\x00\xff first")
			swap(t, s, "acme", true, "A", 0, "b")
			swap(t, s, "acme", false, "a", 0, "again")
			swap(t, s, "ACME", true, "a", 0, "other")
			swap(t, s, "acme", true, "a", 1, "second")
			swap(t, s, "acme", false, "a", 1, "late")
			swap(t, s, "acme", false, "a", 1, "")
			expectMemos(t, s, "acme", journal.SealedMemo{ID: "A", Version: 1, Value: []byte("b")}, journal.SealedMemo{ID: "a", Version: 2, Value: []byte("second")})
			swap(t, s, "acme", true, "a", 2, "")
			swap(t, s, "acme", false, "a", 2, "")
			expectMemos(t, s, "acme", journal.SealedMemo{ID: "A", Version: 1, Value: []byte("b")})
			expectMemos(t, s, "ACME", journal.SealedMemo{ID: "a", Version: 1, Value: []byte("other")})
			swap(t, s, "acme", true, "a", 0, "new")
		}},
		{"memos at once", "Of several processes that swap the same memo, one does.", func(t *probe, of journal.Store) {
			s := withMemos(t, of)
			const n = 8
			for version := range int64(3) {
				value, won := "x", make([]bool, n)
				if version == 2 {
					value = ""
				}
				t.parallel(n, func(i int) {
					var err error
					if won[i], err = s.SwapMemo(t.ctx, "acme", journal.SealedMemo{ID: "a", Version: version, Value: []byte(value)}); err != nil {
						t.Errorf("SwapMemo: %v", err)
					}
				})
				if wins := len(slices.DeleteFunc(won, func(did bool) bool { return !did })); wins != 1 {
					t.Errorf("version %d: %d of %d did it, want one", version, wins, n)
				}
			}
			expectMemos(t, s, "acme")
		}},
		{"memos are kept", "Trim and Erase leave memos alone.", func(t *probe, of journal.Store) {
			s := withMemos(t, of)
			swap(t, s, "acme", true, "a", 0, "x")
			if _, err := of.Trim(t.ctx, journal.Retention{From: "9", Day: "9"}); err != nil {
				t.Fatalf("Trim: %v", err)
			}
			if _, err := of.Erase(t.ctx, "acme", termOf("a"), 10); err != nil {
				t.Fatalf("Erase: %v", err)
			}
			expectMemos(t, s, "acme", journal.SealedMemo{ID: "a", Version: 1, Value: []byte("x")})
		}},
	}
}
