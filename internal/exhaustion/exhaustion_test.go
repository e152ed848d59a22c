package exhaustion

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scimkit/scim/store/sqlstore"
)

// worst is a request that costs much.
type worst struct {
	name, method, target string
	body                 func() string // nil: none
}

const (
	patchOp = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	bulkOp  = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[`
	groupOp = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"worst"`
	userOp  = `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"worst"`
)

// list joins n parts by commas.
func list(n int, part func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(part(i))
	}
	return b.String()
}

// terms is a filter of n terms.
func terms(n int, term, join string) string { return strings.Repeat(term+join, n-1) + term }

// valueFilters is a PATCH of long values and filters over them.
func valueFilters() string {
	return patchOp + `{"op":"replace","path":"emails","value":[` + list(1000, func(i int) string {
		return fmt.Sprintf(`{"value":"%0500d"}`, i)
	}) + `]},` + list(12, func(int) string {
		return `{"op":"remove","path":"emails[` + terms(120, `value co \"zz\"`, " or ") + `]"}`
	}) + `]}`
}

func members(n int, id func(i int) string) string {
	return groupOp + `,"members":[` + list(n, func(i int) string { return `{"value":"` + id(i) + `"}` }) + `]}`
}

func user(i int) string     { return fmt.Sprint("u", i) }
func stranger(i int) string { return fmt.Sprint("s", i) }

func query(filter string) string { return "filter=" + url.QueryEscape(filter) }

// worstRequests are the requests, in an order in which each has something to do.
func worstRequests() []worst {
	n := users()
	most := n / 2 // that many members one request may name
	return []worst{
		{"PATCH: values times value filters", "PATCH", "/Users/u1", valueFilters},
		{"PATCH: short values become long", "PATCH", "/Users/u2", func() string {
			return patchOp + `{"op":"replace","path":"emails","value":[` + list(10_000, func(i int) string { return fmt.Sprintf(`"%d"`, i) }) +
				`]},{"op":"replace","path":"emails.display","value":"` + strings.Repeat("x", 10_000) + `"}]}`
		}},
		{"PATCH: 10,000 operations", "PATCH", "/Users/u3", func() string {
			return patchOp + list(10_000, func(i int) string {
				return fmt.Sprintf(`{"op":"add","path":"emails","value":[{"value":"e%d"}]}`, i)
			}) + `]}`
		}},
		{"POST of a user with many values", "POST", "/Users", func() string {
			return userOp + `,"emails":[` + list(9_000, func(i int) string { return fmt.Sprintf(`{"value":"e%d@example.com"}`, i) }) + `]}`
		}},
		{"POST of a user of 1 MiB", "POST", "/Users", func() string { return userOp + `,"title":"` + strings.Repeat(`\u00e9`, 170_000) + `"}` }},
		{"POST of a group of 50,000 users", "POST", "/Groups", func() string { return members(most, user) }},
		{"PUT of a group of 50,000 of 100,000 users", "PUT", "/Groups/all", func() string { return members(most, user) }},
		{"PATCH: 50,000 users become members", "PATCH", "/Groups/g1", func() string {
			return patchOp + `{"op":"add","path":"members","value":[` + list(most, func(i int) string { return `{"value":"` + user(i) + `"}` }) + `]}]}`
		}},
		{"POST of a group of strangers, 16 MiB", "POST", "/Groups", func() string { return members(700_000, stranger) }},
		{"POST of a group of allowed strangers", "POST", "/Groups", func() string { return members(most, stranger) }},
		{"POST of a group with one member, 16 MiB", "POST", "/Groups", func() string { return members(900_000, func(int) string { return "u1" }) }},
		{"POST of tiny tokens, 16 MiB", "POST", "/Groups", func() string { return groupOp + `,"x":[[]` + strings.Repeat(",[]", 5_500_000) + `]}` }},
		{"POST of names, 16 MiB", "POST", "/Groups", func() string {
			return `{` + list(1_500_000, func(i int) string { return fmt.Sprintf(`"%d":1`, i) }) + `}`
		}},
		{"POST of 90,000 names", "POST", "/Groups", func() string {
			return groupOp + `,` + list(90_000, func(i int) string { return fmt.Sprintf(`"%d":1`, i) }) + `}`
		}},
		{"POST of brackets, 16 MiB", "POST", "/Groups", func() string { return strings.Repeat("[", 16<<20) }},
		{"POST of empty strings, 16 MiB", "POST", "/Groups", func() string { return groupOp + `,"x":[""` + strings.Repeat(`,""`, 5_500_000) + `]}` }},
		{"Bulk: 1,000 users", "POST", "/Bulk", func() string {
			return bulkOp + list(1000, func(i int) string {
				return fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"%d","data":{"userName":"bulk%d","displayName":"x"}}`, i, i)
			}) + `]}`
		}},
		{"Bulk: 30 PATCHes with value filters", "POST", "/Bulk", func() string {
			patch := valueFilters()
			return bulkOp + list(30, func(i int) string {
				return fmt.Sprintf(`{"method":"PATCH","path":"/Users/u%d","data":%s}`, 10+i, patch)
			}) + `]}`
		}},
		{"Bulk: groups of many users", "POST", "/Bulk", func() string {
			one := members(most/40, user)
			return bulkOp + list(10, func(i int) string {
				return fmt.Sprintf(`{"method":"POST","path":"/Groups","bulkId":"%d","data":%s}`, i, one)
			}) + `]}`
		}},
		{"Bulk: a group of 12,500 with a reference", "POST", "/Bulk", func() string {
			return bulkOp + `{"method":"POST","path":"/Users","bulkId":"u","data":{"userName":"reference"}},` +
				`{"method":"POST","path":"/Groups","bulkId":"g","data":` + members(most/4, func(i int) string {
				if i == 0 {
					return "bulkId:u"
				}
				return user(i)
			}) + `}]}`
		}},
		{"a filter of 120 terms", "GET", "/Users?" + query(terms(120, `title co "x"`, " or ")), nil},
		{"a filter of 20 terms", "GET", "/Users?" + query(terms(20, `displayName co "none"`, " or ")), nil},
		{"a filter of one term", "GET", "/Users?" + query(`displayName co "none"`), nil},
		{"a filter of 20 terms on values", "GET", "/Users?" + query(terms(20, `emails.display co "none"`, " or ")), nil},
		{"a filter that an index narrows to nothing", "GET", "/Users?" + query(`displayName eq "Eva 5 Holm" and (`+terms(100, `title co "x"`, " or ")+`)`), nil},
		{"a sorted list, its end", "GET", fmt.Sprintf("/Users?sortBy=displayName&startIndex=%d&count=200", n-200), nil},
		{"a sorted and filtered list", "GET", "/Users?sortBy=emails.value&sortOrder=descending&" + query(`title co "e"`), nil},
		{"a list, its end", "GET", fmt.Sprintf("/Users?startIndex=%d&count=200", n-200), nil},
		{"a list with 1,000 attribute names", "GET", "/Users?count=200&attributes=" + strings.Repeat("emails.value,", 999) + "userName", nil},
		{"a list of large groups", "GET", "/Groups?count=200", nil},
		{"a group of all users", "GET", "/Groups/all", nil},
		{"a root query, sorted", "GET", "/?sortBy=displayName&startIndex=9800&count=200", nil},
		{"a root .search with a filter", "POST", "/.search", func() string {
			return `{"filter":"displayName co \"none\" or displayName co \"nobody\"","count":200,"startIndex":9800}`
		}},
		{"a sorted page by cursor", "GET", "/Users?cursor&sortBy=displayName&count=200", nil},
		{"PUT empties a group of all users", "PUT", "/Groups/g1", func() string { return groupOp + `}` }},
	}
}

// client sends the requests. Its connections stay open.
var client = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}

// send sends a request of a tenant. It returns the status.
func (p *process) send(ctx context.Context, tenant, method, target, body string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, method, p.url+"/scim/v2"+target, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+tenant)
	res, err := client.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close() //nolint:errcheck // it is read
	_, err = io.Copy(io.Discard, res.Body)
	return res.StatusCode, err
}

// p99 is the time of 99 of 100 GETs of the tenant b, while n requests of the tenant a run.
func (p *process) p99(t *testing.T, w worst, body string, n int) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			for ctx.Err() == nil { // the last one runs to its end
				p.send(t.Context(), "a", w.method, w.target, body) //nolint:errcheck // measured alone
			}
		})
	}
	var all []time.Duration
	for ctx.Err() == nil {
		start := time.Now()
		if status, err := p.send(t.Context(), "b", "GET", "/Users/u7", ""); err != nil || status != 200 {
			t.Errorf("%s: GET of another tenant: %d, %v", w.name, status, err)
		}
		all = append(all, time.Since(start))
		time.Sleep(2 * time.Millisecond)
	}
	wg.Wait()
	slices.Sort(all)
	return all[len(all)*99/100]
}

// TestWorstRequests measures the worst requests over each store. It takes a quarter of an
// hour and a quiet machine: set SCIM_EXHAUSTION. It prints a table.
//
// Two processes of the same kind answer each request. One says how much memory it needs: its
// collector runs often (GOGC=10), because the usual one lets as much garbage pile up as the
// store is large. The other one says how long it takes.
func TestWorstRequests(t *testing.T) {
	if os.Getenv("SCIM_EXHAUSTION") == "" {
		t.Skip("SCIM_EXHAUSTION is not set")
	}
	const mostCPU, most1, most4 = time.Second, 100 * time.Millisecond, 500 * time.Millisecond
	for _, kind := range []string{"memory", "SQLite", "PostgreSQL"} {
		t.Run(kind, func(t *testing.T) {
			dsn := func() string {
				switch kind {
				case "SQLite":
					return sqlstore.SQLiteDSN(filepath.Join(t.TempDir(), "scim.db"))
				case "PostgreSQL":
					return postgres.DSN(t)
				}
				return ""
			}
			small, usual := start(t, kind, dsn(), "10"), start(t, kind, dsn(), "100")
			fmt.Println("| store | request | body, MiB | status | CPU, s | time, s | memory, MiB | p99, ms | p99 with four, ms |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
			for _, w := range worstRequests() {
				body := ""
				if w.body != nil {
					body = w.body()
				}
				grew := small.grow(t, w, body)
				status, took, cpu := usual.run(t, w, body)
				one, four := usual.p99(t, w, body, 1), usual.p99(t, w, body, 4)
				most := int64(64<<20 + 6*len(body))
				fmt.Printf("| %s | %s | %.1f | %d | %.2f | %.2f | %d | %d | %d |\n", kind, w.name, float64(len(body))/(1<<20), status,
					cpu.Seconds(), took.Seconds(), grew>>20, one.Milliseconds(), four.Milliseconds())
				if cpu > mostCPU || grew > most || one > most1 || four > most4 {
					t.Errorf("%s: CPU %s of %s, memory %d of %d MiB, p99 of another tenant %s and %s", w.name, cpu, mostCPU, grew>>20, most>>20, one, four)
				}
			}
		})
	}
}

// grow returns by how much the process grows at most while it answers a request.
func (p *process) grow(t *testing.T, w worst, body string) int64 {
	t.Helper()
	before := p.rest(t)
	if _, err := p.send(t.Context(), "a", w.method, w.target, body); err != nil {
		t.Errorf("%s: %v", w.name, err)
	}
	return p.memory(t, "VmHWM") - before
}

// run sends a request and measures it.
func (p *process) run(t *testing.T, w worst, body string) (status int, took, cpu time.Duration) {
	t.Helper()
	p.rest(t)
	p.send(t.Context(), "b", "GET", "/Users/u7", "") //nolint:errcheck // warms up
	used, began := p.cpu(t), time.Now()
	status, err := p.send(t.Context(), "a", w.method, w.target, body)
	if err != nil {
		t.Errorf("%s: %v", w.name, err)
	}
	return status, time.Since(began), p.cpu(t) - used
}
