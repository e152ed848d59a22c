package scim_test

import (
	"path/filepath"
	"testing"
)

// TestRootFiles holds the list of Go files in the root. It shows what the library is;
// the work is done in internal/.
func TestRootFiles(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, row := range rootFiles {
		if row.reason == "" {
			t.Errorf("rootFiles has no reason for %s", row.file)
		}
		reasons[row.file] = row.reason
	}
	for _, file := range files {
		if _, ok := reasons[file]; !ok {
			t.Errorf("%s is not in the list of the root's files: move it to a package, or add a line to rootFiles with the reason", file)
		}
		delete(reasons, file)
	}
	for file := range reasons {
		t.Errorf("rootFiles has %s, and there is no such file: delete its line", file)
	}
}

var rootFiles = []struct{ file, reason string }{
	{"doc.go", "the tour"},
	{"scim.go", "New, Handler, Mount, Store and its capabilities, errors"},
	{"capabilities.go", "what a store is able to; TenantLocker and UniqueIDs, capabilities that few stores need, with their ports"},
	{"memberchanger.go", "MemberChanger and NextGrants, for stores that wait for a wire, with the port"},
	{"limiter.go", "Limiter, which decides how many requests a client may send, with its port"},
	{"observer.go", "Observer, which watches requests, with its ports"},
	{"scopes.go", "the words that say what a client may read and write"},
	{"guards.go", "what judges changes of roles before they are made, with its ports"},
	{"config.go", "Config, Tenant, Limits: validation, and what is prepared once for each tenant"},
	{"resource.go", "Resource, ResourceType, access to attributes, structs, schemas"},
	{"patch.go", "Patch"},
	{"filter.go", "Filter, Query, Page, Scan, translation of filters for adapters"},
	{"roles.go", "RoleResolver, Roles"},
	{"joinresolvers.go", "JoinResolvers: several resolvers of the application as one"},
	{"ledger.go", "Ledger and its capabilities, Grant, Link, Source: what the library remembers about roles"},
	{"switchoff.go", "Distrust, Trust, End: what an administrator decides about all that SCIM gave"},
	{"reconciler.go", "Reconciler, the application's handle on roles"},
	{"pending.go", "Pending: what awaits somebody, and the decisions about it"},
	{"preview.go", "WhatIf, Request, Foreseen: what a change or a request would do to roles"},
	{"events.go", "Event and its kinds"},
	{"roleports.go", "the ports of roles, which ports.go has no room for"},
	{"ports.go", "passes the application's values to the internal packages, and their errors back"},

	{"example_test.go", "examples of the documentation"},
	{"example_device_test.go", "an example whose types of package level belong to it alone: go doc shows the whole file"},
	{"deps_test.go", "keeps dependencies of a few out of every application"},
	{"structure_test.go", "this list"},
	{"filter_test.go", "tests TranslateFilter and other exported functions of filter.go"},
	{"joinresolvers_test.go", "tests JoinResolvers"},
	{"resource_test.go", "tests exported functions of resource.go"},
	{"structs_test.go", "tests exported functions of resource.go that bind structs"},
}
