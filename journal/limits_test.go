package journal_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scimkit/scim/journal"
)

// A long Age keeps everything: no id is as old as the time at which it begins.
func TestLongAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newApp(t, journal.Options{Age: 1<<63 - 1}, nil)
		go a.j.Run(t.Context()) //nolint:errcheck // Close is called
		a.send("GET", "/Users/none", "")
		time.Sleep(time.Hour)
		if n := len(a.find(journal.Query{From: time.Now().AddDate(-200, 0, 0)})); n != 1 {
			t.Errorf("%d entries, want 1", n)
		}
		if all, _, err := a.j.Problems(t.Context(), "", time.Now().AddDate(-200, 0, 0)); len(all) != 1 || err != nil {
			t.Errorf("%d problems, %v", len(all), err)
		}
		if err := a.j.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A body with very many names holds up no other entry.
func TestManyNamesAreFast(t *testing.T) {
	a := newApp(t, journal.Options{}, nil)
	var b strings.Builder
	b.WriteString(`{"emails":["x"`)
	for i := range 60_000 {
		fmt.Fprintf(&b, `,"%x"`, i)
	}
	b.WriteString("]}")
	a.send("POST", "/Users", b.String())
	begun := time.Now()
	if e := a.last(); e.Request.Note != journal.TooManyNames {
		t.Errorf("note %q", e.Request.Note)
	}
	if d := time.Since(begun); d > 4*time.Second {
		t.Errorf("one entry takes %v", d)
	}
}
