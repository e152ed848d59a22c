package tenants_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"

	"github.com/scimkit/scim"
	"github.com/scimkit/scim/auth"
	"github.com/scimkit/scim/store/memory"
	"github.com/scimkit/scim/tenants"
)

// rows is a table of tenants.
type rows map[string]tenants.Setting

func (t rows) Setting(_ context.Context, name string) (tenants.Setting, error) {
	s, ok := t[name]
	if !ok {
		return tenants.Setting{}, scim.ErrNotFound
	}
	return s, nil
}

func ExampleHandler_Mount() {
	token := auth.TokenOf("at-least-128-random-bits")
	token.Tenant = "1"
	h, err := tenants.New(tenants.Options{
		Address: "{tenant}.example.com/scim/v2",
		Settings: rows{
			"acme": {Switch: tenants.Switch{State: tenants.On}, Tenant: &scim.Tenant{ID: "1", Store: memory.New()}},
			"beta": {Switch: tenants.Switch{State: tenants.On}, Tenant: &scim.Tenant{ID: "2", Store: memory.New()}},
		},
	}, scim.Config{Auth: auth.Bearer(token), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println(err)
		return
	}
	all := h.Mount(nil)
	for _, host := range []string{"acme", "beta", "unknown"} {
		r := httptest.NewRequest("GET", "https://"+host+".example.com/scim/v2/Users", nil)
		r.Header.Set("Authorization", "Bearer at-least-128-random-bits")
		w := httptest.NewRecorder()
		all.ServeHTTP(w, r)
		fmt.Println(host, w.Code)
	}
	// Output:
	// acme 200
	// beta 401
	// unknown 404
}

func ExampleSwitch_TurnOn() {
	s := tenants.Switch{OtherSync: "LDAP"}
	fmt.Println(s.TurnOn())
	s.StopSync()
	fmt.Println(s.TurnOn(), s.State)
	// Output:
	// tenants: SCIM and another directory sync exclude each other: LDAP runs for this tenant, so switch it off before you switch SCIM on
	// <nil> on
}
