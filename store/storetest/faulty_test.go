package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// faulty is the memory store, with PasswordSetter and Deactivator, and with one fault in
// its capabilities. A fault of "" means none.
type faulty struct {
	*memory.Store
	fault string

	mu      sync.Mutex
	edges   []scim.Membership // all that ever were
	created map[scim.Ref]bool // in transactions
	ended   map[string]bool
	granted []string // users that ever had an entry
	late    []scim.Membership
	shown   map[scim.Ref]string
	running sync.Mutex      // a transaction
	freed   map[string]bool // names that the transaction has freed
	kept    atomic.Bool     // a transaction failed that had locked the tenant
	waiting chan struct{}   // a call that waits for another: see meetOther
}

// meetOther makes two calls meet. The first one waits, at most for a time, until the second
// one has made its change; the second one goes on at once, and calls done when it has.
func (f *faulty) meetOther(most time.Duration) (done func()) {
	f.mu.Lock()
	first := f.waiting
	if first != nil {
		f.waiting = nil
		f.mu.Unlock()
		return func() { close(first) }
	}
	mine := make(chan struct{})
	f.waiting = mine
	f.mu.Unlock()
	select {
	case <-mine:
	case <-time.After(most):
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.waiting == mine {
			f.waiting = nil
		}
	}
	return func() {}
}

func newFaulty(fault string) scim.Store {
	return &faulty{Store: memory.New(), fault: fault, created: map[scim.Ref]bool{}, freed: map[string]bool{}, shown: map[scim.Ref]string{}, ended: map[string]bool{}}
}

// newFaultyUnique is newFaulty with ids that are unique over types.
func newFaultyUnique(fault string) scim.Store {
	f := newFaulty(fault).(*faulty)
	f.Store = memory.New(memory.UniqueIDs())
	if fault == "gives an id twice" {
		f.Store = memory.New()
	}
	return &unique{f}
}

type unique struct{ *faulty }

func (u *unique) UniqueIDs() bool { return true }

// locked is the context key of the kinds that a transaction has locked, under one fault.
type locked struct{}

func (f *faulty) LockTenant(ctx context.Context, kind string) error {
	kinds, _ := ctx.Value(locked{}).(map[string]bool)
	switch {
	case f.fault == "locks outside of transactions" && ctx.Value(inside{}) == nil:
		return nil
	case f.fault == "locks without the context":
		ctx = context.WithoutCancel(ctx)
	case f.fault == "locks a tenant once" && kinds[kind]:
		return errors.New("the lock is taken")
	case f.fault == "keeps the tenant's lock" && f.kept.Load():
		return errors.New("the lock is taken")
	}
	if kinds != nil {
		kinds[kind] = true
	}
	return f.Store.LockTenant(ctx, kind)
}

// inside marks the context of a transaction.
type inside struct{}

func (f *faulty) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	if f.fault == "has no transactions" {
		return fn(ctx)
	}
	if f.fault == "never joins" && ctx.Value(inside{}) != nil {
		ctx = context.Background()
	}
	if f.fault == "a deadlock is an error" && ctx.Value(inside{}) == nil {
		if !f.running.TryLock() {
			return errors.New("deadlock detected")
		}
		defer f.running.Unlock()
	}
	if f.fault == "forgets transactions" {
		forgotten := errors.New("forgotten")
		err := f.Store.InTx(ctx, func(ctx context.Context) error { return errors.Join(fn(ctx), forgotten) })
		if errors.Is(err, errRefused) {
			return err
		}
		return nil
	}
	if f.fault == "commits before the context is looked at" {
		return errors.Join(f.Store.InTx(context.WithoutCancel(ctx), fn), ctx.Err())
	}
	var panicked any
	kinds := map[string]bool{}
	if ctx.Value(inside{}) == nil {
		ctx = context.WithValue(ctx, locked{}, kinds)
	}
	err := f.Store.InTx(ctx, func(ctx context.Context) error {
		if f.fault == "commits what panics" {
			defer func() { panicked = recover() }()
		}
		return fn(context.WithValue(ctx, inside{}, true))
	})
	if panicked != nil {
		panic(panicked)
	}
	if err != nil && len(kinds) > 0 {
		f.kept.Store(true)
	}
	if f.fault == "hides the error of a transaction" && err != nil {
		return errors.New("transaction failed")
	}
	return err
}

func (f *faulty) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	if ctx.Value(inside{}) != nil {
		f.created[r.Ref()] = true
	}
	if f.taken(ctx, r) {
		return nil, scim.Conflict("userName")
	}
	made, err := f.Store.Create(ctx, r)
	if err != nil && !conflict(err) && f.fault == "create overwrites" && f.Delete(ctx, r.Ref(), allow) == nil {
		return f.Store.Create(ctx, r)
	}
	return made, err
}

// taken reports whether the transaction itself freed the name of r, if the fault is that
// names are free only after the commit.
func (f *faulty) taken(ctx context.Context, r *scim.Resource) bool {
	return f.fault == "names are free after the commit" && ctx.Value(inside{}) != nil && f.freed[r.String("userName")]
}

func (f *faulty) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	return f.Store.Update(ctx, ref, func(before *scim.Resource) (*scim.Resource, error) {
		after, err := fn(before)
		if err == nil && ctx.Value(inside{}) != nil && before.String("userName") != after.String("userName") {
			if f.taken(ctx, after) {
				return nil, scim.Conflict("userName")
			}
			f.freed[before.String("userName")] = true
		}
		return after, err
	})
}

func (f *faulty) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	page, err := f.Store.List(ctx, t, q)
	if f.fault == "after by time alone" && err == nil && q.After != nil {
		page.Resources = slices.DeleteFunc(slices.Clone(page.Resources), func(r *scim.Resource) bool { return r.Meta().Created.Equal(q.After.Created) })
	}
	return page, err
}

func (f *faulty) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	if f.fault == "reads beside the transaction" && ctx.Value(inside{}) != nil && f.created[ref] {
		return nil, scim.ErrNotFound
	}
	r, err := f.Store.Get(ctx, ref)
	if f.fault == "members in the resource" && err == nil && ref.Type == "Group" {
		return f.withMembers(ctx, r)
	}
	return r, err
}

func (f *faulty) withMembers(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	list, err := f.Store.Members(ctx, r.ID(), scim.Ref{}, 100)
	if err != nil {
		return nil, err
	}
	var members []values
	for _, m := range list {
		members = append(members, values{"value": m.Ref.ID, "type": m.Ref.Type})
	}
	return r.With(values{"members": members})
}

func (f *faulty) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	all, err := f.Store.Members(ctx, groupID, scim.Ref{}, 1<<20)
	if err != nil {
		return nil, err
	}
	if f.fault == "members backwards" {
		slices.Reverse(all)
	}
	i := slices.Index(refsOf(all), after)
	switch {
	case i >= 0 || after == scim.Ref{}:
	case f.fault == "a member who left is the end":
		return nil, nil
	default:
		i = slices.IndexFunc(all, func(m scim.Member) bool { return compareRefs(m.Ref, after) > 0 })
		if f.fault == "a member who left is the start" {
			i = 0
		}
		if i < 0 {
			return nil, nil
		}
		return f.show(ctx, all[i:min(i+limit, len(all))]), nil
	}
	if i >= 0 {
		if f.fault != "a page with the last of the one before" {
			i++
		}
		all = all[i:]
		if f.fault == "pages end after a thousand" && i >= 1000 {
			return nil, nil
		}
	}
	return f.show(ctx, all[:min(limit, len(all))]), nil
}

// show gives members display names that are wrong.
func (f *faulty) show(ctx context.Context, page []scim.Member) []scim.Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, m := range page {
		switch f.fault {
		case "members without displays":
			page[i].Display = ""
		case "displays of users alone":
			if m.Ref.Type != "User" {
				page[i].Display = ""
			}
		case "displays userNames":
			if r, err := f.Store.Get(ctx, m.Ref); err == nil && m.Ref.Type == "User" {
				page[i].Display = r.String("userName")
			}
		case "displays as members were":
			if _, there := f.shown[m.Ref]; !there {
				f.shown[m.Ref] = m.Display
			}
			page[i].Display = f.shown[m.Ref]
		}
	}
	return page
}

func (f *faulty) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	got, err := f.Store.GroupsOf(ctx, members)
	for i := range got {
		switch f.fault {
		case "since is not kept":
			got[i].Since = time.Time{}
		case "since moves":
			got[i].Since = time.Now()
		}
	}
	switch f.fault {
	case "groups of the first alone":
		return slices.DeleteFunc(got, func(m scim.Membership) bool { return m.Member != members[0] }), err
	case "members of a group that is going":
		f.mu.Lock()
		defer f.mu.Unlock()
		return append(got, f.late...), err
	case "keeps the edges of deleted groups", "keeps the edges of deleted users":
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, e := range f.edges {
			gone := scim.Ref{Type: "Group", ID: e.GroupID}
			if f.fault == "keeps the edges of deleted users" {
				gone = e.Member
			}
			if _, err := f.Store.Get(ctx, gone); err != nil && slices.Contains(members, e.Member) {
				got = append(got, e)
			}
		}
	}
	return got, err
}

func (f *faulty) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	list, _ := f.Store.Members(ctx, groupID, scim.Ref{}, 1<<20)
	before := refsOf(list)
	if _, there := f.Store.Get(ctx, scim.Ref{Type: "Group", ID: groupID}); f.fault == "members of a group that is going" && there == nil {
		time.Sleep(time.Millisecond)
		added, removed, err := f.Store.ChangeMembers(ctx, groupID, add, remove)
		if errors.Is(err, scim.ErrNotFound) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.late = append(f.late, scim.Membership{GroupID: groupID, Member: add[0]})
			return add, nil, nil
		}
		return added, removed, err
	}
	switch f.fault {
	case "members without types":
		for _, list := range []*[]scim.Ref{&add, &remove} {
			*list = slices.Clone(*list)
			for i := range *list {
				(*list)[i].Type = "User"
			}
		}
	case "removes from all groups":
		page, err := f.List(ctx, scim.GroupType(), &scim.Query{Limit: 100})
		if err != nil {
			return nil, nil, err
		}
		for _, g := range page.Resources {
			if g.ID() != groupID {
				if _, _, err := f.Store.ChangeMembers(ctx, g.ID(), nil, remove); err != nil {
					return nil, nil, err
				}
			}
		}
	case "looks first who is there":
		time.Sleep(time.Millisecond)
	case "rewrites the whole group":
		defer f.meetOther(50 * time.Millisecond)()
		now, _ := f.Store.Members(ctx, groupID, scim.Ref{}, 1<<20)
		for _, m := range refsOf(now) {
			if !slices.Contains(before, m) {
				remove = append(slices.Clone(remove), m)
			}
		}
	case "too many parameters":
		if len(add)+len(remove) > 999 {
			return nil, nil, errors.New("too many SQL variables")
		}
	}
	added, removed, err = f.Store.ChangeMembers(ctx, groupID, add, remove)
	switch {
	case f.fault == "unknown groups take members" && errors.Is(err, scim.ErrNotFound):
		return add, nil, nil
	case err != nil:
		return nil, nil, err
	case f.fault == "tells what was asked for":
		return add, remove, nil
	case f.fault == "looks first who is there":
		return slices.DeleteFunc(slices.Clone(add), func(m scim.Ref) bool { return slices.Contains(before, m) }), removed, nil
	case f.fault == "rewrites the whole group":
		removed = slices.DeleteFunc(removed, func(m scim.Ref) bool { return !slices.Contains(before, m) })
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range added {
		f.edges = append(f.edges, scim.Membership{GroupID: groupID, Member: m, Since: time.Now()})
	}
	return added, removed, nil
}

func (f *faulty) SourceUsers(ctx context.Context, source scim.Source, after string, limit int) ([]string, error) {
	f.mu.Lock()
	users := slices.Clone(f.granted)
	f.mu.Unlock()
	all, err := f.Store.Grants(ctx, users)
	var ids []string
	for _, g := range all {
		if g.Source == source && (g.UserID > after || f.fault == "lists users of a source from the first") {
			ids = append(ids, g.UserID)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return ids[:min(limit, len(ids))], err
}

// DropSource drops the grants of all users that Record has seen.
func (f *faulty) DropSource(ctx context.Context, source scim.Source) error {
	f.mu.Lock()
	users := slices.Clone(f.granted)
	f.mu.Unlock()
	all, err := f.Store.Grants(ctx, users)
	if err != nil {
		return err
	}
	return f.Store.Record(ctx, nil, slices.DeleteFunc(all, func(g scim.Grant) bool {
		return g.Source != source && f.fault != "drops all sources"
	}))
}

func (f *faulty) Record(ctx context.Context, put, drop []scim.Grant) error {
	put = slices.Clone(put)
	for i := range put {
		switch f.fault {
		case "forgets who was by hand":
			put[i].ByHand = false
		case "forgets what a grant waits for":
			put[i].State = scim.GrantGiven
		case "forgets the order of roles":
			put[i].Rank = 0
		case "one role of all scopes":
			put[i].Scope = ""
		case "ledger in seconds":
			put[i].At = put[i].At.Truncate(time.Second)
		}
	}
	for _, g := range put {
		f.mu.Lock()
		if !slices.Contains(f.granted, g.UserID) {
			f.granted = append(f.granted, g.UserID)
		}
		f.mu.Unlock()
		if f.fault == "record reads and writes" {
			before, err := f.Store.Grants(ctx, []string{g.UserID})
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
			now, err := f.Store.Grants(ctx, []string{g.UserID})
			if err != nil {
				return err
			}
			drop = append(slices.Clone(drop), slices.DeleteFunc(now, func(n scim.Grant) bool { return slices.Contains(before, n) })...)
		}
	}
	if f.fault == "one entry for user and role" && len(put) > 1 {
		for _, g := range put {
			if err := f.Record(ctx, []scim.Grant{g}, drop); err != nil {
				return err
			}
		}
		return nil
	}
	for _, g := range put {
		have, err := f.Grants(ctx, []string{g.UserID})
		if err != nil {
			return err
		}
		for _, h := range have {
			if f.fault == "one entry for user and role" && h.Scope == g.Scope && h.RoleID == g.RoleID && h.Source != g.Source {
				drop = append(slices.Clone(drop), h)
			}
			if f.fault == "the first entry wins" && h.RoleID == g.RoleID && h.Source == g.Source {
				put = slices.DeleteFunc(put, func(p scim.Grant) bool { return p == g })
			}
		}
	}
	if f.fault == "drops what is the same in all fields" {
		drop = slices.DeleteFunc(slices.Clone(drop), func(g scim.Grant) bool { return g.At.IsZero() })
	}
	return f.Store.Record(ctx, put, drop)
}

// UsersWithGrants implements scim.TenantLedger.
func (f *faulty) UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error) {
	if f.fault == "lists users with grants from the start" {
		after = ""
	}
	return f.Store.UsersWithGrants(ctx, after, limit)
}

// Forget implements scim.TenantLedger.
func (f *faulty) Forget(ctx context.Context, keep scim.Source, limit int) (bool, error) {
	switch f.fault {
	case "forgets that SCIM ends":
		keep = ""
	case "forgets grants too":
		users, err := f.Store.UsersWithGrants(ctx, "", 100)
		if err != nil {
			return false, err
		}
		grants, err := f.Store.Grants(ctx, users)
		if err != nil {
			return false, err
		}
		if err := f.Store.Record(ctx, nil, grants); err != nil {
			return false, err
		}
	}
	return f.Store.Forget(ctx, keep, limit)
}

// GrantedUsers implements scim.GrantCounter.
func (f *faulty) GrantedUsers(ctx context.Context) (int, error) {
	n, err := f.Store.GrantedUsers(ctx)
	if f.fault == "counts grants of users" {
		n *= 2
	}
	return n, err
}

func (f *faulty) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	if f.fault == "grants of everybody" {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.Store.Grants(ctx, slices.Clone(f.granted))
	}
	return f.Store.Grants(ctx, userIDs)
}

func (f *faulty) SetLink(ctx context.Context, l scim.Link) error {
	if f.fault == "links stay" && len(l.Roles) == 0 {
		return nil
	}
	if f.fault == "one role for a source" && len(l.Roles) > 1 {
		l.Roles = l.Roles[:1]
	}
	return f.Store.SetLink(ctx, l)
}

func (f *faulty) AllLinks(ctx context.Context, after scim.Source, limit int) ([]scim.Link, error) {
	list, err := f.Store.AllLinks(ctx, after, limit)
	if f.fault == "lists unconfirmed links alone" {
		list = slices.DeleteFunc(list, func(l scim.Link) bool { return l.Roles[0].Confirmed })
	}
	return list, err
}

func (f *faulty) OpenGrants(ctx context.Context, after scim.Grant, limit int) ([]scim.Grant, error) {
	switch f.fault {
	case "open grants user by user":
		after = scim.Grant{UserID: after.UserID, Source: "\U0010ffff", RoleID: "\U0010ffff", Scope: "\U0010ffff"}
		if after.UserID == "" {
			after = scim.Grant{}
		}
	case "retained grants are given":
		list, err := f.Store.OpenGrants(ctx, after, 1000)
		list = slices.DeleteFunc(list, func(g scim.Grant) bool { return g.State == scim.GrantRetained })
		return list[:min(limit, len(list))], err
	}
	return f.Store.OpenGrants(ctx, after, limit)
}

func (f *faulty) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	list, err := f.Store.Notes(ctx, kind, after, limit)
	if f.fault == "notes backwards" {
		slices.Reverse(list)
	}
	return list, err
}

func (f *faulty) SetNote(ctx context.Context, n scim.Note) error {
	if f.fault == "notes stay" && n.Text == "" {
		return nil
	}
	return f.Store.SetNote(ctx, n)
}

func (f *faulty) SetPassword(ctx context.Context, userID, password string) error {
	if f.fault != "password as a value" {
		return nil
	}
	_, err := f.Update(ctx, scim.Ref{Type: "User", ID: userID}, set(values{"nickName": password}))
	return err
}

func (f *faulty) Deactivate(_ context.Context, user *scim.Resource) error {
	if f.fault == "deactivates once" && f.ended[user.ID()] {
		return errors.New("no sessions")
	}
	f.ended[user.ID()] = true
	return nil
}
