package journal

import "errors"

// Read lets tests read a body as the journal does.
func Read(redact []string, body string, isCut, hides bool) (text string, touched []Touched, err error) {
	r, err := newRedactor(redact, nil).read([]byte(body), isCut, hides)
	if err != nil {
		return "", nil, err
	}
	return string(r.text), r.touched, nil
}

// URL lets tests read an address as the journal does.
func URL(redact []string, path, query string) (string, bool) {
	return newRedactor(redact, nil).url(path, query)
}

// SetRoom sets how many bytes the queue has.
func (j *Journal) SetRoom(n int64) { j.room.limit.Store(n) }

// Used returns how many bytes of the queue are in use.
func (j *Journal) Used() int64 { return j.room.used.Load() }

// NewID lets tests make IDs of a time.
var NewID = newID

// LostAfter is the time without a beat after which a process has ended.
const LostAfter = lostAfter

// Held returns how many bytes of the queue requests have that still run.
func (j *Journal) Held() int64 { return j.room.held.Load() }

// PlainCell lets tests write a cell of CSV.
var PlainCell = plainCell

// NamesInFilter lets tests read a filter as the journal does.
var NamesInFilter = touchedByFilter

// FailedOperations lets tests read a bulk request and its answer as the journal does.
func FailedOperations(sent, answered string) []FailedOperation {
	r := newRedactor(nil, nil)
	s, err := r.read([]byte(sent), false, false)
	a, err2 := r.read([]byte(answered), false, false)
	if err != nil || err2 != nil {
		return nil
	}
	return failedOperations(s.operations, a.operations)
}

// AppendDetail lets tests write a Detail as the journal does.
var AppendDetail = appendDetail

// MAC hashes a text as the journal does.
func MAC(key []byte, text string) [32]byte {
	m := newMAC(key)
	return m.sum(append(m.begin(nil), text...))
}

// KeyOf lets tests look for a name of the walk.
var KeyOf = keyOf

// TypeIn finds User and Group in a path.
func TypeIn(path string) (name, id string) {
	return typeIn(path, []kind{{"User", "/Users"}, {"Group", "/Groups"}})
}

// Merge lets tests merge what is said of resources.
var Merge = merge

// Tokens returns the tokens that the scanner finds in a body, if it may go through it.
func Tokens(text []byte, isCut bool) (all []string, err error) {
	if err := newRedactor(nil, nil).check(text, isCut); err != nil {
		return nil, err
	}
	s := scanner{src: string(text), isCut: isCut}
	for {
		switch c := s.peek(); c {
		case 0:
			return all, nil
		case '{', '}', '[', ']':
			s.bracket()
			all = append(all, string(c))
		default:
			raw, err := s.scalar()
			if errors.Is(err, errCut) && isCut {
				return all, nil
			}
			if err != nil {
				return all, err
			}
			if raw[0] == '"' {
				raw = unquote(raw)
			}
			all = append(all, raw)
		}
	}
}
