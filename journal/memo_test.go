package journal_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/journal"
)

// memoSpy notes what a store keeps.
type memoSpy struct {
	*journal.Memory
	kept []journal.SealedMemo
}

func (s *memoSpy) SwapMemo(ctx context.Context, tenant string, m journal.SealedMemo) (bool, error) {
	s.kept = append(s.kept, m)
	return s.Memory.SwapMemo(ctx, tenant, m)
}

// Memos come back as they were, for their tenant only, and the store learns nothing.
func TestMemos(t *testing.T) {
	spy := &memoSpy{Memory: journal.NewMemory(1 << 20)}
	options := journal.Options{Keys: journal.NewEphemeralKeys()}
	j, err := journal.New(spy, options)
	if err != nil {
		t.Fatal(err)
	}
	swap := func(tenant string, m journal.Memo, want bool) {
		t.Helper()
		if done, err := j.Memos().Swap(t.Context(), tenant, m); done != want || err != nil {
			t.Errorf("%+v: %t, %v", m, done, err)
		}
	}
	swap("acme", journal.Memo{Name: "silent okta", Text: "since noon"}, true)
	swap("acme", journal.Memo{Name: "silent okta", Text: "again"}, false)
	swap("acme", journal.Memo{Name: "silent okta", Version: 1, Text: "since one"}, true)
	swap("other", journal.Memo{Name: "silent okta", Text: "of the other"}, true)
	again, err := journal.New(spy, options) // another process
	if err != nil {
		t.Fatal(err)
	}
	got, err := again.Memos().All(t.Context(), "acme")
	if diff := cmp.Diff([]journal.Memo{{Name: "silent okta", Version: 2, Text: "since one"}}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, m := range spy.kept {
		if strings.Contains(m.ID+string(m.Value), "okta") || strings.Contains(string(m.Value), "since") {
			t.Errorf("in the clear: %+v", m)
		}
	}
	// What was sealed for one tenant does not open for another one.
	if _, err := spy.Memory.SwapMemo(t.Context(), "third", spy.kept[0]); err != nil {
		t.Fatal(err)
	}
	if got, err := j.Memos().All(t.Context(), "third"); len(got) != 0 || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	swap("acme", journal.Memo{Name: "silent okta", Version: 2}, true)
	if got, err := j.Memos().All(t.Context(), "acme"); len(got) != 0 || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
}

// onlyStore is a Store that keeps no memos.
type onlyStore struct{ journal.Store }

func TestMemosRefused(t *testing.T) {
	for name, store := range map[string]journal.Store{"none": onlyStore{journal.NewMemory(1 << 20)}, "long": journal.NewMemory(1 << 20)} {
		j, err := journal.New(store, journal.Options{Keys: journal.NewEphemeralKeys()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = j.Memos().All(t.Context(), "")
		if errors.Is(err, errors.ErrUnsupported) != (name == "none") {
			t.Errorf("%s: Memos: %v", name, err)
		}
		_, err = j.Memos().Swap(t.Context(), "", journal.Memo{Name: "a", Text: strings.Repeat("x", 16<<10)})
		if err == nil || errors.Is(err, errors.ErrUnsupported) != (name == "none") {
			t.Errorf("%s: SwapMemo: %v", name, err)
		}
	}
}
