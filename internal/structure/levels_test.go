package structure

// level is a layer of the module. Its packages import packages of lower levels only.
type level struct {
	name     string
	outside  bool // the level stands for code of an application: it imports nothing below internal/
	packages []place
}

// place gives a package its level. The reason says why the package stands there.
type place struct{ path, reason string }

// shared is the level that tests of any public package may import.
const shared = "what tests share"

// levels has every package of the module, from top to bottom.
var levels = []level{
	{"tests of the whole", false, []place{
		{"internal/conformance", "tests the handler against the RFCs and quirks of clients"},
		{"internal/scenarios", "tests roles over each store"},
		{"internal/transcripts", "plays requests of clients"},
		{"internal/budgets", "measures the handler"},
		{"internal/exhaustion", "measures the worst requests over each store"},
		{"internal/crashtest", "kills processes that use sqlstore"},
		{"internal/upgrades", "migrates databases that earlier versions of sqlstore made"},
		{"internal/callers", "tests who may call a server with several tenants, over SQL too"},
		{"internal/newcomer", "adds SCIM to an application, with public packages only"},
		{"internal/doctest", "compiles and runs the documentation's code"},
		{"internal/structure", "looks at the whole repository"},
	}},
	{shared, false, []place{
		{"internal/testhost", "makes a handler over the memory store, as an application does"},
		{"internal/sqlitetest", "names the SQLite driver of tests"},
		{"internal/pgtest", "starts a PostgreSQL server for tests; stands here so that no library code imports it"},
		{"internal/mariatest", "starts a MariaDB server for tests; stands here for the same reason"},
	}},
	{"tools of test servers", false, []place{
		{"internal/otheruser", "lets root start servers as another user"},
	}},
	{"programs", true, []place{
		{"examples/quickstart", "shows an application"},
		{"examples/existing-app", "shows an application with tables of its own"},
		{"examples/mapstore", "shows a store that an application writes"},
		{"examples/adapter", "shows a store over a table"},
		{"examples/commonroom", "shows a product: groups stand for roles, beside a permission"},
		{"examples/officernd", "shows a product: groups are teams, and leavers stay as Formers"},
		{"examples/rootly", "shows a product: many customers, groups behind switches"},
		{"examples/jotform", "shows a product: attributes stand for roles, and each customer has a host"},
		{"examples/oktaaiw", "shows an application that Okta's wizard connects"},
	}},
	{"what programs share", true, []place{
		{"examples/internal/page", "has the log-in and the look of the examples of products"},
		{"examples/internal/pagetest", "starts them in tests, and plays their clients"},
	}},
	{"public packages over another one", true, []place{
		{"auth/oauth2", "reads the Authorization header as auth does; alone, because it compiles a JWT library"},
		{"console", "shows the journal to administrators, and issues tokens; reads scim's Store, and replays dry"},
	}},
	{"public packages, one job each", true, []place{
		{"auth/signin", "finds people in scim's Store by the claims of their tokens; verifies no token"},
		{"tenants", "finds scim's Tenant by the address, and wraps scim's Authenticator"},
		{"rules", "implements scim's Rule"},
		{"rules/phone", "derives telephone numbers from scim's Resource; alone, because it compiles their metadata"},
		{"store/memory", "implements scim's Store"},
		{"store/sqlstore", "implements scim's Store over SQL, from its own rooms"},
		{"store/storetest", "checks any implementation of scim's Store"},
		{"journal/replay", "sends what a journal has to a handler again"},
		{"health", "answers probes; asks scim's Store"},
		{"scimtest", "plays requests against any http.Handler; it needs nothing of the module"},
	}},
	{"sqlstore: projections", true, []place{
		{"store/sqlstore/internal/projection", "keeps the application's tables and sqlstore's own in line"},
		{"store/sqlstore/internal/roletables", "resolves roles in the application's tables"},
	}},
	{"sqlstore: tables", true, []place{
		{"store/sqlstore/internal/apptables", "reads and writes the application's tables"},
		{"store/sqlstore/internal/owntables", "reads and writes sqlstore's own tables"},
	}},
	{"sqlstore: notes", true, []place{
		{"store/sqlstore/internal/notes", "writes triggers for the mapped columns"},
	}},
	{"sqlstore: mappings", true, []place{
		{"store/sqlstore/internal/mapping", "binds columns to attributes; searches them as the search form does"},
	}},
	{"sqlstore: statements", true, []place{
		{"store/sqlstore/internal/database", "runs statements in a dialect"},
		{"store/sqlstore/internal/search", "writes filters and the search form in a dialect"},
	}},
	{"sqlstore: dialects", true, []place{
		{"store/sqlstore/internal/dialect", "knows SQL, and nothing of resources"},
	}},
	{"tokens, rates, entries", true, []place{
		{"journal", "wraps scim's handler and keeps what it did; stores keep its entries; reads JSON, so it needs jsontext"},
		{"ratelimit", "implements scim's Limiter; stores divide its rates"},
		{"auth/tokens", "issues tokens and implements scim's Authenticator by auth; stores keep its tokens"},
	}},
	{"authenticators", true, []place{
		{"auth", "implements scim's Authenticator"},
	}},
	{"scim", false, []place{
		{".", "gives the public interface, and passes the application's values to the internal packages"},
	}},
	{"endpoint", false, []place{
		{"internal/endpoint", "answers one request with everything below"},
	}},
	{"parts of a request", false, []place{
		{"internal/roles", "decides and carries out who holds a role; knows no HTTP"},
		{"internal/bulk", "orders the operations of a bulk request; runs nothing"},
	}},
	{"readers of what the application supplies", false, []place{
		{"internal/directory", "reads the application's store"},
		{"internal/discovery", "describes a tenant to clients, by internal/host's Tenant"},
		{"internal/cursor", "seals page keys of internal/host"},
		{"internal/watch", "wraps the interfaces of internal/host"},
	}},
	{"host", false, []place{
		{"internal/host", "describes what the application supplies, in the words of the engines"},
	}},
	{"engines: changes", false, []place{
		{"internal/patch", "applies PATCH to documents, with filters and members"},
	}},
	{"engines: over documents", false, []place{
		{"internal/match", "evaluates filters over documents"},
		{"internal/member", "reads members from documents"},
		{"internal/structs", "binds structs to documents"},
	}},
	{"engines: documents and filters", false, []place{
		{"internal/doc", "holds values of a schema"},
		{"internal/filterlang", "parses filters and paths"},
	}},
	{"engines: errors; leaves over wire", false, []place{
		{"internal/fault", "writes the error message, whose URN is in wire"},
		{"internal/trace", "shows bodies without what secret recognizes"},
	}},
	{"engines and leaves that know nothing else", false, []place{
		{"internal/model", "compiles schemas"},
		{"internal/fold", "makes comparison keys"},
		{"internal/tolerance", "names tolerances"},
		{"internal/wire", "has the media type and URNs"},
		{"internal/jsonwalk", "reads parts of JSON"},
		{"internal/secret", "recognizes texts with passwords"},
		{"internal/address", "finds routes and the base address"},
		{"internal/deadline", "limits the time of a request"},
		{"internal/admission", "limits how many requests run at the same time"},
		{"internal/keylock", "locks by key"},
	}},
}
