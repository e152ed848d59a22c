package crashtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/scimkit/scim/internal/mariatest"
	"github.com/scimkit/scim/internal/pgtest"
	"github.com/scimkit/scim/internal/testhost"
)

// postgres is the database server of these tests. A crash does not lose a committed write.
var postgres = pgtest.Server{Durable: true}

// mariadb is another one.
var mariadb = mariatest.Server{Durable: true}

// TestMain is also the main function of the serving processes.
func TestMain(m *testing.M) {
	if os.Getenv(databaseVar) != "" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, "ERROR", err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	postgres.Stop()
	mariadb.Stop()
	os.Exit(code)
}

// kills is the number of kills in each test.
func kills(t *testing.T) int {
	if s := os.Getenv("SCIM_KILLS"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			t.Fatalf("SCIM_KILLS=%s: a number is needed", s)
		}
		return n
	}
	if testhost.UnderRace {
		return 1
	}
	return 2
}

// isLong reports whether the number of kills is given.
func isLong() bool { return os.Getenv("SCIM_KILLS") != "" }

// soak is how long several processes are under load.
func soak(t *testing.T) time.Duration {
	if s := os.Getenv("SCIM_SOAK"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatalf("SCIM_SOAK: %v", err)
		}
		return d
	}
	if testhost.UnderRace {
		return 3 * time.Second
	}
	return 5 * time.Second
}

// random returns a function that makes a source of random numbers for each purpose.
func random(t *testing.T) func(purpose int) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SCIM_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("SCIM_SEED: %v", err)
		}
	}
	t.Logf("SCIM_SEED=%d", seed)
	return func(purpose int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(purpose))) }
}

// between is a random duration.
func between(rnd *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rnd.Int64N(int64(most-least)+1))
}
