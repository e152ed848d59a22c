package sqlstore_test

import (
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scimkit/scim/store/sqlstore"
)

// usage is what something has taken.
type usage struct{ wall, own, servers time.Duration }

// use runs fn. Beside other work on the machine its CPU says more than its time.
func use(fn func()) usage {
	start, own, servers := time.Now(), cpuTime(), cpuOfServers()
	fn()
	return usage{time.Since(start), cpuTime() - own, cpuOfServers() - servers}
}

// plus adds another usage.
func (u usage) plus(o usage) usage {
	return usage{u.wall + o.wall, u.own + o.own, u.servers + o.servers}
}

// cpuOfServers is what the processes have used that this process has started, and those that they
// have started. It is 0 where there is no /proc.
func cpuOfServers() time.Duration {
	const tick = 10 * time.Millisecond
	files, _ := filepath.Glob("/proc/[0-9]*/stat") //nolint:errcheck // the pattern is right
	parents, used := make(map[int]int), make(map[int]time.Duration)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file))) //nolint:errcheck // as the pattern says
		parents[pid], _ = strconv.Atoi(fields[1])                 //nolint:errcheck // the kernel writes it
		for _, ticks := range fields[11:15] {                     // of itself, and of its children that have ended
			n, _ := strconv.Atoi(ticks) //nolint:errcheck // the kernel writes it
			used[pid] += time.Duration(n) * tick
		}
	}
	sum := time.Duration(0)
	for pid := range used {
		for p := parents[pid]; p > 1; p = parents[p] {
			if p == os.Getpid() {
				sum += used[pid]
				break
			}
		}
	}
	return sum
}

// BenchmarkFirstMigrate compares the first Migrate with its floor: the database copies the rows that
// Migrate has inserted into empty tables with the same indexes. Nobody writes meanwhile.
func BenchmarkFirstMigrate(b *testing.B) {
	const n = 50_000
	for _, on := range []struct {
		d    sqlstore.Dialect
		open func(testing.TB) *sql.DB
	}{
		{sqlstore.SQLite, sqliteDB},
		{sqlstore.Postgres, func(tb testing.TB) *sql.DB { return postgres.DB(tb) }},
		{sqlstore.MariaDB, func(tb testing.TB) *sql.DB { return mariadb.DB(tb) }},
	} {
		b.Run(on.d.String(), func(b *testing.B) {
			var migrate, floor usage
			for range b.N {
				db := on.open(b)
				employ(b, db, on.d, n)
				s, err := sqlstore.New(db, on.d, appOptions("o"))
				if err != nil {
					b.Fatal(err)
				}
				migrate = migrate.plus(use(func() {
					if err := s.Migrate(b.Context()); err != nil {
						b.Fatal(err)
					}
				}))
				copies := copiesOf(b, db, on.d)
				floor = floor.plus(use(func() {
					for _, text := range copies {
						execText(b, db, text)
					}
				}))
			}
			rows := float64(n * b.N)
			for what, u := range map[string]usage{"": migrate, "floor-": floor} {
				b.ReportMetric(rows/u.wall.Seconds(), what+"rows/s")
				b.ReportMetric(float64(u.own.Microseconds())/rows, what+"own-CPU-µs/row")
				b.ReportMetric(float64(u.servers.Microseconds())/rows, what+"server-CPU-µs/row")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// copiesOf makes empty tables like those that Migrate fills, and returns statements that copy the rows.
func copiesOf(b *testing.B, db *sql.DB, d sqlstore.Dialect) (copies []string) {
	b.Helper()
	for table, columns := range map[string]string{
		"scim_resources": "tenant, type, id, deleted, collection, created, modified, version, user_name, external_id, display_name, doc, search, seen, claimed, display, client",
		"scim_lookups":   "tenant, path, type, id, value",
	} {
		var texts []string
		switch d {
		case sqlstore.Postgres:
			texts = []string{"CREATE TABLE bare_" + table + " (LIKE " + table + " INCLUDING ALL)"}
		case sqlstore.MariaDB:
			texts = []string{"CREATE TABLE bare_" + table + " LIKE " + table}
		default:
			rows, err := db.Query("SELECT sql FROM sqlite_master WHERE tbl_name = $1 AND sql IS NOT NULL ORDER BY type DESC", table) // the table comes first
			if err != nil {
				b.Fatal(err)
			}
			defer rows.Close() //nolint:errcheck // Err reports it
			for rows.Next() {
				var text string
				if err := rows.Scan(&text); err != nil {
					b.Fatal(err)
				}
				texts = append(texts, strings.ReplaceAll(text, "scim_", "bare_scim_"))
			}
			if err := rows.Err(); err != nil {
				b.Fatal(err)
			}
		}
		for _, text := range texts {
			execText(b, db, text)
		}
		copies = append(copies, "INSERT INTO bare_"+table+" ("+columns+") SELECT "+columns+" FROM "+table)
	}
	return copies
}
