package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/scimkit/scim"
)

// plain is a minimal Store: a list, a lock and scim.Scan. It has no capabilities. A user
// and a group of it may have the same id, and it chooses ids, times and versions itself.
// This proves that the suite allows all of that. fault names its error; "" means none.
type plain struct {
	fault string

	mu    sync.Mutex
	count int
	// waiting is how many updates wait for a name.
	waiting int
	next    map[string]int
	all     []*scim.Resource
	gone    []*scim.Resource  // deleted
	past    []*scim.Resource  // before updates
	first   map[string]string // ids by the externalId that they were created with
}

func newPlain(fault string) *plain {
	return &plain{fault: fault, next: map[string]int{}, first: map[string]string{}}
}

// lock is Lock, or nothing for the fault of having none.
func (p *plain) lock(ctx context.Context) (unlock func(), err error) {
	if p.fault == "ignores the context" {
		ctx = context.Background()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.mu.Lock()
	return p.mu.Unlock, nil
}

func (p *plain) find(ref scim.Ref) int {
	return slices.IndexFunc(p.all, func(r *scim.Resource) bool {
		return r.ID() == ref.ID && (r.Type().Name() == ref.Type || p.fault == "ids without types")
	})
}

// taken reports whether another resource has the userName of r.
func (p *plain) taken(r *scim.Resource, except string) bool {
	fold := scim.Fold
	switch p.fault {
	case "userName with its case":
		fold = func(s string) string { return s }
	case "userName by a collation":
		fold = func(s string) string { return strings.NewReplacer("é", "e", "ß", "ss").Replace(scim.Fold(s)) }
	}
	list := p.all
	switch p.fault {
	case "userName stays taken":
		list = append(slices.Clone(p.all), p.gone...)
	case "userName that was given up stays taken":
		list = append(slices.Clone(p.all), p.past...)
	}
	return r.Type().Name() == "User" && slices.ContainsFunc(list, func(o *scim.Resource) bool {
		if p.fault == "userName of inactive users is free" && !o.Active() || p.fault == "update may take a userName" && except != "" {
			return false
		}
		return o.Type() == r.Type() && o.ID() != except && fold(o.String("userName")) == fold(r.String("userName"))
	})
}

func (p *plain) stamp(r *scim.Resource, m scim.Meta) *scim.Resource {
	p.count++
	m.Version, m.LastModified = fmt.Sprint(p.count), time.Now().Add(time.Duration(p.count)*2*time.Millisecond)
	return r.WithMeta(m)
}

func (p *plain) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	unlock, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	taken := p.taken(r, "")
	if p.fault == "uniqueness is asked first and decided later" {
		p.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		p.mu.Lock()
	}
	if taken {
		if p.fault == "conflict of another kind" {
			return nil, errors.New("UNIQUE constraint failed: users.user_name")
		}
		return nil, scim.Conflict("userName")
	}
	if p.fault == "empty strings are null" {
		for _, path := range []string{"title", "nickName"} {
			if r.Get(path) == "" {
				if r, err = r.With(values{path: nil}); err != nil {
					return nil, err
				}
			}
		}
	}
	p.next[r.Type().Name()]++
	stored := p.stamp(r, scim.Meta{ID: fmt.Sprint(p.next[r.Type().Name()])})
	m := stored.Meta()
	m.Created = m.LastModified
	stored = stored.WithMeta(m)
	p.first[r.String("externalId")] = stored.ID()
	switch p.fault {
	case "returns what it was given":
		p.all = append(p.all, stored)
		return r, nil
	case "forgets the time":
		m.Created = time.Time{}.Add(time.Duration(p.count) * time.Second)
		stored = stored.WithMeta(m)
	case "newest first":
		p.all = append([]*scim.Resource{stored}, p.all...)
		return stored, nil
	}
	p.all = append(p.all, stored)
	return stored, nil
}

func (p *plain) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	unlock, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	i := p.find(ref)
	switch {
	case i >= 0:
		return p.all[i], nil
	case p.fault == "unknown is nil":
		return nil, nil
	case p.fault == "an error of its own for unknown ids" && ref.ID == "no-such-id":
		return nil, errors.New("invalid input syntax for type bigint")
	}
	return nil, fmt.Errorf("plain: %w", scim.ErrNotFound)
}

func (p *plain) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	unlock, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c := *q
	if translated, ok := filterFaults()[p.fault]; ok && q.Filter != nil {
		if c.Filter, err = scim.ParseFilter(t, translated.Replace(q.Filter.Text())); err != nil {
			return nil, err
		}
	}
	switch p.fault {
	case "no rows are an error":
		if p.next[t.Name()] == 0 {
			return nil, errors.New("no rows in result set")
		}
	case "index of the first values":
		if x, ok := q.Filter.Eq("externalId"); ok {
			c.IDs = []string{p.first[x]}
		}
	case "externalId by Fold":
		if x, ok := q.Filter.Eq("externalId"); ok {
			c.Filter = nil
			c.IDs = []string{}
			for r := range p.ofType(t) {
				if scim.Fold(r.String("externalId")) == scim.Fold(x) {
					c.IDs = append(c.IDs, r.ID())
				}
			}
		}
	case "ignores IDs":
		c.IDs = nil
	case "empty IDs are all":
		if len(c.IDs) == 0 {
			c.IDs = nil
		}
	case "ignores the filter":
		c.Filter = nil
	case "ignores SortBy":
		if q.After == nil {
			c.SortBy = ""
		}
	case "ignores the direction":
		c.Descending = false
	case "too many parameters":
		if len(c.IDs) > 999 {
			return nil, errors.New("too many SQL variables")
		}
	case "cuts before it filters":
		if c.SortBy != "" && c.After == nil {
			c.Filter = nil
		}
	case "null is not behind anything":
		if c.After != nil && c.SortBy != "" && c.After.Value == nil {
			return &scim.Page{}, nil
		}
	case "compares without end":
		c.MaxComparisons = 0
	case "filters the first page alone":
		if c.After != nil {
			c.Filter = nil
		}
	case "a place that is gone is the end":
		if c.After != nil && p.find(scim.Ref{Type: t.Name(), ID: c.After.ID}) < 0 {
			return &scim.Page{}, nil
		}
	case "looks the place up again":
		if c.After != nil {
			if i := p.find(scim.Ref{Type: t.Name(), ID: c.After.ID}); i >= 0 {
				c.After = scim.KeyOf(&c, p.all[i])
			}
		}
	case "ignores After":
		c.After = nil
	case "ignores the offset":
		c.Offset = 0
	case "limit 0 is no limit":
		if c.Limit == 0 {
			c.Limit = 1 << 30
		}
	}
	page, err := scim.Scan(&c, p.ofType(t))
	if err == nil {
		p.spoil(q, page)
	}
	return page, err
}

func (p *plain) ofType(t *scim.ResourceType) iter.Seq2[*scim.Resource, error] {
	return func(yield func(*scim.Resource, error) bool) {
		list := p.all
		if p.fault == "lists what is deleted" {
			list = append(slices.Clone(list), p.gone...)
		}
		for _, r := range list {
			if (r.Type() == t || p.fault == "lists all types") && !yield(r, nil) {
				return
			}
		}
	}
}

// spoil is what faulty stores do to a right page.
func (p *plain) spoil(q *scim.Query, page *scim.Page) {
	switch p.fault {
	case "total is that of the page":
		page.Total = len(page.Resources)
	case "sorts by the whole text":
		if q.SortBy == "title" && !q.Descending {
			slices.SortStableFunc(page.Resources, func(a, b *scim.Resource) int {
				return strings.Compare(scim.Fold(a.String("title")), scim.Fold(b.String("title")))
			})
		}
	case "cuts and says nothing":
		if q.MaxBytes > 0 {
			page.Resources = page.Resources[:min(1, len(page.Resources))]
		}
	case "newest first":
		if q.SortBy == "" && q.After == nil {
			slices.Reverse(page.Resources)
		}
	case "cuts before it filters":
		page.Resources = slices.DeleteFunc(page.Resources, func(r *scim.Resource) bool { return !q.Filter.Match(r) })
	case "one too many":
		if len(page.Resources) == q.Limit && q.Limit > 0 {
			page.Resources = append(page.Resources, page.Resources[0])
		}
	}
}

func (p *plain) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	unlock, err := p.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	i := p.find(ref)
	if i < 0 && p.fault == "update makes what is unknown" {
		return fn(nil)
	}
	if i < 0 {
		return nil, scim.ErrNotFound
	}
	before := p.all[i]
	after, err := fn(before)
	if p.fault == "loses updates" {
		p.mu.Unlock()
		time.Sleep(time.Millisecond)
		p.mu.Lock()
		if i = p.find(ref); i < 0 {
			return nil, scim.ErrNotFound
		}
	}
	if p.fault == "updates bring back what was deleted" && err == nil {
		p.mu.Unlock()
		time.Sleep(time.Millisecond)
		p.mu.Lock()
		if i = p.find(ref); i < 0 {
			p.all = append(p.all, after)
			return after, nil
		}
		before = p.all[i]
		after, err = fn(before)
	}
	if p.fault == "deadlocks" && err == nil && p.taken(after, ref.ID) {
		p.waiting++
		p.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		p.mu.Lock()
		if p.waiting--; p.waiting > 0 {
			return nil, errors.New("deadlock detected")
		}
	}
	switch {
	case err != nil && p.fault == "swallows the error of fn":
		return before, nil
	case err != nil && p.fault == "hides the error of fn":
		return nil, fmt.Errorf("update: %v", err)
	case err != nil && p.fault == "stores though fn fails" && after != nil:
		p.all[i] = after
		return nil, err
	case err != nil:
		return nil, err
	case after == before && p.fault != "writes though nothing changed":
		return before, nil
	case p.taken(after, ref.ID), p.fault == "conflicts with itself" && after.String("userName") != before.String("userName") && scim.Fold(after.String("userName")) == scim.Fold(before.String("userName")):
		return nil, scim.Conflict("userName")
	case p.fault == "adds and never removes" && before.Get("nickName") != nil && after.Get("nickName") == nil:
		if after, err = after.With(values{"nickName": before.Get("nickName")}); err != nil {
			return nil, err
		}
	}
	if p.fault == "writes in two halves" && ref.Type == "User" {
		half, err := after.With(values{department: before.Get(department)})
		if err != nil {
			return nil, err
		}
		p.all[i] = p.stamp(half, before.Meta())
		p.mu.Unlock()
		time.Sleep(2 * time.Millisecond)
		p.mu.Lock()
		i = p.find(ref)
	}
	if after.String("userName") != before.String("userName") {
		p.past = append(p.past, before)
	}
	m := before.Meta()
	if p.fault == "updates the time of creation" {
		m.Created = time.Now().Add(time.Duration(p.count) * time.Minute)
	}
	p.all[i] = p.stamp(after, m)
	if p.fault == "keeps its version" {
		p.all[i] = after
	}
	return p.all[i], nil
}

func (p *plain) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	i := p.find(ref)
	switch {
	case i < 0 && p.fault == "deletes twice":
		return nil
	case i < 0 && p.fault == "check of nothing":
		return errors.Join(check(nil), scim.ErrNotFound)
	case i < 0:
		return scim.ErrNotFound
	}
	if p.fault == "deletes without a lock" {
		p.mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		p.mu.Lock()
		if i = p.find(ref); i < 0 {
			return nil
		}
	}
	if err := check(p.all[i]); err != nil {
		if p.fault == "deletes though check fails" {
			p.all = slices.Delete(p.all, i, i+1)
		}
		return err
	}
	p.gone = append(p.gone, p.all[i])
	p.all = slices.Delete(p.all, i, i+1)
	if p.fault == "never unlocks" {
		p.mu.Lock()
	}
	if p.fault == "panics" {
		var nothing *scim.Resource
		_ = nothing.ID()
	}
	return nil
}
