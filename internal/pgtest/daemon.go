package pgtest

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/scimkit/scim/internal/otheruser"
)

// place is where the files of a server are, and who may read them.
type place struct {
	dir string
	as  *syscall.SysProcAttr // as makes a program run as another user, if this process is root.
}

// newPlace makes a temporary directory.
func newPlace() (p place, err error) {
	if p.dir, err = os.MkdirTemp("", "pgtest"); err != nil {
		return p, err
	}
	p.as, err = otheruser.Attr(p.dir, "postgres", "nobody")
	return p, err
}

// remove removes the files.
func (p place) remove() {
	if p.dir != "" {
		os.RemoveAll(p.dir) //nolint:errcheck // it is a temporary directory
	}
}

// run runs a program to its end.
func (p place) run(program string, args ...string) ([]byte, error) {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir = p.as, p.dir
	return cmd.CombinedOutput()
}

// daemon is a program that ends with this process at the latest.
type daemon struct {
	cmd   *exec.Cmd
	alive io.WriteCloser // alive takes a signal's name. Closing it, or the end of this process, ends the program.
}

// start starts a program, which writes to the file log. signal ends it.
func (p place) start(signal, program string, args ...string) (*daemon, error) {
	script := `"$0" "$@" </dev/null & read signal; kill -"${signal:-` + signal + `}" $!; wait`
	d := &daemon{cmd: exec.Command("/bin/sh", append([]string{"-c", script, program}, args...)...)}
	d.cmd.SysProcAttr, d.cmd.Dir = p.as, p.dir
	log, err := os.OpenFile(p.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close() //nolint:errcheck // the program has its own handle
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if d.alive, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	return d, d.cmd.Start()
}

func (p place) log() string { return filepath.Join(p.dir, "log") }

// end ends the program with a signal, or with that of start if it is empty.
func (d *daemon) end(signal string) {
	if d == nil || d.cmd.Process == nil {
		return
	}
	io.WriteString(d.alive, signal+"\n") //nolint:errcheck // it may have ended before
	d.alive.Close()                      //nolint:errcheck // as above
	d.cmd.Wait()                         //nolint:errcheck // the signal ended it, so Wait returns an error
}

// find finds the directory of the newest binaries.
func find() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	if len(found) > 0 {
		return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
	}
	path, err := exec.LookPath("postgres")
	if err == nil {
		_, err = exec.LookPath("initdb")
	}
	return filepath.Dir(path), err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // the port is free again
	return l.Addr().(*net.TCPAddr).Port, nil
}
