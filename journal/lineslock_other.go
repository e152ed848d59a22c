//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package journal

import (
	"errors"
	"os"
)

// lockFile cannot lock a file here.
func lockFile(string) (*os.File, error) { return nil, errors.ErrUnsupported }
