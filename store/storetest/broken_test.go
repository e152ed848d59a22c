package storetest

import (
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim"
)

// broken is a subject with one fault.
type broken[S any] struct {
	fault  string
	reason string // what would go wrong in production
	make   func(fault string) S
	step   string   // the step that names the fault and must fail
	also   []string // steps that may fail in consequence, as patterns; no other one may
}

// patient returns the usual time of a step.
func patient(name string) time.Duration { return step[scim.Store]{Name: path.Base(name)}.most() }

// judgeAll runs all steps, except those with no time. It returns the messages of steps
// that failed, and the names of skipped steps.
func judgeAll[S any](groups []group[S], fresh func() S, limit func(step string) time.Duration) (failed map[string]string, skipped []string) {
	failed = map[string]string{}
	for _, g := range groups {
		for _, st := range g.steps {
			name := g.name + "/" + st.Name
			most := limit(name)
			if most == 0 {
				continue
			}
			v := st.judge(fresh(), most)
			if len(v.failures) > 0 {
				failed[name] = strings.Join(v.failures, "\n")
			}
			if v.skipped != "" {
				skipped = append(skipped, name)
			}
		}
	}
	return failed, skipped
}

// expects reports whether the fault makes this step fail. Random filters may find most
// faults.
func (b broken[S]) expects(step string) bool {
	return step == b.step || step == "filter/random" || slices.ContainsFunc(b.also, func(pattern string) bool {
		ok, err := path.Match(pattern, step)
		return ok && err == nil
	})
}

func (b broken[S]) test(t *testing.T, groups []group[S]) {
	t.Run(b.fault, func(t *testing.T) {
		t.Parallel()
		failed, _ := judgeAll(groups, func() S { return b.make(b.fault) }, func(step string) time.Duration {
			if path.Base(step) == bigGroupStep {
				if b.expects(step) {
					return patient(step)
				}
				return 0 // it takes its time, and nothing in it is new to the other faults
			}
			if strings.HasPrefix(b.fault, "never") && b.expects(step) {
				return 300 * time.Millisecond // it hangs: no need to wait as long as for a slow one
			}
			return patient(step)
		})
		if _, ok := failed[b.step]; !ok {
			t.Errorf("step %q passes though %s", b.step, b.reason)
		}
		for name, said := range failed {
			if !b.expects(name) {
				t.Errorf("step %q fails too, which does not name the fault:\n%s", name, said)
			}
		}
	})
}

func brokenPlain(fault string) scim.Store { return newPlain(fault) }

func brokenStores() []broken[scim.Store] {
	return []broken[scim.Store]{
		{"returns what it was given", "the handler answers with an id that the store does not know", brokenPlain, "create/returned resource is the truth", []string{"*/*"}},
		{"empty strings are null", "the client writes the empty string again for ever", brokenPlain, "create/round trip", nil},
		{"forgets the time", "meta.created is wrong", brokenPlain, "create/times", []string{"filter/dates"}},
		{"update makes what is unknown", "PATCH of an unknown user is 200", brokenPlain, "unknown/update", []string{"delete/gone", "delete/against update"}},
		{"check of nothing", "If-Match is judged against nothing", brokenPlain, "unknown/delete", []string{"types/apart", "delete/at once"}},
		{"no rows are an error", "a connection test with an empty list fails", brokenPlain, "list/empty", []string{"create/id in use", "types/lists", "unique/*"}},
		{"conflicts with itself", "a user cannot change the case of its name", brokenPlain, "unique/own name", nil},
		{"index of the first values", "a user who was renamed is not found and created again", brokenPlain, "update/found by new values", nil},
		{"deletes without a lock", "two requests both report the deletion", brokenPlain, "delete/at once", nil},
		{"newest first", "a client that pages misses people", brokenPlain, "keyset/while others create at once", []string{"filter/*", "keyset/*", "list/*"}},
		{"unknown is nil", "the handler gets nothing and no error", brokenPlain, "unknown/get", []string{"types/apart", "types/same id", "delete/gone", "delete/against update"}},
		{"an error of its own for unknown ids", "an unknown id is a 500", brokenPlain, "unknown/get", nil},
		{"ids without types", "a group's request reaches a user", brokenPlain, "types/same id", []string{"types/apart", "create/returned resource is the truth"}},
		{"ids without types", "a group's request deletes a user", brokenPlain, "types/apart", []string{"types/same id", "create/returned resource is the truth"}},
		{"userName that was given up stays taken", "a rename cannot be undone", brokenPlain, "unique/renaming frees", []string{"delete/against update"}},
		{"too many parameters", "a long list is a 500", brokenPlain, "list/many ids", nil},
		{"cuts before it filters", "pages are short, and people are missing", brokenPlain, "sort/with a filter", []string{"keyset/while others write", "list/comparisons"}},
		{"null is not behind anything", "people without a value are missing from a sorted list", brokenPlain, "keyset/sorted", nil},
		{"sorts by the whole text", "a cursor is as long as the text", brokenPlain, "keyset/long values", nil},
		{"cuts and says nothing", "people are missing from a list", brokenPlain, "keyset/cut", nil},
		{"compares without end", "one filter occupies the server", brokenPlain, "list/comparisons", nil},
		{"filters the first page alone", "a client gets others' people", brokenPlain, "keyset/filtered", []string{"keyset/while others write", "keyset/while others rename"}},
		{"a place that is gone is the end", "a client that pages misses people", brokenPlain, "keyset/while others write", nil},
		{"lists all types", "groups are among the users", brokenPlain, "types/lists", []string{"create/returned resource is the truth", "list/ids"}},
		{"userName with its case", "Entra creates everybody twice", brokenPlain, "unique/on create", []string{"unique/on update", "unique/inactive user", "unique/renaming frees", "unique/at once"}},
		{"userName by a collation", "José cannot be created beside Jose", brokenPlain, "unique/different names", []string{"unique/on create"}},
		{"userName of inactive users is free", "two people share a name when one comes back", brokenPlain, "unique/inactive user", nil},
		{"update may take a userName", "a rename makes a duplicate", brokenPlain, "unique/on update", nil},
		{"uniqueness is asked first and decided later", "two requests at once make a duplicate", brokenPlain, "unique/at once", nil},
		{"conflict of another kind", "a conflict is a 500", brokenPlain, "unique/on create", []string{"unique/inactive user", "unique/renaming frees", "unique/at once"}},
		{"userName stays taken", "a person who comes back cannot be created", brokenPlain, "delete/frees userName", []string{"unique/on create", "unique/on update", "delete/against update"}},
		{"loses updates", "of two changes at once one is lost", brokenPlain, "update/at once", []string{"update/whole"}},
		{"writes in two halves", "a reader sees half of a change", brokenPlain, "update/whole", []string{"update/at once", "delete/against update"}},
		{"swallows the error of fn", "a precondition that failed is answered with 200", brokenPlain, "update/error of fn", nil},
		{"hides the error of fn", "a precondition that failed is answered with 500", brokenPlain, "update/error of fn", nil},
		{"stores though fn fails", "what was refused is stored", brokenPlain, "update/error of fn", nil},
		{"writes though nothing changed", "each sync makes a new version", brokenPlain, "update/no change", nil},
		{"keeps its version", "If-Match lets an outdated write through", brokenPlain, "update/stores the result", nil},
		{"updates the time of creation", "the order of lists changes while a client pages", brokenPlain, "update/stores the result", []string{"list/order of creation", "keyset/while others write", "sort/ascending", "sort/descending", "keyset/sorted"}},
		{"adds and never removes", "a removed attribute comes back", brokenPlain, "update/stores the result", nil},
		{"deletes twice", "a second DELETE is 204", brokenPlain, "delete/twice", []string{"unknown/delete", "types/apart", "delete/at once"}},
		{"deletes though check fails", "If-Match does not protect from DELETE", brokenPlain, "delete/check", nil},
		{"lists what is deleted", "people who left are listed", brokenPlain, "delete/gone", []string{"delete/frees userName", "unique/on create", "keyset/while others write", "delete/against update"}},
		{"newest first", "a new resource shifts the pages", brokenPlain, "list/order of creation", []string{"filter/*", "keyset/*", "list/*"}},
		{"newest first", "a client that pages misses people", brokenPlain, "list/while others create", []string{"filter/*", "keyset/*", "list/*"}},
		{"looks the place up again", "a client that pages misses people", brokenPlain, "keyset/while others rename", nil},
		{"updates bring back what was deleted", "a person who left is there again", brokenPlain, "delete/against update", []string{"delete/at once"}},
		{"deadlocks", "a client is told of a failure that is none of its business", brokenPlain, "unique/exchanged at once", nil},
		{"ignores the direction", "sortOrder is ignored", brokenPlain, "sort/descending", []string{"sort/with a filter", "list/order of creation", "keyset/order of creation", "keyset/sorted", "keyset/long values", "keyset/while others rename"}},
		{"ignores SortBy", "sortBy is ignored", brokenPlain, "sort/ascending", []string{"sort/descending", "sort/with a filter", "keyset/sorted", "keyset/long values", "keyset/while others write"}},
		{"ignores the offset", "each page is the first", brokenPlain, "list/offset and limit", []string{"filter/*", "list/*", "sort/*"}},
		{"one too many", "a page is bigger than was asked for", brokenPlain, "list/offset and limit", []string{"create/round trip", "filter/*", "keyset/*", "list/*", "sort/*"}},
		{"total is that of the page", "the client believes that there is no second page", brokenPlain, "list/total", []string{"delete/frees userName", "unique/at once", "filter/*", "keyset/filtered", "list/*", "sort/*"}},
		{"limit 0 is no limit", "a question for the number reads everything", brokenPlain, "list/limit 0", []string{"filter/*"}},
		{"ignores IDs", "a list of three lists everybody", brokenPlain, "list/ids", []string{"create/round trip", "delete/gone", "list/total", "list/limit 0", "list/no ids", "list/many ids", "keyset/filtered"}},
		{"empty IDs are all", "a list of nobody lists everybody", brokenPlain, "list/no ids", nil},
		{"ignores the filter", "every look-up finds somebody", brokenPlain, "filter/userName", []string{"delete/gone", "filter/*", "keyset/filtered", "keyset/while others write", "list/ids", "list/limit 0", "list/comparisons", "sort/with a filter", "update/found by new values", "keyset/while others rename", "unique/exchanged at once", "delete/against update"}},
		{"ignores After", "cursor paging never ends", brokenPlain, "keyset/order of creation", []string{"keyset/created at once", "keyset/sorted", "keyset/long values", "keyset/filtered", "keyset/while others write", "keyset/while others create at once", "keyset/while others rename"}},
		{"ignores the context", "a request that was given up is carried out", brokenPlain, "context/cancelled", nil},
		{"never unlocks", "everything stands still", brokenPlain, "delete/gone", []string{"delete/*", "keyset/while others write", "types/same id", "unique/on create", "unique/on update", "keyset/while others rename"}},
		{"panics", "the process ends", brokenPlain, "delete/gone", []string{"delete/*", "keyset/while others write", "types/same id", "unique/on create", "unique/on update", "keyset/while others rename"}},
	}
}

func brokenResolvers() []broken[Harness] {
	resolver := func(fault string) Harness { return newApp(fault).harness() }
	return []broken[Harness]{
		{"grants or revokes", "the role of the old group stays", resolver, "roles/revoke and grant", nil},
		{"reads and writes all roles", "of two changes at once one is lost", resolver, "roles/at once", nil},
		{"grants nothing", "nobody gets a role", resolver, "roles/grant", []string{"roles/*"}},
		{"grants partially", "half of a batch is granted, and the ledger says none", resolver, "roles/all or nothing", nil},
		{"skips unknown roles", "the ledger says that a role is granted that does not exist", resolver, "roles/all or nothing", []string{"roles/dropped role", "roles/resolve has no effects"}},
		{"granting what is held is an error", "a retry fails for ever", resolver, "roles/grant twice", []string{"roles/revoke and grant", "roles/at once"}},
		{"revoking what is not held is an error", "a retry fails for ever", resolver, "roles/revoke twice", []string{"roles/revoke and grant", "roles/dropped role", "roles/by hand"}},
		{"counts grants", "one revocation is not enough", resolver, "roles/grant twice", []string{"roles/revoke and grant", "roles/at once", "roles/by hand"}},
		{"replaces all roles", "what was given by hand is lost", resolver, "roles/grant beside", []string{"roles/revoke twice", "roles/at once"}},
		{"revokes all", "revoking one role takes what was given by hand", resolver, "roles/revoke twice", []string{"roles/grant beside"}},
		{"revokes from everybody", "one person leaves, all lose the role", resolver, "roles/others untouched", []string{"roles/batch", "roles/holders"}},
		{"never revokes", "people who left keep their roles", resolver, "roles/revoke", []string{"roles/batch", "roles/grant beside", "roles/grant twice", "roles/others untouched", "roles/revoke and grant", "roles/transaction", "roles/holders"}},
		{"knows only its own grants", "a hand-given role is taken for one that is missing", resolver, "roles/by hand", nil},
		{"lists the default", "the default role counts as hand-given", resolver, "roles/nothing held", []string{"roles/*"}},
		{"lists everybody", "roles of others are taken for one's own", resolver, "roles/others untouched", []string{"roles/by hand", "roles/at once"}},
		{"batches of 500", "half of a big group gets nothing", resolver, "roles/batch", nil},
		{"unknown roles are empty", "a group is linked to no role", resolver, "roles/resolve unknown", []string{"roles/resolve has no effects", "roles/dropped role"}},
		{"unknown roles are made", "each pushed group becomes a role", resolver, "roles/resolve has no effects", []string{"roles/dropped role"}},
		{"says nothing of protection", "administrators are made by the name of a group", resolver, "roles/resolve", nil},
		{"forgets links", "a renamed role is taken from its members", resolver, "roles/rename", nil},
		{"believes links", "a role that is gone is granted", resolver, "roles/dropped role", nil},
		{"not in the transaction", "a refused request changes roles", resolver, "roles/transaction", nil},
		{"an outage is no role", "an outage takes everybody's roles", resolver, "roles/cancelled", nil},
		{"lists holders of every role", "an editor counts as the last administrator", resolver, "roles/holders", nil},
		{"lists holders behind the first page", "every holder is the last one", resolver, "roles/holders", nil},
		{"lists users for an unknown role", "a role that nobody holds has a holder", resolver, "roles/holders of an unknown role", nil},
		{"ignores the context", "a request that was given up changes roles", resolver, "roles/cancelled", nil},
	}
}

func TestBrokenStores(t *testing.T) {
	for _, b := range slices.Concat(brokenStores(), brokenFilters(), brokenCapabilities()) {
		b.test(t, storeSteps())
	}
}

func TestBrokenTenants(t *testing.T) {
	for _, b := range brokenTenants() {
		b.test(t, []group[tenants]{{"tenants", tenantSteps()}})
	}
}

func TestBrokenFaults(t *testing.T) {
	for _, b := range brokenFaults() {
		b.test(t, []group[Faulty]{{"faults", faultSteps()}})
	}
}

func TestBrokenMappings(t *testing.T) {
	for _, b := range brokenColumns() {
		b.test(t, []group[Mapping]{{"mapping", mappingSteps()}})
	}
}

func TestBrokenResolvers(t *testing.T) {
	for _, b := range brokenResolvers() {
		b.test(t, []group[Harness]{roleSteps()})
	}
}

// TestEveryStep requires a fault for each step. A step that no fault fails proves
// nothing.
func TestEveryStep(t *testing.T) {
	named := map[string]bool{}
	for _, b := range slices.Concat(brokenStores(), brokenFilters(), brokenCapabilities()) {
		named[b.step] = true
	}
	for _, b := range brokenResolvers() {
		named[b.step] = true
	}
	for _, b := range brokenTenants() {
		named[b.step] = true
	}
	for _, b := range brokenFaults() {
		named[b.step] = true
	}
	for _, b := range brokenClaims() {
		named[b.step] = true
	}
	for _, b := range brokenColumns() {
		named[b.step] = true
	}
	for _, g := range storeSteps() {
		everyStep(t, named, g)
	}
	everyStep(t, named, group[Mapping]{"mapping", mappingSteps()})
	everyStep(t, named, group[Application]{"claims", claimSteps()})
	everyStep(t, named, roleSteps())
	everyStep(t, named, group[tenants]{"tenants", tenantSteps()})
	everyStep(t, named, group[Faulty]{"faults", faultSteps()})
	for name := range named {
		t.Errorf("a fault names the step %s, which does not exist", name)
	}
}

func everyStep[S any](t *testing.T, named map[string]bool, g group[S]) {
	for _, st := range g.steps {
		name := g.name + "/" + st.Name
		if !named[name] {
			t.Errorf("no fault names the step %s", name)
		}
		if !strings.HasSuffix(st.Rule, ".") && !strings.HasSuffix(st.Rule, ")") {
			t.Errorf("the rule of %s is no sentence: %q", name, st.Rule)
		}
		delete(named, name)
	}
}

// TestSound runs the subjects of the tables above without a fault.
func TestSound(t *testing.T) {
	t.Run("plain store", func(t *testing.T) {
		failed, skipped := judgeAll(storeSteps(), func() scim.Store { return newPlain("") }, patient)
		for name, said := range failed {
			t.Errorf("%s: %s", name, said)
		}
		for _, name := range skipped {
			g, _, _ := strings.Cut(name, "/")
			if !slices.Contains([]string{"person", "members", "members at once", "one member", "transaction", "transaction of all", "isolation", "tenant lock", "ledger"}, g) &&
				name != "types/unique ids" {
				t.Errorf("%s is skipped", name)
			}
		}
	})
	t.Run("mapping", func(t *testing.T) { RunMapping(t, func(*testing.T) Mapping { return newColumns("") }) })
	t.Run("mapping with limits", func(t *testing.T) { RunMapping(t, func(*testing.T) Mapping { return limitedColumns() }) })
	t.Run("store over a failing database", func(t *testing.T) { RunFaults(t, func(*testing.T) Faulty { return newFrail("") }) })
	for _, fault := range []string{"", "exclusive"} {
		t.Run("resolver "+fault, func(t *testing.T) { RunRoles(t, func(*testing.T) Harness { return newApp(fault).harness() }) })
	}
}
