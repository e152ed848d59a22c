package doc

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimkit/scim/internal/model"
)

// arena puts the texts and kids of many values into few allocations. It never changes a
// text or kid that it has returned. It derives the size of a chunk from the size of the
// remaining JSON, so that little space is left over.
type arena struct {
	size   int // the size of the JSON
	js     *jsontext.Decoder
	chunk  strings.Builder
	values []Value
	lists  [][]Value
}

// ahead guesses how many more things the JSON has, if each takes n bytes.
func (r *arena) ahead(n, most int) int {
	return min((r.size-int(r.js.InputOffset()))/n+1, most)
}

// keep returns a copy of text.
func (r *arena) keep(text []byte) string {
	if r.chunk.Cap()-r.chunk.Len() < len(text) {
		room := r.ahead(2, 4096)
		if len(text) > room/4 {
			return string(text)
		}
		r.chunk.Reset()
		r.chunk.Grow(room)
	}
	n := r.chunk.Len()
	r.chunk.Write(text)
	return r.chunk.String()[n:]
}

// composite is Composite with a copy of kids. It is the zero Value if there are none.
func (r *arena) composite(a *model.Attribute, kids []Value) Value {
	if len(kids) == 0 {
		return Value{}
	}
	if cap(r.values)-len(r.values) < len(kids) {
		r.values = make([]Value, 0, max(len(kids), r.ahead(20, 512)))
	}
	if len(r.lists) == cap(r.lists) {
		r.lists = make([][]Value, 0, r.ahead(70, 128))
	}
	n := len(r.values)
	r.values = append(r.values, kids...)
	r.lists = append(r.lists, r.values[n:len(r.values):len(r.values)])
	return Value{Attr: a, kids: &r.lists[len(r.lists)-1]}
}
