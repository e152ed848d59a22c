package owntables

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/google/uuid"

	"github.com/scimkit/scim/journal"
)

// A pair says that an entry has a term: the first bytes of the term in hexadecimal digits, and the ID of the entry. So pairs of
// one term come together, in order of time. Terms that begin alike are told apart by the terms of the entry.
type pair = string

// pairTerm is how many bytes of a term a pair has.
const pairTerm = 8

// prefixOf is how the pairs of a term begin.
func prefixOf(t journal.Term) string { return hex.EncodeToString(t[:pairTerm]) }

// entryOf returns the ID of the entry of a pair.
func entryOf(p pair) string { return p[2*pairTerm:] }

// pairsOf returns the pairs of an entry, in any order.
func pairsOf(id string, terms []journal.Term) []pair {
	all := make([]pair, len(terms))
	for i, t := range terms {
		all[i] = prefixOf(t) + id
	}
	return all
}

// partSize is about how many bytes a part has: PostgreSQL keeps a row with them in one place.
const partSize = 1900

// part is some of the pairs of a run, sealed into bytes. begins is the first of them.
type part struct {
	begins pair
	pairs  []byte
}

// partsOf divides pairs, which are in order, into parts.
func partsOf(all []pair) (parts []part) {
	for len(all) > 0 {
		p := part{begins: all[0], pairs: make([]byte, 0, partSize+64)}
		n := 0
		for n < len(all) && len(p.pairs) < partSize {
			p.pairs = appendPair(p.pairs, all[n])
			n++
		}
		parts, all = append(parts, p), all[n:]
	}
	return parts
}

// appendPair writes a pair: the bytes of the term, and those of the ID. That of a journal.Journal is a UUID of 16 bytes, behind a
// 0. Another one stands behind its length plus 1.
func appendPair(b []byte, p pair) []byte {
	b, _ = hex.AppendDecode(b, []byte(p[:2*pairTerm])) // prefixOf wrote it
	id := entryOf(p)
	if u, ok := packed(id); ok {
		return append(append(b, 0), u[:]...)
	}
	return append(binary.AppendUvarint(b, uint64(len(id))+1), id...)
}

var errPairs = errors.New("sqlstore: the terms of entries are damaged")

// cutPair returns the term and the ID of the first pair, and the bytes behind it. isUUID says that the ID is packed.
func cutPair(b []byte) (term, id []byte, isUUID bool, rest []byte, err error) {
	if len(b) <= pairTerm {
		return nil, nil, false, nil, errPairs
	}
	n, read := binary.Uvarint(b[pairTerm:])
	if read <= 0 {
		return nil, nil, false, nil, errPairs
	}
	size, begins := len(uuid.UUID{}), pairTerm+read
	if n > 0 {
		size = int(min(n-1, 1<<20))
	}
	if len(b)-begins < size {
		return nil, nil, false, nil, errPairs
	}
	return b[:pairTerm], b[begins : begins+size], n == 0, b[begins+size:], nil
}

// readPairs appends the pairs of a part to all: those of one term, or of each if only is nil.
func readPairs(all []pair, b []byte, only *journal.Term) ([]pair, error) {
	var text []byte
	for len(b) > 0 {
		term, id, isUUID, rest, err := cutPair(b)
		if err != nil {
			return nil, err
		}
		b = rest
		if only != nil && !bytes.Equal(term, only[:pairTerm]) {
			continue
		}
		text = hex.AppendEncode(text[:0], term)
		if isUUID {
			text = appendUUID(text, id)
		} else {
			text = append(text, id...)
		}
		all = append(all, string(text))
	}
	return all, nil
}

// appendUUID writes a UUID as uuid.UUID.String does.
func appendUUID(b, u []byte) []byte {
	for i, part := range [...][]byte{u[:4], u[4:6], u[6:8], u[8:10], u[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	return b
}

// hasPair reports whether a part has a pair.
func hasPair(b []byte, p pair) (bool, error) {
	wanted := appendPair(make([]byte, 0, 64), p)
	for len(b) > 0 {
		_, _, _, rest, err := cutPair(b)
		if err != nil {
			return false, err
		}
		if bytes.Equal(b[:len(b)-len(rest)], wanted) {
			return true, nil
		}
		b = rest
	}
	return false, nil
}

// packed returns the bytes of a UUID that is written as uuid.UUID.String does.
func packed(id string) (u uuid.UUID, ok bool) {
	if len(id) != 36 || id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-' {
		return u, false
	}
	n := 0
	for i := range len(id) {
		c := id[i]
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case c == '-' && (i == 8 || i == 13 || i == 18 || i == 23):
			continue
		default:
			return u, false
		}
		u[n/2] = u[n/2]<<4 | c
		n++
	}
	return u, true
}

// mergePairs returns the pairs of lists, each of which is in order. It does not keep the lists.
func mergePairs(lists [][]pair) []pair {
	for len(lists) > 1 {
		for i := 0; i+1 < len(lists); i += 2 {
			lists[i/2] = mergeTwo(lists[i], lists[i+1])
		}
		if len(lists)%2 == 1 {
			lists[len(lists)/2] = lists[len(lists)-1]
		}
		lists = lists[:(len(lists)+1)/2]
	}
	return slices.Concat(lists...)
}

func mergeTwo(a, b []pair) []pair {
	out := make([]pair, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return append(append(out, a...), b...)
}
