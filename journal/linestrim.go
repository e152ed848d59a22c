package journal

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

func appendBase64(b, text []byte) []byte { return base64.StdEncoding.AppendEncode(b, text) }

// Trim implements Store. It rewrites or deletes at most one file.
func (s *Lines) Trim(_ context.Context, r Retention) (done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == nil {
		return false, errClosed
	}
	for tenant, all := range s.shelf {
		s.trimTenant(tenant, all, r)
	}
	s.trimNumber(r.Refused, func(l *line) bool { return l.kind == Refused })
	s.trimNumber(s.o.Entries, func(*line) bool { return true })
	for _, f := range s.files {
		for tenant, all := range f.counts {
			f.counts[tenant] = slices.DeleteFunc(all, func(c Counter) bool { return c.Day < r.Day })
			if len(f.counts[tenant]) == 0 {
				delete(f.counts, tenant)
			}
		}
	}
	kept := maps.Clone(s.keys)
	maps.DeleteFunc(kept, func(at [2]string, _ Key) bool { return at[1] < r.Day })
	if len(kept) < len(s.keys) {
		if err := writeKeys(s.dir, kept); err != nil {
			return false, fmt.Errorf("journal: trim: %w", err)
		}
		s.keys = kept
	}
	for _, f := range s.files[:max(0, len(s.files)-1)] {
		if f.live*2 > f.total {
			continue
		}
		if f.live == 0 {
			err = s.remove(f)
		} else {
			err = s.rewrite(f, nil)
		}
		if err != nil {
			return false, fmt.Errorf("journal: trim: %w", err)
		}
		return false, nil
	}
	return true, nil
}

// trimTenant removes the records of a tenant that are too old or too much.
func (s *Lines) trimTenant(tenant string, all []*line, r Retention) {
	bytes := int64(0)
	for _, l := range all {
		if l.kind != Refused {
			bytes += l.size
		}
	}
	s.drop(tenant, func(l *line) bool {
		if l.id < r.From {
			if l.kind != Refused {
				bytes -= l.size
			}
			return true
		}
		if l.kind == Refused || bytes <= r.Size {
			return false
		}
		bytes -= l.size
		return true
	})
}

// drop removes records of a tenant.
func (s *Lines) drop(tenant string, isGone func(l *line) bool) {
	all := s.shelf[tenant]
	kept := all[:0]
	for _, l := range all {
		if isGone(l) {
			l.file.live--
			s.number--
			continue
		}
		kept = append(kept, l)
	}
	clear(all[len(kept):])
	if s.shelf[tenant] = kept; len(kept) == 0 {
		delete(s.shelf, tenant)
	}
}

// trimNumber keeps the newest records of those that count, of all tenants.
func (s *Lines) trimNumber(most int, counts func(l *line) bool) {
	type place struct{ id, tenant string }
	var all []place
	for tenant, lines := range s.shelf {
		for _, l := range lines {
			if counts(l) {
				all = append(all, place{l.id, tenant})
			}
		}
	}
	if len(all) <= most {
		return
	}
	slices.SortFunc(all, func(a, b place) int { return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.tenant, b.tenant)) })
	gone := map[place]bool{}
	for _, p := range all[:len(all)-most] {
		gone[p] = true
	}
	for tenant := range s.shelf {
		s.drop(tenant, func(l *line) bool { return gone[place{l.id, tenant}] })
	}
}

// remove deletes a file without records. Its counters go to the last one first.
func (s *Lines) remove(f *linesFile) error {
	if len(f.counts) > 0 {
		last, err := s.current(s.files[len(s.files)-1].day)
		if err != nil {
			return err
		}
		text, err := carriedLine(f.counts, filepath.Base(f.name))
		if err != nil {
			return err
		}
		if err := last.write(text); err != nil {
			return err
		}
		last.count(f.counts)
		f.counts = nil
	}
	if err := os.Remove(f.name); err != nil {
		return err
	}
	s.files = slices.DeleteFunc(s.files, func(o *linesFile) bool { return o == f })
	return syncDir(s.dir)
}

// carriedLine is a line with counters. of is the name of the file that they come from.
func carriedLine(counts map[string][]Counter, of string) ([]byte, error) {
	h := headLine{Carried: map[string][]lineCounter{}, Of: of}
	for tenant, all := range counts {
		h.Carried[tenant] = toLine(all)
	}
	text, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	text = append(append(text[:len(text)-1], bodiesMark...), "\"}\n"...)
	return text, nil
}

// moved is where a record is in a file that was written again.
type moved struct {
	l            *line
	offset       int64
	head, length int64
}

// rewrite writes a file again without the records that are gone, and without the content of those that are erased.
func (s *Lines) rewrite(f *linesFile, erased map[*line]bool) error {
	var all []moved
	var size int64
	err := replaceFile(f.name, func(w io.Writer) (err error) {
		all, size, err = s.writeLive(w, f, erased)
		return err
	})
	if err != nil {
		return err
	}
	for _, k := range all {
		k.l.offset, k.l.head, k.l.length = k.offset, k.head, k.length
		if erased[k.l] {
			k.l.terms, k.l.size = nil, (&Record{}).Size()
		}
	}
	f.size, f.total, f.live = size, len(all), len(all)
	if f.out == nil {
		return nil
	}
	err = f.out.Close() // It is that of the file before.
	out, err2 := os.OpenFile(f.name, os.O_RDWR, 0o600)
	if f.out = out; err2 != nil {
		f.out = nil // The next Append begins another file.
	}
	return errors.Join(err, err2)
}

// writeLive writes what stays of a file: its counters, and the records that are not gone.
func (s *Lines) writeLive(w io.Writer, f *linesFile, erased map[*line]bool) (all []moved, size int64, err error) {
	write := func(text []byte) error {
		size += int64(len(text))
		_, err := w.Write(text)
		return err
	}
	if len(f.counts) > 0 {
		text, err := carriedLine(f.counts, "")
		if err == nil {
			err = write(text)
		}
		if err != nil {
			return nil, 0, err
		}
	}
	damaged := map[*line]bool{}
	for _, lines := range s.shelf {
		for _, l := range lines {
			if l.file != f {
				continue
			}
			r, err := l.read(true)
			if errors.Is(err, errDamagedLine) {
				damaged[l] = true
				continue
			}
			if err != nil {
				return nil, 0, err
			}
			if erased[l] {
				r.Key, r.Detail, r.Request, r.Response, r.Terms = "", nil, nil, nil, nil
			}
			text, head, err := appendLine(nil, &r)
			if err != nil {
				return nil, 0, err
			}
			all = append(all, moved{l, size, int64(head), int64(len(text) - 1)})
			if err := write(text); err != nil {
				return nil, 0, err
			}
		}
	}
	if len(damaged) > 0 {
		for tenant := range s.shelf {
			s.drop(tenant, func(l *line) bool { return damaged[l] })
		}
	}
	return all, size, nil
}
