package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// LinesOptions are the settings of OpenLines.
type LinesOptions struct {
	// FileSize is after how many bytes Lines begins another file. It begins one each day too. Default: 64 MiB.
	FileSize int64
	// Entries is how many records there are at most, of all tenants, and an eighth more for a while: about 300 bytes of each
	// are in memory. Then the oldest go. Default: 200,000.
	Entries int
}

const (
	defaultFileSize = 64 << 20
	defaultEntries  = 200_000
)

// Lines is a Store in files of a directory, one JSON object a line, for one process. It is for an application without a
// database, and for what reads lines, such as a shipper of logs. Make it with OpenLines.
//
// Find looks at what is in memory of each record, and reads from the files only those that it returns. A search takes
// as long as the tenant has records. Each Append ends with fsync.
//
// Trim deletes files whose records are all gone, and rewrites those with more gone records than others. Until then what has
// become too old, or too much, is in a file still, but is not found. Keys that are too old go at once. What
// Erase erases is gone from the files when it returns.
type Lines struct {
	dir    string
	o      LinesOptions
	lock   *os.File
	mu     sync.RWMutex
	files  []*linesFile // in order; the last one grows
	next   int          // the number of the next file
	shelf  map[string][]*line
	keys   map[[2]string]Key
	beats  map[string]time.Time
	memos  lineMemos
	number int // of records
}

var (
	_ Store     = (*Lines)(nil)
	_ MemoStore = (*Lines)(nil)
)

// line is what is in memory of a record.
type line struct {
	id           string
	kind         Kind
	method       string
	status       int
	terms        []Term
	size         int64 // Record.Size
	file         *linesFile
	offset       int64
	head, length int64 // of the part before the bodies, and of all, without the end of the line
}

// OpenLines opens a directory, and makes it if it is not there. It reads all files: a second for about 100 MB. A process
// that was killed may have left the beginning of a line, which OpenLines removes: Journal.Run writes a Gap for
// the process. The error says so if another process has the directory open. Close ends the use.
//
// On Windows and other systems without flock the error is errors.ErrUnsupported.
func OpenLines(dir string, o LinesOptions) (*Lines, error) {
	o.FileSize, o.Entries = cmp.Or(o.FileSize, defaultFileSize), cmp.Or(o.Entries, defaultEntries)
	if o.FileSize < 0 || o.Entries < 0 {
		return nil, errors.New("journal: FileSize and Entries of LinesOptions: use positive numbers, or 0 for the default")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := lockFile(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("journal: %s: another process has it open, or it cannot be locked: %w", dir, err)
	}
	s := &Lines{dir: dir, o: o, lock: lock, shelf: map[string][]*line{}, keys: map[[2]string]Key{}, beats: map[string]time.Time{}}
	if err := s.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %w", err), s.Close())
	}
	return s, nil
}

// Close ends the use of the directory. Call it after Journal.Close.
func (s *Lines) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	for _, f := range s.files {
		if f.out != nil {
			err = errors.Join(err, f.out.Close())
			f.out = nil
		}
	}
	s.files = nil
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close()) // The lock ends with it.
		s.lock = nil
	}
	return err
}

// errClosed is what a Lines returns after Close.
var errClosed = errors.New("journal: Lines is closed")

// add puts a record in its place. It reports whether it is new.
func (s *Lines) add(tenant string, l *line) bool {
	all := s.shelf[tenant]
	i, found := slices.BinarySearchFunc(all, l.id, compareLine)
	if !found {
		s.shelf[tenant] = slices.Insert(all, i, l)
		s.number++
		l.file.live++
	}
	return !found
}

func compareLine(l *line, id string) int { return strings.Compare(l.id, id) }

// find returns a record of a tenant.
func (s *Lines) find(tenant, id string) *line {
	all := s.shelf[tenant]
	if i, found := slices.BinarySearchFunc(all, id, compareLine); found {
		return all[i]
	}
	return nil
}

// Append implements Store.
func (s *Lines) Append(_ context.Context, records []Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return errClosed
	}
	if len(records) == 0 {
		return nil
	}
	if err := s.append(records); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Find implements Store.
func (s *Lines) Find(ctx context.Context, q Search) (out []Record, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := s.shelf[q.Tenant]
	end := len(all)
	if q.Before != "" {
		end, _ = slices.BinarySearchFunc(all, q.Before, compareLine)
	}
	for i := end - 1; i >= 0 && len(out) < q.Limit && all[i].id >= q.From; i-- {
		l := all[i]
		if !q.fits(&Record{Head: Head{ID: l.id, Tenant: q.Tenant, Kind: l.kind, Method: l.method, Status: l.status}, Terms: l.terms}) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := l.read(false)
		if err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		out = append(out, r)
	}
	return out, nil
}

// Get implements Store.
func (s *Lines) Get(_ context.Context, tenant, id string) (Record, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l := s.find(tenant, id)
	if l == nil {
		return Record{}, scim.ErrNotFound
	}
	r, err := l.read(true)
	if err != nil {
		return Record{}, fmt.Errorf("journal: %w", err)
	}
	return r, nil
}

// Counters implements Store.
func (s *Lines) Counters(_ context.Context, tenant, from, to string) (all []Counter, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, f := range s.files {
		for _, c := range f.counts[tenant] {
			if c.Day >= from && c.Day <= to {
				all = append(all, c)
			}
		}
	}
	return SumCounters(all), nil
}

// Erase implements Store. It rewrites the files that have the records.
func (s *Lines) Erase(_ context.Context, tenant string, term Term, limit int) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return 0, errClosed
	}
	erased := map[*linesFile]map[*line]bool{}
	for _, l := range s.shelf[tenant] {
		if n < limit && slices.Contains(l.terms, term) {
			if erased[l.file] == nil {
				erased[l.file] = map[*line]bool{}
			}
			erased[l.file][l] = true
			n++
		}
	}
	done := 0
	for f, lines := range erased {
		if err := s.rewrite(f, lines); err != nil {
			return done, fmt.Errorf("journal: erase: %w", err)
		}
		done += len(lines)
	}
	return done, nil
}

// AddKey implements Store.
func (s *Lines) AddKey(_ context.Context, k Key) (Key, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.keys[[2]string{k.Tenant, k.ID}]; ok {
		return kept, nil
	}
	return k, s.setKey(k)
}

// setKey keeps a key, in the file first.
func (s *Lines) setKey(k Key) error {
	if s.lock == nil {
		return errClosed
	}
	if err := appendKey(s.dir, k); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	s.keys[[2]string{k.Tenant, k.ID}] = k
	return nil
}

// FindKey implements Store.
func (s *Lines) FindKey(_ context.Context, tenant, id string) (Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k, ok := s.keys[[2]string{tenant, id}]; ok {
		return k, nil
	}
	return Key{}, scim.ErrNotFound
}

// Keys implements Store.
func (s *Lines) Keys(_ context.Context, after Key, limit int) ([]Key, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return keysAfter(s.keys, after, limit), nil
}

// ReplaceKey implements Store.
func (s *Lines) ReplaceKey(_ context.Context, k Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.keys[[2]string{k.Tenant, k.ID}]; !ok {
		return nil
	}
	return s.setKey(k)
}

// Beat implements Store.
func (s *Lines) Beat(_ context.Context, process string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.IsZero() {
		delete(s.beats, process)
	} else {
		s.beats[process] = at
	}
	return s.writeBeats()
}

// Lost implements Store.
func (s *Lines) Lost(_ context.Context, before time.Time) (all []Beat, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p, at := range s.beats {
		if at.Before(before) {
			all = append(all, Beat{p, at})
			delete(s.beats, p)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	if err := s.writeBeats(); err != nil {
		for _, b := range all { // They are told the next time.
			s.beats[b.Process] = b.At
		}
		return nil, err
	}
	return all, nil
}
