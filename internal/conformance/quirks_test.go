package conformance

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/scimkit/scim"
)

// quirk is a line of testdata/quirks.tsv: a deviation of a client from the RFCs, or
// something that the RFCs leave open.
type quirk struct {
	number, clients, sent, does string
	tolerances                  []scim.Tolerance
	followed, reason            string
}

func quirks(t *testing.T) []quirk {
	t.Helper()
	b, err := os.ReadFile("testdata/quirks.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if lines[0] != "number\tclients\tsent\tdoes\ttolerances\tfollowed\treason" {
		t.Fatalf("the first line names no columns: %q", lines[0])
	}
	var all []quirk
	for i, l := range lines[1:] {
		c := strings.Split(l, "\t")
		if len(c) != 7 {
			t.Fatalf("line %d has %d columns, want 7", i+2, len(c))
		}
		q := quirk{number: c[0], clients: c[1], sent: c[2], does: c[3], followed: c[5], reason: c[6]}
		for name := range strings.SplitSeq(c[4], ", ") {
			if name != "" {
				q.tolerances = append(q.tolerances, scim.Tolerance(name))
			}
		}
		all = append(all, q)
	}
	return all
}

// TestQuirks compares the list with the cases. The list explains each number once. Each
// supported quirk has a case, and each tolerance has a quirk that needs it.
func TestQuirks(t *testing.T) {
	carried := quirkMentions(t)
	needed := map[scim.Tolerance]bool{}
	for _, n := range scim.Tolerances() {
		needed[n] = false
	}
	known := map[string]bool{}
	for i, q := range quirks(t) {
		if want := fmt.Sprintf("Q%d", i+1); q.number != want {
			t.Fatalf("%s stands where %s should", q.number, want)
		}
		known[q.number] = true
		if q.clients == "" || q.sent == "" || q.does == "" {
			t.Errorf("%s: who sends it, what it is or what becomes of it is missing", q.number)
		}
		switch where := carried[q.number]; {
		case q.followed == "yes" && q.reason == "":
			if len(where) == 0 {
				t.Errorf("%s (%s) is named by no test and by no transcript", q.number, q.sent)
			}
		case q.followed == "no" && q.reason != "":
			if len(where) > 0 {
				t.Errorf("%s has a reason to have no case, and is named by %s", q.number, where)
			}
		default:
			t.Errorf("%s: followed is %q and the reason %q; want yes and none, or no and one", q.number, q.followed, q.reason)
		}
		for _, n := range q.tolerances {
			if _, ok := needed[n]; !ok {
				t.Errorf("%s needs the tolerance %q, which there is not", q.number, n)
			}
			needed[n] = true
		}
	}
	if len(known) != 84 {
		t.Errorf("%d quirks, want 84", len(known))
	}
	for n, by := range needed {
		if !by {
			t.Errorf("no quirk needs the tolerance %q", n)
		}
	}
	for number, where := range carried {
		if !known[number] {
			t.Errorf("%s names %s, which is not in the list", where, number)
		}
	}
}

var (
	quirkNumber = regexp.MustCompile(`\bQ[0-9]+\b`)
	// quirkTest is a line of Go that names a case. It is a string that begins with numbers,
	// like a name in a table, or a test or its comment. Other comments do not count.
	quirkTest = regexp.MustCompile(`"Q[0-9]+|^// Test|^func TestQuirk`)
	testName  = regexp.MustCompile(`^func TestQuirk(Q[0-9]+)\(`)
)

// quirkMentions lists the files that mention each quirk.
func quirkMentions(t *testing.T) map[string][]string {
	root := os.DirFS("../..") // the root of the repository
	carried := map[string][]string{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		isGo := strings.HasSuffix(name, "_test.go")
		if err != nil || d.IsDir() || name == "internal/conformance/quirks_test.go" || !isGo && path.Ext(name) != ".http" {
			return err
		}
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			numbers := quirkNumber.FindAllString(line, -1)
			if m := testName.FindStringSubmatch(line); m != nil {
				numbers = append(numbers, m[1])
			}
			if isGo && !quirkTest.MatchString(line) {
				continue
			}
			for _, q := range numbers {
				carried[q] = append(carried[q], name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return carried
}
