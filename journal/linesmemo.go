package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"unicode/utf8"
)

// lineMemos are the memos of a Lines: a file in which the last line of a memo counts, and all of them in memory.
type lineMemos struct {
	all map[string]map[string]SealedMemo // by tenant and ID
	// live is about how many bytes the lines of all take, and file how many the file has.
	live, file int64
}

// memoLine is a line of the file. Without a value the memo is removed.
type memoLine struct {
	Tenant  string `json:"tenant"`
	ID      string `json:"id"`
	Version int64  `json:"version,omitempty"`
	Value   []byte `json:"value,omitempty"`
}

const (
	// maxLineMemos is how many bytes the memos of a Lines take at most. One about a trouble takes about 500.
	maxLineMemos = 16 << 20
	// memosSlack is by how much the file may grow beyond twice of what counts.
	memosSlack = 1 << 20
)

// errManyMemos says that there is no room for a memo.
var errManyMemos = fmt.Errorf("journal: memos: Lines keeps at most %d MiB of them", maxLineMemos>>20)

// sizeOfMemo is about how many bytes a line takes.
func sizeOfMemo(tenant string, m SealedMemo) int64 {
	return int64(len(tenant) + len(m.ID) + len(m.Value)*4/3 + 50)
}

// Memos implements MemoStore.
func (s *Lines) Memos(_ context.Context, tenant string) ([]SealedMemo, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Collect(maps.Values(s.memos.all[tenant])), nil
}

// SwapMemo implements MemoStore. The file has the memo when it returns. Lines keeps 16 MiB of memos; then it is an error to add one.
func (s *Lines) SwapMemo(_ context.Context, tenant string, to SealedMemo) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.lock == nil:
		return false, errClosed
	case s.memos.all[tenant][to.ID].Version != to.Version || to.Version == 0 && len(to.Value) == 0:
		return false, nil
	case !utf8.ValidString(tenant + to.ID):
		return false, fmt.Errorf("journal: the memo %q of the tenant %q is no UTF-8", to.ID, tenant)
	}
	if to.Version++; len(to.Value) == 0 {
		to.Version = 0
	}
	if err := s.memos.keep(s.dir, tenant, to); err != nil {
		return false, err
	}
	return true, nil
}

// keep writes a memo to the file, and then to memory.
func (m *lineMemos) keep(dir, tenant string, to SealedMemo) error {
	grows := sizeOfMemo(tenant, to)
	if old, ok := m.all[tenant][to.ID]; ok {
		grows -= sizeOfMemo(tenant, old)
	}
	if len(to.Value) > 0 && grows > 0 && m.live+grows > maxLineMemos {
		return errManyMemos
	}
	if m.file > 2*m.live+memosSlack {
		if err := m.write(dir); err != nil {
			return err
		}
	}
	n, err := appendJSON(memosName(dir), memoLine{tenant, to.ID, to.Version, to.Value})
	if err != nil {
		return fmt.Errorf("journal: memos: %w", err)
	}
	m.file += n
	m.set(tenant, to)
	return nil
}

// set keeps a memo in memory, or removes one.
func (m *lineMemos) set(tenant string, to SealedMemo) {
	if old, ok := m.all[tenant][to.ID]; ok {
		m.live -= sizeOfMemo(tenant, old)
		delete(m.all[tenant], to.ID)
	}
	if len(to.Value) == 0 {
		if len(m.all[tenant]) == 0 {
			delete(m.all, tenant)
		}
		return
	}
	if m.all == nil {
		m.all = map[string]map[string]SealedMemo{}
	}
	if m.all[tenant] == nil {
		m.all[tenant] = map[string]SealedMemo{}
	}
	to.Value = slices.Clone(to.Value)
	m.all[tenant][to.ID] = to
	m.live += sizeOfMemo(tenant, to)
}

// load reads the file. What is damaged is left out: the worst is a notice that is given again.
func (m *lineMemos) load(dir string) error {
	isDamaged := false
	size, isWhole, err := eachLine(memosName(dir), func(text []byte) error {
		var l memoLine
		if json.Unmarshal(text, &l) != nil {
			isDamaged = true
			return nil
		}
		m.set(l.Tenant, SealedMemo{l.ID, l.Version, l.Value})
		return nil
	})
	if m.file = size; err == nil && (isDamaged || !isWhole) {
		err = m.write(dir)
	}
	return err
}

// write writes the file again, with what counts.
func (m *lineMemos) write(dir string) error {
	size := int64(0)
	err := replaceFile(memosName(dir), func(w io.Writer) error {
		for tenant, all := range m.all {
			for _, of := range all {
				text, err := json.Marshal(memoLine{tenant, of.ID, of.Version, of.Value})
				if err != nil {
					return err
				}
				n, err := w.Write(append(text, '\n'))
				if size += int64(n); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("journal: memos: %w", err)
	}
	m.file = size
	return nil
}

func memosName(dir string) string { return filepath.Join(dir, "memos.jsonl") }
