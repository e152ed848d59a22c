package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// linesFile is one of the files with records.
type linesFile struct {
	name   string // with the directory
	number int
	out    *os.File // nil: nothing more is written
	size   int64
	day    string               // of the newest record
	live   int                  // records that are not gone
	total  int                  // records
	counts map[string][]Counter // by tenant: what its records add, and what files did that are gone
}

// headLine is what a line begins with. The bodies come behind it, so that Find need not read them.
type headLine struct {
	Head
	Key    string        `json:"key"`
	Terms  []byte        `json:"terms,omitempty"` // 16 bytes each
	Counts []lineCounter `json:"counts,omitempty"`
	Detail []byte        `json:"detail,omitempty"`
	// Carried are the counters of a file that is gone, whose name is Of, or of this one before it was rewritten. The line has
	// nothing else.
	Carried map[string][]lineCounter `json:"carried,omitempty"`
	Of      string                   `json:"of,omitempty"`
}

// lineCounter is a Counter in a line.
type lineCounter struct {
	Day    string    `json:"day"`
	Client []byte    `json:"client"`
	What   string    `json:"what"`
	N      int64     `json:"n"`
	Last   time.Time `json:"last"`
	Key    string    `json:"key"`
	Name   []byte    `json:"name"`
}

func toLine(all []Counter) (out []lineCounter) {
	for _, c := range all {
		out = append(out, lineCounter{c.Day, c.Client[:], c.What, c.N, c.Last, c.Key, c.Name})
	}
	return out
}

func fromLine(all []lineCounter) (out []Counter) {
	for _, c := range all {
		var client Term
		copy(client[:], c.Client)
		out = append(out, Counter{c.Day, client, c.What, c.N, c.Last.UTC(), c.Key, c.Name})
	}
	return out
}

// bodiesMark begins the bodies in a line. A text in JSON cannot have it, because it has quotes.
var bodiesMark = []byte(`,"request":"`)

// appendLine writes a record as a line. head is how long the part before the bodies is.
func appendLine(b []byte, r *Record) (out []byte, head int, err error) {
	terms := make([]byte, 0, len(r.Terms)*len(Term{}))
	for _, t := range r.Terms {
		terms = append(terms, t[:]...)
	}
	text, err := json.Marshal(headLine{Head: r.Head, Key: r.Key, Terms: terms, Counts: toLine(r.Counts), Detail: r.Detail})
	if err != nil {
		return b, 0, err
	}
	b = append(b, text[:len(text)-1]...)
	b = append(b, bodiesMark...)
	b = appendBase64(b, r.Request)
	b = append(b, `","response":"`...)
	b = appendBase64(b, r.Response)
	return append(b, "\"}\n"...), len(text) - 1, nil
}

// cutHead returns the part of a line before the bodies, as a JSON object; nil if the line has none, or no end.
func cutHead(text []byte) []byte {
	i := bytes.Index(text, bodiesMark)
	if i < 0 || !bytes.HasSuffix(text, []byte(`"}`)) {
		return nil
	}
	return append(slices.Clip(text[:i]), '}')
}

// read returns a record, with its bodies if whole is set. A line that is damaged has no content.
func (l *line) read(whole bool) (Record, error) {
	in, err := os.Open(l.file.name)
	if err != nil {
		return Record{}, err
	}
	defer in.Close() //nolint:errcheck // it is only read
	n := l.head
	if whole {
		n = l.length
	}
	text := make([]byte, n, n+1)
	if _, err := in.ReadAt(text, l.offset); err != nil {
		return Record{}, fmt.Errorf("%s: %w", l.file.name, err)
	}
	var h headLine
	if err := json.Unmarshal(append(slices.Clip(text[:l.head]), '}'), &h); err != nil {
		return Record{}, fmt.Errorf("%s: %w: %w", l.file.name, errDamagedLine, err)
	}
	r := Record{Head: h.Head, Key: h.Key, Detail: h.Detail, Terms: l.terms}
	r.Time = r.Time.UTC()
	if !whole {
		return r, nil
	}
	var bodies struct{ Request, Response []byte }
	if err := json.Unmarshal(append([]byte{'{'}, text[l.head+1:]...), &bodies); err != nil {
		r.Detail = nil // The journal shows the entry as damaged.
		return r, nil  //nolint:nilerr // so it is told
	}
	r.Request, r.Response = notEmpty(bodies.Request), notEmpty(bodies.Response)
	return r, nil
}

// errDamagedLine says that a line is not what Lines has written.
var errDamagedLine = errors.New("a line is damaged")

func notEmpty(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return b
}

// append appends records to one file, all or none.
func (s *Lines) append(records []Record) error {
	newest := ""
	for i := range records {
		newest = max(newest, day(records[i].Time))
	}
	f, err := s.current(newest)
	if err != nil {
		return err
	}
	var text []byte
	lines, counts := make([]*line, len(records)), map[string][]Counter{}
	known := map[[2]string]bool{}
	for i := range records {
		r := &records[i]
		at := [2]string{r.Tenant, r.ID}
		if known[at] || s.find(r.Tenant, r.ID) != nil {
			continue
		}
		known[at] = true
		if !utf8.ValidString(r.Tenant + r.ID + r.RequestID + r.Method) {
			return fmt.Errorf("the record %q of the tenant %q is no UTF-8", r.ID, r.Tenant)
		}
		offset := len(text)
		var head int
		if text, head, err = appendLine(text, r); err != nil {
			return err
		}
		lines[i] = &line{id: r.ID, kind: r.Kind, method: r.Method, status: r.Status, terms: slices.Clone(r.Terms), size: r.Size(), file: f,
			offset: f.size + int64(offset), head: int64(head), length: int64(len(text) - offset - 1)}
		counts[r.Tenant] = append(counts[r.Tenant], r.Counts...)
	}
	if err := f.write(text); err != nil {
		return err
	}
	for i, l := range lines {
		if l != nil {
			s.add(records[i].Tenant, l)
			f.total++
		}
	}
	f.count(counts)
	if s.number > s.o.Entries+s.o.Entries/8 { // Trim comes every ten minutes.
		s.trimNumber(s.o.Entries, func(*line) bool { return true })
	}
	return nil
}

// count adds counters.
func (f *linesFile) count(counts map[string][]Counter) {
	if f.counts == nil {
		f.counts = map[string][]Counter{}
	}
	for tenant, all := range counts {
		if len(all) > 0 {
			f.counts[tenant] = SumCounters(append(f.counts[tenant], all...))
		}
	}
}

// write appends to the file, all or nothing, and waits until the disk has it.
func (f *linesFile) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := f.out.WriteAt(text, f.size) // what an earlier write has left behind the end is overwritten
	if err == nil {
		err = f.out.Sync()
	}
	if err != nil {
		return errors.Join(err, f.out.Truncate(f.size))
	}
	f.size += int64(len(text))
	return nil
}

// current returns the file that grows. It begins another one for another day, or if the last one is full.
func (s *Lines) current(day string) (*linesFile, error) {
	if n := len(s.files); n > 0 {
		f := s.files[n-1]
		if f.out != nil && f.size < s.o.FileSize && (f.total == 0 || f.day >= day) {
			f.day = max(f.day, day)
			return f, nil
		}
	}
	f := &linesFile{name: nameOf(s.dir, s.next), number: s.next, day: day}
	var err error
	if f.out, err = os.OpenFile(f.name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600); err != nil {
		return nil, err
	}
	if err := syncDir(s.dir); err != nil {
		return nil, errors.Join(err, f.out.Close())
	}
	s.next++
	if n := len(s.files); n > 0 && s.files[n-1].out != nil {
		err = s.files[n-1].out.Close()
		s.files[n-1].out = nil
	}
	s.files = append(s.files, f)
	return f, err
}

// nameOf returns the name of a file with records.
func nameOf(dir string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("entries-%08d.jsonl", n))
}

// numberOf returns the number of a file with records; -1 if it is none.
func numberOf(name string) int {
	text, ok := strings.CutPrefix(name, "entries-")
	text, ok2 := strings.CutSuffix(text, ".jsonl")
	if n, err := strconv.Atoi(text); ok && ok2 && err == nil {
		return n
	}
	return -1
}

// syncDir waits until the disk has the names in a directory.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// replaceFile puts a file in the place of another one, as a whole.
func replaceFile(name string, write func(w io.Writer) error) error {
	out, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 1<<16)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(name+".new"))
	}
	return syncDir(filepath.Dir(name))
}
