package exhaustion

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/store/sqlstore"
)

var postgres pgtest.Server

// TestMain serves if a test has started this process as a server.
func TestMain(m *testing.M) {
	if kind := os.Getenv("SCIM_EXHAUSTION_SERVER"); kind != "" {
		if err := serve(kind, os.Getenv("SCIM_EXHAUSTION_DSN")); err != nil {
			log.Fatal(err)
		}
		return
	}
	code := m.Run()
	postgres.Stop()
	os.Exit(code)
}

// users is how many users the tenant a has. A large group has a hundredth of them.
func users() int {
	if n, err := strconv.Atoi(os.Getenv("SCIM_EXHAUSTION_USERS")); err == nil {
		return n
	}
	return 100_000
}

// largeGroups is how many large groups there are.
const largeGroups = 200

// open opens the store of a tenant.
func open(kind, dsn, tenant string) (scim.Store, error) {
	if kind == "memory" {
		return memory.New(), nil
	}
	driver, dialect := "sqlite", sqlstore.SQLite
	if kind == "PostgreSQL" {
		driver, dialect = "pgx", sqlstore.Postgres
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(20)
	s, err := sqlstore.New(db, dialect, sqlstore.Options{Tenant: tenant})
	if err == nil {
		err = s.Migrate(context.Background())
	}
	return s, err
}

// fill puts n users into a store, a group "all" of all of them, and large groups.
func fill(ctx context.Context, s scim.Store, n int) error {
	if _, err := s.Get(ctx, scim.Ref{Type: "User", ID: "u0"}); err == nil {
		return nil
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	create := func(ctx context.Context, t *scim.ResourceType, id, body string) error {
		r, err := t.Bind(scim.Meta{ID: id, Version: id, Created: at, LastModified: at}, []byte(body), nil)
		if err == nil {
			_, err = s.Create(ctx, r)
		}
		return err
	}
	many := func(n int, do func(ctx context.Context, i int) error) error {
		for from := 0; from < n; from += 1000 {
			err := s.(scim.Transactor).InTx(ctx, func(ctx context.Context) error {
				for i := from; i < min(from+1000, n); i++ {
					if err := do(ctx, i); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := many(n, func(ctx context.Context, i int) error {
		return create(ctx, scim.UserType(), fmt.Sprint("u", i), fmt.Sprintf(`{"userName":"person%d@example.com","externalId":"x%d",
			"name":{"familyName":"Holm","givenName":"Eva"},"displayName":"Eva %d Holm","title":"Engineer","active":true,
			"emails":[{"value":"person%d@example.com","type":"work","primary":true},{"value":"eva%d@example.org","type":"home"}]}`, i, i, i*7919%n, i, i))
	})
	if err != nil {
		return err
	}
	return many(largeGroups+1, func(ctx context.Context, i int) error {
		id, size := fmt.Sprint("g", i), n/100
		if i == largeGroups {
			id, size = "all", n
		}
		if err := create(ctx, scim.GroupType(), id, fmt.Sprintf(`{"displayName":"Group %s"}`, id)); err != nil {
			return err
		}
		for from := 0; from < size; from += 1000 {
			var refs []scim.Ref
			for k := from; k < min(from+1000, size); k++ {
				refs = append(refs, scim.Ref{Type: "User", ID: fmt.Sprint("u", (k+i)%n)})
			}
			if _, _, err := s.(scim.MemberStore).ChangeMembers(ctx, id, refs, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

// serve serves the tenants a and b, whose tokens are their names, until its input ends.
func serve(kind, dsn string) error {
	ctx := context.Background()
	tenants := map[string]*scim.Tenant{}
	var tokens []auth.Token
	for id, n := range map[string]int{"a": users(), "b": 100} {
		s, err := open(kind, dsn, id)
		if err == nil {
			err = fill(ctx, s, n)
		}
		if err != nil {
			return err
		}
		tenants[id] = &scim.Tenant{ID: id, Store: s}
		token := auth.TokenOf(id)
		token.Tenant = id
		tokens = append(tokens, token)
	}
	h, err := scim.New(scim.Config{Auth: auth.Bearer(tokens...), Log: slog.New(slog.DiscardHandler),
		TenantFor: func(_ context.Context, p scim.Principal) (*scim.Tenant, error) { return tenants[p.Tenant], nil }})
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", scim.Mount("/scim/v2", h, http.NotFoundHandler()))
	mux.HandleFunc("/collect", func(http.ResponseWriter, *http.Request) { debug.FreeOSMemory() })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // wait for its end
		os.Exit(0)
	}()
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute}
	return server.Serve(l)
}

// process is a serving process.
type process struct {
	url string
	pid int
}

// start starts a server over a store, with a setting of the garbage collector.
func start(t *testing.T, kind, dsn, gogc string) *process {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "SCIM_EXHAUSTION_SERVER="+kind, "SCIM_EXHAUSTION_DSN="+dsn, "GOGC="+gogc)
	c.Stderr = os.Stderr
	stdin, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); c.Wait() }) //nolint:errcheck // the process has no more output
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return &process{"http://" + strings.TrimSpace(addr), c.Process.Pid}
}

// cpu is the CPU time that the process has used, in steps of 10 ms.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// memory is a line of the process's status, such as VmHWM, in bytes.
func (p *process) memory(t *testing.T, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), name+":")
	n, err := strconv.ParseInt(strings.Fields(after)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// rest collects garbage, resets VmHWM, and returns the memory that is in use.
func (p *process) rest(t *testing.T) int64 {
	t.Helper()
	res, err := http.Get(p.url + "/collect")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close() //nolint:errcheck // it is empty
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.pid), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return p.memory(t, "VmRSS")
}
