package journal

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"
	"unicode/utf8"
)

// load reads the directory. What a process that was killed has left half done, load ends.
func (s *Lines) load() error {
	names, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range names {
		if filepath.Ext(e.Name()) == ".new" {
			err = errors.Join(err, os.Remove(filepath.Join(s.dir, e.Name())))
		} else if n := numberOf(e.Name()); n >= 0 {
			s.files = append(s.files, &linesFile{name: nameOf(s.dir, n), number: n})
		}
	}
	slices.SortFunc(s.files, func(a, b *linesFile) int { return a.number - b.number })
	err = errors.Join(err, loadKeys(s), loadBeats(s), s.memos.load(s.dir))
	if err != nil {
		return err
	}
	carried, isTorn := map[string]bool{}, false
	for _, f := range s.files {
		of, torn, err := s.loadFile(f)
		if err != nil {
			return err
		}
		for _, name := range of {
			carried[name] = true
		}
		isTorn = isTorn || torn
		s.next = f.number + 1
	}
	if err := s.dropCarried(carried); err != nil {
		return err
	}
	if n := len(s.files); n > 0 {
		f := s.files[n-1]
		if f.out, err = os.OpenFile(f.name, os.O_RDWR, 0o600); err != nil {
			return err
		}
		if isTorn && len(s.beats) == 0 { // Otherwise the gap of the process tells.
			s.beats["lines"] = time.Now().UTC().Truncate(time.Microsecond)
			if err := s.writeBeats(); err != nil {
				return err
			}
		}
	}
	s.trimNumber(s.o.Entries, func(*line) bool { return true })
	return nil
}

// dropCarried deletes files whose counters another file has already: the process ended before it deleted them.
func (s *Lines) dropCarried(carried map[string]bool) error {
	isCarried := func(f *linesFile) bool { return carried[filepath.Base(f.name)] }
	for _, f := range s.files {
		if !isCarried(f) {
			continue
		}
		for tenant := range s.shelf {
			s.drop(tenant, func(l *line) bool { return l.file == f })
		}
		if err := os.Remove(f.name); err != nil {
			return err
		}
	}
	s.files = slices.DeleteFunc(s.files, isCarried)
	return nil
}

// sumAfter is how many counters loadFile adds up at a time.
const sumAfter = 5000

// loadFile reads a file. It cuts off the beginning of a line at its end. It returns the names of files whose
// counters this one has, and whether something is missing.
func (s *Lines) loadFile(f *linesFile) (of []string, isTorn bool, err error) {
	in, err := os.Open(f.name)
	if err != nil {
		return nil, false, err
	}
	defer in.Close() //nolint:errcheck // it is only read
	counts, n := map[string][]Counter{}, 0
	lines := bufio.NewReaderSize(in, 1<<16)
	for {
		text, err := lines.ReadBytes('\n')
		if err == io.EOF {
			if len(text) > 0 {
				isTorn, err = true, os.Truncate(f.name, f.size)
			} else {
				err = nil
			}
			f.count(counts)
			return of, isTorn, err
		}
		if err != nil {
			return nil, false, err
		}
		var h headLine
		head := cutHead(text[:len(text)-1])
		offset := f.size
		f.size += int64(len(text))
		switch err := json.Unmarshal(head, &h); {
		case head == nil || err != nil:
			isTorn = true // Another process, or the disk, has written here.
		case h.Carried != nil:
			for tenant, all := range h.Carried {
				counts[tenant] = append(counts[tenant], fromLine(all)...)
			}
			if h.Of != "" {
				of = append(of, h.Of)
			}
		default:
			l := &line{id: h.ID, kind: h.Kind, method: h.Method, status: h.Status, terms: termsIn(h.Terms), file: f,
				offset: offset, head: int64(len(head) - 1), length: int64(len(text) - 1)}
			l.size = sizeOfLine(&h, len(text)-len(head))
			if !s.add(h.Tenant, l) {
				continue
			}
			f.total++
			f.day = max(f.day, day(h.Time))
			counts[h.Tenant] = append(counts[h.Tenant], fromLine(h.Counts)...)
		}
		if n += len(h.Counts); n > sumAfter {
			f.count(counts)
			counts, n = map[string][]Counter{}, 0
		}
	}
}

// sizeOfLine returns Record.Size of a line whose bodies, as texts, have about this many bytes.
func sizeOfLine(h *headLine, bodies int) int64 {
	r := Record{Detail: h.Detail, Terms: make([]Term, len(h.Terms)/len(Term{}))}
	empty := len(`,"request":"","response":""`) + 1
	return r.Size() + int64(max(0, bodies-empty)*3/4)
}

func termsIn(b []byte) (all []Term) {
	for ; len(b) >= len(Term{}); b = b[len(Term{}):] {
		all = append(all, Term(b))
	}
	return all
}

func keysName(dir string) string  { return filepath.Join(dir, "keys.jsonl") }
func beatsName(dir string) string { return filepath.Join(dir, "beats.json") }

// eachLine calls f with each line of a file. It returns how many bytes the lines have, and whether the last one has its end:
// without it nobody was told that it is kept, and f does not see it. There may be no file.
func eachLine(name string, f func(text []byte) error) (size int64, isWhole bool, err error) {
	in, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	defer in.Close() //nolint:errcheck // it is only read
	for lines := bufio.NewReader(in); ; {
		text, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return size, len(text) == 0, nil
		}
		if err == nil {
			size += int64(len(text))
			err = f(text)
		}
		if err != nil {
			return size, false, fmt.Errorf("%s: %w", name, err)
		}
	}
}

// loadKeys reads the keys. The last line of a key counts.
func loadKeys(s *Lines) error {
	_, isWhole, err := eachLine(keysName(s.dir), func(text []byte) error {
		var k Key
		err := json.Unmarshal(text, &k)
		if err == nil {
			s.keys[[2]string{k.Tenant, k.ID}] = k
		}
		return err
	})
	if err != nil || isWhole {
		return err
	}
	return writeKeys(s.dir, s.keys) // Nobody has used the last key: AddKey has not returned.
}

// appendKey adds a line for a key.
func appendKey(dir string, k Key) error {
	if !utf8.ValidString(k.Tenant + k.ID) {
		return fmt.Errorf("the tenant %q is no UTF-8", k.Tenant)
	}
	_, err := appendJSON(keysName(dir), k)
	return err
}

// appendJSON adds a line to a file, all or nothing, and waits until the disk has it. It returns how many bytes the line has.
func appendJSON(name string, v any) (n int64, err error) {
	text, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	out, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	size, err := out.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = out.Write(append(text, '\n'))
	}
	if err == nil {
		err = out.Sync()
	}
	if err != nil {
		err = errors.Join(err, out.Truncate(size))
	}
	if err = errors.Join(err, out.Close()); err == nil && size == 0 {
		err = syncDir(filepath.Dir(name))
	}
	return int64(len(text)) + 1, err
}

// writeKeys writes all keys.
func writeKeys(dir string, all map[[2]string]Key) error {
	return replaceFile(keysName(dir), func(w io.Writer) error {
		out := json.NewEncoder(w)
		for _, k := range slices.SortedFunc(maps.Values(all), compareKeys) {
			if err := out.Encode(k); err != nil {
				return err
			}
		}
		return nil
	})
}

func loadBeats(s *Lines) error {
	text, err := os.ReadFile(beatsName(s.dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var beats map[string]time.Time
	if err == nil {
		err = json.Unmarshal(text, &beats)
	}
	maps.Copy(s.beats, beats)
	return err
}

// writeBeats writes when each process was alive.
func (s *Lines) writeBeats() error {
	if s.lock == nil {
		return errClosed
	}
	err := replaceFile(beatsName(s.dir), func(w io.Writer) error { return json.NewEncoder(w).Encode(s.beats) })
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}
