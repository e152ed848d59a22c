// Package scim gives an existing Go web application a SCIM 2.0 endpoint (RFC 7643,
// RFC 7644 and RFC 9865). The application's customers then provision people, groups
// and roles from Okta, Microsoft Entra, Google Workspace, Keycloak and other identity
// providers.
//
// The application supplies a [Store] over its own database and, if groups stand for
// roles, a [RoleResolver]. The package supplies one [Handler]. It speaks the protocol,
// validates against the schema and applies PATCH. It decides who gets a role and who
// loses it, and it never takes a role that somebody gave by hand.
//
// In this documentation a client is what calls the endpoint: an identity provider. An
// application is the program that imports the package. A tenant is one of its customers.
//
// # Serving an endpoint
//
// [New] makes the handler and reports every mistake in the [Config] at once. [Mount]
// puts it in front of the application:
//
//	func run(store scim.Store, app *App, pages http.Handler) error {
//		h, err := scim.New(scim.Config{
//			Store: store,
//			Auth:  auth.Bearer(auth.TokenOf(os.Getenv("SCIM_TOKEN"))),
//			Roles: &scim.Roles{Resolver: app},
//		})
//		if err != nil {
//			return err
//		}
//		server := &http.Server{Addr: "localhost:8080", Handler: scim.Mount("/scim/v2", h, pages),
//			ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 5 * time.Minute,
//			IdleTimeout: 2 * time.Minute}
//		return server.ListenAndServe()
//	}
//
// Package auth has authenticators for bearer tokens, auth/oauth2 for OAuth 2 access tokens.
// Any other one is an [Authenticator].
//
// # Keeping users and groups
//
// A [Store] has five methods. Most applications do not write one: package
// store/sqlstore keeps resources in PostgreSQL or SQLite, in the tables that the
// application has or in tables of its own. Package store/memory is for tests.
//
// A store of your own keeps a [Resource] as columns and JSON. [ResourceType.Bind] makes
// it again from a row, and columns win over the document:
//
//	func load(u row) (*scim.Resource, error) {
//		meta := scim.Meta{ID: u.ID, Created: u.Created, LastModified: u.Modified}
//		return scim.UserType().Bind(meta, u.Doc, map[string]any{ // columns win over Doc
//			"userName": u.Login, "name.givenName": u.First, "active": u.Status == "active"})
//	}
//
// [Scan] answers a [Query] from any superset of the matches. [Filter.Eq] finds the one
// value that most look-ups ask for, and [TranslateFilter] makes a query from any filter.
// [Fold] is the key by which user names are compared.
//
// More methods on the same value gain more: [Transactor], [MemberStore], [Ledger],
// [SourceLedger], [PasswordSetter] and [Deactivator]. New logs which ones it found.
// Package store/storetest is the contract as tests.
//
// # Giving roles
//
// A [RoleResolver] says which role a group stands for, which roles users hold, and
// carries out changes:
//
//	func (a *App) ResolveRoles(_ context.Context, src scim.RoleSource) ([]scim.Role, error) {
//		if role, ok := a.byName[src.Name()]; ok {
//			return []scim.Role{role}, nil
//		}
//		return nil, scim.ErrNoRole
//	}
//
// When a client now creates a user and a group that has the user as a member, the user
// holds the role Editor:
//
//	POST /scim/v2/Users {"userName": "ann@example.com"}
//	POST /scim/v2/Groups {"displayName": "Editor", "members": [{"value": "{id}"}]}
//
// When the client removes the member, deletes the group or deactivates the user, the
// role is revoked. [Roles] has the settings: attributes that give roles, one role per
// user, what happens to a group that stands for no role. A [Ledger] remembers what the
// package granted, so that it revokes nothing else.
//
// # Telling the package what the application does
//
// The package sees what clients do, not what the application does. [Handler.Reconciler]
// returns the [Reconciler], which takes such news:
//
//	func giveByHand(ctx context.Context, app *Application, roles *scim.Reconciler, user, role string) error {
//		return roles.GiveByHand(ctx, user, scim.Role{ID: role}, func(ctx context.Context) error {
//			return app.give(ctx, user, role)
//		})
//	}
//
// [Reconciler.TakeByHand] takes a role by hand, and names the sources that still give it.
// [Reconciler.Managed] says what of a user or group is the client's.
// [Reconciler.RolesChanged] is for roles that appear, change or go. [Reconciler.Users]
// and [Reconciler.All] reconcile users. [Reconciler.Confirm] lets a source give a
// protected role. [Reconciler.Explain] says why a user holds a role.
//
// # Rules, events and errors
//
// A [Rule] looks at each [Change] before it is stored. It may replace or refuse it, or
// let a new user adopt an existing account. The package rules has those that many products
// need. An [Event] says what was done, after commit.
// An [Error] is what a client sees; every other error becomes a 500 without its text.
//
// # Many tenants
//
// With Config.TenantFor the authenticated [Principal] of each request decides its
// [Tenant], and the tenant has the store. Settings may change while the server runs.
//
// # What clients send
//
// Real clients send what the RFCs do not allow. Each such thing has a [Tolerance], which
// can be switched off by itself, or with all others by Tenant.Strict. A [ResourceType] of
// the application's own adds attributes or whole types.
//
// # Security
//
// A request is authenticated before anything of it is parsed. [Limits] bound what a
// client can make big. Errors that a client sees name the attribute and never carry
// internals. Passwords reach a [PasswordSetter] and nothing else. The package does not
// do TLS: put it behind your server's.
//
// # Further reading
//
//   - [Your tables]: SCIM over tables that the application has.
//   - [Write a store]: the contract, and an adapter from nothing.
//   - [Roles in full]: resolvers, protected roles, attributes, transactions.
//   - [People]: users who were there before, leavers, passwords.
//   - [Run it]: addresses, tokens, tenants, limits, errors, logs.
//   - [Identity providers]: how to set up each client.
//   - [Guarantees]: what holds, what does not, and what survives a crash.
//
// [Your tables]: https://github.com/scimkit/scim/blob/main/docs/your-tables.md
// [Write a store]: https://github.com/scimkit/scim/blob/main/docs/write-a-store.md
// [Roles in full]: https://github.com/scimkit/scim/blob/main/docs/roles.md
// [People]: https://github.com/scimkit/scim/blob/main/docs/people.md
// [Run it]: https://github.com/scimkit/scim/blob/main/docs/run-it.md
// [Identity providers]: https://github.com/scimkit/scim/blob/main/docs/identity-providers.md
// [Guarantees]: https://github.com/scimkit/scim/blob/main/docs/guarantees.md
package scim
