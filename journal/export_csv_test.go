package journal_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/journal"
)

func TestExport(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	a := newApp(t, journal.Options{Now: func() time.Time { now = now.Add(time.Second); return now }}, nil)
	a.create("/Users", strings.Replace(ann, "Ann@example.com", `=cmd|' /C calc'!A1\n\"x`, 1))
	a.send("GET", "/Users/none", "")
	for range 2100 { // more than two pages
		a.send("GET", "/Groups", "")
	}
	if all := a.find(journal.Query{Resource: struct{ Type, ID string }{"User", "none"}}); len(all) != 1 {
		t.Fatal(all)
	}
	var out bytes.Buffer
	if err := a.j.ExportCSV(t.Context(), &out, journal.Query{To: now}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil || len(rows) != 2103 {
		t.Fatal(len(rows), err)
	}
	id := rows[len(rows)-2][13]
	want := []string{"2026-01-02T03:04:08Z", "", "exchange", "okta", "GET", "/Users/none", "404", "1000", "User", "User none", "", `There is no User "none"`, id, id}
	got := rows[len(rows)-2]
	want[11], want[12] = got[11], got[12] // the endpoint's text and its id of the request
	if diff := cmp.Diff(want, got); diff != "" || !strings.Contains(got[11], "none") {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if first := rows[len(rows)-1][9]; !strings.HasPrefix(first, "User =cmd|") {
		t.Errorf("cell %q", first)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("the cell %q is a formula", cell)
			}
		}
	}
	out.Reset()
	if err := a.j.ExportJSON(t.Context(), &out, journal.Query{Person: "none"}); err != nil {
		t.Fatal(err)
	}
	var e journal.Entry
	if err := json.Unmarshal(out.Bytes(), &e); err != nil || e.Status != 404 || !strings.Contains(e.Response.Text, "none") || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%v: %s", err, out.String())
	}
}

func TestPlainCell(t *testing.T) {
	for _, s := range []string{"=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x"} {
		if got := journal.PlainCell(s); got != "'"+s {
			t.Errorf("%q becomes %q: a spreadsheet takes it for a formula", s, got)
		}
	}
	for _, s := range []string{"", "a=1", "é", "'=1"} {
		if got := journal.PlainCell(s); got != s {
			t.Errorf("%q becomes %q", s, got)
		}
	}
}
