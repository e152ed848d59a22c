package conformance

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/internal/testhost"
	"github.com/scimkit/scim/store/memory"
)

// cpuTime is the processor time that this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// longValues is a JSON list of n values with size bytes of text each.
func longValues(n, size int, letter string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"value":"%04d%s"}`, i, strings.Repeat(letter, (size-4)/len(letter)))
	}
	return "[" + strings.Join(list, ",") + "]"
}

// removals are n operations whose filter has terms comparisons with nothing that exists.
func removals(n, terms int, term string) []string {
	path := "emails[" + term + strings.Repeat(" or "+term, terms-1) + "]"
	ops := make([]string, n)
	for i := range ops {
		ops[i] = fmt.Sprintf(`{"op":"remove","path":%q}`, path)
	}
	return ops
}

// createLarge creates a user with emails. A failure does not print them.
func createLarge(t *testing.T, h http.Handler, emails string) string {
	t.Helper()
	res := testhost.Do(t, h, "POST", "/Users", `{"userName":"ann","emails":`+emails+`}`)
	id, _ := testhost.Decode(t, res)["id"].(string)
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("POST: %d", res.StatusCode)
	}
	return id
}

// bulkOf is a bulk request of n PATCH requests of a user.
func bulkOf(n int, target string, data func(i int) string) string {
	ops := make([]string, n)
	for i := range ops {
		ops[i] = fmt.Sprintf(`{"method":"PATCH","path":%q,"data":%s}`, target, data(i))
	}
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"Operations":[` + strings.Join(ops, ",") + `]}`
}

// TestPatchesOfValueFilters sends PATCH requests whose operations compare many long values
// with many texts. Each must end soon, and a GET must be served meanwhile.
func TestPatchesOfValueFilters(t *testing.T) {
	tests := []struct {
		name, values string
		method       string
		body         func(target string) string
		status       int
	}{
		{"comparisons", longValues(1000, 480, "x"), "PATCH", func(string) string {
			return patchOf(removals(12, 120, `value co "zz"`)...)
		}, 413},
		{"values that are not ASCII", longValues(1000, 480, "É"), "PATCH", func(string) string {
			return patchOf(removals(12, 120, `value co "zz"`)...)
		}, 413},
		{"one filter", longValues(200, 480, "É"), "PATCH", func(string) string {
			return patchOf(removals(1, 120, `value co "zz"`)...)
		}, 200},
		{"many short values", longValues(10_000, 4, "x"), "PATCH", func(string) string {
			return patchOf(removals(200, 120, `value eq "zz"`)...)
		}, 413},
		{"one long value", longValues(7, 65_000, "x"), "PATCH", func(string) string {
			return patchOf(removals(200, 120, `value co "`+strings.Repeat("x", 5)+`z"`)...)
		}, 413},
		{"a search that often begins to match", longValues(1800, 250, "x"), "PATCH", func(string) string {
			return patchOf(removals(200, 20, `value co "`+strings.Repeat("x", 100)+`z"`)...)
		}, 413},
		{"changes between additions", longValues(9_000, 44, "É"), "PATCH", func(string) string {
			return patchOf(strings.Split(strings.Repeat(`{"op":"remove","path":"emails[value eq \"0000É\"]"}|{"op":"add","path":"emails","value":{"value":"0000É"}}|`, 2000)+
				`{"op":"remove","path":"title"}`, "|")...)
		}, 413},
		{"Bulk", longValues(1000, 480, "É"), "Bulk", func(target string) string {
			filter := patchOf(removals(1, 120, `value co "zz"`)...)
			return bulkOf(400, target, func(int) string { return filter })
		}, 200},
		{"Bulk of changes of a large user", longValues(1000, 480, "x"), "Bulk", func(target string) string {
			return bulkOf(1000, target, func(i int) string { return patchOf(replaceOf("title", fmt.Sprintf(`"%d"`, i))) })
		}, 200},
		{"Bulk of changes of a large user that is not ASCII", longValues(1000, 480, "É"), "Bulk", func(target string) string {
			return bulkOf(1000, target, func(i int) string { return patchOf(replaceOf("title", fmt.Sprintf(`"%d"`, i))) })
		}, 200},
	}
	for store, open := range lockingStores {
		for _, tt := range tests {
			t.Run(store+"/"+tt.name, func(t *testing.T) {
				h := testhost.New(t, scim.Config{Store: open(t)})
				other := testhost.Create(t, h, "/Users", `{"userName":"other"}`)
				id := createLarge(t, h, tt.values)
				method, target := tt.method, "/Users/"+id
				body := tt.body(target)
				if method == "Bulk" {
					method, target = "POST", "/Bulk"
				}
				used, start := cpuTime(), time.Now()
				done := make(chan int)
				go func() { done <- testhost.Do(t, h, method, target, body).StatusCode }()
				var slowest time.Duration
				gets := 0
				for status := 0; status == 0; {
					select {
					case status = <-done:
						if status != tt.status {
							t.Errorf("status %d, want %d", status, tt.status)
						}
					default:
						begin := time.Now()
						if got := testhost.Do(t, h, "GET", "/Users/"+other, "").StatusCode; got != http.StatusOK {
							t.Errorf("GET meanwhile: %d", got)
						}
						slowest = max(slowest, time.Since(begin))
						gets++
						time.Sleep(time.Millisecond)
					}
				}
				took, cpu := time.Since(start), cpuTime()-used
				t.Logf("%d bytes: CPU %v, %v; the slowest of %d GETs took %v", len(body), cpu.Round(time.Millisecond), took.Round(time.Millisecond), gets, slowest.Round(time.Millisecond))
				if testhost.UnderRace {
					return
				}
				if cpu > 3*time.Second {
					t.Errorf("it used %v of processor time", cpu)
				}
				if slowest > 5*time.Second { // other tests may run at the same time
					t.Errorf("a GET took %v meanwhile", slowest)
				}
			})
		}
	}
}

// TestBulkRefusesWhatIsTooMuch looks at the answers of a bulk request that is too much
// work. The operations before the limit are done, and those behind it are refused.
func TestBulkRefusesWhatIsTooMuch(t *testing.T) {
	h := testhost.Handler(t, nil)
	id := createLarge(t, h, longValues(1000, 480, "x"))
	res := testhost.Do(t, h, "POST", "/Bulk", bulkOf(200, "/Users/"+id, func(i int) string { return patchOf(replaceOf("title", fmt.Sprintf(`"%d"`, i))) }))
	list, _ := testhost.Decode(t, res)["Operations"].([]any)
	if res.StatusCode != 200 || len(list) != 200 {
		t.Fatalf("%d with %d results", res.StatusCode, len(list))
	}
	done := 0
	for i, one := range list {
		one := one.(map[string]any)
		switch one["status"] {
		case "200":
			if done != i {
				t.Errorf("operation %d is done, though one before it was refused", i)
			}
			done++
		case "413":
			answer, _ := one["response"].(map[string]any)
			wantRefusal(t, answer, "not done, because the operations before it were too much work")
			if answer["scimType"] != "tooMany" {
				t.Errorf("scimType %v", answer["scimType"])
			}
		default:
			t.Errorf("operation %d: %v", i, one)
		}
	}
	if done < 10 || done == len(list) {
		t.Errorf("%d operations are done", done)
	}
	if got := testhost.Decode(t, testhost.Do(t, h, "GET", "/Users/"+id, ""))["title"]; got != fmt.Sprint(done-1) {
		t.Errorf("title %v after %d operations", got, done)
	}
	if res := testhost.Do(t, h, "PATCH", "/Users/"+id, patchOf(replaceOf("title", `"199"`))); res.StatusCode != 200 {
		t.Errorf("alone, the last operation is %d", res.StatusCode)
	}
}

// TestFiltersOfLists compares long values of many users with many texts. The answer is a
// refusal, or comes when the time of the request is over.
func TestFiltersOfLists(t *testing.T) {
	store := memory.New()
	h := testhost.New(t, scim.Config{Store: store})
	for i := range 60 {
		body := fmt.Sprintf(`{"userName":"u%d","emails":%s}`, i, longValues(1000, 480, "x"))
		if res := testhost.Do(t, h, "POST", "/Users", body); res.StatusCode != 201 {
			t.Fatalf("POST: %d", res.StatusCode)
		}
	}
	path := "/Users?filter=" + url.QueryEscape(`emails.value co "zz"`+strings.Repeat(` or emails.value co "zz"`, 119))
	t.Run("too many bytes", func(t *testing.T) {
		used := cpuTime()
		res := testhost.Do(t, h, "GET", path, "")
		if got := testhost.Decode(t, res); res.StatusCode != 400 || got["scimType"] != "tooMany" || !strings.Contains(fmt.Sprint(got["detail"]), "use fewer of them") {
			t.Errorf("%d: %v", res.StatusCode, got)
		}
		if cpu := cpuTime() - used; cpu > 5*time.Second && !testhost.UnderRace {
			t.Errorf("it used %v of processor time", cpu)
		}
	})
	t.Run("too much time", func(t *testing.T) {
		start := time.Now()
		res := testhost.Do(t, testhost.New(t, scim.Config{Store: store, Limits: scim.Limits{Time: 20 * time.Millisecond}}), "GET", path, "")
		if res.StatusCode != 503 {
			t.Errorf("status %d, want 503", res.StatusCode)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
	t.Run("one comparison", func(t *testing.T) {
		if res := testhost.Do(t, h, "GET", "/Users?filter="+url.QueryEscape(`emails.value co "zz"`), ""); res.StatusCode != 200 {
			t.Errorf("status %d, want 200", res.StatusCode)
		}
	})
}
