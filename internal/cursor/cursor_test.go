package cursor

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scimkit/scim/internal/host"
)

func key(c byte) []byte { return bytes.Repeat([]byte{c}, minKey) }

func sealer(t *testing.T, keys ...[]byte) Sealer {
	t.Helper()
	s, err := New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func state() *State {
	value := "secret"
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return &State{Key: host.Key{Value: &value, Created: at, ID: "1"}, Count: 2, Total: 3, Expires: at.Add(time.Hour)}
}

func TestRotation(t *testing.T) {
	old, both, other := sealer(t, key('a')), sealer(t, key('b'), key('a')), sealer(t)
	text, err := old.Seal(state(), []byte("request"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := both.Open(text, []byte("request"))
	if err != nil {
		t.Fatalf("the second key does not open: %v", err)
	}
	if diff := cmp.Diff(state(), got); diff != "" {
		t.Error(diff)
	}
	if _, err := other.Open(text, []byte("request")); err == nil {
		t.Error("a random key opens what another key sealed")
	}
	text, err = both.Seal(state(), []byte("request"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := old.Open(text, []byte("request")); err == nil {
		t.Error("the second key has sealed, want the first")
	}
}

func TestSealed(t *testing.T) {
	s := sealer(t)
	text, err := s.Seal(state(), []byte("request"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || bytes.Contains(raw, []byte("secret")) {
		t.Errorf("the cursor %q shows what it holds (%v)", text, err)
	}
	again, err := s.Seal(state(), []byte("request"))
	if err != nil || again == text {
		t.Errorf("one state is sealed as the same text twice (%v)", err)
	}
	for name, other := range map[string]string{"longer": text + "A", "no base64": "!", "empty": "", "cut": text[:len(text)-4]} {
		if _, err := s.Open(other, []byte("request")); err == nil {
			t.Errorf("%s: %q is opened", name, other)
		}
	}
	if _, err := s.Open(text, []byte("other request")); err == nil {
		t.Error("a cursor is opened for another request")
	}
}

func TestShortKey(t *testing.T) {
	_, err := New([][]byte{key('a'), []byte("short")})
	if err == nil || !strings.Contains(err.Error(), "key 1 has 5 bytes; it needs at least 16") {
		t.Errorf("error %v", err)
	}
}
