package scenarios

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	postgres.Stop()
	mariadb.Stop()
	os.Exit(code)
}
