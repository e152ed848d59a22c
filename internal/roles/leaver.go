package roles

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scimkit/scim/internal/doc"
	"github.com/scimkit/scim/internal/fault"
	"github.com/scimkit/scim/internal/host"
)

// leaverTime is how long a request that leaves a user inactive waits for the resolver.
const leaverTime = time.Second

// errUnanswered ends an attempt of Isolate that needs answers of the resolver. Isolate asks
// outside every lock and transaction, and tries again.
var errUnanswered = errors.New("scim: a write needs roles that are not looked up yet")

// leaver is what a Work knows about the new values of a user whom the request leaves
// inactive. Such a request takes roles away, so it must not hold a lock while it waits for
// the resolver.
type leaver struct {
	open    []value                // values to look up before the next attempt
	answers map[host.Source]answer // by key
	mark    string                 // of the last report before the answers
}

type answer struct {
	roles []host.Role
	err   error
}

// ask looks up the open values. All look-ups together take at most leaverTime.
func (l *leaver) ask(ctx context.Context, t tenant) {
	if len(l.open) == 0 { // the write needs something else
		return
	}
	ctx, cancel := context.WithTimeout(ctx, leaverTime)
	defer cancel()
	var failed error
	if l.answers == nil {
		l.answers = map[host.Source]answer{}
		l.mark, failed = t.lastReport(ctx)
	}
	for _, v := range l.open {
		var a answer
		if a.err = cmp.Or(failed, ctx.Err()); a.err == nil {
			a.roles, a.err = t.ask(ctx, v.roleSource(nil))
		}
		l.answers[v.key()] = a
	}
	l.open = nil
}

// resolveLeaver looks up the role of a new value of a user whom the request leaves inactive.
// It needs no answer of the resolver for a value with a link that somebody has. If there is
// no role, the attribute keeps its former value: isLeftOut is true.
func (w *Work) resolveLeaver(ctx context.Context, user *doc.Document, v value, l host.Link) (found *linkChange, isLeftOut bool, err error) {
	if l.IsLinked() {
		if isKnown, err := w.t.hasOwner(ctx, v, ""); err != nil || isKnown {
			return nil, false, err
		}
	}
	a, ok := w.needs.answers[v.key()]
	if !ok {
		w.needs.open = append(w.needs.open, v)
		return nil, false, nil
	}
	if a.err == nil {
		c := &linkChange{was: l}
		c.linkTo(v.key(), a.roles)
		return c, false, nil
	}
	reason := fmt.Sprintf("%s keeps its value: there is no role for %q", v.attr.Path, fault.ClipName(v.text))
	if _, none := noRole(a.err); !none {
		reason = fmt.Sprintf("%s keeps its value: the role for %q could not be looked up", v.attr.Path, fault.ClipName(v.text))
		w.e.Log.WarnContext(ctx, "scim: the role of an attribute could not be looked up", "user", user.ID, "attribute", v.attr.Path, "error", a.err)
	}
	w.Tell(host.Event{Kind: host.RoleUnknown, Resource: host.RefOf(user), Sources: []host.Source{v.source()}, Reason: reason})
	return nil, true, nil
}
