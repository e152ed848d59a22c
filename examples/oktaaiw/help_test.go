package main

import (
	"crypto/rand"
	"crypto/rsa"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/scimkit/scim/store/sqlstore"
)

const audience = "https://fieldbook.example/scim"

// server has the keys of an authorization server, and signs what a test wants.
type server struct {
	*httptest.Server
	key *rsa.PrivateKey
}

func newServer(t *testing.T) *server {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{KeyID: "k", Key: key.Public(), Use: "sig", Algorithm: "RS256"}}}
	s := &server{key: key, Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(set) //nolint:errcheck // the test sees that it is missing
	}))}
	t.Cleanup(s.Close)
	return s
}

// sign signs a token with changes. A nil value removes a claim.
func (s *server) sign(t *testing.T, change map[string]any) string {
	t.Helper()
	claims := map[string]any{"iss": s.URL, "sub": "ada", "client_id": "okta", "aud": audience, "scope": "scim", "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: s.key}, (&jose.SignerOptions{}).WithHeader("kid", "k"))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func basicHeader(user, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))
}

func isSQLite(where string) bool { return strings.HasPrefix(where, "sqlite:") }

// database opens the application's database.
func database(t *testing.T, where string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", strings.TrimPrefix(where, "postgres:")
	if strings.HasPrefix(dsn, "//") {
		dsn = where
	}
	if file, ok := strings.CutPrefix(where, "sqlite:"); ok {
		driver, dsn = "sqlite", sqlstore.SQLiteDSN(file)
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// execute does what the application's own code does to its tables.
func execute(t *testing.T, where, statement string) {
	t.Helper()
	db := database(t, where)
	defer db.Close() //nolint:errcheck // it was committed
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// rowsScanned returns how many rows PostgreSQL has read without an index from the tables that have a row for
// each person.
func rowsScanned(t *testing.T, where string) (n int) {
	t.Helper()
	db := database(t, where)
	defer db.Close() //nolint:errcheck // it only reads
	const query = "SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname IN ('people', 'scim_resources', 'scim_lookups')"
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
