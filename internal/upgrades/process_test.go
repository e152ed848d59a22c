package upgrades

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

// jobVar has the job of a process that migrates.
const jobVar = "SCIM_UPGRADES_JOB"

// job is what a process migrates.
type job struct {
	World          string
	Postgres       bool
	Address, Users string
	// KillAt is the call of the database before which the process kills itself; 0: none.
	KillAt int64
}

// run is the main function of such a process. It waits for a line before it begins.
func (j job) run() error {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	var w world
	for _, w = range worlds {
		if w.name == j.World {
			break
		}
	}
	d := sqlstore.SQLite
	if j.Postgres {
		d = sqlstore.Postgres
	}
	p, err := w.connect(d, j.Address, j.Users)
	if err != nil {
		return err
	}
	defer p.close()
	p.db = sql.OpenDB(&deadly{driver: p.db.Driver(), dsn: j.Address, killAt: j.KillAt})
	for name := range tenants {
		if err := p.migrate(context.Background(), name); err != nil {
			return err
		}
	}
	return nil
}

// process is a process that migrates a copy of a kept database.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	log bytes.Buffer
}

// start starts a process, which waits for begin.
func (c copied) start(t *testing.T, killAt int64) *process {
	t.Helper()
	text, err := json.Marshal(job{c.name, c.d == sqlstore.Postgres, c.address, c.users, killAt})
	check(t, err)
	p := &process{cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), jobVar+"="+string(text))
	p.cmd.Stderr = &p.log
	p.in, err = p.cmd.StdinPipe()
	check(t, err)
	out, err := p.cmd.StdoutPipe()
	check(t, err)
	check(t, p.cmd.Start())
	t.Cleanup(func() { p.kill() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.TrimSpace(line) != "ready" {
		t.Fatalf("the process did not start: %q, %v", line, err)
	}
	return p
}

func (p *process) begin(t *testing.T) {
	t.Helper()
	_, err := io.WriteString(p.in, "\n")
	check(t, err)
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	if p.cmd.ProcessState == nil {
		p.cmd.Process.Kill() //nolint:errcheck // Wait tells
		p.cmd.Wait()         //nolint:errcheck // it was killed
	}
}

// end waits for the end of the process and reports whether it was killed.
func (p *process) end(t *testing.T) (killed bool) {
	t.Helper()
	err := p.cmd.Wait()
	if killed = !p.cmd.ProcessState.Exited(); err != nil && !killed {
		t.Fatalf("the process failed: %v\n%s", err, p.log.String())
	}
	return killed
}

// deadly is a driver.Connector that kills its own process before a call.
type deadly struct {
	driver driver.Driver
	dsn    string
	killAt int64
	calls  atomic.Int64
}

// count counts a call.
func (d *deadly) count() {
	if d.calls.Add(1) == d.killAt {
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Kill()
		}
		panic(fmt.Sprint("alive after kill -9: ", err))
	}
}

func (d *deadly) Driver() driver.Driver { return d.driver }

func (d *deadly) Connect(context.Context) (driver.Conn, error) {
	c, err := d.driver.Open(d.dsn)
	return &deadlyConn{c, d}, err
}

type deadlyConn struct {
	driver.Conn
	d *deadly
}

func (c *deadlyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.d.count()
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *deadlyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.d.count()
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

func (c *deadlyConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	c.d.count()
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	return &deadlyTx{tx, c.d}, err
}

// CheckNamedValue is the driver's, if it has one.
func (c *deadlyConn) CheckNamedValue(v *driver.NamedValue) error {
	if n, ok := c.Conn.(driver.NamedValueChecker); ok {
		return n.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type deadlyTx struct {
	driver.Tx
	d *deadly
}

func (tx *deadlyTx) Commit() error {
	tx.d.count()
	return tx.Tx.Commit()
}
