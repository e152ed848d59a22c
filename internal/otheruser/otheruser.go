// Package otheruser lets tests that run as root start servers as another user: database servers refuse
// to run as root.
package otheruser

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// Attr returns the attributes of a server's process, and gives dir to its user, who is the first one of
// names that the machine has. If this process is not root, the server's user is that of this process.
func Attr(dir string, names ...string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return &syscall.SysProcAttr{}, nil
	}
	for _, name := range names {
		u, err := user.Lookup(name)
		if _, ok := errors.AsType[user.UnknownUserError](err); ok {
			continue
		}
		if err != nil {
			return nil, err
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			return nil, err
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
	}
	return nil, fmt.Errorf("running as root, and there is no user of %q to run the server", names)
}
