package search

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore/internal/dialect"
)

// An application names the attributes by which people search and sort. Two kinds of indexes
// find candidates for a comparison: all resources that satisfy it, and perhaps others. The query
// then compares the candidates, as it would compare everything.
//
//   - An index of places has the texts by which lists are sorted. It answers sortBy, and equality,
//     beginnings and ranges of attributes with one value.
//   - An index of parts has whole texts: of a multi-valued attribute all its values, as JSON. It
//     answers co and ew. In PostgreSQL it has the trigrams of the text. In SQLite a search goes
//     through all texts of the tenant, but reads no resource.
//
// Each begins with an expression that no other index has, so the planners have no choice: see
// Dialect.Each.

// Trigrams stands for the schema of pg_trgm in the columns of an index.
const Trigrams = "{trigrams}"

// sorted returns the attribute by which resources are sorted if a is asked for: of a complex one it is
// the value. That may be complex too, or be missing: then nothing is sorted.
func sorted(t *scim.ResourceType, a scim.Attribute) scim.Attribute {
	if a.Type == scim.TypeComplex {
		if v, ok := t.Attribute(a.Path + ".value"); ok {
			return v
		}
	}
	return a
}

// Index says that resources have indexes of places by the attribute at a path, and of parts if hasParts
// is set. ok is false if t does not have such an attribute.
func (t Type) Index(path string, hasParts bool) (ok bool) {
	a, ok := t.Attribute(path)
	a = sorted(t.ResourceType, a)
	if !ok || a.Type == scim.TypeComplex || hasParts && (a.Path == "id" || a.Type != scim.TypeString && a.Type != scim.TypeReference) {
		return false
	}
	t.Indexed[a.Path] = t.Indexed[a.Path] || hasParts
	return true
}

// Indexes lists the columns of the indexes of a type.
func (t Type) Indexes(d dialect.Dialect) (all []string) {
	w := NewWriter(d, t)
	for path, hasParts := range t.Indexed {
		a, ok := t.Attribute(path)
		if !ok {
			continue
		}
		all = append(all, "("+listed(w, "", ofPlaces, path)+", deleted, ("+w.place("", &a)+"), created, id_length, id)")
		path, parts := parts(w, "", a)
		switch {
		case !hasParts:
		case d == dialect.Postgres:
			all = append(all, "USING gin ("+listed(w, "", ofParts, path)+", ("+parts+") "+Trigrams+"gin_trgm_ops)")
		default:
			all = append(all, "("+listed(w, "", ofParts, path)+", deleted, ("+parts+"), id)")
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// These are the kinds of indexes.
const (
	ofPlaces = "places of "
	ofParts  = "parts of "
)

// listed is the first column of an index: the collection, with a sum that tells the indexes apart. Two
// with one sum would cost time, and nothing else.
func listed(w *Writer, alias, kind, path string) string {
	sum := sha256.Sum256([]byte(kind + path))
	return "(" + dialect.Concat(w.d, alias+"collection", dialect.Quote(hex.EncodeToString(sum[:3]))) + ")"
}

// isListed says that resources are those of the tenant and the type, by the first column of an index.
func isListed(w *Writer, alias, kind, path string) string {
	sum := sha256.Sum256([]byte(kind + path))
	deleted := alias + "deleted"
	if kind == ofParts && w.d == dialect.Postgres {
		deleted = "(" + deleted + " + 0)" // otherwise it would suit the primary key, and the index of parts has no such column
	}
	return listed(w, alias, kind, path) + " = " + dialect.Concat(w.d, w.collection(), dialect.Quote(hex.EncodeToString(sum[:3]))) + " AND " + deleted + " = 0"
}

// place is the text by which resources are sorted. Those without the attribute have 1, and the others
// 0 and their key. *a becomes the attribute that is sorted.
func (w *Writer) place(alias string, a *scim.Attribute) string {
	return w.d.Text("COALESCE(" + dialect.Concat(w.d, "'0'", w.sortKey(alias, a)) + ", '1')")
}

// These are the first characters of places, and so the bounds of all places with a value.
const (
	present = "0"
	absent  = "1"
)

// parts is a text that has the text of each value of a. It is that of the attribute at path.
func parts(w *Writer, alias string, a scim.Attribute) (path, text string) {
	path = a.Path
	if m, ok := outermost("", a); ok {
		path = m.Path
	}
	return path, w.d.Text("(" + w.d.MemberText(alias+"search", path) + ")")
}

// indexOf returns the attribute by which an index of places has the order of q. ok is false if there is none.
func indexOf(w *Writer, q *scim.Query) (path string, ok bool) {
	a, _ := w.t.Attribute(q.SortBy)
	path = sorted(w.t, a).Path
	_, ok = w.indexed[path]
	return path, ok
}

// isSorted reports whether an index has the order of q.
func (w *Writer) isSorted(q *scim.Query) bool {
	_, ok := indexOf(w, q)
	return ok
}

// hasPlaces reports whether an index of places finds candidates for a comparison.
func hasPlaces(w *Writer, c scim.Comparison) bool {
	_, isMany := outermost("", c.Attribute)
	return !isMany && hasIndex(w, c) && slices.Contains([]scim.Operator{scim.OperatorEq, scim.OperatorSw,
		scim.OperatorGt, scim.OperatorGe, scim.OperatorLt, scim.OperatorLe}, c.Op)
}

// hasParts reports whether an index of parts finds candidates for a comparison.
func hasParts(w *Writer, c scim.Comparison) bool {
	literal := literalKey(c.Literal)
	_, isMany := outermost("", c.Attribute)
	return w.indexed[c.Attribute.Path] && hasIndex(w, c) && (!isMany || !strings.ContainsFunc(literal, isEscaped)) &&
		(w.d != dialect.Postgres || hasTrigrams(literal)) &&
		slices.Contains([]scim.Operator{scim.OperatorCo, scim.OperatorEw, scim.OperatorSw, scim.OperatorEq}, c.Op)
}

// hasIndex reports whether there is an index by the attribute of a comparison whose literal it may have.
func hasIndex(w *Writer, c scim.Comparison) bool {
	_, ok := w.indexed[c.Attribute.Path]
	return ok && !w.scans && c.Literal != nil && !c.Text && strings.IndexByte(literalKey(c.Literal), 0) < 0
}

// mostSearches is how many comparisons of a filter may each search an index. Every search may go through much of
// it, so more of them count as Limits.Comparisons says.
const mostSearches = 8

// anyOf joins two lists of comparisons, one of which every match satisfies. It returns nil if they are too
// many.
func anyOf(w *Writer, a, b []scim.Comparison) []scim.Comparison {
	all, searches := slices.Concat(a, b), 0
	for _, c := range all {
		if !w.isIndexed(c) {
			searches++
		}
	}
	if searches > mostSearches {
		return nil
	}
	return all
}

// findCandidates is a query for the ids of the candidates for a comparison.
func findCandidates(w *Writer, c scim.Comparison) string {
	literal, a := literalKey(c.Literal), c.Attribute
	const from = "SELECT f.id AS value FROM {p}resources f WHERE "
	if hasPlaces(w, c) {
		return from + isListed(w, "f.", ofPlaces, a.Path) + " AND " + between(w, w.place("f.", &a), c.Op, present+firstRunes(literal))
	}
	path, parts := parts(w, "f.", a)
	if w.d == dialect.Postgres {
		return from + isListed(w, "f.", ofParts, path) + " AND " + parts + " LIKE " + w.text("%"+patterns.Replace(literal)+"%")
	}
	return from + isListed(w, "f.", ofParts, path) + " AND " + w.d.Contains(parts, w.text(literal))
}

// between is the condition that a place may be that of a value, which satisfies a comparison with
// another place.
func between(w *Writer, place string, op scim.Operator, at string) string {
	switch op {
	case scim.OperatorEq:
		return place + " = " + w.text(at)
	case scim.OperatorSw:
		return place + " >= " + w.text(at) + " AND " + place + " < " + w.text(behind(at))
	case scim.OperatorGt, scim.OperatorGe:
		return place + " >= " + w.text(at) + " AND " + place + " < '" + absent + "'"
	}
	return place + " >= '" + present + "' AND " + place + " <= " + w.text(at)
}

// behind returns the first text after all that begin with a text.
func behind(text string) string {
	all := []rune(text)
	for i := len(all) - 1; i >= 0; i-- {
		switch {
		case all[i] == utf8.MaxRune:
			continue
		case all[i] == 0xd7ff: // Surrogates follow, which are no characters.
			all[i] = 0xe000
		default:
			all[i]++
		}
		return string(all[:i+1])
	}
	return ""
}

// firstRunes returns what a place has of a key.
func firstRunes(key string) string {
	n := 0
	for i := range key {
		if n == scim.SortLength {
			return key[:i]
		}
		n++
	}
	return key
}

// patterns writes a text as a pattern of LIKE.
var patterns = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// isEscaped reports whether JSON has an escape for a character.
func isEscaped(r rune) bool { return r < ' ' || r == '"' || r == '\\' }

// hasTrigrams reports whether pg_trgm finds a text by trigrams. They are of letters and digits. An upper-case
// letter, which only a case-exact value has, may have another lower-case letter in the whole text.
func hasTrigrams(text string) bool {
	n, found := 0, false
	for _, r := range text {
		if unicode.IsUpper(r) {
			return false
		}
		if n++; !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			n = 0
		}
		found = found || n == 3
	}
	return found
}

// collection is the name of the tenant's resources of the type.
func (w *Writer) collection() string {
	return dialect.Concat(w.d, dialect.Quote(w.t.Name()+":"), "CAST($1 AS text)")
}
