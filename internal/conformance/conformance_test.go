package conformance

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/scimtest"
	"github.com/scimkit/scim/store/memory"
)

// conformance is a case for one or more requirements of testdata/requirements.tsv.
type conformance struct {
	ids  string // the ids of the requirements, separated by spaces
	name string
	// change alters the configuration. nil leaves it unchanged.
	change func(c *scim.Config)
	// play is a transcript in the format of package scimtest. It may also use the names of
	// shortURNs, and addresses with spaces and quotes.
	play string
	// test runs after the transcript and checks what a transcript cannot express.
	test   func(t *testing.T, h http.Handler)
	reason string
}

// conformanceTables are all cases, by subject.
var conformanceTables = map[string][]conformance{
	"schema":          schemaConformance,
	"characteristics": characteristicConformance,
	"resources":       resourceConformance,
	"discovery":       discoveryConformance,
	"protocol":        protocolConformance,
	"filter":          filterConformance,
	"list":            listConformance,
	"cursor":          cursorConformance,
	"write":           writeConformance,
	"patch":           patchConformance,
	"bulk":            bulkConformance,
}

var shortURNs = strings.NewReplacer(
	"<User>", "urn:ietf:params:scim:schemas:core:2.0:User",
	"<Group>", "urn:ietf:params:scim:schemas:core:2.0:Group",
	"<Enterprise>", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
	"<Probe>", probeURN, "<Extra>", extraURN, "<Badge>", badgeURN,
	"<Core>", "urn:ietf:params:scim:schemas:core:2.0",
	"<Message>", "urn:ietf:params:scim:api:messages:2.0",
)

// TestConformance plays every case on a store with every capability and on one with only
// the five methods.
func TestConformance(t *testing.T) {
	stores := map[string]func() scim.Store{
		"memory": func() scim.Store { return memory.New() },
		"bare":   func() scim.Store { return testhost.NewBareStore() },
	}
	for store, newStore := range stores {
		for subject, table := range conformanceTables {
			for _, tt := range table {
				t.Run(store+"/"+subject+"/"+tt.name, func(t *testing.T) {
					t.Logf("%s: %s", tt.ids, tt.reason)
					h := conformanceHandler(t, newStore(), tt.change)
					if tt.play != "" {
						files := fstest.MapFS{"play.http": {Data: []byte("Content-Type: application/scim+json\n\n" + expand(tt.play))}}
						scimtest.Play(t, files, func(*testing.T) scimtest.Target {
							return scimtest.Target{Handler: scim.Mount("/scim/v2", h, nil), Token: testhost.Secret}
						})
					}
					if tt.test != nil {
						tt.test(t, h)
					}
				})
			}
		}
	}
}

func conformanceHandler(t *testing.T, store scim.Store, change func(c *scim.Config)) *scim.Handler {
	t.Helper()
	c := scim.Config{Store: store, Types: []*scim.ResourceType{scim.UserType(), scim.GroupType(), probeType, badgeType},
		Rules: []scim.Rule{fillGiven}}
	if change != nil {
		change(&c)
	}
	return testhost.New(t, c)
}

var requestAddress = regexp.MustCompile(`(?m)^((?:GET|HEAD|POST|PUT|PATCH|DELETE) )(/.*)$`)

// expand replaces the short URNs of a transcript and escapes its addresses.
func expand(play string) string {
	return requestAddress.ReplaceAllStringFunc(shortURNs.Replace(play), func(line string) string {
		method, address, _ := strings.Cut(line, " ")
		return method + " " + strings.NewReplacer(" ", "%20", `"`, "%22", "é", "%C3%A9").Replace(address)
	})
}

func strict(c *scim.Config) { c.Strict = true }

const (
	probeURN = "urn:example:params:scim:schemas:Probe"
	extraURN = "urn:example:params:scim:schemas:extension:Extra"
	badgeURN = "urn:example:params:scim:schemas:Badge"
)

// probeType has an attribute of every kind and with every characteristic. badgeType has a
// required extension.
var probeType, badgeType = conformanceTypes()

func conformanceTypes() (probe, badge *scim.ResourceType) {
	str := func(p schema.StringParams) schema.SimpleParams {
		p.Description = optional.NewString("The attribute " + p.Name + ".")
		return schema.SimpleStringParams(p)
	}
	text := func(name string) schema.SimpleParams { return str(schema.StringParams{Name: name}) }
	one := schema.SimpleCoreAttribute
	extra := schema.Schema{ID: extraURN, Name: optional.NewString("Extra"), Description: optional.NewString("More."), Attributes: schema.Attributes{
		one(text("note")),
		one(str(schema.StringParams{Name: "colour", Required: true})),
	}}
	probe = newType(scim.TypeConfig{Name: "Probe", Endpoint: "/Probes", Description: "All kinds", Extensions: []schema.Schema{extra},
		Enumerated: []string{"size", "parts.type", "grade"},
		Schema: schema.Schema{ID: probeURN, Name: optional.NewString("Probe"), Description: optional.NewString("All kinds."), Attributes: schema.Attributes{
			one(text("text")),
			one(str(schema.StringParams{Name: "exact", CaseExact: true})),
			one(str(schema.StringParams{Name: "list", MultiValued: true})),
			one(schema.SimpleBooleanParams(schema.BooleanParams{Name: "flag"})),
			one(schema.SimpleNumberParams(schema.NumberParams{Name: "count", Type: schema.AttributeTypeInteger()})),
			one(schema.SimpleNumberParams(schema.NumberParams{Name: "rate", Type: schema.AttributeTypeDecimal()})),
			one(schema.SimpleDateTimeParams(schema.DateTimeParams{Name: "when"})),
			one(schema.SimpleBinaryParams(schema.BinaryParams{Name: "blob", Description: optional.NewString("Base64, also in the URL alphabet.")})),
			one(schema.SimpleReferenceParams(schema.ReferenceParams{Name: "link", ReferenceTypes: []schema.AttributeReferenceType{"uri"}})),
			one(str(schema.StringParams{Name: "fixed", Mutability: schema.AttributeMutabilityImmutable()})),
			one(str(schema.StringParams{Name: "given", Mutability: schema.AttributeMutabilityReadOnly()})),
			one(str(schema.StringParams{Name: "secret", Mutability: schema.AttributeMutabilityWriteOnly()})),
			one(str(schema.StringParams{Name: "hidden", Returned: schema.AttributeReturnedNever()})),
			one(str(schema.StringParams{Name: "kept", Returned: schema.AttributeReturnedAlways()})),
			one(str(schema.StringParams{Name: "long", Returned: schema.AttributeReturnedRequest()})),
			one(str(schema.StringParams{Name: "size", CanonicalValues: []string{"small", "large"}})),
			one(str(schema.StringParams{Name: "grade", CaseExact: true, CanonicalValues: []string{"A", "B"}})),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "box", SubAttributes: []schema.SimpleParams{
				text("a"), text("b"), str(schema.StringParams{Name: "fixed", Mutability: schema.AttributeMutabilityImmutable()}),
			}}),
			schema.ComplexCoreAttribute(schema.ComplexParams{Name: "parts", MultiValued: true, SubAttributes: []schema.SimpleParams{
				text("value"), str(schema.StringParams{Name: "type", CanonicalValues: []string{"inner", "outer"}}),
				schema.SimpleBooleanParams(schema.BooleanParams{Name: "primary"}),
			}}),
		}}})
	badge = newType(scim.TypeConfig{Name: "Badge", Endpoint: "/Badges", Extensions: []schema.Schema{extra}, Required: []string{extraURN},
		Schema: schema.Schema{ID: badgeURN, Name: optional.NewString("Badge"), Description: optional.NewString("A badge."),
			Attributes: schema.Attributes{one(text("number"))}}})
	return probe, badge
}

func newType(c scim.TypeConfig) *scim.ResourceType {
	t, err := scim.NewResourceType(c)
	if err != nil {
		panic(err)
	}
	return t
}

// fillGiven sets the readOnly attribute of a new Probe, as an application would.
func fillGiven(_ context.Context, c *scim.Change) (err error) {
	if c.Op == scim.OpCreate && c.After.Type() == probeType {
		c.After, err = c.After.With(map[string]any{"given": "by the server"})
	}
	return err
}

// requirement is a line of testdata/requirements.tsv.
type requirement struct{ id, section, level, text, gap string }

func requirements(t *testing.T) []requirement {
	t.Helper()
	f, err := os.Open("testdata/requirements.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if lines[0] != "id\tsection\tlevel\trequirement\tgap" {
		t.Fatalf("the first line names no columns: %q", lines[0])
	}
	var all []requirement
	for i, l := range lines[1:] {
		c := strings.Split(l, "\t")
		if len(c) != 5 {
			t.Fatalf("line %d has %d columns, want 5", i+2, len(c))
		}
		all = append(all, requirement{c[0], c[1], c[2], c[3], c[4]})
	}
	return all
}

// TestRequirements checks that each requirement has either a case or a reason why it has
// none. It reads the ids from the cases.
func TestRequirements(t *testing.T) {
	shown := map[string]int{}
	names := map[string]bool{}
	for subject, table := range conformanceTables {
		for _, tt := range table {
			if tt.reason == "" || tt.ids == "" || tt.play == "" && tt.test == nil {
				t.Errorf("case %s/%s lacks ids, a reason or what it does", subject, tt.name)
			}
			if key := subject + "/" + tt.name; names[key] {
				t.Errorf("case %s is there twice", key)
			} else {
				names[key] = true
			}
			for _, id := range strings.Fields(tt.ids) {
				shown[id]++
			}
		}
	}
	levels := []string{"MUST", "MUST NOT", "SHALL", "SHALL NOT", "SHOULD", "SHOULD NOT"}
	known := map[string]bool{}
	covered, gaps := 0, 0
	for _, r := range requirements(t) {
		number := r.id[strings.LastIndexByte(r.id, '-')+1:]
		if known[r.id] || !slices.Contains(levels, r.level) || r.text == "" || len(number) != 2 ||
			!slices.Contains([]string{"7643", "7644", "9865"}, r.id[:4]) || r.id != fmt.Sprintf("%s-%s-%s", r.id[:4], r.section, number) {
			t.Errorf("%s: the line is not well-formed, or the id is there twice", r.id)
		}
		known[r.id] = true
		switch {
		case r.gap == "" && shown[r.id] == 0:
			t.Errorf("%s (%s: %s) has neither a case nor a reason", r.id, r.level, r.text)
		case r.gap != "" && shown[r.id] > 0:
			t.Errorf("%s has a reason not to be covered and %d cases that cover it", r.id, shown[r.id])
		case r.gap != "":
			gaps++
		default:
			covered++
		}
	}
	for id := range shown {
		if !known[id] {
			t.Errorf("a case names %s, which testdata/requirements.tsv does not have", id)
		}
	}
	t.Logf("covered %d of %d, %d gaps", covered, len(known), gaps)
}
