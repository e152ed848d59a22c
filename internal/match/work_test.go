package match_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
)

var errSpent = errors.New("spent")

// TestWorkEnds ends a Work by its units and by its context.
func TestWorkEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		units int
		want  error
	}{
		{"units", t.Context(), 10_000_000, errSpent},
		{"context", ctx, 10_000_000, context.Canceled},
		{"few units", t.Context(), 10, errSpent},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := match.NewWork(tt.ctx, tt.units, errSpent)
			n := 0
			for w.Spend(5) {
				n += 5
			}
			if !errors.Is(w.Err(), tt.want) {
				t.Errorf("error %v, want %v", w.Err(), tt.want)
			}
			if tt.want == errSpent && n != tt.units || tt.want != errSpent && n > tt.units/10 {
				t.Errorf("%d units were spent", n)
			}
			if w.Spend(0) || w.Spend(1) {
				t.Error("it goes on after its end")
			}
		})
	}
}

func TestZeroWorkHasNoLimit(t *testing.T) {
	var w match.Work
	for range 1000 {
		if !w.Spend(1 << 40) {
			t.Fatal("it ended")
		}
	}
}

// TestTermsCost compares the units of filters with those of longer ones. A text is folded
// once, however many terms look at it.
func TestTermsCost(t *testing.T) {
	emails := userType(t).Find("emails")
	spent := func(text string, terms int, term string) int {
		w := match.NewWork(t.Context(), 1<<40, errSpent)
		e := doc.Composite(emails, doc.Simple(emails.Lookup("value"), text))
		if compileElement(t, emails, term+strings.Repeat(" or "+term, terms-1)).Match(w, e) {
			t.Fatal("it matches")
		}
		return w.Spent()
	}
	for _, text := range []string{strings.Repeat("x", 1000), strings.Repeat("X", 1000), strings.Repeat("É", 500)} {
		one, many := spent(text, 1, `value co "zz"`), spent(text, 20, `value co "zz"`)
		if per := (many - one) / 19; per < 2000 || per > 2100 {
			t.Errorf("%.3s: the first term costs %d units, and each further one %d", text, one, per)
		}
	}
	if ascii, other := spent(strings.Repeat("x", 1000), 1, `value co "zz"`), spent(strings.Repeat("É", 500), 1, `value co "zz"`); other < 5*ascii {
		t.Errorf("folding costs %d units, and comparing %d", other, ascii)
	}
}

// TestScanEnds ends a scan that looks at too much, or whose context ends.
func TestScanEnds(t *testing.T) {
	typ := userType(t)
	d := people[0].document(typ)
	endless := iter.Seq2[*doc.Document, error](func(yield func(*doc.Document, error) bool) {
		for yield(d, nil) {
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		filter string
		ctx    context.Context
		want   error
	}{
		{`userName eq "x"`, t.Context(), errSpent},
		{`emails[value co "x" and type eq "y"]`, t.Context(), errSpent},
		{"", t.Context(), errSpent},
		{`userName eq "x"`, ctx, context.Canceled},
		{"", ctx, context.Canceled},
	} {
		t.Run(fmt.Sprint(tt.filter, tt.want), func(t *testing.T) {
			q := match.Query{Limit: 10, Work: match.NewWork(tt.ctx, 50_000_000, errSpent)}
			if tt.filter != "" {
				q.Filter = compile(t, typ, tt.filter)
			}
			if _, _, err := match.Scan(&q, endless, func(d *doc.Document) *doc.Document { return d }); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}
