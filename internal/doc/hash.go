package doc

import (
	"hash/fnv"
	"strconv"
)

// Hash is a hash of everything that d holds, its version and times included.
func (d *Document) Hash() string {
	h := fnv.New64a()
	h.Write(Append(nil, d, Encode{Stored: true})) //nolint:errcheck // never fails
	return strconv.FormatUint(h.Sum64(), 36)
}
