package roles

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/scimkit/scim/internal/directory"
	"github.com/scimkit/scim/internal/host"
)

var errNoPending = errors.New("scim: the ledger does not keep what is pending: it needs the methods of scim.PendingLedger")

// pendingKey identifies a pending matter as somebody has seen it. It is also a place in the
// list of all.
type pendingKey struct {
	Kind   host.PendingKind `json:"k"`
	Source host.Source      `json:"s,omitempty"`
	User   string           `json:"u,omitempty"`
	Scope  string           `json:"c,omitempty"`
	Role   string           `json:"r,omitempty"`
	State  host.GrantState  `json:"t,omitempty"`
	At     int64            `json:"a,omitempty"` // microseconds
	Name   string           `json:"l,omitempty"` // a digest of the name of the group
	Note   string           `json:"n,omitempty"` // the key of a note
	Users  int              `json:"h,omitempty"` // how many users lose a role
	Nested nestedKey        `json:"m,omitzero"`
}

// nestedKey identifies a membership of a group in a group.
type nestedKey struct {
	Group  string `json:"g"`
	Member string `json:"m"`
	Page   string `json:"p,omitempty"` // the group behind which the page begins
}

func (k pendingKey) role() host.RoleKey { return host.RoleKey{Scope: k.Scope, ID: k.Role} }

func (k pendingKey) text() string {
	b, err := json.Marshal(k)
	if err != nil {
		panic(err) // it has only texts and numbers
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func parsePendingKey(text string) (k pendingKey, err error) {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err != nil {
		return k, fmt.Errorf("scim: %q is not the key of a pending matter", text)
	}
	return k, nil
}

// pendingList is a page of the list. Each part adds to it until it is full.
type pendingList struct {
	t     tenant
	now   time.Time
	limit int
	items []host.Pending
}

func (l *pendingList) add(k pendingKey, p host.Pending) {
	p.Kind, p.Key = k.Kind, k.text()
	l.items = append(l.items, p)
}

// isFull reports whether the page is complete, and one more is known to follow.
func (l *pendingList) isFull() bool { return len(l.items) > l.limit }

// pendingPart is a part of the list: all matters of some kinds.
type pendingPart struct {
	kinds []host.PendingKind
	// list adds matters behind a place, from the first one on if the place is the zero key.
	list func(l *pendingList, ctx context.Context, from pendingKey) error
}

func pendingParts() []pendingPart {
	return []pendingPart{
		{[]host.PendingKind{host.PendingLink}, (*pendingList).links},
		{[]host.PendingKind{host.PendingPerson, host.PendingRetained}, (*pendingList).people},
		{[]host.PendingKind{host.PendingNesting}, (*pendingList).nesting},
		{[]host.PendingKind{host.PendingUnfinished}, (*pendingList).unfinished},
		{[]host.PendingKind{host.PendingHeldBack}, (*pendingList).held},
	}
}

// Pending lists at most limit matters that await somebody, behind the one with the key after.
// next is the key of the last one, "" if no more follow.
func (c *Admin) Pending(ctx context.Context, after string, limit int) (list []host.Pending, next string, err error) {
	if c.t.Roles.Pending == nil {
		return nil, "", errNoPending
	}
	if limit <= 0 || limit > directory.Batch {
		limit = directory.Batch
	}
	l := &pendingList{t: c.t, now: c.e.now(), limit: limit}
	var from pendingKey
	begun := after == ""
	if !begun {
		if from, err = parsePendingKey(after); err != nil {
			return nil, "", err
		}
	}
	for _, part := range pendingParts() {
		if !begun && !slices.Contains(part.kinds, from.Kind) {
			continue
		}
		begun = true
		if err := part.list(l, ctx, from); err != nil {
			return nil, "", err
		}
		from = pendingKey{}
		if l.isFull() {
			return l.items[:limit], l.items[limit-1].Key, nil
		}
	}
	if !begun {
		return nil, "", fmt.Errorf("scim: %q is not the key of a pending matter", after)
	}
	return l.items, "", nil
}

// links lists links of protected roles that the application has neither confirmed nor
// declined.
func (l *pendingList) links(ctx context.Context, from pendingKey) error {
	if from.Source != "" {
		known, err := l.t.links(ctx, []host.Source{from.Source})
		if err != nil {
			return err
		}
		l.link(known[from.Source], from)
	}
	for after := from.Source; !l.isFull(); {
		page, err := l.t.Roles.Pending.AllLinks(ctx, after, directory.Batch)
		if err != nil {
			return err
		}
		for _, link := range page {
			after = link.Source
			if l.link(link, pendingKey{}); l.isFull() {
				return nil
			}
		}
		if len(page) < directory.Batch {
			return nil
		}
	}
	return nil
}

// link lists the open roles of one link behind a place.
func (l *pendingList) link(link host.Link, from pendingKey) {
	for _, r := range link.Roles {
		isBehind := from.Kind == "" || compareRoles(r.Role, host.Role{Scope: from.Scope, ID: from.Role}) > 0
		if r.Confirmed || r.Declined || !r.Role.Protected || !isBehind { // a group that is off gives nothing, and awaits nobody
			continue
		}
		l.add(linkKey(link, r.Role.Key()), host.Pending{Source: link.Source, Name: link.Name, Role: r.Role, At: link.At, Reason: awaitsConfirmation})
	}
}

// linkKey identifies a link to a role as it is now.
func linkKey(l host.Link, role host.RoleKey) pendingKey {
	return pendingKey{Kind: host.PendingLink, Source: l.Source, Scope: role.Scope, Role: role.ID, At: l.At.UnixMicro(), Name: nameDigest(l)}
}

// nameDigest says which name a source had. Somebody may rename a group to have it confirmed.
func nameDigest(l host.Link) string {
	if l.Name == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(l.Name))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// people lists users who wait for a role, and users for whom a guard keeps one. Nothing of an
// exempt user is pending.
func (l *pendingList) people(ctx context.Context, from pendingKey) error {
	after := host.Grant{UserID: from.User, Scope: from.Scope, RoleID: from.Role, Source: from.Source}
	for !l.isFull() {
		page, err := l.t.Roles.Pending.OpenGrants(ctx, after, directory.Batch)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		sources := make([]host.Source, len(page))
		for i, g := range page {
			sources[i] = g.Source
		}
		links, err := l.t.links(ctx, sources)
		if err != nil {
			return err
		}
		ids := make([]string, len(page))
		for i, g := range page {
			ids[i] = g.UserID
		}
		exempt, err := l.t.exempt(ctx, slices.Compact(ids))
		if err != nil {
			return err
		}
		for _, g := range page {
			after = g
			why := waitReason(g.State)
			if why == "" || exempt[userRef(g.UserID)] {
				continue
			}
			p := host.Pending{Source: g.Source, Role: host.Role{ID: g.RoleID, Scope: g.Scope}, UserID: g.UserID, At: g.At, Reason: why}
			if link := links[g.Source]; link.IsLinked() {
				p.Name = link.Name
				if r := link.Find(g.Role()); r != nil {
					p.Role = r.Role
				}
			}
			if l.add(grantKey(g, links[g.Source]), p); l.isFull() {
				return nil
			}
		}
		if len(page) < directory.Batch {
			return nil
		}
	}
	return nil
}

// waitReason says what a grant in a state waits for, "" if it awaits nobody.
func waitReason(state host.GrantState) string {
	switch state {
	case host.GrantWaitsForPlace:
		return "another role has the place: the user holds it by hand or as its last holder, or the application picks it"
	case host.GrantWaitsForReturn:
		return "the role is protected, and the user was inactive: it waits for the client to name the user again, or for a confirmation"
	case host.GrantWaitsForTrust:
		return "the application distrusts the source: the role waits for the client to name the user again, or for a confirmation"
	case host.GrantRetained, host.GrantRetainedForPlace:
		return "no source gives the role any more, but a guard keeps it"
	}
	return ""
}

// grantKey identifies a grant as it is now. l is the link of its source.
func grantKey(g host.Grant, l host.Link) pendingKey {
	k := pendingKey{Kind: host.PendingPerson, Source: g.Source, User: g.UserID, Scope: g.Scope, Role: g.RoleID, State: g.State, At: g.At.UnixMicro(), Name: nameDigest(l)}
	if g.IsRetained() {
		k.Kind = host.PendingRetained
	}
	return k
}

// nesting lists memberships of groups in groups that give nothing.
func (l *pendingList) nesting(ctx context.Context, from pendingKey) error {
	skip := from.Kind != ""
	for page := from.Nested.Page; !l.isFull(); {
		idle, next, err := l.t.dir.IdleNesting(ctx, page)
		if host.IsNotFound(err) { // the group behind which the page begins is gone
			page, skip = "", false
			continue
		}
		if err != nil {
			return err
		}
		is := func(e directory.Idle) bool {
			return e.GroupID == from.Nested.Group && e.Member.ID == from.Nested.Member
		}
		if i := slices.IndexFunc(idle, is); skip && i >= 0 {
			idle = idle[i+1:]
		}
		skip = false
		for _, e := range idle {
			if l.isFull() { // dense circles have many
				return nil
			}
			reason := "the member is too deep: more groups are above it than MemberPolicy.MaxDepth allows"
			if e.IsCircle {
				reason = "the member is a part of a circle: the group belongs to itself"
			}
			l.add(pendingKey{Kind: host.PendingNesting, Nested: nestedKey{e.GroupID, e.Member.ID, page}},
				host.Pending{Resource: groupRef(e.GroupID), Member: e.Member, At: e.Since, Reason: reason})
		}
		if next == "" {
			return nil
		}
		page = next
	}
	return nil
}

// unfinished lists what writes and reports have left unfinished.
func (l *pendingList) unfinished(ctx context.Context, from pendingKey) error {
	if from.Source == "" {
		if err := l.notes(ctx, from); err != nil {
			return err
		}
	}
	return l.omitted(ctx, from)
}

// notes lists changes of roles that writes have left unfinished.
func (l *pendingList) notes(ctx context.Context, from pendingKey) error {
	for after := from.Note; !l.isFull(); {
		page, err := l.t.Roles.Pending.Notes(ctx, unfinishedKind, after, notesPage)
		if err != nil {
			return err
		}
		for _, n := range page {
			after = n.Key
			runs, err := l.t.unpack(n)
			if err != nil {
				return err
			}
			p := host.Pending{Resource: resourceOf(n.Key), At: n.At,
				Reason: "a write was stored, but not all roles could be changed; repeat the request, or run Reconciler.Settle"}
			for _, r := range runs {
				p.Users = append(p.Users, r.ids[:min(len(r.ids), describeLimit-len(p.Users))]...)
			}
			if l.add(noteKey(n), p); l.isFull() {
				return nil
			}
		}
		if len(page) < notesPage {
			return nil
		}
	}
	return nil
}

// noteKey identifies a note as it is now.
func noteKey(n host.Note) pendingKey {
	return pendingKey{Kind: host.PendingUnfinished, Note: n.Key, At: n.At.UnixMicro()}
}
