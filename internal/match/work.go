package match

import (
	"context"
	"math"

	"github.com/scimkit/scim/internal/fold"
)

// Work is the work that one request may cause by comparing values. It ends when the units
// are spent, and when the context ends. A unit is about a nanosecond. The zero Work has no
// limit. Only one goroutine may use it.
//
// Work also keeps the keys of folded texts, so that a text is folded once and not once for
// each term.
type Work struct {
	ctx  context.Context // nil: no limit
	over error           // the error if the units are spent
	all  int
	left int
	look int // Work looks at the context when left falls below look
	err  error
	// remembers says that Work keeps keys. Without it, a filter of one comparison would pay
	// for keys that nobody asks for again.
	remembers bool
	keys      map[string]string
}

// pace is the number of units after which Work looks at the context again.
const pace = 500_000

// NewWork returns a Work of some units. over is the error if more are needed.
func NewWork(ctx context.Context, units int, over error) *Work {
	return &Work{ctx: ctx, over: over, all: units, left: units, look: units, remembers: true}
}

// Spend takes units. It returns false if the Work has ended: see Err.
func (w *Work) Spend(units int) bool {
	w.left -= units
	return w.left >= w.look || w.goesOn()
}

// goesOn looks at the context and at what is left.
func (w *Work) goesOn() bool {
	switch {
	case w.ctx == nil:
		w.left, w.look = math.MaxInt, math.MinInt
		return true
	case w.err != nil:
	case w.ctx.Err() != nil:
		w.err = w.ctx.Err()
	case w.left < 0:
		w.err = w.over
	default:
		w.look = max(w.left-pace, 0)
		return true
	}
	w.left, w.look = -1, 0 // every Spend comes here again
	return false
}

// Err returns why the Work has ended, or nil. The answers of filters mean nothing then.
func (w *Work) Err() error { return w.err }

// Spent returns the units that have been spent.
func (w *Work) Spent() int { return w.all - w.left }

// The costs of parts of a query, in units.
const (
	costOfRow     = 64 // a row of Scan
	costOfTerm    = 16 // a comparison, besides one unit for each byte of the value, or two for "co"
	costOfFolding = 64 // the folding of a byte in a text that is not ASCII
)

// Key is fold.Key(text).
func (w *Work) Key(text string) string {
	if key, ok := w.keys[text]; ok {
		return key
	}
	if fold.IsASCII(text) {
		w.Spend(len(text))
	} else {
		w.Spend(costOfFolding * len(text))
	}
	key := fold.Key(text)
	if w.remembers {
		if w.keys == nil {
			w.keys = map[string]string{}
		}
		w.keys[text] = key
	}
	return key
}

// forget removes the keys.
func (w *Work) forget() {
	switch {
	case w.keys == nil:
	case len(w.keys) > 64: // to clear a big map would cost as much for each small document
		w.keys = nil
	default:
		clear(w.keys)
	}
}
