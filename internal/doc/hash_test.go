package doc_test

import (
	"testing"
	"time"

	"github.com/scimkit/scim/internal/doc"
)

func TestHash(t *testing.T) {
	u := users(t)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := doc.Document{Type: u, ID: "1", Version: "v", Created: at, Modified: at, Values: []doc.Value{doc.Simple(u.Root.Lookup("userName"), "ann")}}
	same := d
	if d.Hash() != same.Hash() {
		t.Error("equal documents have different hashes")
	}
	for name, change := range map[string]func(d *doc.Document){
		"id":       func(d *doc.Document) { d.ID = "2" },
		"version":  func(d *doc.Document) { d.Version = "w" },
		"modified": func(d *doc.Document) { d.Modified = at.Add(time.Second) },
		"values":   func(d *doc.Document) { d.Values = nil },
	} {
		other := d
		if change(&other); other.Hash() == d.Hash() {
			t.Errorf("the hash does not show another %s", name)
		}
	}
}

// TestHashOfHiddenValues checks that the hash shows what an answer can have, and no more.
func TestHashOfHiddenValues(t *testing.T) {
	probe := probes(t)
	for name, shown := range map[string]bool{"secret": false, "onRequest": true, "text": true} {
		a := probe.Root.Lookup(name)
		if a == nil {
			t.Fatalf("the type has no attribute %s", name)
		}
		one := doc.Document{Type: probe, ID: "1", Values: []doc.Value{doc.Simple(a, "1111")}}
		two := one
		two.Values = []doc.Value{doc.Simple(a, "2222")}
		if differ := one.Hash() != two.Hash(); differ != shown {
			t.Errorf("%s: the hashes of two values differ: %v, want %v", name, differ, shown)
		}
	}
}
