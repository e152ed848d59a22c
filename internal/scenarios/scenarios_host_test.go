package scenarios

import (
	"context"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/memory"
)

// The stores and ledgers of worlds report their calls to world.at.

// steppedStore is the smallest store.
type steppedStore struct {
	s scim.Store
	w *world
}

func (s *steppedStore) Create(ctx context.Context, r *scim.Resource) (*scim.Resource, error) {
	s.w.at("Create")
	defer s.w.at("Created")
	return s.s.Create(ctx, r)
}

func (s *steppedStore) Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error) {
	s.w.at("Get")
	return s.s.Get(ctx, ref)
}

func (s *steppedStore) List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error) {
	s.w.at("List")
	return s.s.List(ctx, t, q)
}

func (s *steppedStore) Update(ctx context.Context, ref scim.Ref, fn func(*scim.Resource) (*scim.Resource, error)) (*scim.Resource, error) {
	s.w.at("Update")
	defer s.w.at("Updated")
	return s.s.Update(ctx, ref, fn)
}

func (s *steppedStore) Delete(ctx context.Context, ref scim.Ref, check func(*scim.Resource) error) error {
	s.w.at("Delete")
	defer s.w.at("Deleted")
	return s.s.Delete(ctx, ref, check)
}

// steppedLedger is a ledger.
type steppedLedger struct {
	l scim.Ledger
	w *world
}

func (l *steppedLedger) Grants(ctx context.Context, userIDs []string) ([]scim.Grant, error) {
	l.w.at("Grants")
	return l.l.Grants(ctx, userIDs)
}

func (l *steppedLedger) Record(ctx context.Context, put, drop []scim.Grant) error {
	l.w.at("Record")
	defer l.w.at("Recorded")
	return l.l.Record(ctx, put, drop)
}

func (l *steppedLedger) Links(ctx context.Context, groupIDs []scim.Source) ([]scim.Link, error) {
	l.w.at("Links")
	return l.l.Links(ctx, groupIDs)
}

func (l *steppedLedger) SetLink(ctx context.Context, link scim.Link) error {
	l.w.at("SetLink")
	defer l.w.at("SetLinked")
	return l.l.SetLink(ctx, link)
}

// edgeStore is a store with every capability.
type edgeStore struct {
	steppedStore
	steppedLedger
	openLedger
	all complete
}

var _ complete = (*edgeStore)(nil)

func (s *edgeStore) InTx(ctx context.Context, fn func(ctx context.Context) error) error {
	s.steppedStore.w.at("InTx")
	err := s.all.InTx(ctx, fn)
	if err == nil {
		s.steppedStore.w.at("committed")
	}
	return err
}

func (s *edgeStore) Members(ctx context.Context, groupID string, after scim.Ref, limit int) ([]scim.Member, error) {
	s.steppedStore.w.at("Members")
	return s.all.Members(ctx, groupID, after, limit)
}

func (s *edgeStore) GroupsOf(ctx context.Context, members []scim.Ref) ([]scim.Membership, error) {
	s.steppedStore.w.at("GroupsOf")
	return s.all.GroupsOf(ctx, members)
}

func (s *edgeStore) ChangeMembers(ctx context.Context, groupID string, add, remove []scim.Ref) (added, removed []scim.Ref, err error) {
	s.steppedStore.w.at("ChangeMembers")
	defer s.steppedStore.w.at("ChangedMembers")
	return s.all.ChangeMembers(ctx, groupID, add, remove)
}

// LockTenant implements scim.TenantLocker.
func (s *edgeStore) LockTenant(ctx context.Context, kind string) error {
	s.steppedStore.w.at("LockTenant")
	return s.all.(scim.TenantLocker).LockTenant(ctx, kind)
}

// sourceStore is an edgeStore whose ledger finds grants by their source.
type sourceStore struct {
	*edgeStore
	sources scim.SourceLedger
}

func (s *sourceStore) SourceUsers(ctx context.Context, source scim.Source, after string, limit int) ([]string, error) {
	s.steppedStore.w.at("SourceUsers")
	return s.sources.SourceUsers(ctx, source, after, limit)
}

func (s *sourceStore) DropSource(ctx context.Context, source scim.Source) error {
	s.steppedStore.w.at("DropSource")
	return s.sources.DropSource(ctx, source)
}

// openLedger has the methods of a scim.PendingLedger and of a scim.TenantLedger.
type openLedger struct {
	open   listingLedger
	counts scim.GrantCounter
	w      *world
}

// listingLedger lists what it has.
type listingLedger interface {
	scim.PendingLedger
	scim.TenantLedger
}

func (l openLedger) UsersWithGrants(ctx context.Context, after string, limit int) ([]string, error) {
	l.w.at("UsersWithGrants")
	return l.open.UsersWithGrants(ctx, after, limit)
}

func (l openLedger) Fence(ctx context.Context) error {
	l.w.at("Fence")
	return l.open.Fence(ctx)
}

func (l openLedger) Forget(ctx context.Context, keep scim.Source, limit int) (bool, error) {
	l.w.at("Forget")
	defer l.w.at("Forgot")
	return l.open.Forget(ctx, keep, limit)
}

func (l openLedger) AllLinks(ctx context.Context, after scim.Source, limit int) ([]scim.Link, error) {
	l.w.at("AllLinks")
	return l.open.AllLinks(ctx, after, limit)
}

func (l openLedger) OpenGrants(ctx context.Context, after scim.Grant, limit int) ([]scim.Grant, error) {
	l.w.at("OpenGrants")
	return l.open.OpenGrants(ctx, after, limit)
}

func (l openLedger) GrantedUsers(ctx context.Context) (int, error) {
	l.w.at("GrantedUsers")
	return l.counts.GrantedUsers(ctx)
}

func (l openLedger) Notes(ctx context.Context, kind, after string, limit int) ([]scim.Note, error) {
	l.w.at("Notes")
	return l.open.Notes(ctx, kind, after, limit)
}

func (l openLedger) SetNote(ctx context.Context, n scim.Note) error {
	l.w.at("SetNote")
	defer l.w.at("SetNoted")
	return l.open.SetNote(ctx, n)
}

// bareLedger is a ledger beside a store.
type bareLedger struct {
	*steppedLedger
	openLedger
}

// newBareLedger is an empty ledger in memory.
func newBareLedger(w *world) scim.Ledger {
	l := memory.NewLedger()
	return bareLedger{&steppedLedger{l, w}, openLedger{l, l, w}}
}
