package journal

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"github.com/scimkit/scim"
)

// maxTerms is how many terms a record has at most. What names more people is cut until each of them finds the
// entry: otherwise Erase could not erase it.
const maxTerms = 5000

// The kinds of terms. Those of resources are their types.
const (
	termClient  = "\x00client"
	termEvent   = "\x00event"
	termRequest = "\x00request"
	termFailed  = "\x00failed" // the class of the status, 4 or 5
	termEnded   = "\x00ended"  // a gap because a process has ended
	unknownType = "\x00any"    // a resource whose type is not known
)

// prepared is an entry that is ready to be sealed.
type prepared struct {
	entry             Entry
	detail            Detail // of entry
	request, response []byte // the texts of both bodies, which entry does not have
	terms             []Term
	whats             []string // what the counters count
}

// prepare redacts an exchange.
func (j *Journal) prepare(p *prepared, x *exchange, h *hasher) {
	*p = prepared{entry: Entry{Head: x.head}, whats: p.whats[:0]}
	p.entry.Detail = &p.detail
	d, n := &p.detail, &x.notes
	url, hides := j.redactor.url(x.url, x.query)
	hides = j.redactor.texts(x.header[0]) || hides
	j.redactor.texts(x.header[1])
	*d = Detail{Client: n.client, Address: x.address, URL: url, Duration: x.duration, RequestHeader: x.header[0], ResponseHeader: x.header[1]}
	kind, id := typeIn(x.url, n.types)
	touched := touchedByURL(j.redactor, kind, id, x.query)
	var sent, read *reading
	p.entry.Request, sent = j.body(&x.in, h, hides)
	if sent != nil {
		hides = hides || sent.secret
		touched, p.request = append(touched, sent.touched...), sent.text
	}
	p.entry.Response, read = j.body(&x.out, h, hides)
	if read != nil {
		touched, p.response = append(touched, read.touched...), read.text
	}
	bulk := read != nil && x.status > 0 && x.status < 300 && isBulk(x.url)
	if bulk && sent != nil {
		d.Operations = failedOperations(sent.operations, read.operations)
	}
	if x.status >= 400 || x.status == 0 {
		d.Failure = &Failure{}
		if read != nil {
			*d.Failure = read.failure
		}
		if x.head.Kind == Refused {
			d.Failure.Detail = cmp.Or(n.refusal, d.Failure.Detail)
		}
	}
	p.count(x, read, bulk)
	if x.head.Kind == Refused {
		p.entry.Request, p.entry.Response, touched = nil, nil, nil
		p.request, p.response = nil, nil
	}
	for i := range touched {
		if touched[i].Type == "" {
			touched[i].Type = kind
		}
	}
	d.Changes, touched = changes(j.redactor, n.writes, touched)
	d.Events, p.entry.Events, touched = events(n.events, touched)
	d.Touched = merge(touched)
	p.addTerms(h)
}

// count says what the exchange counts as. Refused requests of nobody known do not count.
func (p *prepared) count(x *exchange, read *reading, isBulk bool) {
	switch {
	case x.head.Kind == Refused && x.notes.client == "":
	case isBulk:
		for i := range read.operations {
			o := &read.operations[i]
			p.whats = append(p.whats, whatOf(plainMethod(o.method), "", o.code(), o.failure.Type))
		}
	default:
		typ := ""
		if p.entry.Detail.Failure != nil {
			typ = p.entry.Detail.Failure.Type
		}
		p.whats = append(p.whats, whatOf(x.method, x.url, x.status, typ))
	}
}

// body redacts a body, and returns it without its text, which the reading has. What it names is limited: a body that names
// more people is cut.
func (j *Journal) body(c *capture, h *hasher, hides bool) (*Body, *reading) {
	if c.size == 0 {
		return nil, nil
	}
	b := &Body{Size: c.size, Hash: h.body(c.hash())}
	if c.dropped {
		b.Note = Dropped
		return b, nil
	}
	isCut := !c.isWhole()
	if isCut {
		b.Note = TooLong
	}
	read, err := j.redactor.read(c.text, isCut, hides)
	if errors.Is(err, errTooMany) {
		b.Note = TooLong
		read, err = j.redactor.read(c.text[:min(partBody, len(c.text))], true, hides)
	}
	if err != nil {
		b.Note = NotJSON
		return b, nil
	}
	return b, read
}

// changes compares resources before and after each write.
func changes(r *redactor, writes []*write, touched []Touched) ([]Change, []Touched) {
	var all []Change
	for _, w := range writes {
		ref := w.ref
		c := Change{Op: w.op, Type: ref.Type, ID: ref.ID}
		before, after := w.before.attributes(), w.after.attributes()
		for len(before)+len(after) > 0 {
			var old, new attribute
			if len(after) == 0 || len(before) > 0 && before[0].name <= after[0].name {
				old, before = before[0], before[1:]
			}
			if len(after) > 0 && (old.name == "" || after[0].name == old.name) {
				new, after = after[0], after[1:]
			}
			name := cmp.Or(old.name, new.name)
			if old.value == new.value || isOmitted(name) {
				continue
			}
			if r.mentions(name) || r.mentions(old.value) || r.mentions(new.value) {
				old.value, new.value = maskOf(old.value), maskOf(new.value)
			}
			c.Attributes = append(c.Attributes, AttributeChange{Path: name, Old: clip(old.value, maxValue), New: clip(new.value, maxValue)})
		}
		all = append(all, c)
		touched = append(touched, Touched{Type: ref.Type, ID: ref.ID})
		for _, s := range [...]*snapshot{&w.before, &w.after} {
			if s.text != "" {
				touched = append(touched, Touched{Type: ref.Type, ID: ref.ID, Names: s.namesFor(r)})
			}
		}
	}
	return all, touched
}

// isOmitted reports whether changes do not show an attribute. Events tell of members: a long list would name people
// by whom the entry is not found.
func isOmitted(name string) bool {
	return name == "meta" || name == "schemas" || name == "id" || name == "members"
}

// maxValue is how many bytes of a changed value an entry shows.
const maxValue = 4 << 10

func maskOf(v string) string {
	if v == "" {
		return ""
	}
	return `"` + redacted + `"`
}

// events returns the events of an exchange, and their kinds, each once.
func events(in []scim.Event, touched []Touched) (all []Event, kinds []scim.EventKind, _ []Touched) {
	for _, e := range in {
		if !slices.Contains(kinds, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
		all = append(all, Event{Kind: e.Kind, Resource: e.Resource, Member: e.Member, Role: cmp.Or(e.Role.Name, e.Role.ID), Reason: clip(e.Reason, maxHeader),
			Tolerance: e.Tolerance, Path: clip(e.Path, maxHeader)})
		for _, ref := range []scim.Ref{e.Resource, e.Member} {
			if ref.ID != "" {
				touched = append(touched, Touched{Type: ref.Type, ID: ref.ID})
			}
		}
	}
	return all, kinds, touched
}

// merge makes one of what is said of a resource, in the order in which they come.
func merge(in []Touched) []Touched {
	if len(in) == 0 {
		return nil
	}
	n := 0
	for i := range in {
		n += 1 + len(in[i].Names)
	}
	if n <= fewNames {
		return mergeFew(in)
	}
	at := make(map[scim.Ref]int, len(in))
	known := map[name]bool{} // a client may send very many names
	var all []Touched
	for _, t := range in {
		i, seen := at[scim.Ref{Type: t.Type, ID: t.ID}]
		if !seen {
			at[scim.Ref{Type: t.Type, ID: t.ID}] = len(all)
			all = append(all, Touched{Type: t.Type, ID: t.ID})
			i = len(all) - 1
		}
		for _, text := range t.Names {
			if n := (name{i, text}); text != "" && !known[n] {
				known[n] = true
				all[i].Names = append(all[i].Names, text)
			}
		}
	}
	return all
}

// fewNames is how many ids and names are compared with each other: a map costs more.
const fewNames = 24

// mergeFew is merge for what most exchanges name.
func mergeFew(in []Touched) []Touched {
	all := make([]Touched, 0, len(in))
	for _, t := range in {
		i := slices.IndexFunc(all, func(o Touched) bool { return o.Type == t.Type && o.ID == t.ID })
		if i < 0 {
			i = len(all)
			all = append(all, Touched{Type: t.Type, ID: t.ID})
		}
		for _, text := range t.Names {
			if text == "" || slices.Contains(all[i].Names, text) {
				continue
			}
			if all[i].Names == nil {
				all[i].Names = make([]string, 0, len(t.Names))
			}
			all[i].Names = append(all[i].Names, text)
		}
	}
	return all
}

// name is a name of a resource, which is named by its place in a list.
type name struct {
	of   int
	text string
}

// addTerms adds what finds the entry.
func (p *prepared) addTerms(h *hasher) {
	e := &p.entry
	n := 4 + len(e.Events) + len(e.Detail.Operations)
	for i := range e.Detail.Touched {
		n += 1 + len(e.Detail.Touched[i].Names)
	}
	p.terms = make([]Term, 0, min(n, maxTerms))
	add := func(kind, text string) { p.terms = append(p.terms, h.term(kind, text)) }
	defer func() {
		slices.SortFunc(p.terms, func(a, b Term) int { return bytes.Compare(a[:], b[:]) })
		p.terms = slices.Compact(p.terms)
	}()
	if e.Detail.Client != "" {
		add(termClient, e.Detail.Client)
	}
	if e.RequestID != e.ID {
		add(termRequest, e.RequestID)
	}
	if e.Status >= 400 || e.Status == 0 {
		add(termFailed, classOf(e.Status))
	}
	for i := range e.Detail.Operations {
		add(termFailed, classOf(e.Detail.Operations[i].Status))
	}
	for _, k := range e.Events {
		add(termEvent, string(k))
	}
	for i, t := range e.Detail.Touched {
		if len(p.terms)+1+len(t.Names) > maxTerms {
			// Only what names nobody else stays: an entry without these people would outlive them.
			e.Detail.Touched = e.Detail.Touched[:i]
			e.Request, e.Response = withoutText(e.Request), withoutText(e.Response)
			p.request, p.response = nil, nil
			e.Detail.Events, e.Detail.Changes, e.Detail.Operations = nil, nil, nil
			if e.Detail.Failure != nil {
				e.Detail.Failure.Detail = ""
			}
			return
		}
		kind := cmp.Or(t.Type, unknownType)
		if t.ID != "" {
			add(kind, t.ID)
		}
		for _, name := range t.Names {
			add(kind, scim.Fold(name))
		}
	}
}

// withoutText keeps what may be kept of a body that names too many people.
func withoutText(b *Body) *Body {
	if b == nil {
		return nil
	}
	return &Body{Size: b.Size, Hash: b.Hash, Note: TooManyNames}
}

// classOf returns the class of a failed status.
func classOf(status int) string {
	if status == 0 {
		return "0"
	}
	return string(rune('0' + status/100))
}
