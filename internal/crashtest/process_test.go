package crashtest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/store/sqlstore"
)

// database is the database of a test. It survives the processes.
type database struct {
	address  string
	postgres bool
	mariadb  bool
	mapped   bool    // users and groups are rows of the application's own tables
	flat     bool    // flat says that groups in groups give nothing.
	db       *sql.DB // to look into it
	// elsewhere is an SQLite file with the application's roles, if they do not commit with
	// the store.
	elsewhere string
	guard     string // the guard that processes started from now on have: see guardVar
}

// databases runs a test on each database, with the store's own tables and with tables of
// an application.
func databases(t *testing.T, test func(t *testing.T, d *database)) {
	for name, mapped := range map[string]bool{"": false, ", mapped": true} {
		t.Run("SQLite"+name, func(t *testing.T) {
			test(t, openDatabase(t, filepath.Join(t.TempDir(), "scim.db"), false, mapped))
		})
		t.Run("PostgreSQL"+name, func(t *testing.T) { test(t, onPostgres(t, mapped)) })
		t.Run("MariaDB"+name, func(t *testing.T) { test(t, onMariaDB(t, mapped)) })
	}
}

func onPostgres(t *testing.T, mapped bool) *database {
	d := openDatabase(t, postgres.DSN(t), true, mapped)
	for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		var value string
		if err := d.db.QueryRow("SHOW " + name).Scan(&value); err != nil || value != "on" {
			t.Fatalf("%s is %s, error %v: this is no test of durability", name, value, err)
		}
	}
	return d
}

// onFlatPostgres is onPostgres with the store's own tables and without groups in groups. There one
// member changes in one statement.
func onFlatPostgres(t *testing.T) *database {
	d := onPostgres(t, false)
	d.flat = true
	return d
}

func onMariaDB(t *testing.T, mapped bool) *database {
	d := openDatabase(t, mariadb.DSN(t), false, mapped)
	var value string
	if err := d.db.QueryRow("SELECT @@innodb_flush_log_at_trx_commit").Scan(&value); err != nil || value != "1" {
		t.Fatalf("innodb_flush_log_at_trx_commit is %s, error %v: this is no test of durability", value, err)
	}
	return d
}

func openDatabase(t *testing.T, address string, isPostgres, mapped bool) *database {
	a, err := open(t.Context(), address, mapped)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.db.Close() }) //nolint:errcheck // the test is over
	return &database{address: address, postgres: isPostgres, mariadb: a.d == sqlstore.MariaDB, mapped: mapped, db: a.db}
}

// process is a serving process.
type process struct {
	name string
	url  string
	cmd  *exec.Cmd
	log  bytes.Buffer // to be read after the end
}

var processes atomic.Int64

// start starts a serving process, which ends with the test at the latest.
func (d *database) start(t *testing.T) *process {
	t.Helper()
	p := &process{name: fmt.Sprint("server", processes.Add(1)), cmd: exec.Command(os.Args[0])}
	address := d.address
	if d.postgres {
		address += "&application_name=" + p.name
	}
	if d.mariadb {
		for _, text := range []string{"CREATE USER IF NOT EXISTS ", "GRANT ALL ON *.* TO "} { // its connections are known by the name
			if _, err := d.db.Exec(text + p.name); err != nil {
				t.Fatal(err)
			}
		}
		address = strings.Replace(address, "root@", p.name+"@", 1)
	}
	p.cmd.Env = append(os.Environ(), databaseVar+"="+address)
	if d.mapped {
		p.cmd.Env = append(p.cmd.Env, mappedVar+"=1")
	}
	if d.flat {
		p.cmd.Env = append(p.cmd.Env, flatVar+"=1")
	}
	if d.guard != "" {
		p.cmd.Env = append(p.cmd.Env, guardVar+"="+d.guard)
	}
	if d.elsewhere != "" {
		p.cmd.Env = append(p.cmd.Env, elsewhereVar+"="+d.elsewhere)
	}
	p.cmd.Stderr = &p.log
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() //nolint:errcheck // the process sees it
		p.kill(t)
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.kill(t)
		t.Fatalf("the server did not start: %v\n%s", err, p.log.String())
	}
	p.url = strings.TrimSpace(line)
	return p
}

// kill ends the process as kill -9 does.
func (p *process) kill(t *testing.T) {
	if p.cmd.ProcessState != nil {
		return
	}
	p.cmd.Process.Kill() //nolint:errcheck // Wait tells
	p.cmd.Wait()         //nolint:errcheck // it was killed
	log := p.log.String()
	if t.Failed() || strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic") {
		t.Errorf("the log of %s ends:\n%s", p.name, log[max(0, len(log)-8000):])
	}
}

// quiet waits until the database has finished all work for a dead process. Later no commit
// of that process can appear.
func (d *database) quiet(t *testing.T, p *process) {
	t.Helper()
	query := "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
	if pgtest.IsPooled() { // PgBouncer keeps the connection, and its name. Only one in a transaction can still commit.
		query += " AND state <> 'idle'"
	}
	if d.mariadb {
		query = "SELECT count(*) FROM information_schema.processlist WHERE user = ?"
	}
	for end := time.Now().Add(time.Minute); d.postgres || d.mariadb; time.Sleep(5 * time.Millisecond) {
		var n int
		err := d.db.QueryRow(query, p.name).Scan(&n)
		if n == 0 && err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections of a dead process, error %v", n, err)
		}
	}
}

// terminate ends all connections of a process.
func (d *database) terminate(ctx context.Context, p *process) (n int, err error) {
	if d.mariadb {
		if err = d.db.QueryRowContext(ctx, "SELECT count(*) FROM information_schema.processlist WHERE user = ?", p.name).Scan(&n); err == nil {
			_, err = d.db.ExecContext(ctx, "KILL CONNECTION USER "+p.name)
		}
		return n, err
	}
	err = d.db.QueryRowContext(ctx, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", p.name).Scan(&n)
	return n, err
}
