package scim_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim"
)

type mail struct {
	Value   string `scim:"value"`
	Type    string `scim:"type"`
	Primary bool   `scim:"primary"`
}

type role string

type person struct {
	ID      string    `scim:"id"`
	Login   string    `scim:"userName"`
	Family  *string   `scim:"name.familyName"`
	Active  bool      `scim:"active"`
	Emails  []mail    `scim:"emails"`
	Dept    role      `scim:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"`
	Created time.Time `scim:"meta.created"`
	Own     int       // no tag: the application's own
}

func TestStructRoundTrip(t *testing.T) {
	family := "Bo"
	want := person{ID: "7", Login: "ann", Family: &family, Active: false, Dept: "R&D",
		Emails:  []mail{{"a@x.test", "work", true}, {Value: "b@x.test"}},
		Created: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	r, err := scim.UserType().From(&want)
	if err != nil {
		t.Fatal(err)
	}
	got := person{Own: 5}
	if err := r.Decode(&got); err != nil {
		t.Fatal(err)
	}
	want.Own = 5
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var empty person
	r, err = scim.UserType().From(person{Login: "x", Active: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Decode(&empty); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(person{Login: "x", Active: true}, empty); diff != "" {
		t.Errorf("absent attributes (-want +got):\n%s", diff)
	}
	if b, _ := json.Marshal(r); strings.Contains(string(b), "name") && strings.Contains(string(b), `"name"`) {
		t.Errorf("empty fields leave traces: %s", b)
	}
}

func TestStructMistakes(t *testing.T) {
	r, err := scim.UserType().From(person{Login: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		v    any
		want string
	}{
		"no pointer": {person{}, "pointer to a struct"},
		"unknown path": {&struct {
			X string `scim:"nope"`
		}{}, `"nope"`},
		"unknown in a part": {&struct {
			X []struct {
				Y string `scim:"nope"`
			} `scim:"emails"`
		}{}, `"nope"`},
		"password": {&struct {
			X string `scim:"password"`
		}{}, "password"},
		"wrong kind": {&struct {
			X int `scim:"userName"`
		}{}, "userName"},
		"not exported": {&struct {
			x string `scim:"userName"`
		}{}, "not exported"},
	} {
		if err := r.Decode(tt.v); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ExampleResource_Decode() {
	type account struct {
		Login  string   `scim:"userName"`
		Family string   `scim:"name.familyName"`
		Emails []string `scim:"emails.value"`
	}
	r, err := scim.UserType().Bind(scim.Meta{ID: "1"}, nil, map[string]any{
		"userName":        "ann@example.com",
		"name.familyName": "Bo",
		"emails":          []map[string]any{{"value": "ann@example.com", "type": "work"}},
	})
	if err != nil {
		panic(err)
	}
	var a account
	if err := r.Decode(&a); err != nil {
		panic(err)
	}
	fmt.Printf("%+v\n", a)
	// Output: {Login:ann@example.com Family:Bo Emails:[ann@example.com]}
}
