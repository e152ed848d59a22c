package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scimkit/scim/store/sqlstore"
)

func open(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("sqlite", sqlstore.SQLiteDSN(filepath.Join(tb.TempDir(), "test.db")))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer secret")
	return r
}

func send(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	out := httptest.NewRecorder()
	h.ServeHTTP(out, r)
	return out
}

func TestObserved(t *testing.T) {
	db := open(t)
	var spans bytes.Buffer
	o, metrics, stop, err := observe(&spans, 1)
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := handlers(t.Context(), db, "secret", o, metrics)
	if err != nil {
		t.Fatal(err)
	}
	if out := send(public, request("POST", "/scim/v2/Users", `{"userName":"ann@example.com"}`)); out.Code != 201 {
		t.Fatalf("%d %s", out.Code, out.Body)
	}
	for i := range 5 {
		send(public, request("GET", fmt.Sprintf("/scim/v2/Users/ann%d@example.com", i), ""))
	}
	page := send(private, request("GET", "/metrics", "")).Body.String()
	for _, want := range []string{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",http_route="/scim/v2/Users/{id}",network_protocol_version="1.1",`,
		`scim_tolerances_total{`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of metrics lacks %s:\n%s", want, page)
		}
	}
	if strings.Contains(page, "ann") {
		t.Errorf("the page of metrics names a person:\n%s", page)
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200} {
		if out := send(private, request("GET", path, "")); out.Code != want {
			t.Errorf("%s: %d, want %d", path, out.Code, want)
		}
	}
	if out := send(public, request("GET", "/metrics", "")); out.Code != 404 {
		t.Errorf("clients see the metrics: %d", out.Code)
	}
	if err := stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(spans.String(), "POST /scim/v2/Users") || !strings.Contains(spans.String(), "Store.Create") || strings.Contains(spans.String(), "ann") {
		t.Errorf("the spans lack the request or its calls, or name a person:\n%s", &spans)
	}
}

// The process is alive without its database, and not ready.
func TestWithoutDatabase(t *testing.T) {
	db := open(t)
	o, metrics, _, err := observe(&bytes.Buffer{}, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, private, err := handlers(t.Context(), db, "secret", o, metrics)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	for path, want := range map[string]string{"/healthz": "200 ok\n", "/readyz": "503 not ready\n"} {
		out := send(private, request("GET", path, ""))
		if got := fmt.Sprintf("%d %s", out.Code, out.Body); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
