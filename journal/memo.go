package journal

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// Memo is a short text that the processes of an application share: which troubles they have told of, for example. It is
// sealed, and kept until it is removed.
type Memo struct {
	// Name names the memo within its tenant.
	Name string
	// Version counts how often it was written. 0: there is none.
	Version int64
	// Text is the text. "": there is none.
	Text string
}

// MemoStore is a Store that keeps memos as well. Memory, Lines and the Journal of package sqlstore are.
// storetest.RunJournal tests it.
type MemoStore interface {
	// Memos returns all memos of a tenant, in any order.
	Memos(ctx context.Context, tenant string) ([]SealedMemo, error)
	// SwapMemo replaces the memo with this ID and Version by one with Value and the next Version. Version 0: it adds the
	// memo, if there is none with the ID. No Value: it removes the memo. It reports whether it did: of several
	// that swap the same memo at the same time, one does.
	SwapMemo(ctx context.Context, tenant string, m SealedMemo) (bool, error)
}

// SealedMemo is a memo as a MemoStore keeps it. ID has at most 43 letters of base64url, a keyed hash of Memo.Name.
type SealedMemo struct {
	ID      string
	Version int64
	Value   []byte
}

// termMemo is the kind of the hash of a name.
const termMemo = "\x00memo"

// maxMemo is how many bytes a memo has at most.
const maxMemo = 16 << 10

// Memos are the memos of a journal. It is safe for concurrent use.
type Memos struct {
	store Store
	ring  *ring
}

// Memos returns the memos of the journal.
func (j *Journal) Memos() *Memos { return &Memos{j.store, j.ring} }

// keeper returns the store of memos.
func (m *Memos) keeper() (MemoStore, error) {
	s, ok := m.store.(MemoStore)
	if !ok {
		return nil, fmt.Errorf("journal: the store keeps no memos: %w", errors.ErrUnsupported)
	}
	return s, nil
}

// All returns the memos of a tenant. The error is errors.ErrUnsupported if the store keeps none. One that cannot be opened,
// because its key is gone, is left out.
func (m *Memos) All(ctx context.Context, tenant string) (all []Memo, err error) {
	s, err := m.keeper()
	if err != nil {
		return nil, err
	}
	h, err := m.ring.hasher(ctx, tenant)
	if err != nil {
		return nil, err
	}
	sealed, err := s.Memos(ctx, tenant)
	if err != nil {
		return nil, fmt.Errorf("journal: memos: %w", err)
	}
	for _, of := range sealed {
		var texts [2]string
		plain, err := h.memos.Open(nil, nil, of.Value, boundMemo(tenant, of.ID))
		if err == nil {
			err = json.Unmarshal(plain, &texts)
		}
		if err == nil {
			all = append(all, Memo{texts[0], of.Version, texts[1]})
		}
	}
	return all, nil
}

// Swap replaces a memo, if it still has the Version of to. Version 0 adds one, and no Text removes it. It reports whether
// it did: of several processes that swap the same memo, one does. Name and Text have at most 16 KiB. The error is
// errors.ErrUnsupported if the store keeps none.
func (m *Memos) Swap(ctx context.Context, tenant string, to Memo) (bool, error) {
	s, err := m.keeper()
	if err != nil {
		return false, err
	}
	if len(to.Name)+len(to.Text) > maxMemo {
		return false, fmt.Errorf("journal: a memo has %d bytes: use at most %d", len(to.Name)+len(to.Text), maxMemo)
	}
	h, err := m.ring.hasher(ctx, tenant)
	if err != nil {
		return false, err
	}
	id := h.term(termMemo, to.Name)
	sealed := SealedMemo{ID: base64.RawURLEncoding.EncodeToString(id[:]), Version: to.Version}
	if to.Text != "" {
		plain, err := json.Marshal([2]string{to.Name, to.Text})
		if err != nil {
			return false, fmt.Errorf("journal: %w", err)
		}
		sealed.Value = h.memos.Seal(nil, nil, plain, boundMemo(tenant, sealed.ID))
	}
	done, err := s.SwapMemo(ctx, tenant, sealed)
	if err != nil {
		return false, fmt.Errorf("journal: memo: %w", err)
	}
	return done, nil
}

// boundMemo is what a sealed memo belongs to.
func boundMemo(tenant, id string) []byte { return bound("memo", tenant, id) }
