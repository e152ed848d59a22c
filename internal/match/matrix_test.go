package match_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scim2/filter-parser/v2"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/match"
)

// pools are the texts that samples hold and that literals are made of.
var pools = map[string][]string{
	"text":  {"Alpha", "alpha", "alphabet", "BETA", "beta blocker", "z", "", "0"},
	"code":  {"Alpha", "alpha", "alphabet", "BETA", "beta blocker", "z", "", "0"},
	"link":  {"https://Example.test/a", "https://example.test/a", "Users/1", "a"},
	"cert":  {"AQID", "aqid", "AQIDBA==", ""},
	"flag":  {"true", "false"},
	"age":   {"0", "-7", "7", "70", "9007199254740992", "9007199254740993", "9223372036854775807"},
	"score": {"0", "-0.5", "0.5", "5e-1", "7", "7.0", "1e3", "9007199254740993", "1e300"},
	"at": {
		"2024-02-29T12:00:00Z", "2024-02-29T13:00:00+01:00", "2024-02-29T12:00:00.000Z", "2024-02-29T12:00:00.000000001Z",
		"2024-02-29T06:30:00-05:30", "1969-12-31T23:59:59Z", "2024-03-01T00:00:00Z",
	},
}

var kinds = []string{"text", "code", "flag", "age", "score", "at", "cert", "link"}

// sample is a resource as a plain Go value.
type sample struct {
	one   map[string]string   // single-valued attributes
	many  map[string][]string // simple multi-valued ones
	box   map[string]string   // complex
	items []map[string]string // complex, multi-valued
	deep  []map[string][]string
	extra *sample
}

func randomSample(r *rand.Rand, withExtra bool) *sample {
	pick := func() map[string]string {
		m := map[string]string{}
		for _, k := range kinds {
			if r.IntN(3) > 0 {
				m[k] = pools[k][r.IntN(len(pools[k]))]
			}
		}
		return m
	}
	lists := func() map[string][]string {
		m := map[string][]string{}
		for _, k := range kinds {
			for range r.IntN(4) {
				m[k] = append(m[k], pools[k][r.IntN(len(pools[k]))])
			}
		}
		return m
	}
	s := &sample{one: pick(), many: lists()}
	if r.IntN(3) > 0 {
		s.box = pick()
	}
	for range r.IntN(4) {
		s.items = append(s.items, pick())
		s.deep = append(s.deep, lists())
	}
	if withExtra && r.IntN(3) > 0 {
		s.extra = randomSample(r, false)
	}
	return s
}

func (s *sample) obj() obj {
	o := obj{}
	single := func(m map[string]string) obj {
		c := obj{}
		for k, v := range m {
			c[k] = v
		}
		return c
	}
	for k, v := range s.one {
		o[k] = v
	}
	for k, v := range s.many {
		o["many-"+k] = v
	}
	if len(s.box) > 0 {
		o["box"] = single(s.box)
	}
	var items, deep []obj
	for i := range s.items {
		items = append(items, single(s.items[i]))
		d := obj{}
		for k, v := range s.deep[i] {
			d[k] = v
		}
		deep = append(deep, d)
	}
	if len(items) > 0 {
		o["items"], o["deep"] = items, deep
	}
	if s.extra != nil {
		o[extraURN] = s.extra.obj()
	}
	return o
}

// An absent value is nil.
func opt(m map[string]string, k string) *string {
	if v, ok := m[k]; ok {
		return &v
	}
	return nil
}

func orAbsent(list []*string) []*string {
	if len(list) == 0 {
		return []*string{nil}
	}
	return list
}

func listOf(l []string) (out []*string) {
	for i := range l {
		out = append(out, &l[i])
	}
	return orAbsent(out)
}

// places lists where an attribute of each kind can stand: its path there and
// what a sample holds at it.
var places = []struct {
	name, path string
	values     func(s *sample, kind string) []*string
}{
	{"single", "%s", func(s *sample, k string) []*string { return []*string{opt(s.one, k)} }},
	{"multi", "many-%s", func(s *sample, k string) []*string { return listOf(s.many[k]) }},
	{"complex", "box.%s", func(s *sample, k string) []*string { return []*string{opt(s.box, k)} }},
	{"multi complex", "items.%s", func(s *sample, k string) (out []*string) {
		for _, e := range s.items {
			out = append(out, opt(e, k))
		}
		return orAbsent(out)
	}},
	{"multi in multi complex", "deep.%s", func(s *sample, k string) (out []*string) {
		for _, e := range s.deep {
			out = append(out, listOf(e[k])...)
		}
		return orAbsent(out)
	}},
}

// holds is what the RFC says, in the plainest Go.
func holds(kind, op string, v *string, lit any) bool {
	switch {
	case op == "pr":
		return v != nil && *v != ""
	case lit == nil:
		return (v == nil) == (op == "eq")
	case v == nil:
		return op == "ne"
	}
	x, y := *v, fmt.Sprint(lit)
	switch {
	case kind == "text":
		x, y = strings.ToLower(x), strings.ToLower(y)
	case kind == "at" && op != "co" && op != "sw" && op != "ew":
		return ordered(op, mustTime(x).Compare(mustTime(y)))
	case kind == "age" || kind == "score":
		m, ok := new(big.Rat).SetString(x)
		n, ok2 := new(big.Rat).SetString(y)
		if !ok || !ok2 {
			panic("matrix: not a number")
		}
		return ordered(op, m.Cmp(n))
	}
	switch op {
	case "co":
		return strings.Contains(x, y)
	case "sw":
		return strings.HasPrefix(x, y)
	case "ew":
		return strings.HasSuffix(x, y)
	}
	return ordered(op, strings.Compare(x, y))
}

func ordered(op string, c int) bool {
	return map[string]bool{"eq": c == 0, "ne": c != 0, "gt": c > 0, "ge": c >= 0, "lt": c < 0, "le": c <= 0}[op]
}

// allowed are the operators of a kind, "pr" and null aside.
var allowed = map[string]string{
	"text": "eq ne co sw ew gt ge lt le", "code": "eq ne co sw ew gt ge lt le", "link": "eq ne co sw ew gt ge lt le",
	"at": "eq ne co sw ew gt ge lt le", "age": "eq ne gt ge lt le", "score": "eq ne gt ge lt le",
	"flag": "eq ne", "cert": "eq ne",
}

func literalOf(kind, text string) any {
	switch kind {
	case "flag":
		return text == "true"
	case "age":
		i, err := strconv.Atoi(text)
		if err != nil {
			panic(err)
		}
		return i
	case "score":
		if i, err := strconv.Atoi(text); err == nil {
			return i
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			panic(err)
		}
		return f
	}
	return text
}

// Every operator with every kind in every place, with present, absent and null,
// against the definition above.
func TestMatrix(t *testing.T) {
	typ := labType(t)
	r := rand.New(rand.NewPCG(7643, 7644))
	samples := []*sample{{}}
	for range 60 {
		samples = append(samples, randomSample(r, true))
	}
	docs := make([]*doc.Document, len(samples))
	for i, s := range samples {
		docs[i] = newDoc(typ, strconv.Itoa(i), s.obj())
	}
	at := time.Now()
	compared, matched := 0, 0
	for _, urn := range []string{"", extraURN} {
		for _, p := range places {
			for _, kind := range kinds {
				for _, op := range strings.Fields("eq ne co sw ew gt ge lt le pr") {
					name := strings.TrimSpace(strings.Join([]string{kind, op, p.name, urn}, " "))
					literals := []any{nil}
					for _, text := range pools[kind] {
						literals = append(literals, literalOf(kind, text))
					}
					if op == "pr" {
						literals = literals[:1]
					}
					for _, lit := range literals {
						e := expression(urn, fmt.Sprintf(p.path, kind), op, lit)
						f, err := match.Compile(typ, e, strict)
						valid := op == "pr" || op == "eq" || op == "ne" || lit != nil && strings.Contains(" "+allowed[kind]+" ", " "+op+" ")
						if valid != (err == nil) {
							t.Fatalf("%s %v: valid should be %v, error %v", name, lit, valid, err)
						}
						if err != nil {
							continue
						}
						for i, s := range samples {
							want := false
							if urn != "" && s.extra == nil {
								s = &sample{}
							} else if urn != "" {
								s = s.extra
							}
							for _, v := range p.values(s, kind) {
								want = want || holds(kind, op, v, lit)
							}
							if got := f.Match(docs[i]); got != want {
								t.Fatalf("%s %v of %+v = %v, want %v", name, lit, s, got, want)
							}
							compared++
							if want {
								matched++
							}
						}
					}
				}
			}
		}
	}
	t.Logf("%d comparisons, %d of them matches, %v", compared, matched, time.Since(at))
	if compared < 100_000 || matched < compared/10 || matched > compared*9/10 {
		t.Errorf("the matrix compares too little: %d comparisons, %d matches", compared, matched)
	}
}

func expression(urn, path, op string, lit any) filter.Expression {
	name, sub, dotted := strings.Cut(path, ".")
	p := filter.AttributePath{AttributeName: name}
	if dotted {
		p.SubAttribute = &sub
	}
	if urn != "" {
		p.URIPrefix = &urn
	}
	return &filter.AttributeExpression{AttributePath: p, Operator: filter.CompareOperator(op), CompareValue: lit}
}
