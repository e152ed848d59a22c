package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth/tokens"
	"github.com/scimkit/scim/journal"
)

// Options are the settings of New. Authorize, Tenant and Journal are required.
type Options struct {
	// Authorize says who looks. It is called for each request of a page. An error is 403, and its text is
	// logged, not shown. Redirect to your log-in before the console, not here.
	Authorize func(r *http.Request) (Viewer, error)
	// Tenant returns what the console shows of a tenant that the viewer may see. The id is "" in an
	// application with one tenant. scim.ErrNotFound is 404, and any other error 503.
	Tenant func(ctx context.Context, id string) (Tenant, error)
	// Journal has what clients sent: a *journal.Journal.
	Journal Journal
	// Home is the address of the application, such as "/" or "https://app.example.com/settings". Each page has a link to it, but
	// not what Console.Setup serves. "": there is no link.
	Home string
	// Setup allows set-up links, for people without an account: see Console.Setup. Nil: there are none.
	Setup *Setup
	// Audit is told of each act of a viewer, after it. Nil: acts are in the log only.
	Audit func(ctx context.Context, a Act)
	// Log gets a line for each act, and what has failed. Nil: slog.Default().
	Log *slog.Logger
	// Timeout is how long a page waits for the journal and for what Tenant has returned. Default: 5 s.
	Timeout time.Duration
	// Now is the clock. Nil: time.Now.
	Now func() time.Time
}

// Viewer is who looks at the console.
type Viewer struct {
	// ID names the viewer in the audit log, and as the maker of tokens. It has at most 200 characters.
	ID string
	// Tenants are the ids of the tenants that the viewer sees: one of "" in an application with one tenant.
	// With several the console begins with their list, which has those without failures in this order. In an application with many tenants, "" is what clients
	// sent that belong to none of them.
	Tenants []string
	// May is what the viewer may do in these tenants.
	May May
	// SeeAs lets the viewer see a tenant's pages as its administrators see them, and do nothing there. It is what these
	// administrators may do. It is for the staff of the application. Each page that is seen so is audited. Nil: no.
	SeeAs *May
}

// May is what a viewer may do. The zero May only reads, and no bodies.
type May struct {
	// Tokens allows to make, rotate and revoke tokens.
	Tokens bool
	// Roles allows to confirm and decline what waits: see scim.Reconciler.Pending.
	Roles bool
	// Bodies allows to read the bodies of requests and answers, which have personal data, and to try a request again
	// without changing anything. Each use is audited.
	Bodies bool
}

// Tenant is what the console shows of a tenant.
type Tenant struct {
	// Name is shown to people. "": the id.
	Name string
	// Address is the address of the SCIM endpoint, such as "https://example.com/scim/v2". Administrators paste it into
	// their identity provider.
	Address string
	// Tokens are the tenant's tokens. Nil: they are made elsewhere.
	Tokens Tokens
	// Directory has people and groups: the tenant's scim.Store. Nil: the console has no pages about them.
	Directory Directory
	// Roles explains who has which role: what scim.Handler.Reconciler returns. Nil: the tenant has no roles.
	Roles Roles
	// Links says which role a group stands for: the tenant's scim.Ledger. Nil: the page of a group does not say it.
	Links Links
	// AllRoles lists the roles that a group could stand for, so that a viewer can preview a change. Nil: the console
	// previews no change.
	AllRoles func(ctx context.Context) ([]scim.Role, error)
	// Endpoint is what the application serves at Address, such as what scim.Mount returns, so that a viewer can test it.
	// Leave the journal out, or the tests are entries of it. Nil: the console has no test.
	Endpoint http.Handler
	// Preview answers requests without doing what they ask, so that a viewer who may read bodies can try one again: what
	// scim.Handler.Reconciler returns. The console never replays for real. See Reconciler.PreviewRequest for what it calls
	// of the application. Nil: the console does not offer it.
	Preview Previewer
}

// Tokens are the tokens of one tenant. *tokens.Tenant implements it.
type Tokens interface {
	List(ctx context.Context) ([]tokens.Token, error)
	Issue(ctx context.Context, r tokens.Request) (secret string, issued tokens.Token, err error)
	Rotate(ctx context.Context, id string, r tokens.Rotation) (secret string, successor tokens.Token, err error)
	Revoke(ctx context.Context, id string) error
}

// Journal is what the console reads of a journal. *journal.Journal implements it.
type Journal interface {
	Find(ctx context.Context, q journal.Query) ([]journal.Entry, error)
	Get(ctx context.Context, tenant, id string) (journal.Entry, error)
	Summary(ctx context.Context, tenant string, from, to time.Time) ([]journal.Summary, error)
	Problems(ctx context.Context, tenant string, since time.Time) (all []journal.Problem, more bool, err error)
	Traffic(ctx context.Context, tenants []string, from, to time.Time) (map[string]journal.HourCount, error)
}

// Directory is what the console reads of a store. Each scim.Store implements it.
type Directory interface {
	Get(ctx context.Context, ref scim.Ref) (*scim.Resource, error)
	List(ctx context.Context, t *scim.ResourceType, q *scim.Query) (*scim.Page, error)
}

// Roles is what the console asks and tells about roles. *scim.Reconciler implements it.
type Roles interface {
	Explain(ctx context.Context, userID string) ([]scim.Explanation, error)
	Managed(ctx context.Context, ref scim.Ref) (*scim.Managed, error)
	Pending(ctx context.Context, after string, limit int) (list []scim.Pending, next string, err error)
	ConfirmPending(ctx context.Context, key string) error
	DeclinePending(ctx context.Context, key string) error
	Preview(ctx context.Context, change scim.WhatIf, after string) (changes []scim.RoleChange, next string, err error)
}

// Links is what the console reads of a ledger. Each scim.Ledger implements it.
type Links interface {
	Links(ctx context.Context, sources []scim.Source) ([]scim.Link, error)
}

var (
	_ Roles     = (*scim.Reconciler)(nil)
	_ Links     = scim.Ledger(nil)
	_ Tokens    = (*tokens.Tenant)(nil)
	_ Journal   = (*journal.Journal)(nil)
	_ Directory = scim.Store(nil)
)

// Act is something that a viewer did in the console.
type Act struct {
	// At is when, in UTC.
	At time.Time
	// Viewer is Viewer.ID, and Tenant the id of the tenant.
	Viewer, Tenant string
	// Kind says what the act was.
	Kind ActKind
	// SetupLink is the id of the set-up link by which it was done. Viewer is then its maker. "": Viewer did it.
	SetupLink string
	// Object is the id of the token, of the set-up link or of the entry; the key of what was confirmed or declined; or the
	// page that was seen as an administrator sees it. It is "" if a token could not be made. It may name nothing that exists,
	// because a viewer can write any id into an address.
	Object string
	// Err is why the act has failed. Nil: it has not.
	Err error
}

// ActKind says what an Act was.
type ActKind string

// The kinds of acts.
const (
	IssueToken  ActKind = "issue token"
	RotateToken ActKind = "rotate token"
	RevokeToken ActKind = "revoke token"
	// TestConnection makes a token that lives for the test only: Object is its id.
	TestConnection ActKind = "test connection"
	// MakeSetupLink, EndSetupLink and EndSetupLinks make a set-up link, end one, and end all of a tenant.
	MakeSetupLink ActKind = "make set-up link"
	EndSetupLink  ActKind = "end set-up link"
	EndSetupLinks ActKind = "end all set-up links"
	// OpenSetupLink is somebody without an account who opens a set-up link, also if it has ended.
	OpenSetupLink ActKind = "open set-up link"
	ReadBodies    ActKind = "read bodies"
	// TryAgain played a request in a transaction that was rolled back: Object is the id of the entry.
	TryAgain ActKind = "try again"
	Confirm  ActKind = "confirm"
	Decline  ActKind = "decline"
	// SeeAs is a look at a page as the tenant's administrators see it: see Viewer.SeeAs. What such a viewer has tried to do
	// is a SeeAs with an Err.
	SeeAs ActKind = "see as an administrator"
)

const defaultTimeout = 5 * time.Second

// check fills in defaults. Its error lists every mistake.
func (o *Options) check() error {
	o.Log = cmp.Or(o.Log, slog.Default())
	o.Timeout = cmp.Or(o.Timeout, defaultTimeout)
	if o.Now == nil {
		o.Now = time.Now
	}
	var err error
	for _, required := range []struct {
		name  string
		isSet bool
	}{{"Authorize", o.Authorize != nil}, {"Tenant", o.Tenant != nil}, {"Journal", o.Journal != nil}} {
		if !required.isSet {
			err = errors.Join(err, fmt.Errorf("console: %s is missing", required.name))
		}
	}
	if u, parseErr := url.Parse(o.Home); parseErr != nil || o.Home != "" && !isAddress(u) {
		err = errors.Join(err, fmt.Errorf(`console: Home is %q: use a path like "/settings", or an address like "https://app.example.com/"`, o.Home))
	}
	if o.Timeout < 0 {
		err = errors.Join(err, fmt.Errorf("console: Timeout is %v", o.Timeout))
	}
	return err
}

// isAddress reports whether a URL is a path of this host, or leads to a host by HTTP.
func isAddress(u *url.URL) bool {
	if u.Scheme == "" && u.Host == "" {
		return strings.HasPrefix(u.Path, "/") && !strings.ContainsRune(u.Path, '\\')
	}
	return (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
