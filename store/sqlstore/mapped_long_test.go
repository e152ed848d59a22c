package sqlstore_test

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/store/sqlstore"
)

// Rows to lock users by, for ids that nobody has ever had (own tables).
func TestMappedUnknownIDs(t *testing.T) {
	db := postgres.DB(t)
	a := app{t: t, db: db, d: sqlstore.Postgres}
	a.exec("CREATE TABLE roles (id text PRIMARY KEY, name text UNIQUE)")
	a.exec("CREATE TABLE user_roles (role_id text, user_id text, PRIMARY KEY (role_id, user_id))")
	a.exec("INSERT INTO roles VALUES ('1', 'Sales')")
	a.s = newStore(t, db, a.d, sqlstore.Options{})
	roles, err := a.s.RoleResolver(t.Context(), sqlstore.RoleTables{Roles: "roles", ID: "id", Name: "name", Holders: "user_roles", User: "user_id", Role: "role_id"})
	if err != nil {
		t.Fatal(err)
	}
	c := newClient(t, scim.Config{Store: a.s, Roles: &scim.Roles{Resolver: roles}})
	g := c.do("POST", "/Groups", `{"displayName":"Sales"}`, 201)
	remove := func(ids []string) {
		t.Helper()
		var list []map[string]string
		for _, id := range ids {
			list = append(list, map[string]string{"value": id})
		}
		b, _ := json.Marshal(map[string]any{"Operations": []any{map[string]any{"op": "remove", "path": "members", "value": list}}})
		status, answer := serve(t, c.h, "PATCH", "/Groups/"+fmt.Sprint(g["id"]), string(b))
		if status != 204 {
			t.Errorf("%d %v\n%.600s", status, answer, c.log)
		}
	}
	for i := range 5 {
		var ids []string
		for j := range 1000 {
			ids = append(ids, fmt.Sprintf("nobody-%d-%d", i, j))
		}
		remove(ids)
	}
	a.want("rows for ids that nobody has", "0", a.row("SELECT count(*) FROM scim_users"))
	long := make([]byte, 4000)
	rand.Read(long) //nolint:errcheck // never fails
	remove([]string{hex.EncodeToString(long)})
}

// A userName for which the application's unique index has no room.
func TestMappedLongUserName(t *testing.T) {
	inApp(t, appOptions("o"), func(a app) {
		long := make([]byte, 4000)
		rand.Read(long) //nolint:errcheck // never fails
		c := newClient(a.t, scim.Config{Store: a.s})
		status, answer := serve(a.t, c.h, "POST", "/Users", `{"userName":"`+hex.EncodeToString(long)+`"}`)
		if status >= 500 {
			a.t.Errorf("%d %v\n%.600s", status, answer, c.log)
		}
	})
}
